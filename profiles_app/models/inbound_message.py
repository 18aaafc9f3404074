"""Messages that came in for an account's numbers, and whether its webhooks have taken them."""

import uuid

from django.db import models
from django.db.models import Q

from contacts_app.models.encrypted import EncryptedTextField
from profiles_app.models.number_lease import NumberLease


class InboundMessage(models.Model):
    """One message. A pending one is delivered when its time comes; whoever delivers it sets that time ahead first."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"
        KEPT = "kept", "Kept: no webhook"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    lease = models.ForeignKey(NumberLease, on_delete=models.CASCADE, related_name="inbound_messages")
    sender = models.CharField("from", max_length=64)
    text = EncryptedTextField("message")
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    outcome = models.TextField(blank=True, help_text="What each webhook did, a line each.")
    next_attempt_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="inbound_message_by_age"),
            models.Index(
                fields=["next_attempt_at"], condition=Q(state="pending"), name="inbound_message_due"
            ),
            models.Index(fields=["state", "-created_at", "-id"], name="inbound_message_by_state"),
            models.Index(fields=["lease", "-created_at", "-id"], name="inbound_message_of_lease"),
            models.Index(fields=["sender", "-created_at"], name="inbound_message_by_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.sender} → {self.lease_id} at {self.created_at:%Y-%m-%d %H:%M}"
