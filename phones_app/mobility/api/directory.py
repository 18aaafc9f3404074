"""`/me/phones`, `/me/cisco-services/personal`: the phones that run one's own profiles, and what their service menu shows
(phone profiles spec §1, §4).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import Shape
from contacts_app.people.api.users import OneselfViewSet
from phones_app.inventory.api.phone import WITH_RELATIONS, PhoneRecord
from phones_app.inventory.models import Phone
from phones_app.mobility.services import personal_directory


class CiscoFacts(Shape):
    mac = serializers.CharField(source="mac_with_colons")
    model = serializers.CharField()
    software_type = serializers.CharField(allow_null=True)
    software_version = serializers.CharField()


class MyPhoneRecord(PhoneRecord):
    """A phone with what the document adds for its user."""

    needs: ClassVar[Mapping[str, Sequence[str]]] = {
        "is_cisco": ("brand",),
        "cisco": ("brand", "mac", "model", "software_type", "software_version"),
        "key_expansion_modules": (),
    }

    is_cisco = serializers.SerializerMethodField()
    cisco = serializers.SerializerMethodField()
    key_expansion_modules = serializers.SerializerMethodField(help_text="Always empty: not recorded.")

    class Meta(PhoneRecord.Meta):
        fields = [*PhoneRecord.Meta.fields, "is_cisco", "cisco", "key_expansion_modules"]

    def get_is_cisco(self, phone: Phone) -> bool:
        return phone.brand.lower() == "cisco"

    @extend_schema_field(CiscoFacts(allow_null=True))
    def get_cisco(self, phone: Phone) -> dict[str, Any] | None:
        return dict(CiscoFacts(phone).data) if self.get_is_cisco(phone) else None

    def get_key_expansion_modules(self, phone: Phone) -> list[str]:
        return []


class ShownEntry(Shape):
    name = serializers.CharField()
    number = serializers.CharField()


MY_PHONES = envelope("MyPhones", MyPhoneRecord, many=True)
DIRECTORY = envelope("PersonalDirectory", ShownEntry, many=True)


class MyPhones(OneselfViewSet):
    serializer_class = MyPhoneRecord
    rights = {"phones": (), "directory": ()}

    @extend_schema(responses=answers(200, MY_PHONES, 404))
    @action(detail=False)
    def phones(self, request: Request) -> Response:
        """The phones whose current profile is one's own."""
        rows = WITH_RELATIONS.filter(current_profile__user=self.get_object())
        shown = self.get_serializer(rows, many=True).data
        self.message = f"{len(shown)} phone(s) found"
        return Response(shown)

    @extend_schema(responses=answers(200, DIRECTORY, 404))
    @action(detail=False, url_path="cisco-services/personal")
    def directory(self, request: Request) -> Response:
        """The personal directory, as the service menu of one's phone shows it."""
        entries = personal_directory(self.get_object())
        self.message = f"{len(entries)} entries found"
        return Response(ShownEntry(entries, many=True).data)
