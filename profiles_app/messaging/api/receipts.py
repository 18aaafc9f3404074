"""`/sms/{uuid}/receipt`: what gateways say became of messages, by a credential of their own (sending spec §4)."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.decorators import action
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.actor import Actor
from contacts_app.core.api.view import Text
from profiles_app.messaging.api.dialect import MessagingAuthentication, MessagingFailure, MessagingViewSet, envelope
from profiles_app.messaging.api.fields import Input, WordFlag
from profiles_app.messaging.sending.models import Message, MessageGateway
from profiles_app.messaging.sending.receipts import SPAM, STATES, gateway_behind, record_receipt, state_of

LONGEST_ERROR = 255


class GatewayAuthentication(BaseAuthentication):
    """The credential of a gateway: it may give receipts of its own messages, and nothing else."""

    def authenticate(self, request: Request) -> tuple[Actor, MessageGateway] | None:
        for carrier in MessagingAuthentication.carriers:
            if found := carrier(request):
                gateway = gateway_behind(found[1]) if found[0] == "bearer" else None
                if gateway is None:
                    raise AuthenticationFailed("Invalid credentials")
                # Of no level: a stranger wherever another view looked at it.
                return Actor(f"gateway {gateway.name}", "gateway", account=gateway.account, level=9), gateway
        return None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class GatewayScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = GatewayAuthentication
    name = "restGateway"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "The receipt credential of a message gateway."}


class IsGateway(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, MessageGateway)


class ReceiptInput(Input):
    spellings = {"status": "state"}

    state = Text(required=False, max_length=32, help_text=f"One of {', '.join(sorted(STATES))}.")
    status = Text(required=False, max_length=32, help_text="The same as `state`.")
    error = Text(required=False, max_length=LONGEST_ERROR)
    spam = WordFlag(required=False, help_text="Taken for spam.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if state_of(attrs.get("state", "")) is None:
            raise serializers.ValidationError({"state": "This state is not known."})
        return attrs


class ReceiptOutput(serializers.Serializer[Any]):
    uuid = serializers.UUIDField()
    state = serializers.CharField()


class Receipts(MessagingViewSet):
    queryset = Message.objects.all()
    authentication_classes = [GatewayAuthentication]
    permission_classes = [IsGateway]
    thing = "Message"
    rights = {"receipt": ()}

    def get_queryset(self) -> Any:
        gateway: Any = self.request.auth
        return Message.objects.filter(gateway=gateway)

    def seen_by(self) -> Any:
        """As actors, all gateways of an account are alike."""
        gateway: Any = self.request.auth
        return gateway.pk

    @extend_schema(
        request=ReceiptInput,
        responses={200: envelope("Receipt", ReceiptOutput), **dict.fromkeys((400, 401, 403, 404), MessagingFailure)},
    )
    @action(detail=True, methods=["post"])
    def receipt(self, request: Request, uuid: str) -> Response:
        """What became of a message, from its gateway. One that has its final state keeps it."""
        message = self.get_object()
        sent = self.sent(body=ReceiptInput)
        word = sent["state"].strip().lower()
        is_spam = bool(sent.get("spam")) or word in SPAM
        if state := state_of(word):
            record_receipt(message, state=state, error=sent.get("error", ""), is_spam=is_spam)
        message.refresh_from_db(fields=["state"])
        return Response(ReceiptOutput(message).data)
