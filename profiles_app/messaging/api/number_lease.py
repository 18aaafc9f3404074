"""The account's numbers as answers show them, with their messaging profiles and what they are assigned to.

`/sms/inbound` takes in a message for one of them; the profile of the number says where it is posted to.
"""

import re
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.document import NamedShapes
from contacts_app.core.api.view import Instant, LongText, Record, Text, find, uuid_in_url
from profiles_app.messaging.api.dialect import UUID_SCHEMA, MessagingViewSet, answers, envelope
from profiles_app.messaging.api.fields import OWNED_FIELDS, OWNED_RELATIONS, Null, OwnedOutput, Shown, without_secrets
from profiles_app.messaging.inbound import receive_message, webhook_body
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.numbers.models import NumberOrder
from profiles_app.sip.api.records import SipConnectionBrief, SipControlAppBrief

LEASES = NumberLease.objects.select_related(
    *(*OWNED_RELATIONS, "messaging_profile", "stock__order"),
    *("routing__sip_connection__outbound_voice_profile", "routing__sip_control_app__outbound_voice_profile"),
)
PROFILE_FIELDS = (
    *("name", "callback_url", "callback_url2", "number_pool_enable"),
    *("long_code_weight", "tollfree_weight", "skip_unhealthy_tns", "sticky_sender"),
)
# What an account says of its number.
LEASE_FIELDS = ("description", "destination", "site")


class Tn(serializers.Serializer[Any]):
    tn = serializers.IntegerField()


class TnOutput(Tn):
    is_shown_whole = True
    class4_did_id = Null()
    registered = serializers.BooleanField(default=True)
    deleted_on = Null()


class LeaseBrief(serializers.ModelSerializer[NumberLease]):
    tn = Tn(source="*")

    class Meta:
        model = NumberLease
        fields = ["uuid", "tn"]


class ProfileOfLease(Shown):
    """The profile inside a lease, without what would lead back to the lease."""

    callback_url = serializers.CharField(allow_null=True)
    callback_url2 = serializers.CharField(allow_null=True)

    class Meta:
        model = MessagingProfile
        fields = ["created_on", "modified_on", "uuid", *PROFILE_FIELDS]


class OrderOfLease(Shown):
    """The order that the number came with."""

    class Meta:
        model = NumberOrder
        fields = ["created_on", "modified_on", "uuid", "state", "autorenew"]


class LeaseOutput(OwnedOutput):
    tn = TnOutput(source="*")
    expired_on = Instant(source="expires_at", allow_null=True)
    messaging_profile = ProfileOfLease()
    tnorder = OrderOfLease(source="stock.order", allow_null=True)
    sip_connection = SipConnectionBrief(source="routing.sip_connection", allow_null=True)
    sip_control_app = SipControlAppBrief(source="routing.sip_control_app", allow_null=True)

    class Meta:
        model = NumberLease
        fields = [
            *(*OWNED_FIELDS, "tn", "expired_on", "autorenew", "messaging_profile"),
            *("tnorder", "class4_product_item_id", "sip_connection", "sip_control_app"),
            *LEASE_FIELDS,
        ]

    @classmethod
    def narrowed(cls, record: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        return record | {"messaging_profile": without_secrets(record["messaging_profile"], context)}


class Reference(NamedShapes, serializers.Field[Any, Any, Any, Any]):
    """The UUID of another record, or the record as answers show it; a UUID inside."""

    shapes = {
        "Uuid": UUID_SCHEMA,
        "RecordReference": {"type": "object", "properties": {"uuid": UUID_SCHEMA}, "required": ["uuid"]},
    }

    def to_internal_value(self, data: Any) -> Any:
        text = data.get("uuid") if isinstance(data, Mapping) else data
        try:
            return uuid_in_url(text if isinstance(text, str) else "")
        except serializers.ValidationError:
            raise serializers.ValidationError("Must be a UUID.") from None


ONE_LEASE = envelope("TNLease", LeaseOutput)
MANY_LEASES = envelope("TNLeases", LeaseOutput, many=True)


MIN_ADDRESS, MAX_ADDRESS = 3, 64
MAX_MESSAGE = 918  # Six parts of a concatenated message, as for sending (messaging spec §4.3).


class InboundInput(Record):
    odd = {
        "from": Text(min_length=MIN_ADDRESS, max_length=MAX_ADDRESS),
        "to": Text(min_length=MIN_ADDRESS, max_length=MAX_ADDRESS, help_text="One of the account's numbers."),
        "message": LongText(max_length=MAX_MESSAGE, trim_whitespace=False),
    }


class InboundOutput(Record):
    """What the webhook gets (messaging spec §4.3)."""

    odd = {
        name: serializers.CharField()
        for name in ("event", "uuid", "state", "from", "to", "message", "messaging_profile", "created_on")
    }


class InboundMessageViewSet(MessagingViewSet):
    queryset = NumberLease.objects.select_related("messaging_profile")
    rights = {"inbound": "profiles_app.add_inboundmessage"}

    @extend_schema(request=InboundInput, responses=answers(envelope("InboundMessage", InboundOutput), 404))
    @action(detail=False, methods=["post"])
    def inbound(self, request: Request) -> Response:
        """Take in a message. It is posted to the callback URL of the number's profile, or to the second one."""
        sent = self.sent(body=InboundInput)
        digits = sent["to"].removeprefix("+")
        tn = int(digits) if re.fullmatch("[0-9]{1,15}", digits) else None
        lease = find(self.get_queryset(), "TN lease", tn=tn)
        return Response(webhook_body(receive_message(lease=lease, sender=sent["from"], text=sent["message"])))
