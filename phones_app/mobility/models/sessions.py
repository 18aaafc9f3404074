"""Who is logged in on which phone, and how that came and went (mobility spec §5)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from contacts_app.accounts.models import Account
from contacts_app.core.lists.search import TextIndex
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from profiles_app.phone.models import MacAddressField, PhoneProfile


class SessionState(models.TextChoices):
    """How far the person's file has come to the phone, and how far the base profile has come back (`following`).

    The last four are ends. What is *at the next restart* has its file in its place, and the phone has not taken it.
    """

    LOGGING_IN = "logging_in", "Logging in"
    AT_RESTART = "at_restart", "Logged in at the next restart"
    LOGGED_IN = "logged_in", "Logged in"
    LOGGING_OUT = "logging_out", "Logging out"
    LOGGED_OUT = "logged_out", "Logged out"
    OUT_AT_RESTART = "out_at_restart", "Logged out at the next restart"
    FAILED = "failed", "Log-in failed"
    ABANDONED = "abandoned", "Ended without a log-out"


# The person is at the phone, or about to be: at most one such session a phone has.
PRESENT = (SessionState.LOGGING_IN, SessionState.AT_RESTART, SessionState.LOGGED_IN)


class Why(models.TextChoices):
    """Why a session ended, or is about to."""

    PERSON = "person", "Logged out by the person"
    ANOTHER = "another-login", "Somebody logged in on this phone after"
    ELSEWHERE = "elsewhere", "The person logged in on another phone"
    TIME_LIMIT = "time-limit", "Longest log-in"
    DAILY = "daily", "Daily log-out time"
    NO_USE = "no-use", "Not used for as long as the policy allows"
    STAFF = "staff", "Logged out in the admin"
    REST = "rest", "Logged out over REST"
    PORTAL = "portal", "Logged out in the self-service portal"
    COMMAND = "command", "Logged out by a command"
    PERSON_GONE = "person-gone", "The person was deleted, deactivated or moved"
    FORBIDDEN = "forbidden", "The person may not log in any more"
    PHONE_GONE = "phone-gone", "The phone was deleted, moved or replaced"
    DEPLOYED = "deployed", "Another profile was deployed to the phone"
    REJECTED = "rejected", "The phone rejected the person's file"
    FAILED = "failed", "The person's file did not reach the phone"


class MobilitySession(models.Model):
    """One person at one phone, from the log-in to the log-out; both are deployments. Rows stay as history.

    The state follows those deployments. While the session is open a worker looks at it at `next_attempt_at`: when its
    time is up, and as long as something is under way.
    """

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="mobility_sessions", db_index=False)
    phone = models.ForeignKey(
        Phone, null=True, on_delete=models.SET_NULL, related_name="mobility_sessions", db_index=False
    )
    mac = MacAddressField("MAC address", db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="mobility_sessions",
        verbose_name="person",
        db_index=False,
    )
    person_name = models.CharField(max_length=320, help_text="Stays when the person is deleted.")
    profile = models.ForeignKey(
        PhoneProfile, null=True, on_delete=models.SET_NULL, related_name="mobility_sessions", verbose_name="profile"
    )
    profile_name = models.CharField(max_length=255)
    state = models.CharField(max_length=16, choices=SessionState, default=SessionState.LOGGING_IN)
    note = models.CharField(max_length=255, blank=True, help_text="What stands in the way, or did.")

    # By the clock of the database, as those of deployments.
    since = models.DateTimeField(db_default=Now())
    until = models.DateTimeField("logged out at", null=True, blank=True, help_text="Empty: no limit.")
    used_at = models.DateTimeField(
        "last use",
        null=True,
        help_text="Seen last, or not to be told; noted where a policy asks, and when something is opened on the screen.",
    )
    ended_at = models.DateTimeField("ended", null=True)
    why = models.CharField("why it ended", max_length=16, choices=Why, blank=True)
    address = models.CharField(max_length=64, blank=True, help_text="From where the person logged in.")
    requested_by = models.CharField(max_length=255)
    channel = models.CharField(max_length=16)
    ended_by = models.CharField(max_length=255, blank=True)

    login = models.ForeignKey(
        Deployment, null=True, on_delete=models.SET_NULL, related_name="logs_in", verbose_name="log-in"
    )
    # The one that takes the person's file away: the base profile, or the next person's file.
    logout = models.ForeignKey(
        Deployment, null=True, on_delete=models.SET_NULL, related_name="logs_out", verbose_name="log-out"
    )
    tries = models.PositiveSmallIntegerField(default=0, help_text="Log-outs that did not reach the phone.")
    next_attempt_at = models.DateTimeField(null=True)
    lease_owner = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-since", "-pk"]
        verbose_name = "mobility session"
        constraints = [
            models.UniqueConstraint(fields=["phone"], condition=Q(state__in=PRESENT), name="one_person_at_a_phone")
        ]
        indexes = [
            models.Index(fields=["-since", "-id"], name="mobility_by_age"),
            models.Index(fields=["account", "-since", "-id"], name="mobility_of_account"),
            models.Index(fields=["phone", "-since", "-id"], name="mobility_of_phone"),
            models.Index(fields=["user", "-since", "-id"], name="mobility_of_person"),
            models.Index(fields=["state", "-since", "-id"], name="mobility_by_state"),
            models.Index(fields=["next_attempt_at"], condition=Q(ended_at=None), name="mobility_due"),
            TextIndex(fields=["mac", "person_name", "profile_name"], name="mobility_text"),
        ]

    def __str__(self) -> str:
        return f"{self.person_name} on SEP{self.mac}"

    @property
    def is_present(self) -> bool:
        return self.state in PRESENT
