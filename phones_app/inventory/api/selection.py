"""How a request names many phones: by MAC addresses, by a saved group, by a filter, or all of them."""

from typing import Any

from django.db.models import Q
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from contacts_app.core.actor import Actor
from contacts_app.core.api.view import Text, parse_uuid
from phones_app.inventory.api.fields import NothingElse, PhoneFilter, Shape
from phones_app.inventory.models import Phone, PhoneGroup
from phones_app.inventory.services import Selection, phones_by_mac, phones_of_group


class PhoneFilterRecord(NothingElse, Shape):
    """As in the list of phones."""

    model = Text(required=False)
    location = Text(required=False)
    software_type = Text(required=False)
    load = Text(required=False)
    is_active = serializers.BooleanField(required=False)
    presence = Text(required=False)
    in_call = serializers.BooleanField(required=False)
    drifted = serializers.BooleanField(required=False)
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
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in wanted["filter"].items()
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
