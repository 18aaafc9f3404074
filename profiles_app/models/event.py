"""What happened: the outbox of the events integration (events spec §7). A row is written with the change it reports."""

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.db.models import Q

from contacts_app.models import Account, Extension
from contacts_app.models.encrypted import EncryptedTextField


class Event(models.Model):
    """One event. Nothing of it changes but `matched_at`, which says that its deliveries have been written.

    What it tells may hold the text of messages, so it is encrypted as those are.
    """

    uuid = models.UUIDField(
        "UUID", default=uuid.uuid4, unique=True, editable=False, help_text="Receivers tell repeats by it."
    )
    account = models.ForeignKey(
        Account,
        null=True,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="events",
        help_text="Empty: it concerns the portal itself, and nobody listens.",
    )
    extension = models.ForeignKey(Extension, null=True, on_delete=models.SET_NULL, related_name="+")
    timestamp_ns = models.BigIntegerField(default=time.time_ns, help_text="Unix time in nanoseconds.")
    tags = models.JSONField(default=list)
    data_type = models.CharField(max_length=64)
    data_object_uuid = models.UUIDField(null=True)
    stored_data = EncryptedTextField("data", default="{}", editable=False)
    schedules = models.JSONField(
        default=list, help_text="The ids of the PBX's schedules that were in force, for filters."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    matched_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["account", "-id"], name="event_of_account"),
            models.Index(fields=["data_type", "-id"], name="event_by_type"),
            models.Index(fields=["created_at"], name="event_by_age"),
            models.Index(fields=["id"], condition=Q(matched_at=None), name="event_unmatched"),
            models.Index(
                fields=["data_object_uuid"],
                condition=Q(data_object_uuid__isnull=False),
                name="event_of_object",
            ),
        ]

    def __str__(self) -> str:
        return f"{' '.join(self.tags)} ({self.uuid})"

    @property
    def timestamp(self) -> int:
        return self.timestamp_ns // 1_000_000_000

    @property
    def occurred_at(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp_ns / 1_000_000_000, UTC)

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.stored_data)
        return data
