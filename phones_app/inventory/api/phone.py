"""`/phones`: the inventory, keyed by MAC address (phone profiles spec §4)."""

from typing import Any, cast
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import TenantRecord
from contacts_app.accounts.models import Account
from contacts_app.core.api.dialect import Conflict
from contacts_app.core.api.family import (
    PAGING,
    NoMetadata,
    PageMetadata,
    PhoneFamilyView,
    answer,
    answers,
    check_has_known_field,
    envelope,
    page,
)
from contacts_app.core.api.view import Instant, Text, find
from phones_app.deployment.models import Deployment, State
from phones_app.inventory.api.fields import (
    EmptyIsNull,
    MacText,
    PhoneFilter,
    RowUuid,
    Shape,
    SoftwareTypeField,
    filtered,
)
from phones_app.inventory.models import Phone, Presence
from phones_app.inventory.status_check import look_now
from phones_app.servers.models import CallManager, FileServer
from profiles_app.phone.models import SoftwareType
from profiles_app.phone.sep.mac import parse_mac


class LastDeployment(Shape):
    """How the phone came to its present file, in short."""

    uuid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=State.choices)
    kind = serializers.ChoiceField(choices=Deployment.Kind.choices)
    profile = serializers.CharField(source="profile_name")
    error = serializers.CharField()
    created_at = Instant()
    finished_at = Instant(allow_null=True)


class ServerReference(EmptyIsNull, Text):
    """The UUID or exact name of a server of the phone's account, which `validate` knows, or shared by all."""

    def __init__(self, model: type[FileServer] | type[CallManager], **kwargs: Any) -> None:
        self.model = model
        super().__init__(**({"required": False, "allow_null": True, "max_length": 255} | kwargs))

    def to_representation(self, value: FileServer | CallManager) -> str:  # type: ignore[override]
        return str(value.uuid)

    def resolve(self, text: str | None, account: Account) -> Any:
        if text is None:
            return None
        try:
            named = Q(uuid=UUID(text))
        except ValueError:
            named = Q(name=text)
        found = list(self.model._default_manager.filter(named, Q(account=account) | Q(account=None))[:2])
        if len(found) != 1:
            missing = f"No such {self.model._meta.verbose_name}."
            reason = "Several have this name; use the UUID." if found else missing
            raise ValidationError({str(self.field_name): reason})
        return found[0]


class PhoneRecord(TenantRecord):
    """One phone. Credentials for pushes go in and never come out."""

    mac = MacText()
    software_type = SoftwareTypeField()
    phone_vlan = serializers.CharField(required=False, allow_blank=True, max_length=32)
    web_password = Text(write_only=True, required=False, allow_blank=True, trim_whitespace=False)
    file_server = ServerReference(FileServer, help_text="UUID or exact name; null: the default one.")
    call_manager = ServerReference(CallManager, help_text="UUID or exact name; null: none.")
    current_profile = RowUuid(read_only=True, allow_null=True, help_text="Set by deployments.")
    last_deployment = LastDeployment(read_only=True, allow_null=True, source="last_deployment.deployment")

    class Meta:
        model = Phone
        fields = [
            "mac",
            "uuid",
            "account",
            "brand",
            "model",
            "name",
            "description",
            "hostname",
            "location",
            "phone_ip",
            "phone_vlan",
            "software_version",
            "software_type",
            "is_active",
            "line_user",
            "sip_port",
            "web_port",
            "web_username",
            "web_password",
            "file_server",
            "call_manager",
            "current_profile",
            "last_deployment",
            "is_simulated",
            "last_seen_at",
            "presence",
            "presence_since",
            "in_call",
            "mac_there",
            "serial_number",
            "looked_at",
            "look_error",
            "created_at",
            "updated_at",
        ]
        read_only_fields = [
            *("uuid", "is_simulated", "last_seen_at", "presence", "presence_since", "in_call"),
            *("mac_there", "serial_number", "looked_at", "look_error"),
        ]

    def validate_mac(self, mac: str) -> str:
        if self.instance is not None and mac != self.instance.mac:
            raise ValidationError("The MAC address cannot be changed; add the other phone instead.")
        return mac

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        account = self.instance.account if self.instance is not None else attrs["account"]
        for name in ("file_server", "call_manager"):
            if name in attrs:
                reference = cast(ServerReference, self.fields[name])
                attrs[name] = reference.resolve(attrs[name], account)
        return attrs


ONE = envelope("Phone", PhoneRecord(), metadata=NoMetadata)
MANY = envelope("Phones", PhoneRecord(many=True), metadata=PageMetadata)
GONE = envelope("PhoneDeleted", serializers.DictField(child=serializers.CharField()), metadata=NoMetadata)
# Secrets that no answer shows need not be decrypted for it.
UNSHOWN = ("web_password", "file_server__password", "call_manager__password")
FILTERS = [
    *PAGING,
    OpenApiParameter("model", description="Exactly this model."),
    OpenApiParameter("software_type", enum=SoftwareType.values),
    OpenApiParameter("is_active", bool),
    OpenApiParameter("location", description="Exactly this place."),
    OpenApiParameter("load", description="Exactly this firmware load."),
    OpenApiParameter("presence", enum=Presence.values),
    OpenApiParameter("in_call", bool),
    OpenApiParameter("drifted", bool, description="Whether the file on the server is not the uploaded one."),
    OpenApiParameter("after", description="Only MAC addresses beyond this one: to read on at any depth."),
    OpenApiParameter("search", description="In names, places, addresses; part of a MAC address."),
]


def phones_with_relations() -> "QuerySet[Phone]":
    related = ("account", "file_server", "call_manager", "current_profile", "last_deployment__deployment")
    return Phone.objects.select_related(*related).defer(*UNSHOWN)


class PhoneList(PhoneFamilyView):
    @extend_schema(operation_id="phones_list", parameters=FILTERS, responses=answers(200, MANY, 400))
    def get(self, request: Request) -> Response:
        """The phones of the account, by MAC address."""
        actor = self.actor
        rows, metadata = page(request, filtered(request, actor.sees(phones_with_relations()), PhoneFilter))
        record = PhoneRecord(context={"request": request})
        shown = [record.to_representation(phone) for phone in rows]
        return answer(shown, f"{metadata['total']} phone(s) found", metadata=metadata)

    @extend_schema(request=PhoneRecord, responses=answers(201, ONE, 400, 409))
    def post(self, request: Request) -> Response:
        """Add a phone. Staff name its account."""
        record = PhoneRecord(data=request.data, context={"request": request})
        record.is_valid(raise_exception=True)
        phone = Phone(**record.validated_data)
        try:
            with transaction.atomic():
                phone.save()
        except IntegrityError:
            raise Conflict(f"A phone with MAC address {phone.mac_with_colons} exists already") from None
        return answer(record.to_representation(phone), "Phone created", status=201, metadata={})


class PhoneDetail(PhoneFamilyView):
    def phone(self, mac: str) -> Phone:
        try:
            digits = parse_mac(mac)
        except ValueError as error:
            raise ValidationError({"mac": str(error)}) from None
        return find(self.actor.sees(phones_with_relations()), "Phone", mac=digits)

    @extend_schema(responses=answers(200, ONE, 400, 404))
    def get(self, request: Request, mac: str) -> Response:
        """One phone; its MAC address in any spelling."""
        phone = self.phone(mac)
        record = PhoneRecord(context={"request": request})
        return answer(record.to_representation(phone), "Phone found", metadata={})

    @extend_schema(request=PhoneRecord(partial=True), responses=answers(200, ONE, 400, 404))
    def put(self, request: Request, mac: str) -> Response:
        """Change only what is sent."""
        phone = self.phone(mac)
        record = PhoneRecord(phone, data=request.data, partial=True, context={"request": request})
        check_has_known_field(request.data, record)
        record.is_valid(raise_exception=True)
        for name, value in record.validated_data.items():
            setattr(phone, name, value)
        # Only what was sent: a deployment may be writing its part of the row at this moment.
        phone.save(update_fields=[*record.validated_data, "updated_at"])
        return answer(record.to_representation(phone), "Phone updated", metadata={})

    @extend_schema(request=PhoneRecord(partial=True), responses=answers(200, ONE, 400, 404))
    def patch(self, request: Request, mac: str) -> Response:
        """The same as PUT."""
        return self.put(request, mac)

    @extend_schema(responses=answers(200, GONE, 400, 404))
    def delete(self, request: Request, mac: str) -> Response:
        """Take a phone out of the inventory. Its deployments stay on record."""
        phone = self.phone(mac)
        gone = {"mac": phone.mac_with_colons, "name": phone.name}
        phone.delete()
        return answer(gone, "Phone deleted", metadata={})


class PhoneLook(PhoneDetail):
    http_method_names = ["post"]

    @extend_schema(request=None, responses=answers(200, ONE, 400, 404, 409))
    def post(self, request: Request, mac: str) -> Response:
        """Read the phone's status page now. A phone that does not answer is no error: the record says so."""
        phone = self.phone(mac)
        look_now(phone)
        record = PhoneRecord(context={"request": request})
        return answer(record.to_representation(self.phone(mac)), "Phone looked at", metadata={})
