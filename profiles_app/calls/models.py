"""Calls that have ended, as switches and admission told of them. People read these rows; nobody edits them."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from contacts_app.accounts.models import Account
from contacts_app.core.values import MAX_TYPED_LENGTH, validate_web_url


class CallRecord(models.Model):
    """One call of an account. What it refers to may be gone by the time that it is read, so it holds words, no keys."""

    class Direction(models.TextChoices):
        INBOUND = "inbound", "Inbound"
        OUTBOUND = "outbound", "Outbound"
        INTERNAL = "internal", "Internal"

    class Disposition(models.TextChoices):
        ANSWERED = "answered", "Answered"
        NO_ANSWER = "no_answer", "No answer"
        BUSY = "busy", "Busy"
        CONGESTION = "congestion", "Congestion"
        FAILED = "failed", "Failed"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="call_records", db_index=False)
    call_id = models.CharField("call id", max_length=128, help_text="The switch's own name of the call.")
    direction = models.CharField(max_length=8, choices=Direction)
    caller = models.CharField(max_length=MAX_TYPED_LENGTH, blank=True, help_text="E.164 where known; empty: withheld.")
    called = models.CharField("called number", max_length=MAX_TYPED_LENGTH, blank=True, help_text="E.164 where known.")
    extension = models.CharField(
        max_length=32, blank=True, help_text="The account's line: that of the caller of outbound and internal calls."
    )
    started_at = models.DateTimeField("start")
    answered_at = models.DateTimeField("answered", null=True, blank=True)
    ended_at = models.DateTimeField("end", null=True, blank=True)
    seconds = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(2**31 - 1)], help_text="Seconds that are charged: from answer to end."
    )
    disposition = models.CharField(max_length=10, choices=Disposition)
    cost = models.DecimalField(
        max_digits=14, decimal_places=6, null=True, blank=True, validators=[MinValueValidator(0)], help_text="If known."
    )
    currency = models.CharField(
        max_length=3,
        default="USD",
        validators=[RegexValidator(r"\A[A-Z]{3}\Z", "Must be three capital letters (ISO 4217).")],
        help_text="Currency of the cost (ISO 4217).",
    )
    voice_profile = models.UUIDField(
        "outbound voice profile", null=True, blank=True, help_text="UUID of the profile that admitted the call."
    )
    # What the operator keeps: customers see it where their MyAccount profile says so.
    site = models.CharField(max_length=255, blank=True, help_text="The operator's name of the place of the line.")
    campaign = models.CharField(max_length=255, blank=True, help_text="The operator's campaign that the call is of.")
    description = models.CharField(max_length=255, blank=True, help_text="The operator's words about the call.")
    recording_url = models.CharField(
        "recording", max_length=255, blank=True, validators=[validate_web_url], help_text="http or https."
    )
    created_at = models.DateTimeField("recorded", auto_now_add=True)

    class Meta:
        ordering = ["-started_at", "-pk"]
        verbose_name = "call record"
        constraints = [
            # The id first: its index finds a call also for staff, who name no account.
            models.UniqueConstraint(fields=["call_id", "account"], name="call_id_once_per_account")
        ]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="call_by_start"),
            # What day reports add up stands in the index, so that they read no row.
            models.Index(
                fields=[
                    *("account", "-started_at", "-id", "direction", "disposition"),
                    *("seconds", "cost", "currency"),
                ],
                name="call_of_account",
            ),
            models.Index(fields=["direction", "-started_at", "-id"], name="call_by_direction"),
            models.Index(fields=["disposition", "-started_at", "-id"], name="call_by_disposition"),
            models.Index(fields=["caller", "-started_at", "-id"], name="call_by_caller"),
            models.Index(fields=["called", "-started_at", "-id"], name="call_by_called"),
            # Many accounts have an extension 201: within one of them its calls are in their order.
            models.Index(fields=["extension", "account", "-started_at", "-id"], name="call_by_extension"),
            models.Index(fields=["site", "account", "-started_at", "-id"], name="call_by_site"),
            models.Index(fields=["voice_profile", "-started_at", "-id"], name="call_by_voice_profile"),
        ]

    def __str__(self) -> str:
        return f"{self.caller or 'withheld'} → {self.called} at {self.started_at:%Y-%m-%d %H:%M}"


class DailyCallReport(models.Model):
    """Which day of an account's calls is mailed next, and when: every account has one, whether it gets mails or not."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="daily_call_report")
    day = models.DateField(help_text="The first day that is not mailed, in the account's time zone.")
    next_attempt_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.account} from {self.day}"
