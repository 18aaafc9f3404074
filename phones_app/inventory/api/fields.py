"""Fields of the phone family's records: how values of a kind are read and written, in one place each.

Which phones and deployments a list shows. Impossible values are a 400, unknown parameters are ignored.
"""

import re
from typing import Any

import django_filters
from django import forms
from django.db import models
from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty
from rest_framework.request import Request

from contacts_app.core.api.view import Instant, Text
from contacts_app.core.lists.search import any_match, text_match
from phones_app.deployment.models import DRIFTED, Deployment, State
from phones_app.inventory.models import Phone, Presence
from phones_app.rollout.models import Rollout, RolloutState
from profiles_app.phone.models import MacAddressField, SoftwareType
from profiles_app.phone.sep.mac import colons, parse_mac


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


TRUTH = {"true": True, "1": True, "false": False, "0": False}
SEPARATORS = re.compile(r"[:.\s-]")
SEARCHED = ("name", "description", "hostname", "location", "model", "line_user", "phone_ip")


class TruthFilter(django_filters.Filter):  # type: ignore[misc]
    """`true` or `false`, and nothing that is quietly neither."""

    field_class = forms.TypedChoiceField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=[(word, word) for word in TRUTH],
            coerce=lambda word: TRUTH[word],
            empty_value=None,
            **kwargs,
        )


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


class PhoneFilter(django_filters.FilterSet):  # type: ignore[misc]
    model = django_filters.CharFilter()
    location = django_filters.CharFilter()
    software_type = django_filters.ChoiceFilter(choices=SoftwareType.choices)
    is_active = TruthFilter()
    after = MacFilter("mac", "gt")
    load = django_filters.CharFilter("software_version")
    presence = django_filters.ChoiceFilter(choices=Presence.choices)
    in_call = TruthFilter()
    drifted = TruthFilter(
        method="with_drift", label="Whether the file on the server is not the uploaded one."
    )
    search = django_filters.CharFilter(
        method="find_text", label="In names, places and addresses; part of a MAC address in any spelling."
    )

    class Meta:
        model = Phone
        fields: list[str] = []

    def with_drift(self, rows: "QuerySet[Phone]", name: str, wanted: bool) -> "QuerySet[Phone]":
        drifted = Q(file__state__in=DRIFTED)
        return rows.filter(drifted) if wanted else rows.exclude(drifted)

    def find_text(self, rows: "QuerySet[Phone]", name: str, text: str) -> "QuerySet[Phone]":
        found = any_match(Phone, SEARCHED, text)
        digits = SEPARATORS.sub("", text).upper().removeprefix("SEP")
        if re.fullmatch("[0-9A-F]{1,12}", digits):
            found |= text_match("mac", digits)
        return rows.filter(found)


class DeploymentFilter(django_filters.FilterSet):  # type: ignore[misc]
    state = django_filters.ChoiceFilter(choices=State.choices)
    kind = django_filters.ChoiceFilter(choices=Deployment.Kind.choices)
    mac = MacFilter()
    profile = django_filters.UUIDFilter("profile__uuid")
    rollout = django_filters.UUIDFilter("in_rollout__rollout__uuid")
    created_after = django_filters.IsoDateTimeFilter("created_at", "gte")
    created_before = django_filters.IsoDateTimeFilter("created_at", "lt")
    open = TruthFilter(field_name="finished_at", lookup_expr="isnull")

    class Meta:
        model = Deployment
        fields: list[str] = []


class RolloutFilter(django_filters.FilterSet):  # type: ignore[misc]
    state = django_filters.ChoiceFilter(choices=RolloutState.choices)
    profile = django_filters.UUIDFilter("profile__uuid")
    open = TruthFilter(field_name="finished_at", lookup_expr="isnull")

    class Meta:
        model = Rollout
        fields: list[str] = []


def filtered(request: Request, rows: Any, filters: type[django_filters.FilterSet]) -> Any:
    """The rows that the query string asks for."""
    wanted = filters(request.query_params, queryset=rows)
    if not wanted.is_valid():
        raise ValidationError({name: list(texts) for name, texts in wanted.errors.items()})
    return wanted.qs
