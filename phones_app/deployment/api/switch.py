"""`POST /phone-profiles/switch`: deploy a profile to a phone, and wait a while for its result.

`GET /phone-profiles/{uuid}/preview`: what a phone would get, beside what it got and what lies on its file server.
"""

from contextlib import closing

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.dialect import Conflict
from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.view import Instant, OwnsOrManages, find, uuid_in_url
from contacts_app.core.errors import Refusal
from phones_app.deployment.models import Deployment
from phones_app.deployment.outcome import Outcome, found_at_upload, outcome_of, when_decided
from phones_app.deployment.preview import preview_file
from phones_app.deployment.request import MAY_DEPLOY_PROFILES, deploy
from phones_app.inventory.models import Phone
from phones_app.transports.ftp.pool import FtpPool
from profiles_app.phone import sep
from profiles_app.phone.api.profile import IN_HEADER, FindingShape, MacText, TellsWarnings, profile_of
from profiles_app.phone.services import findings_of, visible_xml


class UploadFailed(APIException):
    """The file server did not take the file; nothing was cleared and nothing restarted."""

    status_code = 502
    default_code = "upload-failed"


class SwitchRequest(Shape):
    profile_uuid = serializers.UUIDField(help_text="The profile to deploy.")
    mac = MacText(help_text="MAC address of the phone, in any spelling.")


class SwitchResult(Shape):
    profile = serializers.CharField(help_text="Name of the profile.")
    mac = serializers.CharField()
    restart = serializers.CharField(help_text="`ok`, `pending`, or why the phone could not be restarted.")
    deployment = serializers.CharField(required=False, help_text="With status 202: where to look again.")


class PhoneOfPreview(Shape):
    mac = MacText(help_text="MAC address, in any spelling.")


class VerdictShape(Shape):
    topic = serializers.CharField()
    file = serializers.CharField(help_text="What the file says.")
    phone = serializers.CharField(help_text="What the phone is.")
    fits = serializers.BooleanField(allow_null=True, help_text="Null: not known.")


class ComparedShape(Shape):
    exists = serializers.BooleanField()
    sha256 = serializers.CharField()
    at = Instant(allow_null=True)
    same = serializers.BooleanField()
    diff = serializers.CharField(help_text="Unified, passwords masked.")
    trouble = serializers.CharField(help_text="Why it is not known.")


class PreviewShape(Shape):
    file_name = serializers.CharField()
    file_server = serializers.CharField()
    restart = serializers.CharField(help_text="How the phone would be restarted, fall-backs included.")
    restart_trouble = serializers.CharField(help_text="Why the restart cannot work; empty if it may.")
    revision = serializers.IntegerField(allow_null=True, help_text="Null: the file is made for the phone.")
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()
    refused = serializers.CharField(help_text="Why the profile may not go to this phone; empty if it may.")
    cnf_xml = serializers.CharField(help_text="The file, character for character.")
    findings = FindingShape(many=True)
    verdicts = VerdictShape(many=True)
    uploaded = ComparedShape(help_text="Beside the file uploaded last.")
    on_server = ComparedShape(help_text="Beside the file on the phone's file server now.")


SWITCH = envelope("Switch", SwitchResult, metadata=None)
SWITCHED = answers(200, SWITCH, 400, 404, 409, 502) | {
    200: OpenApiResponse(SWITCH, "The phone has its file. `restart` says whether it restarts to take it."),
    202: OpenApiResponse(
        SWITCH, "The work continues: `restart` is `pending`, and `deployment` is where to look again."
    ),
}
LOCATION = OpenApiParameter(
    "Location", str, OpenApiParameter.HEADER, description="URL of the deployment.", required=True, response=[200, 202]
)
PREVIEW = answers(200, envelope("Preview", PreviewShape, metadata=None), 400, 404, 409)


def _findings(deployment: Deployment, phone: Phone) -> tuple[sep.Finding, ...]:
    revision = deployment.revision
    content = bytes(revision.content) if revision else b""
    return findings_of(content, model=phone.model, software_type=phone.software_type) if content else ()


class ProfilesOnPhones(TellsWarnings):
    """People of any level may do this with their own profiles. A refusal is a conflict, also when the file does not
    fit: nothing is wrong with the request itself.
    """

    permission_classes = [OwnsOrManages]
    rights = dict.fromkeys(("switch", "preview"), MAY_DEPLOY_PROFILES)
    queryset = Phone.objects.select_related("account", "file_server", "call_manager")
    thing = "Phone"
    metadata = None
    messages = {"preview": "Preview of a deployment"}
    # The seed document shows all members of a switch.
    room_for_warnings = False

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(Conflict(exc.message, exc.code) if isinstance(exc, Refusal) else exc)

    @extend_schema(
        request=SwitchRequest,
        parameters=[LOCATION, IN_HEADER],
        responses=SWITCHED,
        examples=examples_of(__file__, "switch", "switched"),
    )
    @action(detail=False, methods=["post"])
    def switch(self, request: Request) -> Response:
        """Put the profile's file on the file server, end the phone's service session, restart the phone.

        A restart that fails is still a success, with the reason as `restart`: the phone takes its file when
        it starts the next time. When it is in a call, or all takes too long, the answer is 202.
        """
        wanted = self.sent(body=SwitchRequest)
        profile = profile_of(self.actor, wanted["profile_uuid"])
        phone = find(self.get_queryset(), self.thing, mac=wanted["mac"])
        asked = deploy(phone=phone, profile=profile, actor=self.actor)
        deployment = when_decided(asked, settings.SWITCH_WAIT_SECONDS)
        self.warnings = [*_findings(deployment, phone), *found_at_upload(deployment)]
        url = f"/api/v1/deployments/{deployment.uuid}"
        named = {"Location": url}
        switched = {"profile": profile.name, "mac": phone.mac_with_colons}
        self.message = "Profile switched"
        match outcome_of(deployment):
            case Outcome.RESTARTED:
                return Response(switched | {"restart": "ok"}, headers=named)
            case Outcome.NOT_RESTARTED:
                return Response(switched | {"restart": deployment.error or "failed"}, headers=named)
            case Outcome.NOT_UPLOADED:
                raise UploadFailed(deployment.error, deployment.error_code or None)
            case Outcome.GIVEN_UP:
                ended = f"The deployment ended before it was done: {deployment.get_state_display()}"
                raise Conflict(ended, f"deployment-{deployment.state}")
        self.message = "Profile switch in progress"
        return Response(switched | {"restart": "pending", "deployment": url}, status=202, headers=named)

    @extend_schema(parameters=[PhoneOfPreview], responses=PREVIEW)
    @action(detail=True)
    def preview(self, request: Request, uuid: str) -> Response:
        """The exact file for one phone, the checker's word, and how it differs from the present files."""
        mac = self.asked(PhoneOfPreview)["mac"]
        profile = profile_of(self.actor, uuid_in_url(uuid))
        phone = find(self.get_queryset(), self.thing, mac=mac)
        with closing(FtpPool()) as pool:
            preview = preview_file(phone=phone, profile=profile, pool=pool)
        record = preview.as_dict() | {"cnf_xml": visible_xml(sep.decode(preview.content), self.actor)}
        return Response(PreviewShape(record).data)
