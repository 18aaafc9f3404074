"""Phone profiles (Cisco SEP files) and their immutable revisions, those among them that were made for one phone."""

import uuid
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.secrets import EncryptedBinaryField
from profiles_app.phone import sep
from profiles_app.phone.models.template import PhoneTemplate

UNCHANGING = "A revision never changes and never goes by itself; add another one."


class SoftwareType(models.TextChoices):
    SCCP = "SCCP", "SCCP"
    SIP = "SIP", "SIP"
    SIPE = "SIPE", "SIPE"


class Source(models.TextChoices):
    """Where the file of a profile comes from (configuration spec §1)."""

    FILE = "file", "A file"
    TEMPLATE = "template", "A template"
    BUILT_IN = "built-in", "The built-in template of the phone's model"


class MacAddressField(models.CharField):  # type: ignore[type-arg]
    """Twelve upper-case hex digits in the database; takes a MAC address in any spelling."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"max_length": 12}))

    def to_python(self, value: object) -> str | None:
        if value in (None, ""):
            return None
        try:
            return sep.parse_mac(str(value))
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def formfield(self, **kwargs: Any) -> Any:
        # Longer spellings than the stored one are welcome in forms.
        return super().formfield(**({"max_length": 32} | kwargs))


class PhoneProfile(models.Model):
    """A named profile of a user; what it says stands in its latest revision."""

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="phone_profiles", verbose_name="owner"
    )
    name = models.CharField(max_length=255)
    description = models.TextField(null=True, blank=True)
    compatible_models = models.JSONField(
        default=list, blank=True, help_text="Phone models this profile works with, such as 8845; empty: all."
    )
    software_type = models.CharField(
        "software", max_length=4, choices=SoftwareType, null=True, blank=True, help_text="Empty: all."
    )
    # The database's defaults are for processes of the release before, which write rows while they are being replaced.
    source = models.CharField(
        max_length=8,
        choices=Source,
        default=Source.FILE,
        db_default=Source.FILE,
        help_text="A file goes to phones byte for byte; a template is filled in for each phone.",
    )
    template = models.ForeignKey(
        PhoneTemplate,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="profiles",
        help_text="Of its text.",
    )
    # Of a profile that is made from data: its file without a phone, which is what the latest revision says.
    render_at = models.DateTimeField(null=True, editable=False, help_text="Made anew then; empty: up to date.")
    render_error = models.TextField(blank=True, default="", db_default="", editable=False)
    revision = models.OneToOneField(
        "ProfileRevision", null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(quiet=["render_at", "render_error"])

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [
            models.Index(fields=["created_at", "id"], name="profile_by_creation"),
            models.Index(fields=["name", "id"], name="profile_by_name"),
            models.Index(fields=["software_type", "name", "id"], name="profile_by_software"),
            models.Index(fields=["user", "name", "id"], name="profile_of_user"),
            models.Index(fields=["updated_at", "id"], name="profile_by_change"),
            models.Index(fields=["render_at"], condition=models.Q(render_at__isnull=False), name="profile_render_due"),
            TextIndex(fields=["name", "description"], name="profile_text"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def content(self) -> bytes:
        """The SEP file, byte for byte."""
        return bytes(self.revision.content) if self.revision else b""

    @property
    def cnf_xml(self) -> str:
        return sep.decode(self.content)


def is_made(profile: PhoneProfile | None) -> bool:
    """Whether the files of a profile are made from data."""
    return profile is not None and profile.source != Source.FILE


class RevisionRows(models.QuerySet["ProfileRevision"]):
    """Revisions are read and added. They go along with their profile, which is the database's cascade and not this.

    What was made for phones goes by itself once nothing refers to it (`prune`).
    """

    def own(self) -> "RevisionRows":
        """What profiles said, without what was made of them for phones."""
        return self.filter(rendered_for=None)

    def prune(self, keys: Collection[int]) -> int:
        """Delete what was made for phones, of these keys."""
        return self.filter(pk__in=keys, rendered_for__isnull=False)._raw_delete(self.db)

    def update(self, **_: object) -> int:
        raise TypeError(UNCHANGING)

    def bulk_update(self, *_: object, **__: object) -> int:
        raise TypeError(UNCHANGING)

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError(UNCHANGING)


class ProfileRevision(models.Model):
    """What a profile said at one time, or what was made of it for one phone. Rows are only ever added.

    What is made for a phone (`rendered_for`) has no number, and says in `provenance` what it was made from.
    """

    profile = models.ForeignKey(PhoneProfile, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField(null=True)
    rendered_for = MacAddressField("made for", null=True, blank=True, editable=False)
    provenance = models.JSONField(default=dict, db_default={}, editable=False, help_text="Without secrets.")
    content = EncryptedBinaryField(help_text="The SEP file, byte for byte.")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    facts = models.JSONField(default=dict, help_text="What the file says, without secrets.")
    author = models.CharField(max_length=255)
    channel = models.CharField(max_length=16)
    reason = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RevisionRows.as_manager()

    class Meta:
        ordering = ["profile_id", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "number"], name="revision_number_once_per_profile"),
            models.UniqueConstraint(
                fields=["profile", "rendered_for", "sha256"],
                condition=models.Q(rendered_for__isnull=False),
                name="rendering_once_per_phone",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="revision_by_age"),
            # Lists show those of profiles alone, which are few beside those that were made for phones.
            models.Index(
                fields=["created_at", "id"], condition=models.Q(rendered_for=None), name="own_revision_by_age"
            ),
            TextIndex(fields=["author", "sha256"], name="revision_text"),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}" if self.number else f"made for SEP{self.rendered_for}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise TypeError(UNCHANGING)
        super().save(*args, **kwargs)

    def delete(self, *_: object, **__: object) -> tuple[int, dict[str, int]]:
        raise TypeError(UNCHANGING)
