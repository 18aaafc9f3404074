"""The tenant: every row of Patchbay belongs to an account, directly or through its owner."""

import uuid

from django.core.validators import MinValueValidator
from django.db import models


class Account(models.Model):
    """A customer. `voip_id` is the public number that stands in URLs."""

    voip_id = models.PositiveBigIntegerField(
        "VoIP id",
        unique=True,
        validators=[MinValueValidator(1)],
        help_text="Public number of the account, as in URLs.",
    )
    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=255, db_index=True)
    email = models.EmailField(help_text="Where the account is told about things that need attention.")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="IANA name, such as Europe/Lisbon.")
    is_active = models.BooleanField(
        default=True, help_text="Tokens and people of an inactive account are refused."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["voip_id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.voip_id})"


class Extension(models.Model):
    """A number inside an account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="extensions")
    number = models.PositiveBigIntegerField(validators=[MinValueValidator(1)])
    name = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["account", "number"]
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="extension_number_once_per_account")
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()
