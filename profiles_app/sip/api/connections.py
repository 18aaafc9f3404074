"""`/sip/connection` and `/sip/app`: SIP connections and control apps, and the numbers that are assigned to them."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.view import Record, Text, find
from profiles_app.messaging.api.dialect import MessagingRecords, answers
from profiles_app.messaging.api.fields import OWNED_FIELDS, OWNED_RELATIONS, Input, OwnedOutput, Whole, WordFlag
from profiles_app.messaging.api.number_lease import LEASES, MANY_LEASES, LeaseOutput, Reference, Tn
from profiles_app.sip.api.records import APP_FIELDS, CONNECTION_FIELDS, TechPrefix, VoiceProfileBrief
from profiles_app.sip.models import LABEL, MAX_PORT, MIN_PORT, NumberRouting, SipConnection, SipControlApp, SipRecord
from profiles_app.sip.services import assign_numbers, numbers_of, save_sip_record
from profiles_app.voice.models.profile import OutboundVoiceProfile

MOST_AT_ONCE = 1000


class SipControlAppInput(Input):
    spellings = {"outbound_voice_profile_uuid": "outbound_voice_profile"}

    name = Text(max_length=255, help_text="A user-assigned name.")
    is_active = WordFlag(required=False, help_text="An inactive one takes no calls.")
    subdomain = Text(
        required=False,
        allow_blank=True,
        max_length=63,
        validators=[LABEL],
        help_text="A label of its own; empty: none.",
    )
    outbound_voice_profile = Reference(required=False, allow_null=True, help_text="Limits of its outbound calls.")
    outbound_voice_profile_uuid = Reference(
        required=False, allow_null=True, help_text="The same as `outbound_voice_profile`."
    )


class SipConnectionInput(SipControlAppInput):
    ip = serializers.IPAddressField(required=False, allow_null=True, help_text="Null: it registers itself.")
    port = Whole(required=False, min_value=MIN_PORT, max_value=MAX_PORT)


class RoutedLease(serializers.ModelSerializer[NumberRouting]):
    uuid = serializers.UUIDField(source="lease.uuid")
    tn = Tn(source="lease")

    class Meta:
        model = NumberRouting
        fields = ["uuid", "tn"]


class SipControlAppOutput(OwnedOutput):
    outbound_voice_profile = VoiceProfileBrief(allow_null=True)
    tnleases = RoutedLease(many=True, source="routings")

    class Meta:
        model = SipControlApp
        fields = [*OWNED_FIELDS, *APP_FIELDS, "tnleases"]


class SipConnectionOutput(OwnedOutput):
    outbound_voice_profile = VoiceProfileBrief(allow_null=True)
    tech_prefix = TechPrefix()
    tnleases = RoutedLease(many=True, source="routings")
    sipusers = serializers.ListField(default=list, read_only=True, child=serializers.DictField(), help_text="Empty.")
    sip_user_invites = serializers.ListField(
        default=list, read_only=True, child=serializers.DictField(), help_text="Empty."
    )

    class Meta:
        model = SipConnection
        fields = [*OWNED_FIELDS, *CONNECTION_FIELDS, "tnleases", "sipusers", "sip_user_invites"]


class NumbersInput(Record):
    add = serializers.ListField(
        child=Reference(), default=list, max_length=MOST_AT_ONCE, help_text="UUIDs of TN leases."
    )
    remove = serializers.ListField(child=Reference(), default=list, max_length=MOST_AT_ONCE, help_text="Likewise.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if set(attrs["add"]) & set(attrs["remove"]):
            raise serializers.ValidationError({"remove": "Also stands in add."})
        return attrs


class SipRecords(MessagingRecords):
    """What both have in common."""

    conflicts: ClassVar[Collection[str]] = ("create", "partial_update")
    rights = {"tnlease": "profiles_app.change_numberlease"}

    def save(self, row: SipRecord, sent: dict[str, Any]) -> None:
        if wanted := sent.get("outbound_voice_profile"):
            own = OutboundVoiceProfile.objects.filter(account=row.account)
            sent["outbound_voice_profile"] = find(own, "Outbound voice profile", uuid=wanted)
        super().save(row, sent)

    def store(self, row: SipRecord, changed: Collection[str] | None) -> None:
        save_sip_record(row, actor=self.actor, changed=changed)

    @extend_schema(request=NumbersInput, responses=answers(MANY_LEASES, 404), examples=examples_of(__file__, "tnlease"))
    @action(detail=True, methods=["post"])
    def tnlease(self, request: Request, uuid: str) -> Response:
        """Assign numbers, and take others off. The answer is all numbers that are assigned afterwards."""
        target = self.get_object()
        assign_numbers(target, **self.sent(body=NumbersInput))
        leases = LEASES.filter(pk__in=numbers_of(target).values("pk"))
        return Response(LeaseOutput(leases, many=True, context=self.get_serializer_context()).data)


ROUTINGS = Prefetch("routings", NumberRouting.objects.select_related("lease"))


@extend_schema_view(create=extend_schema(examples=examples_of(__file__, "connection")))
class SipConnections(SipRecords):
    queryset = SipConnection.objects.select_related(*OWNED_RELATIONS, "outbound_voice_profile").prefetch_related(
        ROUTINGS
    )
    serializer_class = SipConnectionOutput
    body_class = SipConnectionInput
    thing = "SIP connection"
    name_in_document = "SIPConnection"
    descriptions = {
        "list": "All SIP connections, the oldest first.",
        "create": "Create a SIP connection.",
        "retrieve": "One SIP connection.",
        "partial_update": "Change what is sent.",
        "destroy": "Remove a SIP connection. Its numbers are assigned to none.",
    }


@extend_schema_view(create=extend_schema(examples=examples_of(__file__, "app")))
class SipControlApps(SipRecords):
    queryset = SipControlApp.objects.select_related(*OWNED_RELATIONS, "outbound_voice_profile").prefetch_related(
        ROUTINGS
    )
    serializer_class = SipControlAppOutput
    body_class = SipControlAppInput
    thing = "SIP control app"
    name_in_document = "SIPControlApp"
    descriptions = {
        "list": "All SIP control apps, the oldest first.",
        "create": "Create a SIP control app.",
        "retrieve": "One SIP control app.",
        "partial_update": "Change what is sent.",
        "destroy": "Remove a SIP control app. Its numbers are assigned to none.",
    }
