"""Decisions about outbound calls, and what the calls of a day cost."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from contacts_app.accounts.models import Account
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.models.rates import LONGEST_NUMBER, PRICE

MONEY: dict[str, Any] = {"max_digits": 14, "decimal_places": 6}
LONGEST_CALL_ID, LONGEST_PARTY = 128, 64


class Admission(models.Model):
    """One decision about a call (voice admission spec §2): refused for a reason, or admitted with a channel reserved.

    The reservation is a lease. The channel is in use until the call has ended, or until `expires_at` has passed.
    """

    class Reason(models.TextChoices):
        CHANNEL_LIMIT = "channel-limit", "Channel limit"
        MAX_RATE = "max-rate", "Highest price"
        DAILY_SPEND_LIMIT = "daily-spend-limit", "Daily spend limit"
        DESTINATION = "destination-not-allowed", "Destination not allowed"
        INACTIVE = "profile-inactive", "Profile inactive"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="admissions", db_index=False)
    profile = models.ForeignKey(
        OutboundVoiceProfile, on_delete=models.CASCADE, related_name="admissions", db_index=False
    )
    call_id = models.CharField("call ID", max_length=LONGEST_CALL_ID)
    destination = models.CharField(max_length=LONGEST_PARTY)
    caller = models.CharField(max_length=LONGEST_PARTY, blank=True)
    reason = models.CharField(max_length=32, choices=Reason, blank=True, help_text="Empty: the call was admitted.")
    # What the decision was made by.
    prefix = models.CharField(max_length=LONGEST_NUMBER, blank=True, help_text="Of the rate; empty: none was found.")
    price = models.DecimalField(**PRICE, null=True, help_text="US dollars per minute; empty: not known.")
    interval = models.PositiveSmallIntegerField(default=60, help_text="Seconds that the call is billed by.")
    channels = models.PositiveIntegerField("channels in use", help_text="Without this call.")
    spent = models.DecimalField("spent that day", **MONEY, help_text="US dollars, without this call.")
    is_recorded = models.BooleanField("recorded", default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, help_text="The channel is free from then on, unless it is renewed.")
    # Later than `expires_at`: the end of a call that outlived its lease may still be reported.
    lost_at = models.DateTimeField(null=True, help_text="The call is taken for ended if nothing is reported by then.")
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    seconds = models.PositiveIntegerField(null=True, help_text="Billed.")
    cost = models.DecimalField(**MONEY, null=True, help_text="US dollars; empty: not known.")

    OPEN = Q(reason="", ended_at=None)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(
                fields=["profile", "expires_at"], condition=Q(reason="", ended_at=None), name="admission_open"
            ),
            models.Index(fields=["lost_at"], condition=Q(reason="", ended_at=None), name="admission_lost"),
            models.Index(fields=["profile", "created_at", "reason"], condition=~Q(reason=""), name="admission_refused"),
            models.Index(fields=["-created_at", "-id"], name="admission_by_age"),
            models.Index(fields=["account", "-created_at", "-id"], name="admission_of_account"),
            models.Index(fields=["profile", "-created_at", "-id"], name="admission_of_profile"),
            models.Index(fields=["reason", "-created_at", "-id"], name="admission_by_reason"),
            models.Index(fields=["call_id", "-created_at"], name="admission_by_call"),
            models.Index(fields=["destination", "-created_at"], name="admission_by_destination"),
        ]

    def __str__(self) -> str:
        return f"{self.caller or '?'} → {self.destination}"

    @property
    def is_admitted(self) -> bool:
        return not self.reason


class VoiceUsage(models.Model):
    """What the calls of one profile that ended on one day (UTC) have cost."""

    profile = models.ForeignKey(OutboundVoiceProfile, on_delete=models.CASCADE, related_name="usage", db_index=False)
    day = models.DateField()
    calls = models.PositiveIntegerField(default=0)
    seconds = models.PositiveBigIntegerField(default=0)
    spent = models.DecimalField(**MONEY, default=0, help_text="US dollars.")
    alerted_at = models.DateTimeField(null=True, help_text="When the day's spending came near the limit.")

    class Meta:
        ordering = ["-day", "-pk"]
        indexes = [models.Index(fields=["day"], name="voice_usage_by_day")]
        constraints = [models.UniqueConstraint(fields=["profile", "day"], name="one_voice_usage_per_day")]

    def __str__(self) -> str:
        return f"{self.profile_id} on {self.day}"
