"""Leases on rows: taken with a claim, renewed while the process lives, and lost when it does not.

A process that was only stopped (a suspended machine, SIGSTOP) does not notice that its leases have run out: when it goes
on, it does what it was about to do. So before anything that cannot be taken back it asks its `Fence`.
"""

import threading
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.db.models import Model, Q, QuerySet

from contacts_app.core.work import clock

log = structlog.get_logger(__name__)
Row = TypeVar("Row", bound=Model)


class LeaseLost(Exception):
    """Another worker has the row, or it was ended meanwhile."""


def no_live_lease(now: Any = None) -> Q:
    """Rows that no living worker holds, now or at another moment."""
    return Q(lease_owner="") | Q(lease_until=None) | Q(lease_until__lt=clock.now() if now is None else now)


def lease_of(owner: str) -> dict[str, Any]:
    """What a row holds under a lease that begins now."""
    return {"lease_owner": owner, "lease_until": clock.now() + timedelta(seconds=settings.LEASE_SECONDS)}


def lock_unlocked(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Lock those of the rows that no other transaction has locked, and leave out the others.

    Not their keys: others may refer to them meanwhile. SQLite knows no row locks and needs none: its transactions
    follow one another.
    """
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return rows


@transaction.atomic(savepoint=False)
def update_unlocked(rows: QuerySet[Any], **values: Any) -> int:
    """UPDATE those of the rows that no other transaction has locked; how many. The others stay as they are.

    For what is written again soon: two that hold several rows in different orders would block each other.
    """
    return int(rows.model._default_manager.filter(pk__in=lock_unlocked(rows.order_by()).values("pk")).update(**values))


class Fence:
    """Whether rows are still ours, asked in the moment before something that another worker must not do as well.

    The rows themselves are asked, one time for all of them, and the answer is good for an eighth of a lease by the
    monotonic clock, which runs on while a process is stopped; a lease that ends sooner is none. Any thread may ask.

    `row` was read of those rows after the moment `read`: that was the question already.
    """

    def __init__(self, held: QuerySet[Any], row: Any = None, read: float = 0.0) -> None:
        self._held = held
        self._lock = threading.Lock()
        self._ours: frozenset[int] = frozenset()
        self._good_until = 0.0
        good = settings.LEASE_SECONDS / 8
        if row is not None and row.lease_until and row.lease_until > clock.now() + timedelta(seconds=good):
            self._ours, self._good_until = frozenset({row.pk}), read + good

    def holds(self, key: int) -> bool:
        with self._lock:
            while monotonic() >= self._good_until:
                good = settings.LEASE_SECONDS / 8
                # From before the question on: the answer may be late.
                self._good_until = monotonic() + good
                ours = self._held.filter(lease_until__gt=clock.now() + timedelta(seconds=good))
                self._ours = frozenset(ours.values_list("pk", flat=True))
            return key in self._ours


class Heartbeat:
    """Renews the leases of rows in the background while the `with` block runs; `held` says which rows those are now."""

    def __init__(self, held: Callable[[], list[QuerySet[Any]]]) -> None:
        self._held = held
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease-heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stopped.wait(settings.LEASE_SECONDS / 4):
            try:
                for rows in self._held():
                    # A row that is being written now is left to the next beat.
                    until = clock.now() + timedelta(seconds=settings.LEASE_SECONDS)
                    update_unlocked(rows, lease_until=until)
            except Exception:
                log.exception("could not renew leases")
                close_old_connections()
        connection.close()
