"""Firmware that the portal has: sets of files that were proved complete when they were added (boot server spec §8)."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex

LONGEST_LOAD, LONGEST_VERSION = 128, 64


class Firmware(models.Model):
    """One load with its components. The files themselves are shared files, by these names.

    `components` are objects with `name`, `platform`, `condition`, `size` and `sha256`; the first is the `.loads` file.
    `faults` and `remarks` are objects as `sets.verdict.FirmwareFault`.
    """

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="firmware",
        db_index=False,
        help_text="Empty: for the phones of all accounts.",
    )
    load = models.CharField(max_length=LONGEST_LOAD, help_text="As files of phones name it: SIP42.9-4-2SR3-1S.")
    version = models.CharField(max_length=LONGEST_VERSION, blank=True)
    protocol = models.CharField(max_length=8, blank=True, help_text="SIP, SCCP or MPP; empty: not known.")
    phone_models = models.JSONField("phone models", default=list, help_text="Models that the load is for.")
    folder = models.CharField(max_length=200, blank=True, help_text="Where its files lie; empty: at the top.")
    components = models.JSONField(default=list)
    size = models.PositiveBigIntegerField(help_text="Of all its files together, in bytes.")
    package = models.CharField(max_length=255, blank=True, help_text="What it came in.")
    faults = models.JSONField(
        default=list, blank=True, help_text="What has become of its files since; empty: complete."
    )
    remarks = models.JSONField(default=list, blank=True)
    checked_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=timezone.now, help_text="When its files are looked for again.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(quiet=["checked_at", "due_at"])

    class Meta:
        ordering = ["load", "pk"]
        verbose_name_plural = "firmware"
        constraints = [
            models.UniqueConstraint(fields=["load"], condition=Q(account=None), name="firmware_once"),
            models.UniqueConstraint(
                fields=["account", "load"], condition=Q(account__isnull=False), name="firmware_once_per_account"
            ),
        ]
        indexes = [
            models.Index(fields=["load", "id"], name="firmware_by_load"),
            models.Index(fields=["protocol", "load", "id"], name="firmware_by_protocol"),
            models.Index(fields=["-created_at", "-id"], name="firmware_by_age"),
            models.Index(fields=["due_at"], name="firmware_due"),
            TextIndex(fields=["load", "package"], name="firmware_text"),
        ]

    def __str__(self) -> str:
        return self.load

    @property
    def paths(self) -> dict[str, str]:
        """The paths of all its files, each with the digest that it was proved complete with."""
        return {self.path_of(component["name"]): component["sha256"] for component in self.components}

    def path_of(self, name: str) -> str:
        return f"{self.folder}/{name}" if self.folder else name

    @property
    def platforms(self) -> dict[str, bool]:
        """For each kind of hardware whether its part is complete; none where a load is for all of its phones."""
        names = dict.fromkeys(component["platform"] for component in self.components if component["platform"])
        return {name: not any(fault["platform"] in ("", name) for fault in self.faults) for name in names}
