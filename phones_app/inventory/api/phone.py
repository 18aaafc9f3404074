"""`/phones`: the inventory, keyed by MAC address (phone profiles spec §4)."""

from typing import Any, cast
from uuid import UUID

from django.db.models import Q
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import TenantRecord
from contacts_app.accounts.models import Account
from contacts_app.core.api.family import FamilyResource, FamilyViewSet
from contacts_app.core.api.fields import EmptyIsNull, Shape
from contacts_app.core.api.view import Instant, Text
from contacts_app.core.errors import Refusal
from contacts_app.core.values import one_line
from phones_app.deployment.models import Deployment, State
from phones_app.inventory.api.selection import PhoneFilter
from phones_app.inventory.assignment import check_change
from phones_app.inventory.models import Phone
from phones_app.inventory.status_check import check_now
from phones_app.servers.models import CallManager, FileServer
from profiles_app.phone.api.profile import IN_HEADER, MacText, SoftwareTypeField, TellsWarnings
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.sep.catalogue import parse_mac
from profiles_app.phone.services import unknown_models


class LastDeploymentRecord(Shape):
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

    shows = "uuid"

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


class ProfileReference(EmptyIsNull, Text):
    """The UUID of a phone profile of the phone's account, which `validate` knows, or of the portal's staff."""

    shows = "uuid"

    def to_representation(self, value: PhoneProfile) -> str:  # type: ignore[override]
        return str(value.uuid)

    def resolve(self, text: str | None, account: Account, present: PhoneProfile | None = None) -> PhoneProfile | None:
        """`present` stays whosever it is, so that a record can be put back as it was read."""
        if text is None:
            return None
        if present is not None and text.lower() == str(present.uuid):
            return present
        mine = PhoneProfile.objects.filter(Q(user__account=account) | Q(user__account=None))
        try:
            return mine.get(uuid=UUID(text))
        except (ValueError, PhoneProfile.DoesNotExist):
            raise ValidationError({str(self.field_name): "No such phone profile."}) from None


class PhoneRecord(TenantRecord):
    """One phone. Credentials for pushes go in and never come out."""

    mac = MacText()
    software_type = SoftwareTypeField()
    phone_vlan = serializers.CharField(required=False, allow_blank=True, max_length=32, validators=[one_line])
    web_password = Text(write_only=True, required=False, allow_blank=True, trim_whitespace=False)
    file_server = ServerReference(FileServer, help_text="UUID or exact name; null: the default one.")
    call_manager = ServerReference(CallManager, help_text="UUID or exact name; null: none.")
    base_profile = ProfileReference(
        required=False,
        allow_null=True,
        max_length=36,
        help_text="UUID of what the phone runs while no one is logged in; null: no one can log in on it.",
    )
    current_profile = ProfileReference(
        required=False,
        allow_null=True,
        max_length=36,
        help_text="UUID of the phone's profile; null: none. To set it uploads nothing; deployments do, and set it too.",
    )
    last_deployment = LastDeploymentRecord(read_only=True, allow_null=True, source="last_deployment.deployment")

    class Meta:
        model = Phone
        fields = [
            *("mac", "uuid", "account", "brand", "model", "name", "description", "hostname", "location"),
            *("phone_ip", "phone_vlan", "software_version", "software_type", "is_active", "line_user"),
            *("sip_port", "web_port", "web_username", "web_password", "file_server", "call_manager"),
            *("base_profile", "emergency_number"),
            *("current_profile", "last_deployment", "is_simulated", "last_seen_at", "presence"),
            *("presence_since", "in_call", "mac_there", "serial_number", "looked_at", "look_error"),
            *("created_at", "updated_at"),
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
                attrs[name] = cast(ServerReference, self.fields[name]).resolve(attrs[name], account)
        for name in ("base_profile", "current_profile"):
            if name in attrs:
                present = getattr(self.instance, name, None)
                attrs[name] = cast(ProfileReference, self.fields[name]).resolve(attrs[name], account, present)
        if "current_profile" in attrs:
            try:
                check_change(self.instance, {"account": account, **attrs})
            except Refusal as refusal:
                raise ValidationError({"current_profile": refusal.message}) from None
        return attrs


# Secrets that no answer shows need not be decrypted for it.
UNSHOWN = ("web_password", "file_server__password", "call_manager__password")
WITH_RELATIONS = Phone.objects.select_related(
    "account", "file_server", "call_manager", "base_profile", "current_profile", "last_deployment__deployment"
).defer(*UNSHOWN)


class PhonesByMac(FamilyViewSet):
    """Phones are named by their MAC addresses, in any spelling."""

    queryset = WITH_RELATIONS
    thing = "Phone"
    lookup_field = "mac"

    def named(self) -> dict[str, object]:
        try:
            return {"mac": parse_mac(self.kwargs["mac"])}
        except ValueError as error:
            raise ValidationError({"mac": str(error)}) from None


@extend_schema_view(
    create=extend_schema(parameters=[IN_HEADER]),
    update=extend_schema(parameters=[IN_HEADER]),
    partial_update=extend_schema(parameters=[IN_HEADER]),
)
class Phones(TellsWarnings, FamilyResource, PhonesByMac):
    room_for_warnings = False
    serializer_class = PhoneRecord
    filterset_class = PhoneFilter
    name_in_document = "Phone"
    named_by = ("mac", "name")
    taken = "A phone with MAC address {row.mac_with_colons} exists already"
    messages = dict.fromkeys(("status_check", "look"), "Phone status checked")
    descriptions = {
        "list": "The phones of the account, by MAC address.",
        "create": "Add a phone. Staff name its account.",
        "retrieve": "One phone; its MAC address in any spelling.",
        "update": "Change only what is sent.",
        "destroy": "Take a phone out of the inventory. Its deployments stay on record, and its file on its server: "
        "`/left-files` lists it.",
    }
    failures = {"create": (400, 409)}
    rights = dict.fromkeys(("status_check", "look"), "change")

    def save(self, row: Phone, sent: dict[str, Any]) -> None:
        super().save(row, sent)
        self.warnings = unknown_models([sent.get("model", "")])

    @action(detail=True, methods=["post"], url_path="status-check")
    def status_check(self, request: Request, mac: str) -> Response:
        """Read the phone's status page now. A phone that does not answer is no error: the record says so."""
        return self._checked()

    @action(detail=True, methods=["post"], schema=None)
    def look(self, request: Request, mac: str) -> Response:
        """The former URL of a status check, for clients that know no other."""
        return self._checked()

    def _checked(self) -> Response:
        check_now(self.get_object())
        return Response(self.shown(self.get_object()))
