"""The layers of values that phones' files are made from, and what each phone should run because of them
(configuration spec §1).
"""

import json
import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.secrets import EncryptedTextField
from phones_app.inventory.models import Phone, PhoneGroup
from profiles_app.phone.models import KeyLayout, Line, PhoneProfile


class Layer(models.Model):
    """Values of one place, weak or strong by its kind. Exactly what its kind is about is set of `name` … `phone`.

    `values` are texts by the names of settings and variables; those of secret ones are in `secret_values`. `locks` are
    names that stronger layers cannot change. `fragments` are objects as `rendering.values.Fragment`.
    """

    class Kind(models.TextChoices):
        """From weak to strong."""

        PORTAL = "portal", "Portal"
        ACCOUNT = "account", "Account"
        LOCATION = "location", "Location"
        FAMILY = "family", "Model family"
        MODEL = "model", "Model"
        GROUP = "group", "Phone group"
        PROFILE = "profile", "Phone profile"
        PHONE = "phone", "Phone"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="layers",
        db_index=False,
        help_text="Empty: for the phones of all accounts.",
    )
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=255, blank=True, help_text="Of the location, the model family or the model.")
    group = models.OneToOneField(PhoneGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="layer")
    profile = models.OneToOneField(PhoneProfile, null=True, blank=True, on_delete=models.CASCADE, related_name="layer")
    phone = models.OneToOneField(Phone, null=True, blank=True, on_delete=models.CASCADE, related_name="layer")

    values = models.JSONField(default=dict, blank=True)
    secret_values = EncryptedTextField(blank=True, default="", help_text="A JSON object.")
    locks = models.JSONField(default=list, blank=True, help_text="Names that stronger layers cannot change.")
    fragments = models.JSONField(default=list, blank=True)
    key_layout = models.ForeignKey(KeyLayout, null=True, blank=True, on_delete=models.SET_NULL, related_name="layers")
    lines: "models.ManyToManyField[Line, LayerLine]" = models.ManyToManyField(
        Line, through="LayerLine", related_name="layers"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        ordering = ["kind", "name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(kind="portal"), name="one_layer_of_the_portal"),
            models.UniqueConstraint(fields=["account"], condition=Q(kind="account"), name="one_layer_of_an_account"),
            models.UniqueConstraint(
                "account",
                "kind",
                Lower("name"),
                condition=Q(kind__in=("location", "family", "model"), account__isnull=False),
                name="layer_once_per_name",
                violation_error_message="There is a layer of this name already.",
            ),
            models.UniqueConstraint(
                "kind",
                Lower("name"),
                condition=Q(kind__in=("family", "model"), account=None),
                name="portal_layer_once_per_name",
                violation_error_message="There is a layer of this name already.",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "name", "id"], name="layer_by_kind"),
            models.Index(fields=["account", "kind", "name", "id"], name="layer_of_account"),
            TextIndex(fields=["name"], name="layer_text"),
        ]

    def __str__(self) -> str:
        of_account = self.account if self.kind == self.Kind.ACCOUNT else None
        about = of_account or self.group or self.profile or self.phone or self.name
        return f"{self.get_kind_display()} {about}".strip()

    @property
    def secrets(self) -> dict[str, str]:
        return dict(json.loads(self.secret_values)) if self.secret_values else {}

    @secrets.setter
    def secrets(self, values: dict[str, str]) -> None:
        self.secret_values = json.dumps(values, sort_keys=True) if values else ""


class LayerLine(models.Model):
    """A line of a layer. The lines of the strongest layer that has some are those of the phone, by their positions."""

    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="line_uses", db_index=False)
    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="uses")
    position = models.PositiveSmallIntegerField(default=1, help_text="From 1.")

    history = Tracked(part_of="layer")

    class Meta:
        ordering = ["layer", "position"]
        verbose_name = "line of a layer"
        verbose_name_plural = "lines of layers"
        constraints = [
            models.UniqueConstraint(fields=["layer", "position"], name="one_line_at_a_position"),
            models.UniqueConstraint(fields=["layer", "line"], name="line_once_in_a_layer"),
        ]

    def __str__(self) -> str:
        return f"{self.line} of {self.layer}"


# Whose phone has another file than it should run.
OUTDATED = ~Q(sha256="") & ~Q(sha256=models.F("file_sha256"))


class PhoneConfiguration(models.Model):
    """What a phone should run now, and which file it has (`changes`, `wanted`).

    The database's defaults are for rows that are stored for what is known of them so far.
    """

    phone = models.OneToOneField(Phone, on_delete=models.CASCADE, primary_key=True, related_name="configuration")
    sha256 = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="Of its file, made from today's data."
    )
    error = models.TextField(blank=True, default="", db_default="", help_text="Why no file can be made.")
    registration_user = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text="What the first line of that file registers as.",
    )
    file_sha256 = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="Of the file that was uploaded for it."
    )
    beside = models.JSONField(null=True, help_text="What its file says of files beside it; null: that is not known.")
    # Which firmware the two files name; "": none, so that a phone keeps its own.
    load = models.CharField(max_length=128, blank=True, default="", db_default="")
    file_load = models.CharField(max_length=128, blank=True, default="", db_default="")
    rendered_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="When it is to be worked out anew; empty: up to date.")

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="configuration_due"),
            models.Index(fields=["phone"], condition=OUTDATED, name="configuration_outdated"),
        ]

    def __str__(self) -> str:
        return f"configuration of {self.phone}"
