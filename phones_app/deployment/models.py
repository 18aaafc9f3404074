"""Deployments with their steps, each with its evidence, and phones' files: what was uploaded, and found there since."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from contacts_app.accounts.models import Account
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.secrets import EncryptedBinaryField
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from profiles_app.phone import sep
from profiles_app.phone.models import MacAddressField, PhoneProfile, ProfileRevision
from profiles_app.phone.sep.catalogue import NAME_OF_FORMAT


class State(models.TextChoices):
    """In their order. Which follows which: `ARROWS` in `arrows.py`.

    A deployment has ended in the last five; when it is `uploaded` and was an upload only, or nothing can restart its
    phone; and when no evidence came after `restart_acknowledged`: `finished_at` says so.
    """

    QUEUED = "queued", "Queued"
    UPLOADING = "uploading", "Uploading"
    UPLOADED = "uploaded", "Uploaded"
    SESSION_CLEARED = "session_cleared", "Session cleared"
    RESTARTING = "restarting", "Restarting"
    RESTART_ACKNOWLEDGED = "restart_acknowledged", "Restart acknowledged"
    CONFIRMED = "confirmed", "Confirmed"
    REJECTED = "rejected", "Rejected by the phone"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    SUPERSEDED = "superseded", "Superseded"


FAILURES = (State.FAILED, State.REJECTED)
FOR_STAFF = "for_staff"  # of the details of a step, what tenants are not told
# What a deployment waits for (`waiting_for`) whose phone is in a call; and a confirmed one, fetched again and again.
CALL_TO_END = "the call on the phone to end"
LOOK_FOR_REJECTION = "a look whether the phone rejects its file"
# Not by being open alone: for a row that is found by its key PostgreSQL would read all that are (migration 0047).
DUE = Q(finished_at=None, next_attempt_at__isnull=False)
HELD = Q(finished_at=None, next_attempt_at=None)
OPEN = DUE | HELD


class StepState(models.TextChoices):
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"


class Deployment(models.Model):
    """The row is the truth: workers take it over by a lease and go on where its state says.

    `finished_at` is set once nothing more will be done; what that means in each state, `State` says.
    """

    class Kind(models.TextChoices):
        DEPLOY = "deploy", "Deploy a profile"
        RESTART = "restart", "Restart only"
        UPLOAD = "upload", "Upload only"
        LOG_IN = "log-in", "Log-in"
        LOG_OUT = "log-out", "Log-out"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    # Indexes below begin with three of these: each index more is another entry at every change of state.
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="deployments", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.DEPLOY)
    phone = models.ForeignKey(Phone, null=True, on_delete=models.SET_NULL, related_name="deployments", db_index=False)
    mac = MacAddressField("MAC address", db_index=True)
    profile = models.ForeignKey(
        PhoneProfile, null=True, on_delete=models.SET_NULL, related_name="deployments", db_index=False
    )
    profile_name = models.CharField("profile", max_length=255, blank=True)
    revision = models.ForeignKey(ProfileRevision, null=True, on_delete=models.SET_NULL, related_name="deployments")
    sha256 = models.CharField(max_length=64, blank=True)
    in_batch = models.BooleanField(default=False, help_text="One of many: its file is uploaded with others.")

    state = models.CharField(max_length=24, choices=State, default=State.QUEUED)
    error = models.TextField(blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    waiting_for = models.CharField(max_length=255, blank=True)
    evidence = models.JSONField(default=dict, blank=True)

    requested_by = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    channel = models.CharField(max_length=16)
    reason = models.CharField(max_length=255, blank=True, help_text="Why, as the phone's history says it.")
    # The database's default is for processes of the release before, which write rows while they are being replaced.
    request_id = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Of the request that asked for it.",
    )
    retry_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="retries")

    # By the clock of the database, as all times that deployments are compared by.
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    uploaded_at = models.DateTimeField(null=True)
    restarted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True, help_text="Empty: held until it is released.")
    lease_owner = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["phone"],
                condition=Q(finished_at=None) & ~Q(state=State.QUEUED),
                name="one_running_deployment_per_phone",
            ),
            models.UniqueConstraint(
                fields=["phone"],
                condition=Q(finished_at=None, state=State.QUEUED),
                name="one_queued_deployment_per_phone",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="deployment_by_creation"),
            models.Index(fields=["account", "-created_at"], name="deployment_of_account"),
            models.Index(fields=["state", "-created_at"], name="deployment_by_state"),
            models.Index(fields=["phone", "-created_at"], name="deployment_of_phone"),
            models.Index(fields=["next_attempt_at"], condition=DUE, name="deployment_due"),
            models.Index(
                fields=["next_attempt_at"],
                condition=DUE & (Q(in_batch=False) | ~Q(state=State.QUEUED)),
                name="deployment_due_alone",
            ),
            models.Index(fields=["id"], condition=HELD, name="deployment_held"),
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state=State.CONFIRMED) & ~Q(waiting_for=""),
                name="deployment_doubted",
            ),
            models.Index(
                fields=["user", "-created_at"],
                condition=Q(channel="admin", in_batch=False),
                name="deployment_of_person",
            ),
            models.Index(fields=["kind", "-created_at", "-id"], name="deployment_by_kind"),
            models.Index(fields=["profile", "-created_at", "-id"], name="deployment_of_profile"),
            models.Index(fields=["mac", "-created_at", "-id"], name="deployment_by_mac"),
            TextIndex(fields=["mac", "profile_name", "requested_by"], name="deployment_text"),
        ]

    def __str__(self) -> str:
        return f"{self.profile_name or 'restart'} → SEP{self.mac}"

    @property
    def is_open(self) -> bool:
        return self.finished_at is None


class LastDeployment(models.Model):
    """The newest deployment of a phone, in a row of its own: requests, which change it, wait for no worker's lock."""

    phone = models.OneToOneField(Phone, on_delete=models.CASCADE, primary_key=True, related_name="last_deployment")
    deployment = models.OneToOneField(Deployment, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"last of {self.phone}"


class DeploymentStep(models.Model):
    """What was done, what was answered and when; the exact texts, so that a person with a phone can see why."""

    class Kind(models.TextChoices):
        UPLOAD = "upload", "Upload"
        CLEAR_SESSION = "clear_session", "Clear service session"
        RESTART = "restart", "Restart"
        CONFIRM = "confirm", "Confirm"

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="steps", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=8, choices=StepState, default=StepState.RUNNING)
    message = models.TextField(blank=True)
    request = models.TextField(blank=True)
    answer = models.TextField(blank=True)
    detail = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["deployment", "pk"]
        constraints = [models.UniqueConstraint(fields=["deployment", "kind"], name="one_step_of_a_kind_per_deployment")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"


class FileState(models.TextChoices):
    """What the last read-back said; the last two are drift: somebody else was there."""

    IN_PLACE = "in_place", "In place"
    CHANGED = "changed", "Changed elsewhere"
    MISSING = "missing", "Missing"


DRIFTED = (FileState.CHANGED, FileState.MISSING)


def format_field() -> "models.CharField[str, str]":
    """What decides the name of a file; "" is SEP<MAC>.cnf.xml, as all files were before."""
    return models.CharField(
        "format", max_length=8, choices=[*NAME_OF_FORMAT.items()], blank=True, default="", db_default="", editable=False
    )


class PhoneFile(models.Model):
    """Written by each upload, judged by read-backs. A phone that nothing was uploaded for has none."""

    phone = models.OneToOneField(Phone, on_delete=models.CASCADE, related_name="file", primary_key=True)
    server = models.ForeignKey(FileServer, null=True, on_delete=models.SET_NULL, related_name="+")
    revision = models.ForeignKey(ProfileRevision, null=True, on_delete=models.SET_NULL, related_name="+")
    file_format = format_field()
    sha256 = models.CharField(max_length=64, help_text="Of what was uploaded, or adopted.")
    uploaded_at = models.DateTimeField()

    state = models.CharField(max_length=12, choices=FileState, default=FileState.IN_PLACE)
    state_since = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField()
    reread_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Read back then: a worker that was stopped may have put an older file there.",
    )
    error = models.CharField(max_length=255, blank=True)
    found_sha256 = models.CharField(max_length=64, blank=True)
    found = EncryptedBinaryField(null=True, help_text="What was found instead, byte for byte.")

    class Meta:
        indexes = [
            models.Index(fields=["state", "phone"], name="file_by_state"),
            models.Index(fields=["next_check_at"], name="file_check_due"),
            models.Index(fields=["reread_at"], condition=Q(reread_at__isnull=False), name="file_reread_due"),
        ]

    def __str__(self) -> str:
        return f"file of {self.phone}"

    @property
    def is_drifted(self) -> bool:
        return self.state in DRIFTED

    @property
    def file_name(self) -> str:
        return sep.file_name(self.phone.mac, self.file_format)


class LeftFile(models.Model):
    """A phone's file that is of no phone any more (`left_files`). It holds credentials, so its removal is offered."""

    account = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    mac = MacAddressField("MAC address", db_index=True)
    file_format = format_field()
    server = models.ForeignKey(FileServer, on_delete=models.CASCADE, related_name="+", verbose_name="file server")
    directory = models.CharField(max_length=1024, blank=True)
    sha256 = models.CharField(max_length=64)
    profile_name = models.CharField("profile", max_length=255, blank=True)
    reason = models.CharField(max_length=255)
    left_at = models.DateTimeField("left")
    remove_at = models.DateTimeField(
        "removed from", null=True, blank=True, editable=False, help_text="When Patchbay removes it by itself."
    )

    class Meta:
        ordering = ["-left_at", "-pk"]
        verbose_name = "file left behind"
        verbose_name_plural = "files left behind"
        indexes = [
            models.Index(fields=["-left_at", "-id"], name="left_file_by_age"),
            models.Index(fields=["account", "-left_at", "-id"], name="left_file_of_account"),
            models.Index(fields=["remove_at"], condition=Q(remove_at__isnull=False), name="left_file_due"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} on {self.server}"

    @property
    def file_name(self) -> str:
        return sep.file_name(self.mac, self.file_format)
