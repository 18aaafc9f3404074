"""A callback of the events integration: where events are delivered to, and how (events spec §5.2)."""

import json
import secrets
from typing import Any

from django.db import models
from django.db.models import Q

from contacts_app.models.encrypted import EncryptedTextField
from contacts_app.models.history import Tracked
from contacts_app.models.text_index import TextIndex
from profiles_app.models.event_profile import EventProfile
from profiles_app.models.events_object import EventsObject


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
    # RESTRICT: what is in use cannot be deleted by itself, but goes along with the account that both belong to.
    profile = models.ForeignKey(
        EventProfile,
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        db_index=False,
        related_name="callbacks",
        help_text="Whose support email is told when deliveries fail; empty: the account's email.",
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
        default=new_signing_secret,
        editable=False,
        help_text="Every delivery is signed with it (HMAC-SHA256).",
    )
    disabled_reason = models.CharField(
        max_length=255, blank=True, editable=False, help_text="Why the portal has switched the callback off."
    )
    disabled_at = models.DateTimeField(null=True, editable=False)
    name_sound = models.CharField(
        max_length=128, blank=True, editable=False, help_text="Soundex code of the name."
    )

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
                fields=["-id"],
                condition=Q(enabled=False, disabled_at__isnull=False),
                name="callback_off_by_portal",
            ),
            models.Index(
                fields=["-id"], condition=Q(enabled=False, disabled_at=None), name="callback_off_by_person"
            ),
            TextIndex(fields=["name", "target"], name="callback_text"),
        ]

    def __str__(self) -> str:
        return f"{self.name or 'Callback'} ({self.target})"

    @property
    def config(self) -> dict[str, Any]:
        """The configuration with its secrets, valid for the mode (services/callback_config.py)."""
        config: dict[str, Any] = json.loads(self.stored_config)
        return config

    @config.setter
    def config(self, config: dict[str, Any]) -> None:
        self.stored_config = json.dumps(config)
