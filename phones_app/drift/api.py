"""The file of a phone on its file server: is it the uploaded one, what was changed, and what to do about it."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family_document import answers
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.view import Instant
from contacts_app.core.errors import Refusal
from phones_app.deployment.api.deployment import DEPLOYMENT, DeploymentDetailRecord
from phones_app.deployment.models import FileState, PhoneFile
from phones_app.deployment.request import MAY_DEPLOY
from phones_app.drift.checks import difference
from phones_app.drift.repair import adopt, put_back
from phones_app.inventory.api.phone import PhonesByMac


class PhoneFileRecord(Shape):
    """What was uploaded, and what the last read-back found."""

    state = serializers.ChoiceField(choices=FileState.choices)
    state_since = Instant()
    uploaded_at = Instant()
    checked_at = Instant(allow_null=True)
    sha256 = serializers.CharField(help_text="Of the uploaded file.")
    found_sha256 = serializers.CharField(help_text="Of what was found instead; empty: the same, or nothing.")
    error = serializers.CharField(help_text="Why the last read-back told nothing.")
    diff = serializers.SerializerMethodField(help_text="Unified, passwords masked.")

    def get_diff(self, file: PhoneFile) -> str:
        return difference(file)


class PhoneFiles(PhonesByMac):
    serializer_class = PhoneFileRecord
    name_in_document = "PhoneFile"
    rights = {"file": "view", "put_back": MAY_DEPLOY, "adopt": "profiles_app.change_phoneprofile"}
    messages = {"file": "File found", "put_back": "File is being put back", "adopt": "File adopted"}

    def get_object(self) -> PhoneFile:
        related = ("phone__account", "server", "revision__profile__user")
        rows = PhoneFile.objects.select_related(*related).filter(phone=super().get_object())
        file = rows.first()
        if file is None:
            raise Refusal("never-uploaded", "No file was uploaded for this phone yet.")
        return file

    @action(detail=True)
    def file(self, request: Request, mac: str) -> Response:
        """The state of the phone's file, with the difference if it has drifted."""
        return Response(self.shown(self.get_object()))

    @extend_schema(responses=answers(202, DEPLOYMENT, 400, 404, 409))
    @action(detail=True, methods=["post"], url_path="file/put-back")
    def put_back(self, request: Request, mac: str) -> Response:
        """Upload the file again, without a restart."""
        deployment = put_back(self.get_object(), actor=self.actor)
        record = DeploymentDetailRecord(deployment, context=self.get_serializer_context())
        return Response(record.data, status=202)

    @action(detail=True, methods=["post"], url_path="file/adopt")
    def adopt(self, request: Request, mac: str) -> Response:
        """Make what was found a new revision of the profile."""
        adopt(self.get_object(), actor=self.actor)
        return Response(self.shown(self.get_object()))
