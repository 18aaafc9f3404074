"""Fields of the phone family's records: how values of a kind are read and written, in one place each."""

from typing import Any

from django.db import models
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from contacts_app.api.fields import Instant, Text
from phones_app.models import SoftwareType
from phones_app.models.phone import MacAddressField
from phones_app.sep.mac import colons, parse_mac


class EmptyIsNull:
    """For a field whose missing value is null in answers: the empty string asks for the same."""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(None if data == "" else data)  # type: ignore[misc]


class SoftwareTypeField(EmptyIsNull, serializers.ChoiceField):
    """`SCCP`, `SIP`, `SIPE`; empty and null are both "any"."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=SoftwareType.choices, **({"required": False, "allow_null": True} | kwargs))


class IpAddress(EmptyIsNull, serializers.IPAddressField):
    """An address or null."""


@extend_schema_field(OpenApiTypes.STR)
class MacText(serializers.Field[str, Any, str, Any]):
    """A MAC address: any spelling in, upper case with colons out."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a MAC address.")
        try:
            return parse_mac(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: str) -> str:
        return colons(value)


class RowUuid(serializers.UUIDField):
    """The UUID of a row that another row points to, or null."""

    def to_representation(self, value: Any) -> str:
        return str(value.uuid)


class Shape(serializers.Serializer[Any]):
    """A body that is not simply a row."""


class NothingElse:
    """For a body in which a misspelt name must not pass: left out it would mean more phones, or all at once."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):  # type: ignore[attr-defined]
            raise serializers.ValidationError({str(name): ["There is no such field."] for name in unknown})
        return super().to_internal_value(data)  # type: ignore[misc]


class Record(serializers.ModelSerializer[Any]):
    """A model's row with the fields above."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: Text,
        models.TextField: Text,
        models.DateTimeField: Instant,
        models.GenericIPAddressField: IpAddress,
        MacAddressField: MacText,
    }
