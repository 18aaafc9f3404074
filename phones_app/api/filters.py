"""Which phones and deployments a list shows. Impossible values are a 400, unknown parameters are ignored."""

import re
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from contacts_app.services.text_search import any_match, text_match
from phones_app.models import Deployment, Phone, Presence, Rollout, RolloutState, SoftwareType
from phones_app.models.deployment import State
from phones_app.models.phone_file import DRIFTED
from phones_app.sep.mac import parse_mac

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
