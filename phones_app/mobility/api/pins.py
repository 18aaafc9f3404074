"""`/me/pin`: a person's own PIN for phones. Staff set those of others at `/users`."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.view import Text
from contacts_app.people.api.users import OneselfViewSet
from contacts_app.people.models import User
from phones_app.mobility import pins
from phones_app.mobility.pin_change import change_own_pin


class NewPin(Shape):
    pin = Text(write_only=True, max_length=64, help_text="The new one.")
    old_pin = Text(
        write_only=True, required=False, max_length=64, help_text="The present one; not needed in a login session."
    )


class PinState(Shape):
    has_pin = serializers.BooleanField()
    must_change_pin = serializers.BooleanField(source="pin_must_change")


PIN_STATE = envelope("OwnPin", PinState)


class MyPin(OneselfViewSet):
    serializer_class = PinState
    rights = {"pin": ()}
    messages = {"pin": "PIN changed"}

    @extend_schema(request=NewPin, responses=answers(200, PIN_STATE, 400, 404))
    @action(detail=False, methods=["put"])
    def pin(self, request: Request) -> Response:
        """Change one's own PIN for phones. With a token the present PIN is needed, whose failures are counted."""
        user = User.objects.get(pk=self.get_object().pk)
        sent = self.sent(body=NewPin)
        if not self.actor.session_uuid:
            if not (pins.may_try_person(user) and user.check_pin(sent.get("old_pin", ""))):
                raise ValidationError({"old_pin": "This is not the present PIN, or it was wrong too often."})
            pins.succeeded(mac="", user=user)
        change_own_pin(user, sent["pin"])
        return Response(PinState(user).data)
