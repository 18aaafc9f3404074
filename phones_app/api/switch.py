"""`POST /phone-profiles/switch`: deploy a profile to a phone, and wait a while for what becomes of it."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.api.dialect import Conflict
from contacts_app.api.rights import OwnsOrManages
from contacts_app.api.rows import find
from contacts_app.services.errors import Refusal
from phones_app.api.dialect import PhoneFamilyView, answer
from phones_app.api.fields import MacText, Shape
from phones_app.api.phone_profile import profile_of
from phones_app.api.schema import answers, envelope
from phones_app.models import Deployment, Phone
from phones_app.services.deployment import deploy, wait_until
from phones_app.services.outcome import Outcome, is_decided, outcome_of

PROFILE_UUID = "f47ac10b-58cc-4372-a567-0e02b2c3d479"


class UploadFailed(APIException):
    """The file server did not take the file; nothing was cleared and nothing restarted."""

    status_code = 502


class SwitchRequest(Shape):
    profile_uuid = serializers.UUIDField(help_text="The profile to deploy.")
    mac = MacText(help_text="MAC address of the phone, in any spelling.")


class SwitchResult(Shape):
    profile = serializers.CharField(help_text="Name of the profile.")
    mac = serializers.CharField()
    restart = serializers.CharField(help_text="`ok`, `pending`, or why the phone could not be restarted.")
    deployment = serializers.CharField(required=False, help_text="With status 202: where to look again.")


EXAMPLES = [
    OpenApiExample(
        "Switch", request_only=True, value={"profile_uuid": PROFILE_UUID, "mac": "AA:BB:CC:DD:EE:01"}
    ),
    OpenApiExample(
        "Switched",
        response_only=True,
        status_codes=["200"],
        value={
            "success": True,
            "message": "Profile switched",
            "data": {"profile": "Reception Desk", "mac": "AA:BB:CC:DD:EE:01", "restart": "ok"},
        },
    ),
]
SWITCH = envelope("Switch", SwitchResult())
RESPONSES = answers(200, SWITCH, 400, 404, 409, 502) | {
    202: OpenApiResponse(SWITCH, "The work goes on; Location names the deployment.")
}


class Switch(PhoneFamilyView):
    """People of any level may switch their own profiles."""

    def get_permissions(self) -> list[BasePermission]:
        return [OwnsOrManages()]

    @extend_schema(request=SwitchRequest, responses=RESPONSES, examples=EXAMPLES)
    def post(self, request: Request) -> Response:
        """Put the profile's file on the file server, end the phone's service session, restart the phone.

        A restart that fails is still a success, with the reason as `restart`: the phone takes its file when
        it starts the next time. When it is in a call, or all takes too long, the answer is 202.
        """
        wanted = SwitchRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        actor = self.actor
        profile = profile_of(actor, wanted.validated_data["profile_uuid"])
        phone = find(
            actor.sees(Phone.objects.select_related("file_server")), "Phone", mac=wanted.validated_data["mac"]
        )
        try:
            deployment = deploy(phone=phone, profile=profile, actor=actor)
        except Refusal as refusal:
            # Also when the file does not fit: nothing is wrong with the request itself.
            raise Conflict(refusal.message) from None
        wait_until(deployment, settings.SWITCH_WAIT_SECONDS, is_decided)
        return _answer(deployment, {"profile": profile.name, "mac": phone.mac_with_colons})


def _answer(deployment: Deployment, data: dict[str, Any]) -> Response:
    match outcome_of(deployment):
        case Outcome.RESTARTED:
            return answer(data | {"restart": "ok"}, "Profile switched")
        case Outcome.NOT_RESTARTED:
            return answer(data | {"restart": deployment.error or "failed"}, "Profile switched")
        case Outcome.NOT_UPLOADED:
            raise UploadFailed(deployment.error)
        case Outcome.GIVEN_UP:
            raise Conflict(f"The deployment ended before it was done: {deployment.get_state_display()}")
    url = f"/api/v1/deployments/{deployment.uuid}"
    response = answer(
        data | {"restart": "pending", "deployment": url}, "Profile switch in progress", status=202
    )
    response["Location"] = url
    return response
