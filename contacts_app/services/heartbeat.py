"""Leases of rows that a process works on: renewed while it lives, so that a killed one's rows come free by themselves."""

import threading
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

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

    @transaction.atomic
    def _renew(self, until: datetime) -> None:
        """Rows that somebody writes now are left to the next beat: two holding several in different orders block."""
        rows = self.rows
        if connection.features.has_select_for_update_skip_locked:
            free = list(rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
            rows = rows.filter(pk__in=free)
        rows.update(lease_until=until)

    def _beat(self) -> None:
        while not self.stopped.wait(settings.LEASE_SECONDS / 4):
            try:
                self._renew(timezone.now() + timedelta(seconds=settings.LEASE_SECONDS))
            except Exception:
                log.exception("could not renew leases")
                close_old_connections()
        connection.close()
