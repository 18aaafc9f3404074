"""What customers set up to get events: profiles, callbacks and listeners, each at an account or an extension of it.

A callback says where events are delivered to and how, a listener which ones go there (events spec §5).
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from contacts_app.accounts.models import Account, Extension
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.secrets import EncryptedTextField


class EventsObject(models.Model):
    """An object of an account or, where `extension` is set, of one extension (events spec §3.1)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False)
    extension = models.ForeignKey(
        Extension,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        db_index=False,
        help_text="Empty: it belongs to the account as a whole.",
    )

    class Meta:
        abstract = True
        ordering = ["-id"]
        # Lists are by account or by extension, ordered by id: these serve them, and the foreign keys.
        indexes = [
            models.Index(fields=["account", "id"], name="%(class)s_of_account"),
            models.Index(fields=["extension", "id"], name="%(class)s_of_extension"),
        ]

    @property
    def voip_id(self) -> int:
        return self.account.voip_id

    @property
    def extension_number(self) -> int | None:
        return self.extension.number if self.extension else None

    def clean(self) -> None:
        super().clean()
        if self.extension and self.account_id and self.extension.account_id != self.account_id:
            raise ValidationError({"extension": "This extension belongs to another account."})


M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Level:
    """What is seen at an account includes the objects of its extensions; what is seen at an extension is its own."""

    account: Account
    extension: Extension | None = None

    @classmethod
    def of(cls, row: EventsObject) -> "Level":
        return cls(row.account, row.extension)

    def rows(self, rows: models.QuerySet[M]) -> models.QuerySet[M]:
        """Those of `rows` that are seen here."""
        mine = rows.filter(account=self.account)
        return mine.filter(extension=self.extension) if self.extension else mine


class EventProfile(EventsObject):
    """The address for reports about callbacks (events spec §5.1)."""

    name = models.CharField(max_length=128)
    support_email = models.EmailField(
        max_length=254,
        null=True,
        blank=True,
        help_text="Who is notified of time-outs and of a callback being switched off; empty: the account's email.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    history = Tracked()

    class Meta(EventsObject.Meta):
        verbose_name = "event profile"
        indexes = [
            *EventsObject.Meta.indexes,
            models.Index(fields=["name", "id"], name="event_profile_by_name"),
            TextIndex(fields=["name", "support_email"], name="event_profile_text"),
        ]

    def __str__(self) -> str:
        return self.name


def new_signing_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


class Callback(EventsObject):
    """A delivery target. Its whole configuration is encrypted: secrets stand in headers and, as often, in the URL."""

    class Mode(models.TextChoices):
        HTTPS = "HTTPS", "HTTPS"
        HTTP = "HTTP", "HTTP"
        APPLICATION = "APPLICATION", "Application"
        EMAIL = "EMAIL", "Email"

    name = models.CharField(max_length=128, null=True, blank=True)
    # RESTRICT: what is in use cannot be deleted by itself, but is deleted with the account of both.
    profile = models.ForeignKey(
        EventProfile,
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        db_index=False,
        related_name="callbacks",
        help_text="Whose support email is notified when deliveries fail; empty: the account's email.",
    )
    fallback_callback = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        db_index=False,
        related_name="used_as_fallback_by",
        help_text="Where events go when this callback cannot take them.",
    )
    enabled = models.BooleanField(default=True, help_text="A disabled callback gets no events.")
    mode = models.CharField(
        max_length=16,
        choices=Mode,
        default=Mode.HTTPS,
        help_text="How events get there: by a request to a URL, by mail, or to an application by its name.",
    )
    stored_config = EncryptedTextField("configuration", default="{}", editable=False)
    target = models.CharField(
        max_length=254,
        editable=False,
        help_text="Host, address or application: the part of the configuration to find it by.",
    )
    signing_secret = EncryptedTextField(
        default=new_signing_secret, editable=False, help_text="Every delivery is signed with it (HMAC-SHA256)."
    )
    disabled_reason = models.CharField(
        max_length=255, blank=True, editable=False, help_text="Why the portal has switched the callback off."
    )
    disabled_at = models.DateTimeField(null=True, editable=False)
    name_sound = models.CharField(max_length=128, blank=True, editable=False, help_text="Soundex code of the name.")
    # Of a webhook (`events.webhooks`): a digest of its URLs. The database's default is for the release before.
    webhook_key = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)

    history = Tracked(quiet=["name_sound"])

    class Meta(EventsObject.Meta):
        indexes = [
            *EventsObject.Meta.indexes,
            models.Index(fields=["account", "name"], name="callback_name"),
            models.Index(fields=["account", "name_sound"], name="callback_sound"),
            models.Index(fields=["profile", "id"], name="callback_profile"),
            models.Index(fields=["fallback_callback", "id"], name="callback_fallback"),
            models.Index(fields=["mode", "-id"], name="callback_by_mode"),
            models.Index(fields=["enabled", "-id"], name="callback_by_use"),
            models.Index(fields=["name", "id"], name="callback_by_name"),
            models.Index(
                fields=["-id"], condition=Q(enabled=False, disabled_at__isnull=False), name="callback_off_by_portal"
            ),
            models.Index(fields=["-id"], condition=Q(enabled=False, disabled_at=None), name="callback_off_by_person"),
            TextIndex(fields=["name", "target"], name="callback_text"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "webhook_key"], condition=~Q(webhook_key=""), name="one_callback_per_webhook"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name or 'Callback'} ({self.target})"

    @property
    def config(self) -> dict[str, Any]:
        """The configuration with its secrets, valid for the mode (`events.callback_config`)."""
        config: dict[str, Any] = json.loads(self.stored_config)
        return config

    @config.setter
    def config(self, config: dict[str, Any]) -> None:
        self.stored_config = json.dumps(config)


class Listener(EventsObject):
    """Binds a callback to subscriptions (any of them) and filters (all of them)."""

    class Version(models.TextChoices):
        V1_0_0 = "1.0.0", "1.0.0"
        V1_1_0 = "1.1.0", "1.1.0"
        V2_0_0 = "2.0.0", "2.0.0"

    version = models.CharField(
        max_length=8, choices=Version, default=Version.V2_0_0, help_text="Stands in the events that are delivered."
    )
    callback = models.ForeignKey(Callback, on_delete=models.RESTRICT, db_index=False, related_name="listeners")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="After this the listener fires no more.")

    history = Tracked()

    class Meta(EventsObject.Meta):
        indexes = [
            *EventsObject.Meta.indexes,
            models.Index(fields=["callback", "id"], name="listener_callback"),
            models.Index(fields=["version", "-id"], name="listener_by_version"),
        ]

    def __str__(self) -> str:
        return f"Listener {self.pk}"

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class Subscription(models.Model):
    """A set of tags: an event that bears all of them is wanted."""

    listener = models.ForeignKey(Listener, on_delete=models.CASCADE, db_index=False, related_name="subscriptions")
    tags = models.JSONField(default=list)

    history = Tracked(part_of="listener")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["listener", "id"], name="subscription_of_listener")]

    def __str__(self) -> str:
        return " + ".join(self.tags)


class ListenerFilter(models.Model):
    """A condition that an event must meet, or with `not_logic` must not."""

    class Type(models.TextChoices):
        NUMBER = "number", "Number"
        SCHEDULE = "schedule", "Schedule"

    listener = models.ForeignKey(Listener, on_delete=models.CASCADE, db_index=False, related_name="filters")
    filter_type = models.CharField("type", max_length=16, choices=Type)
    filter_value = models.JSONField("value", default=dict)
    not_logic = models.BooleanField("inverted", default=False, help_text="Pass what does not match.")

    history = Tracked(part_of="listener")

    class Meta:
        ordering = ["-id"]
        verbose_name = "filter"
        indexes = [models.Index(fields=["listener", "id"], name="filter_of_listener")]

    def __str__(self) -> str:
        return f"{'not ' if self.not_logic else ''}{self.filter_type} {self.filter_value}"
