"""Fields of this dialect's records: liberal in what they take, strict in what they mean (MyAccount spec §3)."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.timezone import get_default_timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts_app.api.fields import Text
from contacts_app.models import Account
from contacts_app.services.account import customers_of
from contacts_app.services.actor import Actor
from profiles_app.services.myaccount_profile import visible_profiles
from profiles_app.services.preset import allowed_values

NUMBER = re.compile("[1-9][0-9]{0,17}")
TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}
# A `+` that stands unescaped in a query arrives as a space: only after a time can it have been one.
LOST_PLUS = re.compile(r"(:\d\d(?:[.,]\d+)?) (?=\d\d:?\d\d$)")
MOST_GROUPS = 200


@extend_schema_field(OpenApiTypes.BOOL)
class Flag(serializers.Field[bool, Any, bool, Any]):
    """`true` or `false`; read from numbers, words, and the empty value too, as the document types it "Text"."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        return super().validate_empty_values("" if data is None else data)

    def to_internal_value(self, data: Any) -> bool:
        word = str(data).strip().lower() if isinstance(data, bool | int | str) else None
        if word not in TRUTH:
            raise serializers.ValidationError("Must be true or false.")
        return TRUTH[word]


@extend_schema_field(OpenApiTypes.STR)
class NumberedRow(serializers.Field[Any, Any, str, Any]):
    """The public number of a row as a text."""

    column, thing = "pk", "profile"

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return visible_profiles(actor)

    def to_internal_value(self, data: Any) -> Any:
        number = str(data).strip() if isinstance(data, int | str) else ""
        rows = self.rows(self.context["request"].user)
        row = rows.filter(**{self.column: int(number)}).first() if NUMBER.fullmatch(number) else None
        if row is None:
            raise serializers.ValidationError(f"There is no such {self.thing}.")
        return row


class CustomerId(NumberedRow):
    """The public number of a customer as a text, or null."""

    column, thing = "voip_id", "customer"

    def rows(self, actor: Actor) -> QuerySet[Account]:
        return customers_of(actor)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        return super().validate_empty_values(None if isinstance(data, str) and not data.strip() else data)


class TextList(serializers.ListField):
    """Texts in their order, each once."""

    child = Text(max_length=255)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False} | kwargs))

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if data is None or (isinstance(data, str) and not data.strip()):
            return True, []
        return super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> list[str]:
        texts: list[str] = super().to_internal_value([data] if isinstance(data, str) else data)
        return list(dict.fromkeys(texts))


class GroupNames(TextList):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_GROUPS, **kwargs)


def canonical(name: str, values: Iterable[str], kept: Iterable[str] = ()) -> list[str]:
    """Preset values in the spelling of their list, each once; ValidationError names those that are not in it."""
    allowed = allowed_values(name, kept)
    found = {value: allowed.get(value.strip().casefold()) for value in values}
    if unknown := [value[:100] for value, known in found.items() if known is None]:
        raise serializers.ValidationError(
            f"{', '.join(unknown[:10])}: not allowed. Allowed: {', '.join(allowed.values())}."
        )
    return list(dict.fromkeys(value for value in found.values() if value))


class Preset(Text):
    """One value of a preset list."""

    def to_internal_value(self, data: Any) -> str:
        return canonical(str(self.field_name), [super().to_internal_value(data)])[0]


class Presets(TextList):
    """Values of a preset list; what the record has already stays good when it is taken out of the list."""

    def to_internal_value(self, data: Any) -> list[str]:
        record = getattr(self.parent, "instance", None)
        kept = getattr(record, str(self.source)) if record else ()
        return canonical(str(self.field_name), super().to_internal_value(data), kept)


@extend_schema_field(OpenApiTypes.DATETIME)
class Since(serializers.Field[datetime, Any, str, Any]):
    """An instant: ISO 8601, with a space for the T if need be; a bare date is its midnight."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            instant = datetime.fromisoformat(LOST_PLUS.sub(r"\1+", str(data).strip()))
            if instant.tzinfo is None:
                instant = instant.replace(tzinfo=get_default_timezone())
            return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            raise serializers.ValidationError(
                "Must be a date and time such as 2026-01-31T10:00:00Z."
            ) from None
