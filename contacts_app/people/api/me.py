"""`/me`: one's own record, directory, and the phones that run one's own profiles (phone profiles spec §1, §4, §6)."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family import NoMetadata, PhoneFamilyView, answer, answers, envelope
from contacts_app.core.api.view import Instant, LoggedIn
from contacts_app.people.models import User
from phones_app.inventory.api.fields import Record, RowUuid, Shape
from phones_app.inventory.api.phone import PhoneRecord, phones_with_relations
from phones_app.inventory.models import Phone
from phones_app.mobility.services import personal_directory


class NotRecorded(serializers.CharField):
    """A member of the document that is always null here."""

    def __init__(self) -> None:
        super().__init__(source="*", read_only=True, allow_null=True, help_text="Always null.")

    def to_representation(self, value: Any) -> None:  # type: ignore[override]
        return None


class UserRecord(Record):
    """The documented members of a person, and no secret among them."""

    last_uuid = NotRecorded()
    last_login_at = Instant(source="last_login", read_only=True, allow_null=True)
    created_by = RowUuid(read_only=True, allow_null=True)
    created_ip = NotRecorded()
    updated_ip = NotRecorded()

    class Meta:
        model = User
        fields = [
            "uuid",
            "first_name",
            "last_name",
            "username",
            "email",
            "phone",
            "lang",
            "location",
            "nationality",
            "timezone",
            "last_uuid",
            "last_login_ip",
            "last_login_at",
            "last_logout_ip",
            "is_active",
            "created_at",
            "created_by",
            "updated_at",
            "created_ip",
            "updated_ip",
        ]
        read_only_fields = fields


class CiscoFacts(Shape):
    mac = serializers.CharField()
    model = serializers.CharField()
    software_type = serializers.CharField(allow_null=True)
    software_version = serializers.CharField()


class MyPhoneRecord(PhoneRecord):
    """A phone with what the document adds for its user."""

    is_cisco = serializers.SerializerMethodField()
    cisco = serializers.SerializerMethodField()
    key_expansion_modules = serializers.SerializerMethodField(help_text="Always empty: not recorded.")

    class Meta(PhoneRecord.Meta):
        fields = [*PhoneRecord.Meta.fields, "is_cisco", "cisco", "key_expansion_modules"]

    def get_is_cisco(self, phone: Phone) -> bool:
        return phone.brand.lower() == "cisco"

    @extend_schema_field(CiscoFacts(allow_null=True))
    def get_cisco(self, phone: Phone) -> dict[str, Any] | None:
        if not self.get_is_cisco(phone):
            return None
        return {
            "mac": phone.mac_with_colons,
            "model": phone.model,
            "software_type": phone.software_type,
            "software_version": phone.software_version,
        }

    def get_key_expansion_modules(self, phone: Phone) -> list[str]:
        return []


class DirectoryEntry(Shape):
    name = serializers.CharField()
    number = serializers.CharField()


ME = envelope("Me", UserRecord(), metadata=NoMetadata)
MY_PHONES = envelope("MyPhones", MyPhoneRecord(many=True), metadata=NoMetadata)
DIRECTORY = envelope("PersonalDirectory", DirectoryEntry(many=True), metadata=NoMetadata)


class MeView(PhoneFamilyView):
    permission_classes = [LoggedIn]

    def person(self) -> User:
        user: User | None = self.actor.user
        if user is None:
            raise NotFound("This token belongs to no person")
        return user


class Me(MeView):
    @extend_schema(responses=answers(200, ME, 404))
    def get(self, request: Request) -> Response:
        """One's own record."""
        return answer(UserRecord().to_representation(self.person()), "User found", metadata={})


class MyPhones(MeView):
    @extend_schema(responses=answers(200, MY_PHONES, 404))
    def get(self, request: Request) -> Response:
        """The phones whose current profile is one's own."""
        rows = phones_with_relations().filter(current_profile__user=self.person())
        record = MyPhoneRecord(context={"request": request})
        shown = [record.to_representation(phone) for phone in rows]
        return answer(shown, f"{len(shown)} phone(s) found", metadata={})


class MyDirectory(MeView):
    @extend_schema(operation_id="me_directory_list", responses=answers(200, DIRECTORY, 404))
    def get(self, request: Request) -> Response:
        """The personal directory, as the service menu of one's phone shows it."""
        entries = [
            {"name": entry.name, "number": entry.number} for entry in personal_directory(self.person())
        ]
        return answer(entries, f"{len(entries)} entries found", metadata={})
