"""The telephone numbers an account holds, how well messages from them arrive, and who is used to hearing from which."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from contacts_app.models.history import Tracked
from contacts_app.models.text_index import TextIndex
from profiles_app.models.messaging_profile import MessagingProfile
from profiles_app.models.owned import OwnedRecord

# Unhealthy: under a quarter delivered, or over three quarters taken for spam (messaging spec §4.3). A number that has
# sent nothing is healthy.
HEALTHY = Q(GreaterThanOrEqual(F("delivered_count") * 4, F("sent_count"))) & Q(
    LessThanOrEqual(F("spam_count") * 4, F("sent_count") * 3)
)


class NumberLease(OwnedRecord):
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
        # Goes along when the account is deleted, and otherwise has to be moved to another profile first.
        on_delete=models.RESTRICT,
        related_name="leases",
        help_text="How this number sends and receives messages.",
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

    history = Tracked(quiet=["sent_count", "delivered_count", "spam_count", "turn"])

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name = "number lease"
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="number_lease_of_account"),
            models.Index(fields=["created_at", "id"], name="number_lease_by_age"),
            models.Index(
                fields=["messaging_profile", "kind", "turn", "id"], name="number_lease_next_in_pool"
            ),
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
    """The number that a recipient hears from, for one profile."""

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
        constraints = [
            models.UniqueConstraint(fields=["profile", "recipient"], name="one_sender_per_recipient")
        ]

    def __str__(self) -> str:
        return f"{self.recipient} ← {self.lease}"
