"""Waiting for deployments to end, and carrying them out here when no worker does.

Leases make that safe: a worker that comes along takes the rows that this process does not hold.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

import structlog
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from contacts_app.core.work.lease import no_live_lease
from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import DEPLOYMENTS

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.2
# A worker that was nudged takes its rows sooner than this.
GRACE = timedelta(seconds=1)


def wait_for(deployments: Sequence[Deployment], *, seconds: float) -> Iterator[list[Deployment]]:
    """Yield the rows as they stand, again and again, until all have ended or the time is up."""
    keys = [deployment.pk for deployment in deployments]
    rows = Deployment.objects.filter(pk__in=keys).select_related("phone").order_by("mac")
    deadline = time.monotonic() + seconds
    driver = Driver()
    try:
        while True:
            present = list(rows.all())
            yield present
            if not any(row.is_open for row in present) or time.monotonic() >= deadline:
                return
            driver.look(Deployment.objects.filter(pk__in=keys))
            time.sleep(LOOK_SECONDS)
    finally:
        driver.stop()


class Driver:
    """Runs what is due in a thread beside the one that waits, as soon as it is seen that nobody else does."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._grace = GRACE

    def look(self, rows: "QuerySet[Deployment]") -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        overdue = rows.filter(finished_at=None).filter(no_live_lease())
        if overdue.filter(next_attempt_at__lte=timezone.now() - self._grace).exists():
            self._grace = timedelta(0)  # There is no worker, so that nobody is waited for from now on.
            self._thread = threading.Thread(target=self._run, name="deployments")
            self._thread.start()

    def stop(self) -> None:
        """Take no more; return when what is under way has come to its next pause."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            run_queue(DEPLOYMENTS, self._stopped.is_set)
        except Exception:
            log.exception("deployments could not be carried out here")
        finally:
            connection.close()
