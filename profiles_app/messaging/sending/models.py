"""Messages that are sent: the gateways that take them, each message with its attempts, and who wants none.

The rows are the truth: a message that stands here is sent by the workers (`work`), once, and its state says how far it
has come (sending spec §2).
"""

import json
import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import SET_NULL, Q

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.secrets import EncryptedTextField
from contacts_app.core.values import validate_web_url
from profiles_app.events.models.outbox import Attempt
from profiles_app.messaging.models import MessagingProfile, NumberLease


class MessageGateway(models.Model):
    """Where messages go: a provider's HTTP interface, a short message centre, or the simulated one.

    URLs, headers and bodies often carry a key or a password, so they are stored as secrets are.
    """

    class Kind(models.TextChoices):
        HTTP = "http", "HTTP"
        SMPP = "smpp", "SMPP 3.4"
        SIMULATED = "simulated", "Simulated"

    class Method(models.TextChoices):
        POST = "POST", "POST"
        PUT = "PUT", "PUT"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="message_gateways",
        help_text="Empty: for all accounts that have no gateway of their own.",
    )
    name = models.CharField(max_length=128)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.HTTP)
    enabled = models.BooleanField(default=True, help_text="A disabled gateway gets no new messages.")
    priority = models.PositiveSmallIntegerField(
        default=10, help_text="Of several gateways the one with the lowest number takes an account's messages."
    )
    url = EncryptedTextField(
        "URL", blank=True, default="", validators=[validate_web_url], help_text="http or https, 10 to 255 characters."
    )
    method = models.CharField(max_length=8, choices=Method, default=Method.POST)
    headers = EncryptedTextField(blank=True, default="{}", help_text="A JSON object of names and values.")
    body = EncryptedTextField(
        blank=True, default="", help_text="A JSON template; empty: uuid, from, to, text, media_urls and receipt_url."
    )
    id_path = models.CharField(
        "path of the id",
        max_length=128,
        blank=True,
        default="id",
        help_text="Where the gateway's own id stands in the answer, such as data.id or messages.0.id.",
    )
    error_path = models.CharField(
        "path of the error", max_length=128, blank=True, default="message", help_text="Where an error is worded."
    )
    is_idempotent = models.BooleanField(
        "repeats count once",
        default=True,
        help_text="The gateway takes a second request with the same UUID for the same message. Otherwise a message "
        "whose request ended without an answer is not sent again.",
    )
    host = models.CharField(max_length=253, blank=True, default="")
    port = models.PositiveIntegerField(
        default=2775, validators=[MinValueValidator(1), MaxValueValidator(65535)], help_text="Usually 2775."
    )
    use_tls = models.BooleanField("TLS", default=False)
    # SMPP 3.4 §4.1.1 gives them 15, 8 and 12 characters.
    system_id = models.CharField("system ID", max_length=15, blank=True, default="")
    password = EncryptedTextField(blank=True, default="")
    system_type = models.CharField(max_length=12, blank=True, default="")
    receipt_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)
    # When an SMPP gateway is next asked for receipts; empty: it has been sent nothing.
    listen_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(secret=["receipt_digest"], quiet=["listen_at"])

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["account", "priority", "id"], name="message_gateway_of_account"),
            models.Index(fields=["name", "id"], name="message_gateway_by_name"),
            models.Index(fields=["listen_at"], condition=Q(listen_at__isnull=False), name="message_gateway_to_ask"),
            TextIndex(fields=["name", "host"], name="message_gateway_text"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def repeats_safely(self) -> bool:
        """SMPP has no id by which a centre could tell a repeat."""
        return self.kind == self.Kind.SIMULATED or (self.kind == self.Kind.HTTP and self.is_idempotent)


class Message(models.Model):
    """One message to one recipient. A queued one is sent when its time comes, by the worker that holds its lease."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        DELIVERED = "delivered", "Delivered"
        UNDELIVERED = "undelivered", "Undelivered"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Reason(models.TextChoices):
        GIVEN = "given", "Named in the request"
        STICKY = "sticky", "Wrote to this recipient before"
        WEIGHT = "weight", "Its turn, by the weights"
        ONLY_ONE = "only-one", "The only one"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False, related_name="messages")
    messaging_profile = models.ForeignKey(
        MessagingProfile, null=True, on_delete=SET_NULL, db_index=False, related_name="messages"
    )
    lease = models.ForeignKey(NumberLease, null=True, on_delete=SET_NULL, db_index=False, related_name="messages")
    sender = models.CharField("from", max_length=15)
    recipient = models.CharField("to", max_length=15)
    text = EncryptedTextField(blank=True)
    stored_media = EncryptedTextField("media", blank=True, default="", editable=False)
    parts = models.PositiveSmallIntegerField(default=1)
    encoding = models.CharField(max_length=8)
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    chosen_because = models.CharField("sender chosen because", max_length=12, choices=Reason)
    left_out = models.JSONField("numbers left out", default=list)
    webhook_url = EncryptedTextField(blank=True, default="", editable=False)
    gateway = models.ForeignKey(MessageGateway, null=True, on_delete=SET_NULL, db_index=False, related_name="messages")
    gateway_ref = models.CharField("ID at the gateway", max_length=128, blank=True, default="")
    error_code = models.CharField(max_length=32, blank=True, default="")
    error = models.CharField(max_length=255, blank=True, default="")
    attempt_count = models.PositiveSmallIntegerField("attempts", default=0)
    next_attempt_at = models.DateTimeField()
    # Written just before a request that must not be made twice, and where one that may be repeated has no known end.
    submitted_at = models.DateTimeField(null=True, editable=False)
    lease_owner = models.CharField(max_length=32, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    request_id = models.CharField(max_length=64, blank=True, default="", editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=SET_NULL, db_index=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    finalized_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["account", "-id"], name="message_of_account"),
            models.Index(fields=["messaging_profile", "-id"], name="message_of_profile"),
            models.Index(fields=["state", "-id"], name="message_by_state"),
            models.Index(fields=["recipient", "-id"], name="message_by_recipient"),
            models.Index(fields=["sender", "-id"], name="message_by_sender"),
            models.Index(fields=["lease", "-id"], name="message_of_lease"),
            models.Index(fields=["created_at", "id"], name="message_by_age"),
            models.Index(fields=["gateway", "gateway_ref"], name="message_of_gateway"),
            models.Index(fields=["next_attempt_at"], condition=Q(state="queued"), name="message_due"),
        ]

    def __str__(self) -> str:
        return f"Message {self.uuid}"

    @property
    def media_urls(self) -> list[str]:
        return list(json.loads(self.stored_media)) if self.stored_media else []

    @property
    def type(self) -> str:
        return "mms" if self.stored_media else "sms"


class MessageAttempt(Attempt):
    """One attempt to hand a message to its gateway."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, db_index=False, related_name="attempts")

    class Meta(Attempt.Meta):
        indexes = [models.Index(fields=["message", "id"], name="message_attempt_of_message")]


class OptOut(models.Model):
    """A recipient that wants no more messages of a profile. Deleting the row allows them again."""

    profile = models.ForeignKey(MessagingProfile, on_delete=models.CASCADE, db_index=False, related_name="opt_outs")
    recipient = models.CharField(max_length=15)
    word = models.CharField(max_length=32, help_text="What the recipient wrote.")
    created_at = models.DateTimeField(auto_now_add=True)

    history = Tracked()

    class Meta:
        ordering = ["-id"]
        verbose_name = "opt-out"
        indexes = [
            models.Index(fields=["recipient", "-id"], name="opt_out_by_recipient"),
            TextIndex(fields=["recipient"], name="opt_out_text"),
        ]
        constraints = [models.UniqueConstraint(fields=["profile", "recipient"], name="one_opt_out_per_recipient")]

    def __str__(self) -> str:
        return f"{self.recipient} ({self.word})"
