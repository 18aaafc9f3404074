"""The tenant: every row of Patchbay belongs to an account, directly or through its owner."""

import uuid

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.values import validate_time_zone


class Account(models.Model):
    """A customer. `voip_id` is the public number that stands in URLs."""

    class Level(models.TextChoices):
        SERVICE_ACCOUNT = "ServiceAccount", "Service account"
        LEVEL_0 = "Level0", "Level 0"
        LEVEL_1 = "Level1", "Level 1"
        LEVEL_2 = "Level2", "Level 2"

    voip_id = models.PositiveBigIntegerField(
        "VoIP id", unique=True, validators=[MinValueValidator(1)], help_text="Public number of the account, as in URLs."
    )
    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=255, db_index=True)
    email = models.EmailField(help_text="Where the account is told about things that need attention.")
    level = models.CharField(max_length=16, choices=Level, default=Level.LEVEL_0, help_text="What the provider grants.")
    balance = models.DecimalField(max_digits=14, decimal_places=4, default=0, help_text="In US dollars.")
    time_zone = models.CharField(
        max_length=64, default="UTC", validators=[validate_time_zone], help_text="IANA name, such as Europe/Lisbon."
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="customers",
        verbose_name="parent account",
        help_text="The account that this one is a customer of; empty: the portal's own.",
    )
    groups: "models.ManyToManyField[AccountGroup, models.Model]" = models.ManyToManyField(
        "AccountGroup",
        blank=True,
        related_name="members",
        help_text="What the account has in common with others, such as Households: profiles can apply to groups.",
    )
    is_active = models.BooleanField(default=True, help_text="Tokens and people of an inactive account are refused.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(links=["groups"])

    class Meta:
        ordering = ["voip_id"]
        constraints = [
            models.CheckConstraint(
                name="account_is_not_its_own_parent", condition=Q(parent=None) | ~Q(parent=models.F("pk"))
            )
        ]
        indexes = [
            models.Index(fields=["is_active", "voip_id"], name="account_by_activity"),
            TextIndex(fields=["name", "email"], name="account_text"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.voip_id})"


class AccountGroup(models.Model):
    """A name for accounts that are treated alike: MyAccount's *customer group*."""

    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="own_groups",
        help_text="Whose group it is; empty: the portal's own.",
    )
    name = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                "account",
                name="account_group_name_once",
                violation_error_message="There is a group of this name already.",
            ),
            # Nulls differ from one another in a unique index, so the portal's own groups need one of their own.
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(account=None),
                name="portal_group_name_once",
                violation_error_message="There is a group of this name already.",
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="account_group_by_name"),
            TextIndex(fields=["name"], name="account_group_text"),
        ]

    def __str__(self) -> str:
        return self.name


class Extension(models.Model):
    """A number inside an account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="extensions")
    number = models.PositiveBigIntegerField(validators=[MinValueValidator(1)])
    name = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        ordering = ["account_id", "number"]
        constraints = [models.UniqueConstraint(fields=["account", "number"], name="extension_number_once_per_account")]
        indexes = [
            models.Index(fields=["number", "id"], name="extension_by_number"),
            TextIndex(fields=["name"], name="extension_text"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()
