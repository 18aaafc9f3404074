"""Files that phones read beside their own, as rows: which path, for whom, and which content (boot server spec §4)."""

import re
import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer

LONGEST_PATH = 200
# Names of files and folders that phones never read: hidden, half uploaded, put aside.
NEVER_GIVEN = re.compile(r"\..*|.*\.(part|bak)", re.IGNORECASE | re.DOTALL)
# Up to two folders, as phones ask for them, and nothing that is NEVER_GIVEN. ASCII alone: neither phones nor FTP servers
# agree on how to write anything else.
PATH = (
    r"(?!.*\.(?:[Pp][Aa][Rr][Tt]|[Bb][Aa][Kk])(?:/|\Z))"
    r"(?:[A-Za-z0-9_][A-Za-z0-9_ .+()-]*/){0,2}[A-Za-z0-9_][A-Za-z0-9_ .+()-]*"
)
path_validator = RegexValidator(
    rf"\A{PATH}\Z", "A name, with at most two folders before it: letters, digits, blanks and _ . + - ( )."
)


class SharedFile(models.Model):
    """One file under one path. A phone is given its own before its account's, and that before everybody's.

    The content lies on disk under its digest (`store`); several rows may have one content.
    """

    class Kind(models.TextChoices):
        FIRMWARE = "firmware", "Firmware"
        LOCALE = "locale", "Locale"
        TONES = "tones", "Tones"
        DIAL_TEMPLATE = "dial-template", "Dial template"
        SOFT_KEYS = "soft-keys", "Soft keys"
        FEATURE_POLICY = "feature-policy", "Feature policy"
        RING_LIST = "ring-list", "Ring list"
        RING_TONE = "ring-tone", "Ring tone"
        BACKGROUND = "background", "Background"
        BACKGROUND_LIST = "background-list", "Background list"
        OTHER = "other", "Other"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="shared_files",
        db_index=False,
        help_text="Empty: for the phones of all accounts.",
    )
    phone = models.ForeignKey(
        Phone,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="shared_files",
        help_text="Empty: for all phones of the account. Only the embedded file server knows who asks.",
    )
    path = models.CharField(
        max_length=LONGEST_PATH,
        validators=[path_validator],
        help_text="As phones ask for it: Ringlist.xml, United_States/g3-tones.xml.",
    )
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.OTHER)
    sha256 = models.CharField("SHA-256", max_length=64, db_index=True, editable=False)
    size = models.PositiveBigIntegerField(editable=False, help_text="In bytes.")
    description = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        ordering = ["path", "pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("path"),
                condition=Q(account=None, phone=None),
                name="shared_path_once",
                violation_error_message="There is a file at this path already, in whatever case.",
            ),
            models.UniqueConstraint(
                "account",
                Lower("path"),
                condition=Q(account__isnull=False, phone=None),
                name="shared_path_once_per_account",
                violation_error_message="There is a file at this path already, in whatever case.",
            ),
            models.UniqueConstraint(
                "phone",
                Lower("path"),
                condition=Q(phone__isnull=False),
                name="shared_path_once_per_phone",
                violation_error_message="There is a file at this path already, in whatever case.",
            ),
            # Whose phone it is says the row itself, so that tenancy needs no look at the phone.
            models.CheckConstraint(
                condition=Q(phone=None) | Q(account__isnull=False), name="file_of_a_phone_has_its_account"
            ),
        ]
        indexes = [
            models.Index(fields=["path", "id"], name="shared_file_by_path"),
            models.Index(fields=["account", "path", "id"], name="shared_file_of_account"),
            models.Index(fields=["kind", "path", "id"], name="shared_file_by_kind"),
            models.Index(fields=["-updated_at", "-id"], name="shared_file_by_change"),
            TextIndex(fields=["path", "description"], name="shared_file_text"),
        ]

    def __str__(self) -> str:
        return self.path


class CopyState(models.TextChoices):
    """How a copy on an FTP server stands. Nothing is known of one that waits, or whose last try failed."""

    WAITING = "waiting", "Waiting"
    IN_PLACE = "in-place", "In place"
    FAILED = "failed", "Failed"


class FileCopy(models.Model):
    """What one FTP server should have at one path, and whether it was brought there. `sha256` "": nothing any more."""

    server = models.ForeignKey(FileServer, on_delete=models.CASCADE, related_name="copies", db_index=False)
    path = models.CharField(max_length=LONGEST_PATH)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="In bytes.")
    state = models.CharField(max_length=8, choices=CopyState, default=CopyState.WAITING)
    placed_sha256 = models.CharField(max_length=64, blank=True, help_text="Of what was brought there last.")
    placed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True, help_text="What the server said, or why it was not reached.")
    due_at = models.DateTimeField(null=True, help_text="When it is to be tried; empty: nothing is to be done.")
    lease_owner = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["server", "path"]
        verbose_name_plural = "file copies"
        constraints = [models.UniqueConstraint(fields=["server", "path"], name="file_copy_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="file_copy_due"),
            models.Index(fields=["state", "server", "path"], name="file_copy_by_state"),
            TextIndex(fields=["path"], name="file_copy_text"),
        ]

    def __str__(self) -> str:
        return f"{self.path} on {self.server}"
