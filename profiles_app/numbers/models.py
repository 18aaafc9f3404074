"""The stock of numbers that accounts can lease, and their orders, which staff fulfil or refuse (messaging spec §4.6)."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import SET_NULL, Q

from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from profiles_app.messaging.models import MessagingProfile, MessagingRecord, NumberLease
from profiles_app.sip.models import SipConnection, SipControlApp

MOST_ORDERED = 100
DIGITS = RegexValidator(r"\A[0-9]{0,15}\Z", "Digits only.")


class NumberOrder(MessagingRecord):
    """What an account asks the operator for: so many numbers of a kind, or these numbers."""

    class State(models.TextChoices):
        # In the words of the provider's document; `verify` and `processing` are the operator's own.
        CREATED = "created", "Ordered"
        VERIFY = "verify", "Being checked"
        PROCESSING = "processing", "In progress"
        SUCCESS = "success", "Fulfilled"
        FAILED = "failed", "Refused"

    state = models.CharField(max_length=16, choices=State, default=State.CREATED, editable=False)
    quantity = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_ORDERED)],
        help_text=f"How many numbers, 1 to {MOST_ORDERED}.",
    )
    kind = models.CharField(max_length=16, choices=NumberLease.Kind, blank=True, help_text="Empty: either kind.")
    prefix = models.CharField(
        max_length=15, blank=True, validators=[DIGITS], help_text="Digits that the numbers begin with, such as 1202."
    )
    wanted = models.JSONField(
        default=list, blank=True, editable=False, help_text="Numbers that are asked for by name; empty: any that fit."
    )
    note = models.CharField(max_length=255, blank=True, help_text="What the operator should know.")
    autorenew = models.BooleanField("renewed automatically", default=True)
    messaging_profile = models.ForeignKey(
        MessagingProfile, null=True, blank=True, on_delete=SET_NULL, related_name="number_orders",
        help_text="For the numbers that come; empty: the account's default one.",
    )  # fmt: skip
    sip_connection = models.ForeignKey(
        SipConnection, null=True, blank=True, on_delete=SET_NULL, related_name="number_orders",
        verbose_name="SIP connection", help_text="Where calls to the numbers go.",
    )  # fmt: skip
    sip_control_app = models.ForeignKey(
        SipControlApp, null=True, blank=True, on_delete=SET_NULL, related_name="number_orders",
        verbose_name="SIP control app", help_text="The app that decides about calls to the numbers.",
    )  # fmt: skip
    answer = models.CharField(max_length=255, blank=True, editable=False, help_text="What the operator says to it.")
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=SET_NULL, related_name="+"
    )

    history = Tracked()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["account", "-created_at", "-id"], name="number_order_of_account"),
            models.Index(fields=["-created_at", "-id"], name="number_order_by_age"),
            models.Index(fields=["state", "-created_at", "-id"], name="number_order_by_state"),
        ]

    def __str__(self) -> str:
        what = f"{self.get_kind_display().lower()} number" if self.kind else "number"
        return f"{self.quantity} {what}{'' if self.quantity == 1 else 's'}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


OPEN_STATES = (NumberOrder.State.CREATED, NumberOrder.State.VERIFY, NumberOrder.State.PROCESSING)


class StockNumber(models.Model):
    """A number that the operator has. It is free while no account leases it."""

    tn = models.PositiveBigIntegerField(
        "number",
        unique=True,
        validators=[MinValueValidator(100), MaxValueValidator(999_999_999_999_999)],
        help_text="In international form, digits only, such as 12025550123.",
    )
    kind = models.CharField(max_length=16, choices=NumberLease.Kind, editable=False)
    region = models.CharField(max_length=64, blank=True, help_text="Where the number is from, as customers know it.")
    provider = models.CharField(max_length=64, blank=True, help_text="Where the operator has it from; staff only.")
    monthly_price = models.DecimalField(
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="US dollars a month; empty: none is said.",
    )
    # Set and cleared with the lease itself, so that a lease that is deleted in any way frees the number.
    lease = models.OneToOneField(
        NumberLease, null=True, blank=True, editable=False, on_delete=SET_NULL, related_name="stock"
    )
    order = models.ForeignKey(
        NumberOrder, null=True, blank=True, editable=False, on_delete=SET_NULL, related_name="numbers"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        ordering = ["tn"]
        verbose_name = "number in stock"
        verbose_name_plural = "numbers in stock"
        indexes = [
            models.Index(fields=["tn"], condition=Q(lease=None), name="stock_number_free"),
            models.Index(fields=["tn"], condition=~Q(lease=None), name="stock_number_leased"),
            models.Index(fields=["kind", "tn"], name="stock_number_by_kind"),
            models.Index(fields=["region", "tn"], name="stock_number_by_region"),
            TextIndex(fields=["tn"], name="stock_number_text"),
            TextIndex(fields=["region"], name="stock_number_region_text"),
        ]

    def __str__(self) -> str:
        return str(self.tn)
