"""Lines: what a phone registers as at the PBX, and what it shows beside the key (configuration spec §1)."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.secrets import EncryptedTextField

# What phones take (Cisco phones spec §4.4).
LONGEST = 30
MOST_CALLS = 200
CALLS = [MinValueValidator(1), MaxValueValidator(MOST_CALLS)]


class Line(models.Model):
    """One extension of a PBX as phones know it. Layers say on which phones it is."""

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="lines", db_index=False)
    extension = models.CharField(max_length=64, help_text="The number that is dialled.")
    name = models.CharField(
        "peer", max_length=LONGEST, blank=True, help_text="What it registers as at the PBX; empty: the extension."
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="lines",
        verbose_name="person",
        help_text="Whose line it is.",
    )
    auth_name = models.CharField(
        "log-in", max_length=LONGEST, blank=True, help_text="Of the registration; empty: the name of the peer."
    )
    auth_password = EncryptedTextField("password", blank=True, default="", help_text="Of the registration.")
    display_name = models.CharField(max_length=LONGEST, blank=True, help_text="Shown to whom is called.")
    label = models.CharField(
        max_length=LONGEST, blank=True, help_text="Beside the key; empty: the display name, else the extension."
    )
    voicemail = models.CharField(
        "messages number", max_length=64, blank=True, help_text="Dialled by the Messages key, such as *97."
    )
    mailbox = models.CharField(
        max_length=80, blank=True, help_text="Voicemail box at the PBX, such as 301 or 301@default; empty: none."
    )
    max_calls = models.PositiveSmallIntegerField(
        "most calls", null=True, blank=True, validators=CALLS, help_text="Empty: what is usual for the model."
    )
    busy_trigger = models.PositiveSmallIntegerField(
        "busy from", null=True, blank=True, validators=CALLS, help_text="So many calls; empty: the most calls."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        ordering = ["account", "extension", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "extension"],
                name="line_once_per_account",
                violation_error_message="There is a line of this extension already.",
            )
        ]
        indexes = [
            models.Index(fields=["extension", "id"], name="line_by_extension"),
            TextIndex(fields=["extension", "name", "display_name", "label"], name="line_text"),
        ]

    def __str__(self) -> str:
        return f"{self.extension} {self.shown}".strip() if self.shown != self.extension else self.extension

    @property
    def peer(self) -> str:
        return self.name or self.extension

    @property
    def shown(self) -> str:
        """What stands beside the key."""
        return self.label or self.display_name or self.extension
