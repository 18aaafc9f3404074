"""Fields and filters of /api/v1 about phones: their software and their MAC addresses."""

from typing import Any

import django_filters
from django import forms
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts_app.core.api.fields import EmptyIsNull, described
from profiles_app.phone.models import SoftwareType
from profiles_app.phone.sep.catalogue import colons, parse_mac


class SoftwareTypeField(EmptyIsNull, serializers.ChoiceField):
    """`SCCP`, `SIP`, `SIPE`; empty and null are both "any"."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=SoftwareType.choices, **({"required": False, "allow_null": True} | kwargs))


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


class MacField(forms.CharField):
    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return parse_mac(text) if text else ""
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class MacFilter(django_filters.Filter):  # type: ignore[misc]
    """A whole MAC address in any spelling."""

    field_class = MacField

    def __init__(self, lookup_expr: str = "exact", *, label: str) -> None:
        super().__init__("mac", lookup_expr, label=label)
        described(self, label, type="string")
