"""Who may log in where, for how long, and with what (mobility spec §5.1)."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from profiles_app.phone.models import PhoneProfile

WORKDAY, LONGEST, SHORTEST_IDLE = 8 * 60, 168 * 60, 15
MINUTES = [MinValueValidator(1), MaxValueValidator(LONGEST)]


# What touches nobody else.
OWN_KINDS = ["speed-dial", "blf", "service"]


def default_own_kinds() -> list[str]:
    return list(OWN_KINDS)


class SecondPhone(models.TextChoices):
    """What a log-in does to the person's log-ins on other phones."""

    MOVE = "move", "Log the other phone out"
    REFUSE = "refuse", "Refuse the log-in"
    MANY = "many", "Allow several phones"


class MobilityPolicy(models.Model):
    """The rules of one account, or of one of its locations, as the phones there name it. Without a row: the defaults."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="mobility_policies")
    location = models.CharField(
        max_length=255, blank=True, help_text="As at the phones there; empty: all phones without a policy of their own."
    )
    second_phone = models.CharField(
        max_length=8, choices=SecondPhone, default=SecondPhone.MOVE, help_text="When the person is logged in elsewhere."
    )
    longest_minutes = models.PositiveIntegerField(
        "longest log-in",
        null=True,
        blank=True,
        default=WORKDAY,
        validators=MINUTES,
        help_text="In minutes, at most 10080 (a week); empty: no limit.",
    )
    daily_logout = models.TimeField(
        "daily log-out", null=True, blank=True, help_text="A time of day in the account's time zone; empty: none."
    )
    idle_minutes = models.PositiveIntegerField(
        "log-out without use",
        null=True,
        blank=True,
        validators=[MinValueValidator(SHORTEST_IDLE), MaxValueValidator(LONGEST)],
        help_text="In minutes, at least 15; empty: off. Use is a call that a look at the phone's status page every five "
        "minutes finds, or something opened on its screen here: short calls can be missed. Phones that do not tell "
        "whether they are in a call are not logged out.",
    )
    remember_last_user = models.BooleanField(
        default=False, help_text="The log-in form of a phone proposes the person who logged in there last."
    )

    own_key_kinds = models.JSONField(
        "keys that people set",
        default=default_own_kinds,
        db_default=OWN_KINDS,
        blank=True,
        help_text="What people may put on the keys of their phones by themselves.",
    )

    history = Tracked()

    class Meta:
        ordering = ["account_id", "location", "pk"]
        verbose_name, verbose_name_plural = "mobility policy", "mobility policies"
        constraints = [
            models.UniqueConstraint(
                "account",
                Lower("location"),
                name="mobility_policy_once_per_location",
                violation_error_message="There is a policy for this location already.",
            )
        ]
        indexes = [
            models.Index(fields=["account", "location", "id"], name="mobility_policy_by_place"),
            TextIndex(fields=["location"], name="mobility_policy_text"),
        ]

    def __str__(self) -> str:
        return f"{self.account.name}, {self.location}" if self.location else self.account.name


class PersonMobility(models.Model):
    """What differs for one person. Without a row a person may log in, with the phone profiles that they own."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mobility", verbose_name="person"
    )
    is_allowed = models.BooleanField("may log in", default=True, help_text="On phones, with the PIN.")
    longest_minutes = models.PositiveIntegerField(
        "longest log-in",
        null=True,
        blank=True,
        validators=MINUTES,
        help_text="In minutes; empty: as the policy of the phone's location says.",
    )
    profiles: "models.ManyToManyField[PhoneProfile, models.Model]" = models.ManyToManyField(
        PhoneProfile,
        blank=True,
        related_name="assigned_to",
        help_text="Device profiles beside those that the person owns.",
    )

    history = Tracked(links=["profiles"], part_of="user")

    class Meta:
        ordering = ["user_id"]
        indexes = [models.Index(fields=["is_allowed", "user"], name="person_mobility_by_permission")]
        verbose_name = verbose_name_plural = "mobility of people"

    def __str__(self) -> str:
        return f"mobility of {self.user}"
