"""What an account's outbound calls may cost, how many there may be at once, and whether they are recorded."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.values import digits
from profiles_app.messaging.models import MessagingRecord, NumberLease
from profiles_app.voice.models.rates import LONGEST_NUMBER, RateTable

MIN_TECH_PREFIX, MAX_TECH_PREFIX = 100_000, 999_999
NOT_NEGATIVE = [MinValueValidator(0)]
# What the columns hold on PostgreSQL, said here so that every database refuses the same.
UP_TO_INTEGER = [MaxValueValidator(2_147_483_647)]
UP_TO_SMALL_INTEGER = [MaxValueValidator(32_767)]


MOST_CALLERS = 1000


def check_callers(text: str) -> None:
    """Lines of numbers, as people spell them."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_CALLERS or not all(0 < len(digits(line)) <= LONGEST_NUMBER for line in lines):
        raise ValidationError(f"Must be at most {MOST_CALLERS} lines, each a number of 1 to {LONGEST_NUMBER} digits.")


class RecordingFormat(models.TextChoices):
    WAV = "wav", "WAV"
    MP3 = "mp3", "MP3"


class OutboundVoiceProfile(MessagingRecord):
    """Limits and recording of outbound calls (messaging spec §4.5)."""

    class Recording(models.IntegerChoices):
        NONE = 0, "No calls"
        ALL = 1, "All calls"
        BY_CALLER = 2, "By caller number"

    class Tracks(models.IntegerChoices):
        SINGLE = 0, "Both sides on one track"
        DUAL = 1, "Each side on its own track"

    class Media(models.TextChoices):
        BYPASS = "Bypass Media", "Bypass"
        PROXY = "Proxy Media", "Proxy"
        TRANSCODING = "Proxy Media + Transcoding", "Proxy and transcoding"

    name = models.CharField(max_length=255)
    is_active = models.BooleanField(
        "active", default=True, help_text="Outbound calls of an inactive profile are blocked."
    )
    tech_prefix = models.PositiveIntegerField(
        unique=True,
        validators=[MinValueValidator(MIN_TECH_PREFIX), MaxValueValidator(MAX_TECH_PREFIX)],
        help_text="Six digits that mark the profile's calls, unlike those of every other profile.",
    )
    channel_limit = models.FloatField(
        null=True,
        blank=True,
        validators=NOT_NEGATIVE,
        help_text="Calls at a time; of a fraction its whole part counts. 0: no calls, empty: no limit.",
    )
    max_rate = models.FloatField(
        null=True,
        blank=True,
        validators=NOT_NEGATIVE,
        help_text="Highest price per minute of a destination; empty: any.",
    )
    daily_spend_limit = models.FloatField(
        null=True, blank=True, validators=NOT_NEGATIVE, help_text="US dollars per day (UTC); empty: no limit."
    )
    record_calls = models.PositiveSmallIntegerField(
        choices=Recording,
        default=Recording.NONE,
        validators=UP_TO_SMALL_INTEGER,
        help_text="Which outbound calls are recorded.",
    )
    recorded_callers = models.TextField(
        "recorded callers",
        blank=True,
        validators=[check_callers],
        help_text="Where calls are recorded by caller number: the numbers, one on each line, in any spelling.",
    )
    file_format = models.CharField(
        "recording format",
        max_length=3,
        choices=RecordingFormat,
        default=RecordingFormat.WAV,
        help_text="WAV loses nothing, MP3 takes less room.",
    )
    audio_track_type = models.PositiveSmallIntegerField(
        "recording tracks",
        choices=Tracks,
        default=Tracks.SINGLE,
        validators=UP_TO_SMALL_INTEGER,
        help_text="Tracks of their own tell the two sides apart.",
    )
    rate_table = models.ForeignKey(
        RateTable,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="profiles",
        help_text="Prices of the profile's calls; empty: those of the default rate table.",
    )
    # What of the profile customers may change in the portal, where their own profile lets them change call plans.
    customer_limits = models.BooleanField(
        "limits by the customer", default=True, help_text="Customers may change the limits in the portal."
    )
    customer_recording = models.BooleanField(
        "recording by the customer", default=True, help_text="Customers may change the recording in the portal."
    )
    # The second generation of the API.
    product = models.PositiveIntegerField(
        null=True, blank=True, validators=UP_TO_INTEGER, help_text="Number of the provider's SIP product."
    )
    tn_lease = models.ForeignKey(
        NumberLease,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="outbound_voice_profiles",
        verbose_name="caller number",
        help_text="Number that outbound calls show.",
    )
    media = models.CharField(
        max_length=32, choices=Media, blank=True, help_text="How media flow; empty: as the trunk does."
    )

    history = Tracked()

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="voice_profile_of_account"),
            models.Index(fields=["created_at", "id"], name="voice_profile_by_age"),
            models.Index(fields=["is_active", "created_at", "id"], name="voice_profile_by_activity"),
            models.Index(fields=["record_calls", "created_at", "id"], name="voice_profile_by_recording"),
            models.Index(fields=["name", "id"], name="voice_profile_by_name"),
            TextIndex(fields=["name"], name="voice_profile_text"),
        ]
        constraints = [
            models.CheckConstraint(
                name="tech_prefix_has_six_digits",
                condition=Q(tech_prefix__gte=MIN_TECH_PREFIX, tech_prefix__lte=MAX_TECH_PREFIX),
            ),
            models.CheckConstraint(
                name="voice_limits_are_not_negative",
                condition=(Q(max_rate=None) | Q(max_rate__gte=0))
                & (Q(daily_spend_limit=None) | Q(daily_spend_limit__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.tech_prefix})"
