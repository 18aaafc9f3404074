"""Many deployments as one piece of work: in waves, within limits, and stopped when too much goes wrong."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Max, Min, Q, QuerySet

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from profiles_app.phone.models import PhoneProfile

# A name of a load, which becomes part of names of files.
NAME_OF_LOAD = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\Z"
MOST = 1_000_000
WEEK = 7 * 24 * 3600


class RolloutState(models.TextChoices):
    """The last three are ends."""

    PLANNING = "planning", "Being planned"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    FINISHED = "finished", "Finished"
    ABORTED = "aborted", "Aborted"
    CANCELLED = "cancelled", "Cancelled"


class Sequel(models.TextChoices):
    """What follows the deployment of a phone in a rollout, and decides how the phone stands there."""

    NONE = "", "Nothing"
    PENDING = "pending", "Still to come"
    AWAY = "away", "Waits for the phone"
    REACHED = "reached", "Reached"
    FAILED = "failed", "Failed"


def _limit(name: str, help_text: str, most: int = MOST) -> "models.PositiveIntegerField[int | None, int | None]":
    bounds = [MinValueValidator(1), MaxValueValidator(most)]
    return models.PositiveIntegerField(name, null=True, blank=True, validators=bounds, help_text=help_text)


class Rollout(models.Model):
    """One profile, or each phone's own, to a set of phones.

    Once it is planned (`RolloutPlanning`), each phone has its deployment (`RolloutMember`). One that stands in a
    later wave than `wave` is held:
    it has no `next_attempt_at`, so that no worker takes it. All there is to opening a wave, pausing and stopping is
    setting or clearing that.
    """

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        null=True,
        on_delete=models.CASCADE,
        related_name="rollouts",
        help_text="Empty: phones of several accounts.",
    )
    name = models.CharField(max_length=255, blank=True)
    profile = models.ForeignKey(
        PhoneProfile,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="rollouts",
        help_text="Empty: the profile that each phone has.",
    )
    profile_name = models.CharField("profile", max_length=255, blank=True)
    load = models.CharField(
        max_length=128,
        blank=True,
        default="",
        db_default="",
        validators=[RegexValidator(NAME_OF_LOAD, "This is not the name of a load, as SIP42.9-4-2SR3-1S.")],
        help_text="Firmware that the phones are brought to, each with its own profile; empty: none.",
    )
    ends_at = models.DateTimeField(
        "ends",
        null=True,
        blank=True,
        help_text="Until then a rollout of firmware waits for phones that are away; empty: two weeks.",
    )

    canary_size = models.PositiveIntegerField(
        "canary",
        default=0,
        validators=[MaxValueValidator(MOST)],
        help_text="Phones in the first wave, of as many models as possible; 0: no such wave.",
    )
    wave_size = _limit("wave size", "Phones in each further wave; empty: all at once.")
    server_limit = _limit("at once per file server", "Phones under way at the same time; empty: no limit.")
    site_limit = _limit("at once per location", "Phones under way at the same time; empty: no limit.")
    wave_pause = models.PositiveIntegerField(
        "pause between waves", default=0, validators=[MaxValueValidator(WEEK)], help_text="Seconds."
    )
    wave_jitter = models.PositiveIntegerField(
        "jitter",
        default=0,
        validators=[MaxValueValidator(WEEK)],
        help_text="Up to so many seconds are added to each pause, by chance.",
    )
    window_start = models.TimeField(
        "not before", null=True, blank=True, help_text="Time of day in the account's time zone."
    )
    window_end = models.TimeField(
        "not after", null=True, blank=True, help_text="May be before the start: over midnight."
    )
    abort_count = _limit("abort after failures", "So many failed phones end the rollout; empty: any number.")
    abort_percent = _limit(
        "abort at per cent failed", "Of the phones in the waves opened so far; empty: any share.", most=100
    )
    unconfirmed_fails = models.BooleanField(
        "unconfirmed is failed",
        default=True,
        help_text="A phone of which nothing was seen after its restart counts as failed.",
    )

    state = models.CharField(max_length=12, choices=RolloutState, default=RolloutState.RUNNING)
    reason = models.CharField(max_length=255, blank=True, help_text="Why it was paused or ended.")
    wave = models.PositiveIntegerField(default=0, help_text="The last one opened.")
    waves = models.PositiveIntegerField(default=0)
    next_wave_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(
        default=0, help_text="Phones with a deployment; while it is planned, phones that were chosen."
    )
    unchanged = models.PositiveIntegerField(default=0, help_text="Phones skipped: they have this file.")
    refused = models.JSONField(default=list, blank=True, help_text="Why phones were refused, with examples.")

    requested_by = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    channel = models.CharField(max_length=16)
    retry_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="retries")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    history = Tracked(quiet=["wave", "waves", "next_wave_at", "total", "unchanged", "refused", "finished_at"])

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="rollout_by_creation"),
            models.Index(fields=["account", "-created_at"], name="rollout_of_account"),
            models.Index(fields=["state", "-created_at"], name="rollout_by_state"),
            models.Index(fields=["-created_at", "-id"], condition=Q(finished_at=None), name="rollout_by_creation_open"),
            TextIndex(fields=["name", "profile_name", "requested_by"], name="rollout_text"),
        ]
        constraints = [
            models.CheckConstraint(
                name="rollout_window_has_both_ends",
                condition=Q(window_start=None, window_end=None)
                | Q(window_start__isnull=False, window_end__isnull=False),
                violation_error_message="A window has a start and an end.",
            )
        ]

    def __str__(self) -> str:
        what = self.load or self.profile_name or "own profiles"
        return self.name or f"{what} to {self.total} phone{'s' if self.total != 1 else ''}"

    @property
    def is_open(self) -> bool:
        return self.finished_at is None

    @property
    def refused_total(self) -> int:
        return sum(group["phones"] for group in self.refused)

    @property
    def deployments(self) -> "QuerySet[Deployment]":
        """To read them."""
        return Deployment.objects.filter(in_rollout__rollout=self)

    def deployments_to_count(self) -> "QuerySet[Deployment]":
        """To read all of them. They were stored together, so their keys are neighbours: without the range PostgreSQL
        would read the deployments of all other rollouts as well."""
        keys = self.members.aggregate(first=Min("deployment"), last=Max("deployment"))
        return self.deployments.filter(pk__range=(keys["first"] or 0, keys["last"] or 0))

    def deployments_where(self, **of_member: object) -> "QuerySet[Deployment]":
        """To change those whose rows in this rollout are so, as `wave__lte=2`.

        By a subquery, not a join: only conditions that stand in the UPDATE itself are looked at anew when another
        transaction has just changed the row.
        """
        return Deployment.objects.filter(pk__in=self.members.filter(**of_member).values("deployment"))


class RolloutMember(models.Model):
    """One phone of a rollout: which deployment is its, in which wave, and where it was when the rollout began.

    Where the phone gets several files one after the other, the deployment is that of the latest.
    """

    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="members", db_index=False)
    deployment = models.OneToOneField(Deployment, on_delete=models.CASCADE, related_name="in_rollout")
    wave = models.PositiveIntegerField()
    # For the rollout's limits.
    file_server = models.ForeignKey(FileServer, null=True, on_delete=models.SET_NULL, related_name="+")
    site = models.CharField(max_length=255, blank=True)
    sequel = models.CharField(max_length=8, choices=Sequel, blank=True, default=Sequel.NONE, db_default="")
    sequel_since = models.DateTimeField(null=True)
    sequel_code = models.CharField(max_length=64, blank=True, default="", db_default="")
    sequel_error = models.TextField(blank=True, default="", db_default="")

    class Meta:
        indexes = [
            models.Index(fields=["rollout", "wave", "deployment"], name="rollout_member_by_wave"),
            models.Index(
                fields=["sequel_since"], condition=Q(sequel__in=("pending", "away")), name="rollout_member_goes_on"
            ),
        ]

    def __str__(self) -> str:
        return f"wave {self.wave} of {self.rollout_id}"


class RolloutPlanning(models.Model):
    """What there is to plan of a rollout, and how far that is. Gone once every phone has its deployment.

    A worker looks at the phones, and then writes down in one transaction who gets what in which wave (`is_laid_out`).
    """

    rollout = models.OneToOneField(Rollout, on_delete=models.CASCADE, primary_key=True, related_name="planning")
    include_unchanged = models.BooleanField(default=False)
    request_id = models.CharField(max_length=64, blank=True, help_text="Of the request that asked for the rollout.")
    chosen = models.PositiveIntegerField(default=0, help_text="Phones that were chosen.")
    looked_at = models.PositiveIntegerField(default=0, help_text="Of these, those that were looked at.")
    is_laid_out = models.BooleanField(default=False)
    next_attempt_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        # People see it as part of the rollout.
        default_permissions = ()
        indexes = [models.Index(fields=["next_attempt_at"], name="rollout_planning_due")]

    def __str__(self) -> str:
        return f"planning of {self.rollout}"


class ChosenPhone(models.Model):
    """A phone of a rollout that is being planned and has no deployment yet; once it is laid out, with what it gets."""

    planning = models.ForeignKey(RolloutPlanning, on_delete=models.CASCADE, related_name="phones", db_index=False)
    phone = models.ForeignKey(Phone, on_delete=models.CASCADE, related_name="+")
    wave = models.PositiveIntegerField(null=True)
    gets = models.JSONField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["planning", "phone"], name="phone_chosen_once")]

    def __str__(self) -> str:
        return f"{self.phone_id} of {self.planning_id}"


class RolloutCount(models.Model):
    """How many phones of a large rollout stand where, as they were counted last."""

    rollout = models.OneToOneField(Rollout, on_delete=models.CASCADE, primary_key=True, related_name="count")
    numbers = models.JSONField(default=dict)
    counted_at = models.DateTimeField()
    # Counting is to take a small part of the time only.
    next_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.rollout_id} at {self.counted_at}"
