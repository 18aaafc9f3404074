"""Messaging profiles, the numbers that an account holds and that use them, and the messages that came in for these.

A profile says how its numbers send and where inbound messages are posted to; a number has a health, and recipients
that are used to hearing from it.
"""

import uuid
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import SET_NULL, F, Q
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.secrets import EncryptedTextField
from contacts_app.core.values import validate_web_url


def _person() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=SET_NULL, related_name="+"
    )


class MessagingRecord(models.Model):
    """What every record of the messaging API has: its UUID, its account, and who made and changed it when."""

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="%(class)ss")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    created_by = _person()
    modified_by = _person()

    class Meta:
        abstract = True

    def stamp_author(self, actor: Actor) -> None:
        """Say so in the row, before it is stored."""
        self.modified_by = actor.author
        if self._state.adding:
            self.created_by = actor.author


MAX_WEIGHT = 9
# Of the profile, unless it says otherwise: those of the mobile operators' code of conduct in North America (CTIA).
OPT_OUT_WORDS = "STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT"
OPT_IN_WORDS = "START, UNSTOP"
# Columns with URLs that may hold secrets.
WEBHOOKS = ("callback_url", "callback_url2")


class MessagingProfile(MessagingRecord):
    """Callbacks, and the rules by which a sender is picked from the pool of the profile's numbers.

    Webhook addresses often carry a key or a password, so they are stored as secrets are.
    """

    name = models.CharField(max_length=255)
    is_default = models.BooleanField(
        "default", default=False, help_text="For the account's numbers that have no profile of their own."
    )
    callback_url = EncryptedTextField(
        "callback URL",
        null=True,
        blank=True,
        validators=[validate_web_url],
        help_text="Inbound messages are posted here. http or https, 10 to 255 characters.",
    )
    callback_url2 = EncryptedTextField(
        "second callback URL",
        null=True,
        blank=True,
        validators=[validate_web_url],
        help_text="Tried once when the first one cannot be reached.",
    )
    number_pool_enable = models.BooleanField(
        "number pool",
        default=False,
        help_text="Let Patchbay choose the sender of a message that names only the profile.",
    )
    long_code_weight = models.PositiveSmallIntegerField(
        default=1,
        validators=[MaxValueValidator(MAX_WEIGHT)],
        help_text="Share of ordinary numbers in the pool, 0 to 9; 0: none.",
    )
    tollfree_weight = models.PositiveSmallIntegerField(
        "toll-free weight",
        default=1,
        validators=[MaxValueValidator(MAX_WEIGHT)],
        help_text="Share of toll-free numbers in the pool, 0 to 9; 0: none.",
    )
    skip_unhealthy_tns = models.BooleanField(
        "skip unhealthy numbers",
        default=False,
        help_text="Leave out numbers with under 25 % of messages delivered, or over 75 % taken for spam.",
    )
    sticky_sender = models.BooleanField(default=False, help_text="Keep the same sender for the same recipient.")
    # The database's defaults are for processes of the release before, which write rows while they are being replaced.
    opt_out_words = models.CharField(
        "opt-out words",
        max_length=255,
        blank=True,
        default=OPT_OUT_WORDS,
        db_default=OPT_OUT_WORDS,
        help_text="Separated by commas. A message that is one of them ends messages to its sender. Empty: none does.",
    )
    opt_in_words = models.CharField(
        "opt-in words",
        max_length=255,
        blank=True,
        default=OPT_IN_WORDS,
        db_default=OPT_IN_WORDS,
        help_text="Separated by commas. A message that is one of them allows messages to its sender again.",
    )
    signing_secret = EncryptedTextField(
        default="", db_default="", blank=True, editable=False, help_text="Made when the first webhook is called."
    )
    # Where the rotation of the pool stands: see `messaging.services`.
    long_code_credit = models.SmallIntegerField(default=0, editable=False)
    tollfree_credit = models.SmallIntegerField(default=0, editable=False)
    turn = models.PositiveBigIntegerField(default=0, editable=False)

    history = Tracked(quiet=["long_code_credit", "tollfree_credit", "turn"])

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="messaging_profile_of_account"),
            models.Index(fields=["created_at", "id"], name="messaging_profile_by_age"),
            models.Index(fields=["number_pool_enable", "created_at", "id"], name="messaging_profile_pool"),
            models.Index(fields=["skip_unhealthy_tns", "created_at", "id"], name="messaging_profile_health"),
            models.Index(fields=["sticky_sender", "created_at", "id"], name="messaging_profile_sticky"),
            models.Index(fields=["is_default", "created_at", "id"], name="messaging_profile_default"),
            models.Index(fields=["name", "id"], name="messaging_profile_by_name"),
            TextIndex(fields=["name"], name="messaging_profile_text"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(is_default=True), name="one_default_messaging_profile"
            ),
            models.CheckConstraint(
                name="messaging_weights_are_digits",
                condition=Q(long_code_weight__lte=MAX_WEIGHT, tollfree_weight__lte=MAX_WEIGHT),
            ),
        ]

    def __str__(self) -> str:
        return self.name


# Unhealthy: under a quarter delivered, or over three quarters taken for spam (messaging spec §4.3). A number that has
# sent nothing is healthy.
HEALTHY = Q(GreaterThanOrEqual(F("delivered_count") * 4, F("sent_count"))) & Q(
    LessThanOrEqual(F("spam_count") * 4, F("sent_count") * 3)
)


class NumberLease(MessagingRecord):
    """A number (TN) leased to an account. It always has a messaging profile (messaging spec §4.4)."""

    class Kind(models.TextChoices):
        LONG_CODE = "long_code", "Long code"
        TOLLFREE = "tollfree", "Toll-free"

    tn = models.PositiveBigIntegerField(
        "number",
        unique=True,
        validators=[MinValueValidator(100), MaxValueValidator(999_999_999_999_999)],
        help_text="In international form, digits only, such as 12025550123.",
    )
    kind = models.CharField(max_length=16, choices=Kind, editable=False)
    messaging_profile = models.ForeignKey(
        MessagingProfile,
        # Deleted with the account, and otherwise has to be moved to another profile first.
        on_delete=models.RESTRICT,
        related_name="leases",
        help_text="How this number sends and receives messages.",
    )
    description = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="What the number is for."
    )
    destination = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text="Where calls to the number go: an extension, a number or a SIP address.",
    )
    site = models.CharField(
        max_length=128,
        blank=True,
        default="",
        db_default="",
        help_text="The customer's site that the number belongs to.",
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: the lease does not end.")
    autorenew = models.BooleanField(
        "renewed automatically", default=True, help_text="The provider extends the lease when it ends."
    )
    sent_count = models.PositiveBigIntegerField("messages sent", default=0)
    delivered_count = models.PositiveBigIntegerField("messages delivered", default=0)
    spam_count = models.PositiveBigIntegerField("taken for spam", default=0)
    # When it was last chosen from the pool, in turns of the profile: the lowest is next.
    turn = models.PositiveBigIntegerField(default=0, editable=False)

    outcome_at = models.DateTimeField("last outcome", null=True, editable=False)

    history = Tracked(quiet=["sent_count", "delivered_count", "spam_count", "turn", "outcome_at"])

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name = "number lease"
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="number_lease_of_account"),
            models.Index(fields=["created_at", "id"], name="number_lease_by_age"),
            models.Index(fields=["messaging_profile", "kind", "turn", "id"], name="number_lease_next_in_pool"),
            models.Index(fields=["messaging_profile", "created_at", "id"], name="number_lease_of_profile"),
            models.Index(fields=["kind", "tn"], name="number_lease_by_kind"),
            models.Index(fields=["tn"], condition=HEALTHY, name="number_lease_healthy"),
            models.Index(fields=["tn"], condition=~HEALTHY, name="number_lease_unhealthy"),
            models.Index(fields=["autorenew", "tn"], name="number_lease_by_renewal"),
            TextIndex(fields=["tn"], name="number_lease_text"),
        ]
        constraints = [
            models.CheckConstraint(
                name="no_more_outcomes_than_messages",
                condition=Q(delivered_count__lte=F("sent_count"), spam_count__lte=F("sent_count")),
                violation_error_message="More messages are delivered or taken for spam than were sent.",
            )
        ]

    def __str__(self) -> str:
        return str(self.tn)


class StickySender(models.Model):
    """The number that messages to a recipient are sent from, for one profile."""

    profile = models.ForeignKey(MessagingProfile, on_delete=models.CASCADE, related_name="sticky_senders")
    recipient = models.CharField(max_length=64)
    lease = models.ForeignKey(NumberLease, on_delete=models.CASCADE, related_name="sticky_recipients")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at", "-pk"]
        indexes = [
            models.Index(fields=["-updated_at", "-id"], name="sticky_sender_by_use"),
            models.Index(fields=["recipient", "id"], name="sticky_sender_by_recipient"),
            TextIndex(fields=["recipient"], name="sticky_sender_text"),
        ]
        constraints = [models.UniqueConstraint(fields=["profile", "recipient"], name="one_sender_per_recipient")]

    def __str__(self) -> str:
        return f"{self.recipient} ← {self.lease}"


class InboundMessage(models.Model):
    """One message. A pending one is delivered when its time comes; a worker sets that time ahead before it delivers."""

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
            models.Index(fields=["next_attempt_at"], condition=Q(state="pending"), name="inbound_message_due"),
            models.Index(fields=["state", "-created_at", "-id"], name="inbound_message_by_state"),
            models.Index(fields=["lease", "-created_at", "-id"], name="inbound_message_of_lease"),
            models.Index(fields=["sender", "-created_at"], name="inbound_message_by_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.sender} → {self.lease_id} at {self.created_at:%Y-%m-%d %H:%M}"
