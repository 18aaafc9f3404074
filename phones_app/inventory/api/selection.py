"""Which phones a list shows, and how a request names many: by MAC addresses, by a saved group, by a filter, or all."""

import re
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from contacts_app.core.actor import Actor
from contacts_app.core.api.fields import OneOf, Shape, TruthFilter
from contacts_app.core.api.view import Text, parse_uuid
from contacts_app.core.lists.search import any_match, text_match
from phones_app.configuration.changes import is_outdated
from phones_app.deployment.models import DRIFTED
from phones_app.inventory.models import Phone, PhoneGroup, Presence
from phones_app.inventory.services import Selection, phones_by_mac, phones_of_group
from profiles_app.phone.api.profile import MacFilter
from profiles_app.phone.models import SoftwareType

SEPARATORS = re.compile(r"[:.\s-]")
SEARCHED = ("name", "description", "hostname", "location", "model", "line_user", "phone_ip")


class PhoneFilter(django_filters.FilterSet):  # type: ignore[misc]
    model = django_filters.CharFilter(label="Exactly this model.")
    location = django_filters.CharFilter(label="Exactly this place.")
    software_type = OneOf(SoftwareType)
    is_active = TruthFilter()
    after = MacFilter("gt", label="Only MAC addresses beyond this one: to read on at any depth.")
    load = django_filters.CharFilter("software_version", label="Exactly this firmware load.")
    presence = OneOf(Presence)
    in_call = TruthFilter()
    drifted = TruthFilter(method="with_drift", label="Whether the file on the server is not the uploaded one.")
    outdated = TruthFilter(method="with_outdated", label="Whether the phone should run another file than it has.")
    search = django_filters.CharFilter(method="find_text", label="In names, places, addresses; part of a MAC address.")

    class Meta:
        model = Phone
        fields: list[str] = []

    def with_drift(self, rows: "QuerySet[Phone]", name: str, wanted: bool) -> "QuerySet[Phone]":
        drifted = Q(file__state__in=DRIFTED)
        return rows.filter(drifted) if wanted else rows.exclude(drifted)

    def with_outdated(self, rows: "QuerySet[Phone]", name: str, wanted: bool) -> "QuerySet[Phone]":
        return rows.filter(is_outdated()) if wanted else rows.exclude(is_outdated())

    def find_text(self, rows: "QuerySet[Phone]", name: str, text: str) -> "QuerySet[Phone]":
        found = any_match(Phone, SEARCHED, text)
        digits = SEPARATORS.sub("", text).upper().removeprefix("SEP")
        if re.fullmatch("[0-9A-F]{1,12}", digits):
            found |= text_match("mac", digits)
        return rows.filter(found)


class PhoneFilterRecord(Shape):
    """As in the list of phones."""

    model = Text(required=False)
    location = Text(required=False)
    software_type = Text(required=False)
    load = Text(required=False)
    is_active = serializers.BooleanField(required=False)
    presence = Text(required=False)
    in_call = serializers.BooleanField(required=False)
    drifted = serializers.BooleanField(required=False)
    outdated = serializers.BooleanField(required=False)
    search = Text(required=False)


def selected(actor: Actor, wanted: dict[str, Any]) -> Selection:
    """The phones that a request names, of those that the actor sees."""
    rows = actor.sees(Phone.objects.all())
    if macs := wanted.get("macs"):
        return phones_by_mac(rows, macs)
    if group := wanted.get("group"):
        return phones_of_group(rows, group_of(actor, group))
    if wanted.get("filter"):
        # In the words of a query string.
        words = {
            name: str(value).lower() if isinstance(value, bool) else value for name, value in wanted["filter"].items()
        }
        phones = PhoneFilter(words, queryset=rows)
        if not phones.is_valid():
            raise ValidationError({name: list(texts) for name, texts in phones.errors.items()})
        return Selection(phones.qs)
    return Selection(rows)


def group_of(actor: Actor, text: str) -> PhoneGroup:
    uuid = parse_uuid(text)
    named = Q(uuid=uuid) if uuid else Q(name=text)
    found = list(actor.sees(PhoneGroup.objects.filter(named))[:2])
    if len(found) != 1:
        reason = "Several have this name; use the UUID." if found else "No such group of phones."
        raise ValidationError({"group": reason})
    return found[0]
