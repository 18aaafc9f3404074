"""Claiming due rows: oldest first, fair among accounts, capped per server.

One account's rows may be ten thousand, or wait for a server that takes a minute for each. Both costs others nothing:
an account that holds its share of the threads comes after those that do not, a few threads are kept for accounts that
have nothing under way, and a server has few threads. A claim is one SELECT, or two, and one UPDATE, however many are due.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple, cast

from django.db import transaction
from django.db.models import F, Field, Q, QuerySet

from contacts_app.core.lists.among import among
from contacts_app.core.lists.statement import Slot, Statement
from contacts_app.core.lists.update import update_row
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from contacts_app.core.work.lease import lease_of, lock_unlocked

# A look that finds nothing may have gone through ten thousand rows that wait for something. It is not repeated for so
# many times as long as it took, unless that was quick, nor for longer than this (seconds).
SHARE, QUICK, LONGEST_REST = 20, 0.01, 5.0
MOST_KEPT = 50


@dataclass(frozen=True, eq=False)
class Claim:
    """Rows that are worked on together, the accounts that they are of, and the servers that they need."""

    keys: Sequence[int]
    accounts: frozenset[Any]
    servers: frozenset[Any]
    # Of the rows those whose lease had run out: another worker was in the middle of them, and may only be stopped.
    taken_over: frozenset[int] = frozenset()


class _Without(NamedTuple):
    """What is left out: accounts that have their share (None: rows of no account), and servers that have their claims."""

    accounts: frozenset[Any]
    servers: frozenset[Any]


class Claims:
    """What is under way of one kind of work in this process. Threads may claim at the same time."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._claims: list[Claim] = []
        # Held while rows are claimed: who claims next has to know of them, or shares and caps would not hold.
        self._lock = threading.Lock()
        owner = "lease_owner" if work.is_leased() else None
        columns = ("pk", work.account, "work_server" if work.server is not None else None, owner)
        self._columns = [column for column in columns if column is not None]
        # Compiled queries, by what they leave out.
        self._kept: dict[_Without, Statement] = {}
        # Until when nothing is looked for: with room for any account, and with room for those that have nothing alone.
        self._rests_until = {True: 0.0, False: 0.0}

    @property
    def keys(self) -> list[int]:
        return [key for claim in tuple(self._claims) for key in claim.keys]

    def take(self, after: Claim | None = None, *, may_rest: bool = False) -> Claim | None:
        """Claim the next rows, None if there are none that may be worked on now.

        `may_rest`: it is asked again soon, so that what took long in vain need not be tried now.

        A thread that has finished a claim says so: between its end and the next one no other thread gets its place, or
        the two would change places again and again, each time with a new thread.
        """
        with self._lock:
            if after is not None:
                self.end(after)
            claim = self._take(may_rest)
            if claim is not None:
                self._claims.append(claim)
                self.work.taken_over.update(claim.taken_over)
            return claim

    def end(self, claim: Claim) -> None:
        """It may have ended before."""
        if claim in self._claims:
            self._claims.remove(claim)
            self.work.taken_over.difference_update(claim.taken_over)

    def _take(self, may_rest: bool) -> Claim | None:
        number, threads = len(self._claims), self.work.threads()
        is_roomy, began = number < threads, monotonic()
        if not is_roomy and number >= threads + self.work.reserve():
            return None
        if may_rest and began < self._rests_until[is_roomy]:
            return None
        claim = self._look(threads, is_roomy)
        if claim is None and (took := monotonic() - began) > QUICK:
            self._rests_until[is_roomy] = began + min(took * SHARE, LONGEST_REST)
        return claim

    def _look(self, threads: int, is_roomy: bool) -> Claim | None:
        work = self.work
        by_server = Counter(server for claim in tuple(self._claims) for server in claim.servers)
        full = frozenset(server for server, claims in by_server.items() if claims >= work.per_server)
        by_account = Counter(account for claim in tuple(self._claims) for account in claim.accounts)
        share = max(1, threads // len(by_account)) if is_roomy and by_account else 1
        served = frozenset(account for account, claims in by_account.items() if claims >= share)
        with transaction.atomic():
            claim = self._read(_Without(served, full))
            if claim is None and served and is_roomy:
                claim = self._read(_Without(frozenset(), full))
            if claim is not None and len(claim.keys) == 1:
                update_row(work.model, claim.keys[0], self._lease())
            elif claim is not None:
                work.model._default_manager.filter(pk__in=among(claim.keys)).update(**self._lease())
            return claim

    def _read(self, without: _Without) -> Claim | None:
        work, mine = self.work, set(self.keys)
        found = list(self._due(without))
        if any(row[0] in mine for row in found):
            # This process was stopped for longer than its leases, and its threads are still in the middle of these rows.
            # Claimed once more, and by the same owner, they would seem to be theirs again.
            found = list(self._query(work.due().exclude(pk__in=mine), without))
        if not found:
            return None
        values = dict(zip(self._columns, zip(*found, strict=True), strict=True))
        servers = frozenset(values.get("work_server", ())) - {None}
        owners = values.get("lease_owner", ())
        taken_over = frozenset(key for key, owner in zip(values["pk"], owners, strict=False) if owner)
        accounts = frozenset(values[work.account] if work.account else ())
        return Claim(list(values["pk"]), accounts, servers, taken_over)

    def _due(self, without: _Without) -> Iterable[Sequence[Any]]:
        if (kept := self._kept.get(without)) is None:
            now = Slot(cast("Field[Any, Any]", self.work.model._meta.get_field(self.work.due_field)))
            if (rows := self.work.due_at(now())) is None:
                return self._query(self.work.due(), without)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            # Not planned once: which index serves depends on the values.
            kept = self._kept[without] = Statement(self._query(rows, without), is_prepared=False)
        return kept.rows(*[clock.now()] * len(kept.slots))

    def _query(self, rows: QuerySet[Any], without: _Without) -> QuerySet[Any, Any]:
        work = self.work
        if work.server is not None:
            rows = rows.annotate(work_server=work.server)
            if without.servers:
                rows = rows.filter(Q(work_server=None) | ~Q(work_server__in=sorted(without.servers)))
        if None in without.accounts:
            # Such as those of a server that all accounts share: they are one more among whom work is fair.
            rows = rows.exclude(**{f"{work.account}__isnull": True})
        if named := sorted(without.accounts - {None}):
            rows = rows.exclude(**{f"{work.account}__in": named})
        ordered = lock_unlocked(rows.order_by(F(work.due_field).asc()))
        return ordered.values_list(*self._columns)[: work.batch]

    def _lease(self) -> dict[str, Any]:
        if self.work.is_leased():
            return lease_of(self.work.owner)
        return {self.work.due_field: clock.now() + self.work.claim_time}
