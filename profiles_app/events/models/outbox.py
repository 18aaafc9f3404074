"""The outbox of the events integration: events, their deliveries to callbacks, each attempt (events spec §7).

An event is written with the change that it reports. Each callback has a queue, which says who delivers to it, and when.
"""

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.db.models import Q

from contacts_app.accounts.models import Account, Extension
from contacts_app.core.secrets import EncryptedTextField
from profiles_app.events.models.setup import Callback


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
        help_text="Empty: it concerns the portal itself, and has no listeners.",
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
    # The database's default is for processes of the release before, which write rows while they are being replaced.
    request_id = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False, help_text="Of the request it came of."
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
                fields=["data_object_uuid"], condition=Q(data_object_uuid__isnull=False), name="event_of_object"
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


class Delivery(models.Model):
    """One event for one callback. When the attempts are used up the next callback of the fallbacks gets a row."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"
        SUPPRESSED = "suppressed", "Suppressed"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False, related_name="+")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, db_index=False, related_name="deliveries")
    callback = models.ForeignKey(Callback, on_delete=models.CASCADE, db_index=False, related_name="deliveries")
    # No foreign key: what was matched is delivered, and stays on record when the listener is deleted.
    listener_id = models.BigIntegerField("listener", null=True, help_text="Empty: sent for a test.")
    hop = models.PositiveSmallIntegerField(default=0, help_text="0: the listener's callback; then its fallbacks.")
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    outcome = models.CharField(max_length=255, blank=True, help_text="Why it ended as it did.")
    attempt_count = models.PositiveSmallIntegerField("attempts", default=0)
    next_attempt_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            # A callback gets an event once, and the fallbacks cannot go in a circle.
            models.UniqueConstraint(fields=["event", "callback"], name="one_delivery_per_event_and_callback")
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="delivery_of_account"),
            models.Index(fields=["callback", "-id"], name="delivery_of_callback"),
            models.Index(fields=["state", "-id"], name="delivery_by_state"),
            models.Index(fields=["created_at"], name="delivery_by_age"),
            models.Index(fields=["callback", "event"], condition=Q(state="pending"), name="delivery_pending"),
        ]

    def __str__(self) -> str:
        return f"Delivery {self.pk}"


class Attempt(models.Model):
    """One request that was sent, or was tried to be sent. Neither `error` nor `excerpt` holds a secret."""

    number = models.PositiveSmallIntegerField(help_text="1 is the first attempt.")
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    ok = models.BooleanField(default=False)
    status = models.PositiveSmallIntegerField(null=True, help_text="Of the answer; empty: there was none.")
    error_code = models.CharField(max_length=32, blank=True, help_text="Such as timeout or refused.")
    error = models.CharField(max_length=512, blank=True)
    excerpt = models.TextField(blank=True, help_text="How the answer begins.")

    class Meta:
        abstract = True
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.status or self.error_code}"

    @property
    def is_silent(self) -> bool:
        """There was no answer, and there will hardly be one to the next attempt."""
        return not self.ok and self.status is None


class DeliveryAttempt(Attempt):
    """One attempt to deliver an event."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    callback = models.ForeignKey(Callback, on_delete=models.CASCADE, db_index=False, related_name="+")

    class Meta(Attempt.Meta):
        indexes = [models.Index(fields=["callback", "started_at"], name="attempt_of_callback")]


class CallbackQueue(models.Model):
    """Who delivers to a callback at present, when that is next to be done, and how it has gone of late.

    One queue means one request at a time: that keeps the order and is the limit on concurrency. `wake_at` is the time
    of the next attempt; it is changed in the transaction that writes deliveries, under a lock on this row.
    """

    callback = models.OneToOneField(
        Callback, on_delete=models.CASCADE, primary_key=True, related_name="queue", editable=False
    )
    wake_at = models.DateTimeField(null=True, help_text="Empty: nothing is pending.")
    resting_until = models.DateTimeField(
        null=True, help_text="Nothing is sent before: the last requests were not answered."
    )
    lease_owner = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    silent_in_row = models.PositiveIntegerField(
        default=0, help_text="Requests in a row without an answer; too many, and the callback rests."
    )
    exhausted_in_row = models.PositiveIntegerField(
        default=0, help_text="Deliveries in a row whose attempts were used up."
    )
    failing_since = models.DateTimeField(null=True, help_text="The first failed attempt since the last success.")
    last_success_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True, help_text="When the last mail about failures was written.")
    told_of_failure = models.BooleanField(
        default=False, help_text="The owner was notified that it fails, and will be when it works again."
    )

    class Meta:
        indexes = [
            models.Index(fields=["wake_at"], condition=Q(wake_at__isnull=False), name="lane_to_wake"),
            models.Index(fields=["failing_since"], condition=Q(failing_since__isnull=False), name="lane_failing"),
        ]

    def __str__(self) -> str:
        return f"queue of callback {self.callback_id}"
