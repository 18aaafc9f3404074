"""`/lease/tn`: the account's numbers, which messaging profile each uses, and what became of its messages.

`/sms/inbound`: whoever carries messages hands one in, and the profile of its number says where it goes.
"""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.view import Instant, Text, find, uuid_in_url
from profiles_app.messaging.api.dialect import MessagingViewSet, answers, envelope
from profiles_app.messaging.api.fields import OWNED_FIELDS, OWNED_RELATIONS, Flag, Input, Null, OwnedOutput
from profiles_app.messaging.inbound import receive_message, webhook_body
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.services import move_number_lease, record_outcome

LEASES = NumberLease.objects.select_related(*OWNED_RELATIONS, "messaging_profile")
# What the provider's own switch knows of a lease, and Patchbay does not.
ELSEWHERE = ("tnorder", "class4_product_item_id", "sip_connection", "sip_control_app")


class Tn(serializers.Serializer[Any]):
    tn = serializers.IntegerField()


class TnOutput(Tn):
    class4_did_id = Null()
    registered = serializers.BooleanField(default=True)
    deleted_on = Null()


class LeaseBrief(serializers.ModelSerializer[NumberLease]):
    tn = Tn(source="*")

    class Meta:
        model = NumberLease
        fields = ["uuid", "tn"]


class ProfileOfLease(serializers.ModelSerializer[MessagingProfile]):
    """The profile inside a lease, without what would lead back to the lease."""

    created_on = Instant(source="created_at")
    modified_on = Instant(source="updated_at")
    callback_url = serializers.CharField(allow_null=True)
    callback_url2 = serializers.CharField(allow_null=True)

    class Meta:
        model = MessagingProfile
        fields = [
            *("created_on", "modified_on", "uuid", "name", "callback_url", "callback_url2"),
            *("number_pool_enable", "long_code_weight", "tollfree_weight"),
            *("skip_unhealthy_tns", "sticky_sender"),
        ]


class LeaseOutput(OwnedOutput):
    tn = TnOutput(source="*")
    expired_on = Instant(source="expires_at", allow_null=True)
    messaging_profile = ProfileOfLease()
    tnorder = Null()
    class4_product_item_id = Null()
    sip_connection = Null()
    sip_control_app = Null()

    class Meta:
        model = NumberLease
        fields = [*OWNED_FIELDS, "tn", "expired_on", "autorenew", "messaging_profile", *ELSEWHERE]


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "format": "uuid"},
            {
                "type": "object",
                "properties": {"uuid": {"type": "string", "format": "uuid"}},
                "required": ["uuid"],
            },
        ]
    }
)
class Reference(serializers.Field[Any, Any, Any, Any]):
    """The UUID of another record, or the record as answers show it; a UUID inside."""

    def to_internal_value(self, data: Any) -> Any:
        text = data.get("uuid") if isinstance(data, Mapping) else data
        try:
            return uuid_in_url(text if isinstance(text, str) else "")
        except serializers.ValidationError:
            raise serializers.ValidationError("Must be a UUID.") from None

    def to_representation(self, value: Any) -> Any:
        return value


class LeaseInput(Input):
    spellings = {"messaging_profile_uuid": "messaging_profile"}

    messaging_profile = Reference(required=False)
    messaging_profile_uuid = Reference(required=False, help_text="The same as `messaging_profile`.")


class OutcomeInput(Input):
    delivered = Flag()
    spam = Flag(default=False)


ONE_LEASE = envelope("TNLease", LeaseOutput)
MANY_LEASES = envelope("TNLeases", LeaseOutput, many=True)


@extend_schema_view(
    list=extend_schema(description="The account's numbers, the longest held first."),
    retrieve=extend_schema(description="One number."),
)
class NumberLeases(ListModelMixin, RetrieveModelMixin, MessagingViewSet):
    queryset = LEASES
    serializer_class = LeaseOutput
    thing = "TN lease"
    name_in_document = "TNLease"

    @extend_schema(request=LeaseInput)
    def partial_update(self, request: Request, uuid: str) -> Response:
        """Give the number another messaging profile of its account."""
        lease = self.get_object()
        if wanted := self.sent(body=LeaseInput).get("messaging_profile"):
            profile = MessagingProfile.objects.filter(account=lease.account_id, uuid=wanted).first()
            if profile is None:
                raise NotFound("Messaging profile not found")
            move_number_lease(lease, profile, actor=self.actor)
        return self.retrieve(request)

    @extend_schema(operation_id="RecordOutcome", request=OutcomeInput, responses=answers(ONE_LEASE, 404))
    @action(detail=True, methods=["post"])
    def outcome(self, request: Request, uuid: str) -> Response:
        """Say what became of a message that the number sent: its health decides whether the pool skips it."""
        lease = self.get_object()
        record_outcome(lease, **self.sent(body=OutcomeInput))
        return Response(self.shown(lease))


MIN_ADDRESS, MAX_ADDRESS = 3, 64
MAX_MESSAGE = 918  # Six parts of a concatenated message, as for sending (messaging spec §4.3).
# `from` is no name that a Python class could give to a field.
FIELDS = {
    "from": lambda: Text(min_length=MIN_ADDRESS, max_length=MAX_ADDRESS),
    "to": lambda: Text(
        min_length=MIN_ADDRESS, max_length=MAX_ADDRESS, help_text="One of the account's numbers."
    ),
    "message": lambda: Text(max_length=MAX_MESSAGE, trim_whitespace=False),
}


class InboundInput(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {name: make() for name, make in FIELDS.items()}


class InboundOutput(serializers.Serializer[Any]):
    """What the webhook gets (messaging spec §4.3)."""

    def get_fields(self) -> dict[str, Any]:
        names = ("uuid", "state", "from", "to", "message", "messaging_profile", "created_on")
        return {name: serializers.CharField() for name in names}


class InboundMessages(MessagingViewSet):
    queryset = NumberLease.objects.select_related("messaging_profile")

    @extend_schema(
        operation_id="ReceiveMessage",
        request=InboundInput,
        responses=answers(envelope("InboundMessage", InboundOutput), 404),
    )
    @action(detail=False, methods=["post"])
    def inbound(self, request: Request) -> Response:
        """Take in a message. It is posted to the callback URL of the number's profile, or to the second one."""
        sent = self.sent(body=InboundInput)
        lease = self._lease(sent["to"])
        return Response(webhook_body(receive_message(lease=lease, sender=sent["from"], text=sent["message"])))

    def _lease(self, to: str) -> NumberLease:
        digits = to.removeprefix("+")
        known = digits.isascii() and digits.isdigit() and len(digits) <= 15
        lease: NumberLease = find(self.get_queryset(), "TN lease", tn=int(digits) if known else None)
        return lease
