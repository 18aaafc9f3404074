"""Fields and records of this dialect: every spelling that a body may use, and no more of a row than the document shows.

Accounts and people stand inside other records, and never with a credential.
"""

import math
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts_app.accounts.models import Account
from contacts_app.core.api.reading import Narrowed
from contacts_app.core.api.view import Instant
from contacts_app.core.values import MAX_URL, MIN_URL, UNFIT, is_web_url, masked_url
from contacts_app.people.models import User
from profiles_app.messaging.models import MAX_WEIGHT, WEBHOOKS


@extend_schema_field({"type": "object", "nullable": True})
class Null(serializers.ReadOnlyField):
    """What the document shows and Patchbay does not know."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"default": None} | kwargs))


# Of accounts, of people, and of what the provider's own switch knows of leases, orders, connections and apps.
NOT_KNOWN = (
    *("deleted_on", "avatar", "gender", "dob", "gmail_user_id", "facebook_user_id", "apple_user_id"),
    *("wechat_user_id", "class4_product_item_id", "product", "price", "class4_trunk_prefix_id"),
    *("class4_ingress_trunk_id", "class4_ingress_trunk_settings", "class4_ingress_resource_ip_id"),
    *("class4_egress_trunk_id", "class4_egress_trunk_settings", "class4_egress_resource_ip_id"),
)


def without_secrets(record: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """A messaging profile as this caller may see it: staff without the permission to see secrets see no more of its
    webhooks than the host, as in the admin.
    """
    if context["request"].user.reveals:
        return record
    return record | {name: masked_url(record[name]) or None for name in WEBHOOKS}


# A row as the document shows it, with nulls for what is not known.
class Shown(Narrowed, serializers.ModelSerializer[Any]):
    is_shown_whole = True
    created_on = Instant(source="created_at")
    modified_on = Instant(source="updated_at")

    def build_unknown_field(self, field_name: str, model_class: Any) -> Any:
        return (Null, {}) if field_name in NOT_KNOWN else super().build_unknown_field(field_name, model_class)


class AccountBrief(Shown):
    balance = serializers.FloatField()

    class Meta:
        model = Account
        fields = ["uuid", "name", "email", "level", "balance", "created_on", "modified_on", "deleted_on"]


class UserBrief(Shown):
    needs = {"role": ("is_superuser", "permission_level")}

    role = serializers.CharField()

    class Meta:
        model = User
        fields = ["uuid", "email", "first_name", "last_name", "role"]


class OwnedOutput(Shown):
    """What every record of this dialect says of itself."""

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
class WordFlag(serializers.BooleanField):
    """A boolean, its words, or 1 and 0."""

    default_error_messages = {"invalid": "Must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        word = str(data).lower() if isinstance(data, bool | int | str) else None
        if word not in FLAG_WORDS:
            self.fail("invalid")
        return FLAG_WORDS[word]


@extend_schema_field({"oneOf": [*FLAG_SCHEMA, URL_SCHEMA]})
class PoolFlag(WordFlag):
    """The document describes this flag as the second callback URL: see `MessagingProfileInput`."""


@extend_schema_field({**URL_SCHEMA, "nullable": True})
class CallbackUrl(serializers.Field[Any, Any, Any, Any]):
    """Where messages are posted to, or null."""

    default_error_messages = {"invalid": UNFIT}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True} | kwargs))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not is_web_url(data):
            self.fail("invalid")
        return data


class Whole(serializers.IntegerField):
    """A whole number, also as `2.0`; no boolean, which Python would count with."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(
    {"oneOf": [{"type": "integer", "minimum": 0, "maximum": MAX_WEIGHT}, {"type": "string", "pattern": "^[0-9]$"}]}
)
class Weight(Whole):
    """One digit; the document speaks of characters, so it may come as one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "min_value": 0, "max_value": MAX_WEIGHT} | kwargs))

    def to_internal_value(self, data: Any) -> int:
        digit = isinstance(data, str) and len(data) == 1 and data in "0123456789"
        return super().to_internal_value(int(data) if digit else data)


class FiniteNumber(serializers.FloatField):
    """A finite number; no boolean."""

    default_error_messages = {"finite": "Must be a finite number."}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        try:
            number = super().to_internal_value(data)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.fail("finite")
        return number


@extend_schema_field({"oneOf": [{"type": "integer", "enum": [0, 1]}, {"type": "boolean"}]})
class TrackType(serializers.Field[Any, Any, Any, Any]):
    """0 or 1; the document calls it a boolean, so true and false are taken for 1 and 0."""

    default_error_messages = {"invalid": "Must be 0 or 1."}

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or data not in (0, 1):
            self.fail("invalid")
        return int(data)


class Input(serializers.Serializer[Any]):
    """A request body in which some fields have several spellings.

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
