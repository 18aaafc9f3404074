"""The file of a phone on its file server: is it the uploaded one, what was changed, and what to do about it."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family import NoMetadata, answer, answers, envelope
from contacts_app.core.api.view import Instant
from contacts_app.core.errors import Refusal
from phones_app.deployment.api.deployment import ONE as DEPLOYMENT
from phones_app.deployment.api.deployment import DeploymentDetailRecord
from phones_app.deployment.models import FileState, PhoneFile
from phones_app.drift.checks import difference
from phones_app.drift.repair import adopt, put_back
from phones_app.inventory.api.fields import Shape
from phones_app.inventory.api.phone import PhoneDetail


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


ONE = envelope("PhoneFile", PhoneFileRecord(), metadata=NoMetadata)


class PhoneFileDetail(PhoneDetail):
    http_method_names = ["get"]

    def file(self, mac: str) -> PhoneFile:
        related = ("phone__account", "server", "revision__profile__user")
        file = PhoneFile.objects.select_related(*related).filter(phone=self.phone(mac)).first()
        if file is None:
            raise Refusal("never-uploaded", "No file was uploaded for this phone yet.")
        return file

    @extend_schema(responses=answers(200, ONE, 400, 404, 409))
    def get(self, request: Request, mac: str) -> Response:
        """The state of the phone's file, with the difference if it has drifted."""
        return answer(PhoneFileRecord(self.file(mac)).data, "File found", metadata={})


class PhoneFilePutBack(PhoneFileDetail):
    http_method_names = ["post"]

    @extend_schema(request=None, responses=answers(202, DEPLOYMENT, 400, 404, 409))
    def post(self, request: Request, mac: str) -> Response:
        """Upload the file again, without a restart."""
        deployment = put_back(self.file(mac), actor=self.actor)
        return answer(
            DeploymentDetailRecord(deployment).data, "File is being put back", status=202, metadata={}
        )


class PhoneFileAdopt(PhoneFileDetail):
    http_method_names = ["post"]

    @extend_schema(request=None, responses=answers(200, ONE, 400, 404, 409))
    def post(self, request: Request, mac: str) -> Response:
        """Make what was found a new revision of the profile."""
        adopt(self.file(mac), actor=self.actor)
        return answer(PhoneFileRecord(self.file(mac)).data, "File adopted", metadata={})
