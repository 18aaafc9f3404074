"""`/layers`: values, locks, fragments, keys and lines of one place; and what a change of them would do."""

import json
from copy import copy
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import AccountNumber, OwnedRecord
from contacts_app.core.actor import Actor
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import RowUuid, Shape
from contacts_app.core.api.view import Text
from contacts_app.core.history.models import MASK
from phones_app.configuration import layers
from phones_app.configuration.effect import what_changes
from phones_app.configuration.models import Layer
from phones_app.inventory.models import Phone, PhoneGroup
from profiles_app.phone.api.profile import MacText
from profiles_app.phone.api.template import Shared
from profiles_app.phone.models import KeyLayout, Line, PhoneProfile

MOST, MOST_LINES, MOST_FRAGMENTS, LONGEST = 500, 200, 100, 20_000
# Where a layer stands, from when it is made.
FIXED = ("kind", "group", "profile", "phone")


class FragmentRecord(Shape):
    path = Text(max_length=255, help_text="Of the element, below `device`.")
    action = serializers.ChoiceField(["replace", "insert", "delete"])
    xml = Text(default="", allow_blank=True, trim_whitespace=False, max_length=LONGEST)
    reason = Text(max_length=255)


class LayerValuesOverRest(serializers.DictField):
    """The values with a mask in place of each secret; a mask that comes back leaves the secret as it is."""

    needs = ("values", "secret_values")

    def __init__(self) -> None:
        child = Text(allow_blank=True, max_length=layers.LONGEST_VARIABLE, trim_whitespace=False)
        super().__init__(child=child, required=False, help_text="Texts by the names of settings and variables.")

    def get_attribute(self, instance: Layer) -> dict[str, str]:
        return {**instance.values, **dict.fromkeys(_secret_names(instance), MASK)}

    def to_internal_value(self, data: Any) -> dict[str, str]:
        values: dict[str, str] = super().to_internal_value(data)
        if len(values) > MOST:
            raise ValidationError(f"A layer has at most {MOST} values.")
        return values


class SecretNames(serializers.ListField):
    needs = ("secret_values",)

    def __init__(self) -> None:
        text = "Names of the values that are masked: passwords always are, and variables that are called like one or "
        text += "stand here."
        super().__init__(child=Text(max_length=64), required=False, max_length=MOST, help_text=text)

    def get_attribute(self, instance: Layer) -> list[str]:
        return _secret_names(instance)


class LineExtensions(serializers.ListField):
    shows_of = ("line_uses", "line__extension")

    def __init__(self) -> None:
        text = "Extensions of the account's lines, in their order on the phone."
        super().__init__(child=Text(max_length=64), required=False, max_length=MOST_LINES, help_text=text)

    def get_attribute(self, instance: Layer) -> list[str]:
        return [use.line.extension for use in instance.line_uses.select_related("line").order_by("position")]


def _secret_names(layer: Layer) -> list[str]:
    return sorted(json.loads(layer.secret_values)) if layer.secret_values else []


class LayerRecord(OwnedRecord):
    """A layer. Secret values go in and never come out."""

    account = AccountNumber(help_text="Null: for the phones of all accounts; only staff may write those.")
    name = Text(required=False, allow_blank=True, max_length=255, help_text="Of the location, the family or the model.")
    group = RowUuid(required=False, allow_null=True, help_text="UUID of the group that it is about.")
    profile = RowUuid(required=False, allow_null=True, help_text="UUID of the phone profile that it is about.")
    phone = MacText(source="phone.mac", required=False, allow_null=True, help_text="MAC address of its phone.")
    values = LayerValuesOverRest()
    secret = SecretNames()
    locks = serializers.ListField(child=Text(max_length=64), required=False, max_length=MOST)
    fragments = serializers.ListField(child=FragmentRecord(), required=False, max_length=MOST_FRAGMENTS)
    key_layout = RowUuid(required=False, allow_null=True, help_text="UUID of the key layout of its phones.")
    lines = LineExtensions()

    class Meta:
        model = Layer
        fields = [
            *(
                "uuid",
                "account",
                "kind",
                "name",
                *FIXED[1:],
                "values",
                "secret",
                "locks",
                "fragments",
                "key_layout",
                "lines",
            ),
            *("created_at", "updated_at"),
        ]
        read_only_fields = ["uuid"]
        validators: ClassVar[list[Any]] = []

    def validate_locks(self, names: list[str]) -> list[str]:
        layers.check_locks(names)
        return names

    def validate_fragments(self, fragments: list[dict[str, str]]) -> list[dict[str, str]]:
        layers.check_fragments(fragments)
        return [dict(fragment) for fragment in fragments]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """From the document's names to the row's. What the layer is about is fixed from when it is made."""
        if "phone" in attrs:
            attrs["phone"] = (attrs["phone"] or {}).get("mac")
        account = "account" in attrs or self.instance is not None
        attrs = super().validate(attrs)
        self._resolve(attrs)
        layer = copy(self.instance) if self.instance else Layer()
        if self.instance is None:
            _take_account(attrs, named=account)
            layer.account = attrs["account"]
        elif moved := [name for name in FIXED if name in attrs and attrs[name] != getattr(layer, name)]:
            raise ValidationError(dict.fromkeys(moved, "It cannot be changed; add another layer."))
        if self.instance is None or "name" in attrs:
            for name in (*FIXED, "name"):
                setattr(layer, name, attrs.get(name, getattr(layer, name)))
            layers.check_about(layer)
            attrs["name"] = layer.name
        if {"values", "secret"} & attrs.keys():
            shown = LayerValuesOverRest().get_attribute(layer)
            layers.fill(layer, attrs.get("values", shown), attrs.pop("secret", _secret_names(layer)))
            attrs |= {"values": layer.values, "secret_values": layer.secret_values}
        layout = attrs.get("key_layout")
        if layout is not None and layout.account_id not in (None, layer.account_id):
            raise ValidationError({"key_layout": "The key layout is of another account."})
        if "lines" in attrs:
            attrs["lines"] = layers.lines_named(layer, attrs["lines"])
        return attrs

    def _resolve(self, attrs: dict[str, Any]) -> None:
        """Rows in place of their names; those of other accounts do not exist here."""
        actor: Actor = self.context["request"].user
        found: dict[str, tuple[str, QuerySet[Any]]] = {
            "group": ("uuid", actor.sees(PhoneGroup.objects.all())),
            "profile": ("uuid", actor.sees(PhoneProfile.objects.select_related("user__account"), "user__account")),
            "phone": ("mac", actor.sees(Phone.objects.all())),
            "key_layout": ("uuid", actor.sees(KeyLayout.objects.all(), shared=True)),
        }
        for name, (column, rows) in found.items():
            if attrs.get(name) is not None:
                attrs[name] = rows.filter(**{column: attrs[name]}).first()
                if attrs[name] is None:
                    raise ValidationError({name: "There is none of this name."})


def _take_account(attrs: dict[str, Any], *, named: bool) -> None:
    """The account of what the layer is about, where there is one; the account of a profile of staff is none."""
    about = attrs.get("group") or attrs.get("phone")
    if about is None and (profile := attrs.get("profile")) is not None:
        about = profile.user
    if about is None:
        return
    if named and attrs["account"] is not None and attrs["account"] != about.account:
        raise ValidationError({"account": "It is that of what the layer is about."})
    attrs["account"] = about.account


class ExampleShape(Shape):
    mac = serializers.CharField()
    diff = serializers.CharField(help_text="Unified, passwords masked.")
    trouble = serializers.CharField(help_text="Why there would be no file; empty: there is one.")


class FileEffectShape(Shape):
    phones = serializers.IntegerField(help_text="Whose files change, or could not be made any more.")
    broken = serializers.IntegerField(help_text="Of these, those whose files could not be made.")
    looked_at = serializers.IntegerField(help_text="Of so many phones that the layer says something to.")
    unseen = serializers.IntegerField(
        help_text="So many more there are, which were not looked at: it would have taken too long."
    )
    examples = ExampleShape(many=True)


EFFECT = answers(200, envelope("LayerPreview", FileEffectShape, metadata=None), 400, 403, 404)


class Layers(Shared):
    queryset = Layer.objects.select_related("account", "group", "profile", "phone", "key_layout").order_by(
        "kind", "name", "pk"
    )
    serializer_class = LayerRecord
    thing = "Layer"
    taken = "There is a layer of this place already"
    name_in_document = "Layer"
    named_by = ("uuid", "kind", "name")
    messages = {"preview": "What the change would do"}
    rights = {"preview": "view"}
    descriptions = {
        "list": "The layers of the account, and those for all accounts.",
        "create": "Add a layer: the kind says what it is about.",
        "retrieve": "One layer.",
        "update": "Change only what is sent; `values`, `locks`, `fragments` and `lines` as a whole. "
        "Phones get their new files with the next deployment.",
        "destroy": "Delete a layer; weaker ones count again.",
    }
    failures = {"create": (400, 409), "update": (400, 404, 409)}

    def save(self, row: Layer, sent: dict[str, Any]) -> None:
        lines: list[Line] | None = sent.pop("lines", None)
        with transaction.atomic():
            super().save(row, sent)
            if lines is not None:
                layers.set_lines(row, lines)

    @extend_schema(request=LayerRecord(partial=True), responses=EFFECT)
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, uuid: str) -> Response:
        """Of how many phones the file would change with this change of the layer, with three of them as examples."""
        row = self.get_object()
        sent = self.sent(row)
        lines = sent.pop("lines", None)
        new = copy(row)
        for name, value in sent.items():
            setattr(new, name, value)
        effect = what_changes(row, new, lines=lines, reveal=self.actor.reveals)
        shown = {
            "phones": effect.number,
            "broken": effect.broken,
            "looked_at": effect.looked_at,
            "unseen": effect.unseen,
            "examples": [
                {"mac": example.phone.mac_with_colons, "diff": example.diff, "trouble": example.trouble}
                for example in effect.examples
            ],
        }
        return Response(FileEffectShape(shown).data)
