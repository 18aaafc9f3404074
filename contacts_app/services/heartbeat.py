"""Leases of rows that a process works on: renewed while it lives, so that a killed one's rows come free by themselves."""

import threading
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections, connection
from django.db.models import QuerySet
from django.utils import timezone

from contacts_app.services.unlocked import update_unlocked

log = structlog.get_logger(__name__)


class Heartbeat:
    """Renews `lease_until` of the rows in the background while the `with` block runs."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        self.rows = rows
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._beat, name="lease-heartbeat", daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()

    def _beat(self) -> None:
        while not self.stopped.wait(settings.LEASE_SECONDS / 4):
            try:
                # Rows that somebody writes now are left to the next beat.
                until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
                update_unlocked(self.rows, lease_until=until)
            except Exception:
                log.exception("could not renew leases")
                close_old_connections()
        connection.close()
