"""Claiming due rows: oldest first, fair among accounts, capped per server.

One account's rows may be ten thousand, or wait for a server that takes a minute for each. Both costs others nothing:
an account that holds its share of the threads comes after those that do not, a few threads are kept for accounts that
have nothing under way, and a server has few threads. A claim is one SELECT, or two, and one UPDATE, however many are due.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from contacts_app.core.lists.among import among
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from contacts_app.core.work.lease import lease_of, lock_unlocked


@dataclass(frozen=True, eq=False)
class Claim:
    """Rows that are worked on together, the accounts that they are of, and the servers that they need."""

    keys: Sequence[int]
    accounts: frozenset[Any]
    servers: frozenset[Any]
    # Of the rows those whose lease had run out: another worker was in the middle of them, and may only be stopped.
    taken_over: frozenset[int] = frozenset()


class Claims:
    """What is under way of one kind of work in this process. Threads may claim at the same time."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._claims: list[Claim] = []
        # Held while rows are claimed: who claims next has to know of them, or shares and caps would not hold.
        self._lock = threading.Lock()

    @property
    def keys(self) -> list[int]:
        return [key for claim in tuple(self._claims) for key in claim.keys]

    def take(self, after: Claim | None = None) -> Claim | None:
        """Claim the next rows, None if there are none that may be worked on now.

        A thread that has finished a claim says so: between its end and the next one no other thread gets its place, or
        the two would change places again and again, each time with a new thread.
        """
        with self._lock:
            if after is not None:
                self.end(after)
            claim = self._take()
            if claim is not None:
                self._claims.append(claim)
                self.work.taken_over.update(claim.taken_over)
            return claim

    def end(self, claim: Claim) -> None:
        """It may have ended before."""
        if claim in self._claims:
            self._claims.remove(claim)
            self.work.taken_over.difference_update(claim.taken_over)

    def _take(self) -> Claim | None:
        work, number = self.work, len(self._claims)
        threads = work.threads()
        is_roomy = number < threads
        if not is_roomy and number >= threads + work.reserve():
            return None
        rows = self._on_free_servers(work.due())
        by_account = Counter(account for claim in tuple(self._claims) for account in claim.accounts)
        share = max(1, threads // len(by_account)) if is_roomy and by_account else 1
        served = [account for account, claims in by_account.items() if claims >= share]
        with transaction.atomic():
            claim = self._read(rows.exclude(**{f"{work.account}__in": served}) if served else rows)
            if claim is None and served and is_roomy:
                claim = self._read(rows)
            if claim is not None:
                ours = work.model._default_manager.filter(pk__in=among(claim.keys))
                ours.update(**self._lease())
            return claim

    def _on_free_servers(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.work.server is None:
            return rows
        rows = rows.annotate(work_server=self.work.server)
        by_server = Counter(server for claim in tuple(self._claims) for server in claim.servers)
        full = [server for server, claims in by_server.items() if claims >= self.work.per_server]
        return rows.filter(Q(work_server=None) | ~Q(work_server__in=full)) if full else rows

    def _read(self, rows: QuerySet[Any]) -> Claim | None:
        work = self.work
        columns = ["pk"]
        if work.account is not None:
            columns.append(work.account)
        if work.server is not None:
            columns.append("work_server")
        if work.is_leased():
            columns.append("lease_owner")
        found, mine = self._due(rows, columns), set(self.keys)
        if any(row[0] in mine for row in found):
            # This process was stopped for longer than its leases, and its threads are still in the middle of these rows.
            # Claimed once more, and by the same owner, they would seem to be theirs again.
            found = self._due(rows.exclude(pk__in=mine), columns)
        if not found:
            return None
        values = dict(zip(columns, zip(*found, strict=True), strict=True))
        servers = frozenset(values.get("work_server", ())) - {None}
        owners = values.get("lease_owner", ())
        taken_over = frozenset(key for key, owner in zip(values["pk"], owners, strict=False) if owner)
        accounts = frozenset(values[work.account] if work.account else ())
        return Claim(list(values["pk"]), accounts, servers, taken_over)

    def _due(self, rows: QuerySet[Any], columns: Sequence[str]) -> list[tuple[Any, ...]]:
        ordered = lock_unlocked(rows.order_by(F(self.work.due_field).asc()))
        return list(ordered.values_list(*columns)[: self.work.batch])

    def _lease(self) -> dict[str, Any]:
        if self.work.is_leased():
            return lease_of(self.work.owner)
        return {self.work.due_field: clock.now() + self.work.claim_time}
