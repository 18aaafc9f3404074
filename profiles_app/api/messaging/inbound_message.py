"""`/sms/inbound`: whoever carries messages hands one in, and the profile of its number says where it goes."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.api.fields import Text
from contacts_app.api.rows import find
from profiles_app.api.messaging.dialect import MessagingViewSet
from profiles_app.api.messaging.schema import answers, envelope
from profiles_app.models import NumberLease
from profiles_app.services.inbound_message import receive_message, webhook_body

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
