"""`GET /phone-profiles/{uuid}/preview`: what a phone would get, beside what it got and what lies on its file server."""

from contextlib import closing
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.api.dialect import Conflict
from contacts_app.api.rights import OwnsOrManages
from contacts_app.api.rows import find, uuid_in_url
from contacts_app.services.errors import Refusal
from phones_app.api.dialect import PhoneFamilyView, answer
from phones_app.api.fields import Instant, MacText, Shape
from phones_app.api.phone_profile import profile_of
from phones_app.api.schema import answers, envelope
from phones_app.models import Phone
from phones_app.services.file_preview import FilePreview, preview_file
from phones_app.transports.ftp_pool import FtpPool


class PreviewOf(Shape):
    mac = MacText(help_text="MAC address of the phone, in any spelling.")


class FindingShape(Shape):
    code = serializers.CharField()
    severity = serializers.CharField(help_text="`error` or `warning`.")
    message = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    column = serializers.IntegerField(allow_null=True)


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
    revision = serializers.IntegerField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()
    refused = serializers.CharField(help_text="Why the profile may not go to this phone; empty if it may.")
    cnf_xml = serializers.CharField(help_text="The file, character for character.")
    findings = FindingShape(many=True)
    verdicts = VerdictShape(many=True)
    uploaded = ComparedShape(help_text="Beside the file uploaded last.")
    on_server = ComparedShape(help_text="Beside the file on the phone's file server now.")


def shown(preview: FilePreview) -> dict[str, Any]:
    record = preview.as_dict() | {"cnf_xml": preview.profile.cnf_xml}
    record["uploaded"]["at"] = (
        Instant().to_representation(preview.uploaded.at) if preview.uploaded.at else None
    )
    return record


class Preview(PhoneFamilyView):
    """Reads the file server and changes nothing."""

    def get_permissions(self) -> list[BasePermission]:
        return [OwnsOrManages()]

    @extend_schema(
        parameters=[OpenApiParameter("mac", str, required=True, description="MAC address, in any spelling.")],
        responses=answers(200, envelope("Preview", PreviewShape()), 400, 404, 409),
    )
    def get(self, request: Request, uuid: str) -> Response:
        """The exact file for one phone, the checker's word, and how it differs from the present files."""
        asked = PreviewOf(data=request.query_params)
        asked.is_valid(raise_exception=True)
        profile = profile_of(self.actor, uuid_in_url(uuid))
        rows = self.actor.sees(Phone.objects.select_related("account", "file_server", "call_manager"))
        phone = find(rows, "Phone", mac=asked.validated_data["mac"])
        try:
            with closing(FtpPool()) as pool:
                preview = preview_file(phone=phone, profile=profile, pool=pool)
        except Refusal as refusal:
            raise Conflict(refusal.message) from None
        return answer(shown(preview), "Preview of a deployment")
