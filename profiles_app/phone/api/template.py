"""`/templates` and `/key-layouts`: what profiles are made from and shared by many (configuration spec §1)."""

from collections import Counter
from collections.abc import Mapping
from operator import itemgetter
from typing import Any, ClassVar

from django.db.models import ProtectedError
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied

from contacts_app.accounts.api import AccountNumber, OwnedRecord
from contacts_app.core.api.dialect import Conflict
from contacts_app.core.api.family import FamilyResource
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.reading import Narrowed
from contacts_app.core.api.view import LongText, Text
from profiles_app.phone import sep
from profiles_app.phone.models import KeyLayout, PhoneTemplate
from profiles_app.phone.rendering.keys import all_kinds, find_kind
from profiles_app.phone.services import visible_xml
from profiles_app.phone.templates import check_template, template_unless_masked

MODULES = 3
MOST_KEYS = 200
LONGEST_TARGET, LONGEST_LABEL = 255, 64


class SharedRecord(OwnedRecord):
    account = AccountNumber(help_text="Null: everybody's; only staff may write those.")


class TemplateRecord(Narrowed, SharedRecord):
    """A template with its text; passwords in it are masked for callers who are not shown any."""

    text = LongText(trim_whitespace=False, help_text="The text of a SEP file with Jinja2 expressions.")

    class Meta:
        model = PhoneTemplate
        fields = ["uuid", "account", "name", "description", "text", "sha256", "created_at", "updated_at"]
        read_only_fields = ["uuid", "sha256"]
        validators: ClassVar[list[Any]] = []

    @classmethod
    def narrowed(cls, record: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        return record | {"text": visible_xml(record["text"], context["request"].user)}

    def validate_text(self, text: str) -> str:
        check_template(text)
        return text

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        return template_unless_masked(self.instance, self.context["request"].user, attrs) if self.instance else attrs


class Shared(FamilyResource):
    """Tenants see what is everybody's, too, and write their own alone."""

    def get_queryset(self) -> Any:
        return self.actor.sees(self.queryset.all(), shared=True)

    def get_object(self) -> Any:
        row = super().get_object()
        if row.account_id is None and not self.actor.is_staff and self.request.method not in ("GET", "HEAD"):
            raise PermissionDenied(f"This {self.thing.lower()} is everybody's; only staff may do that")
        return row


class Templates(Shared):
    queryset = PhoneTemplate.objects.select_related("account").order_by("name", "pk")
    serializer_class = TemplateRecord
    thing = "Template"
    taken = "There is a template of this name already"
    name_in_document = "PhoneTemplate"
    descriptions = {
        "list": "The account's own templates and everybody's.",
        "create": "Add a template. A text that cannot be read is refused with its line.",
        "retrieve": "One template.",
        "update": "Change only what is sent. Phones get their new files with the next deployment.",
        "destroy": "Delete a template that no profile is made from.",
    }
    failures = {"create": (400, 409), "update": (400, 404, 409), "destroy": (404, 409)}

    def remove(self, row: PhoneTemplate) -> None:
        try:
            row.delete()
        except ProtectedError as error:
            number = len(error.protected_objects)
            raise Conflict(f"{number} profile{'s are' if number > 1 else ' is'} made from this template") from None


class KeyRecord(Shape):
    """One key. What its kind has no use for is kept."""

    module = serializers.IntegerField(default=0, min_value=0, max_value=MODULES, help_text="0: the phone itself.")
    position = serializers.IntegerField(min_value=1, max_value=MOST_KEYS)
    kind = serializers.ChoiceField([(kind.name, kind.label) for kind in all_kinds()])
    line = serializers.IntegerField(
        default=None, allow_null=True, min_value=1, max_value=MOST_KEYS, help_text="Which of the phone's lines, from 1."
    )
    target = Text(default="", allow_blank=True, max_length=LONGEST_TARGET, help_text="A number or an address.")
    options = serializers.DictField(child=Text(allow_blank=True, max_length=LONGEST_TARGET), default=dict)

    def get_fields(self) -> dict[str, Any]:
        # `label` is a member of every field.
        label = Text(default="", allow_blank=True, max_length=LONGEST_LABEL, help_text="Empty: that of the line.")
        return super().get_fields() | {"label": label}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = find_kind(attrs["kind"])
        assert kind is not None, "the field takes none but known ones"  # noqa: S101
        if kind.needs in ("number", "url") and not attrs["target"]:
            raise serializers.ValidationError({"target": f"A key of the kind {kind.name} needs one."})
        known = {option.name: option for option in kind.options}
        for name, text in attrs["options"].items():
            if name not in known or not known[name].takes(text):
                raise serializers.ValidationError({"options": f"{name[:40]}: a {kind.name} key takes no such thing."})
        return attrs


class KeyLayoutRecord(SharedRecord):
    keys = serializers.ListField(child=KeyRecord(), required=False, max_length=MOST_KEYS)
    modules = serializers.ListField(
        child=Text(max_length=32), required=False, max_length=MODULES, help_text="Expansion modules, from the left."
    )

    class Meta:
        model = KeyLayout
        fields = ["uuid", "account", "name", "description", "keys", "modules", "created_at", "updated_at"]
        read_only_fields = ["uuid"]
        validators: ClassVar[list[Any]] = []

    def validate_keys(self, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
        places = Counter((key["module"], key["position"]) for key in keys)
        if twice := [place for place, number in places.items() if number > 1]:
            raise serializers.ValidationError(f"Key {twice[0][1]} of module {twice[0][0]} is given twice.")
        return sorted((dict(key) for key in keys), key=itemgetter("module", "position"))

    def validate_modules(self, modules: list[str]) -> list[str]:
        found = [sep.catalogue.find_module(name) for name in modules]
        if None in found:
            raise serializers.ValidationError(f"{modules[found.index(None)]} is no expansion module.")
        return [module.name for module in found if module]


class KeyLayouts(Shared):
    queryset = KeyLayout.objects.select_related("account").order_by("name", "pk")
    serializer_class = KeyLayoutRecord
    thing = "Key layout"
    taken = "There is a key layout of this name already"
    name_in_document = "KeyLayout"
    descriptions = {
        "list": "The account's own key layouts and everybody's.",
        "create": "Add a key layout.",
        "retrieve": "One key layout.",
        "update": "Change only what is sent; `keys` as a whole.",
        "destroy": "Delete a key layout. Layers that have it have none then.",
    }
    failures = {"create": (400, 409), "update": (400, 404, 409), "destroy": (404, 409)}
