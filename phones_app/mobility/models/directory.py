"""The entries of a person's own directory, beside those of the company (phone profiles spec §7)."""

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from contacts_app.core.history.models import Tracked

# As long as phones show and dial (mobility spec §2); people write what stands on a card.
DIALABLE = RegexValidator(r"^[0-9*#+][0-9*#+ ().\-]*\Z", "A phone number has digits, *, #, and + at its beginning.")


class DirectoryEntry(models.Model):
    """A name and a number on the screen of whichever phone the person is logged in on."""

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="directory_entries", verbose_name="person"
    )
    name = models.CharField(max_length=100, help_text="Phones show the first 32 characters.")
    number = models.CharField(max_length=32, validators=[DIALABLE])
    place = models.PositiveSmallIntegerField(
        "order", default=0, help_text="Lower numbers stand first, those that are equal by name."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(part_of="user")

    class Meta:
        ordering = ["user_id", "place", "name", "pk"]
        verbose_name, verbose_name_plural = "directory entry", "personal directory"
        indexes = [models.Index(fields=["user", "place", "name", "id"], name="directory_entry_by_place")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "number"],
                name="directory_number_once_per_person",
                violation_error_message="This number is in the directory already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"
