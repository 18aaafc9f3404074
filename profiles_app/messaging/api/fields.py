"""Accounts and people inside other records: no more of them than the document shows, and never a credential.

Fields of this dialect: every way that a value may be spelled, and what the OpenAPI document says of it.
"""

import math
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts_app.accounts.models import Account
from contacts_app.core.api.view import Instant
from contacts_app.core.values import MAX_URL, MIN_URL, UNFIT, is_web_url
from contacts_app.people.models import User
from profiles_app.messaging.models import MAX_WEIGHT


@extend_schema_field({"type": "object", "nullable": True})
class Null(serializers.ReadOnlyField):
    """What the document shows and Patchbay does not know."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"default": None} | kwargs))


class AccountBrief(serializers.ModelSerializer[Account]):
    balance = serializers.FloatField()
    created_on = Instant(source="created_at")
    modified_on = Instant(source="updated_at")
    deleted_on = Null()

    class Meta:
        model = Account
        fields = ["uuid", "name", "email", "level", "balance", "created_on", "modified_on", "deleted_on"]


class UserBrief(serializers.ModelSerializer[User]):
    role = serializers.CharField()

    class Meta:
        model = User
        fields = ["uuid", "email", "first_name", "last_name", "role"]


class OwnedOutput(serializers.ModelSerializer[Any]):
    """What every record of this dialect says of itself."""

    created_on = Instant(source="created_at")
    modified_on = Instant(source="updated_at")
    account = AccountBrief()
    created_by = UserBrief(allow_null=True)
    modified_by = UserBrief(allow_null=True)


OWNED_FIELDS = ["created_on", "modified_on", "uuid", "account", "created_by", "modified_by"]
OWNED_RELATIONS = ("account", "created_by", "modified_by")


FLAG_WORDS = {"true": True, "1": True, "false": False, "0": False}
FLAG_SCHEMA: list[dict[str, Any]] = [
    {"type": "boolean"},
    {"type": "integer", "enum": [0, 1]},
    {"type": "string", "enum": list(FLAG_WORDS)},
]
URL_SCHEMA = {"type": "string", "format": "uri", "minLength": MIN_URL, "maxLength": MAX_URL}


@extend_schema_field({"oneOf": FLAG_SCHEMA})
class Flag(serializers.Field):
    """A boolean, its words, or 1 and 0."""

    default_error_messages = {"invalid": "Must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, bool):
            return data
        if isinstance(data, int) and data in (0, 1):
            return bool(data)
        if not isinstance(data, str) or data.lower() not in FLAG_WORDS:
            self.fail("invalid")
        return FLAG_WORDS[data.lower()]

    def to_representation(self, value: bool) -> bool:
        return value


@extend_schema_field({"oneOf": [*FLAG_SCHEMA, URL_SCHEMA]})
class PoolFlag(Flag):
    """The document describes this flag as the second callback URL: see `MessagingProfileInput`."""


@extend_schema_field({**URL_SCHEMA, "nullable": True})
class CallbackUrl(serializers.Field):
    """Where messages are posted to, or null."""

    default_error_messages = {"invalid": UNFIT}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True} | kwargs))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not is_web_url(data):
            self.fail("invalid")
        return data

    def to_representation(self, value: str) -> str:
        return value


class Whole(serializers.IntegerField):
    """A whole number, also as `2.0`; no boolean, which Python would count with."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": 0, "maximum": MAX_WEIGHT},
            {"type": "string", "pattern": "^[0-9]$"},
        ]
    }
)
class Weight(Whole):
    """One digit; the document speaks of characters, so it may come as one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "min_value": 0, "max_value": MAX_WEIGHT} | kwargs))

    def to_internal_value(self, data: Any) -> int:
        digit = isinstance(data, str) and len(data) == 1 and data in "0123456789"
        return super().to_internal_value(int(data) if digit else data)


class Number(serializers.FloatField):
    """A finite number; no boolean."""

    default_error_messages = {"finite": "Must be a finite number."}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        try:
            number = super().to_internal_value(data)
        except OverflowError:
            self.fail("finite")
        if not math.isfinite(number):
            self.fail("finite")
        return number


@extend_schema_field({"oneOf": [{"type": "integer", "enum": [0, 1]}, {"type": "boolean"}]})
class TrackType(serializers.Field):
    """0 or 1; the document calls it a boolean, so true and false are taken for 1 and 0."""

    default_error_messages = {"invalid": "Must be 0 or 1."}

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or data not in (0, 1):
            self.fail("invalid")
        return int(data)

    def to_representation(self, value: int) -> int:
        return value


class Input(serializers.Serializer[Any]):
    """A request body in which some fields have several spellings. Unknown fields are ignored.

    `spellings` maps each other spelling to the field's own; both may be sent if they say the same.
    """

    spellings: Mapping[str, str] = {}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for spelling, name in self.spellings.items():
            if spelling not in attrs:
                continue
            value = attrs.pop(spelling)
            if attrs.setdefault(name, value) != value:
                raise serializers.ValidationError({spelling: f"Says something else than {name}."})
        return attrs
