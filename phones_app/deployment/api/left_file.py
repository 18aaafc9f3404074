"""`/left-files`: phones' files that are of no phone any more, and their removal, which their credentials ask for."""

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family import FamilyViewSet
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import ModelRecord, RowUuid, Shape
from contacts_app.core.api.viewset import Listed, Retrieved
from contacts_app.core.errors import Refusal, TransportError
from phones_app.deployment.left_files import REMOVED_FILE, remove
from phones_app.deployment.models import LeftFile
from phones_app.deployment.request import MAY_DEPLOY
from profiles_app.phone.api.profile import MacText


class LeftFileRecord(ModelRecord):
    """Where the file lies, since when, and why it is of no phone."""

    id = serializers.IntegerField(read_only=True)
    mac = MacText(read_only=True)
    file_server = RowUuid(source="server", read_only=True)
    profile = serializers.CharField(source="profile_name", read_only=True, help_text="Its name; of the file's profile.")

    class Meta:
        model = LeftFile
        fields = ["id", "mac", "file_server", "directory", "profile", "sha256", "reason", "left_at"]
        read_only_fields = fields


class RemovedFile(Shape):
    removed = serializers.ListField(child=serializers.CharField(), help_text="The file and its backups, by name.")


REMOVED = envelope("LeftFileRemoved", RemovedFile)


class LeftFiles(Listed, Retrieved, FamilyViewSet):
    queryset = LeftFile.objects.select_related("server")
    serializer_class = LeftFileRecord
    thing = "Left file"
    name_in_document = "LeftFile"
    lookup_field = "id"
    rights = {"destroy": MAY_DEPLOY}
    messages = {"destroy": "File removed"}
    descriptions = {
        "list": "Files on file servers that are of no phone any more, the latest first. They hold credentials.",
        "retrieve": "One of them.",
    }

    def named(self) -> dict[str, Any]:
        try:
            return {"id": int(self.kwargs["id"])}
        except ValueError:
            raise NotFound(f"{self.thing} not found") from None

    @extend_schema(responses=answers(200, REMOVED, 404, 409))
    def destroy(self, request: Request, id: str) -> Response:
        """Delete the file and its backups from its server. One that somebody has changed since stays there."""
        left = self.get_object()
        key = left.pk
        try:
            removed = remove(left)
        except TransportError as error:
            raise Refusal(error.code, error.message) from None
        if person := self.actor.author:
            # The row is gone, and with it the key that the log names it by.
            left.pk = key
            LogEntry.objects.log_actions(person.pk, [left], CHANGE, f"{REMOVED_FILE} Over REST.", single_object=True)
        return Response(RemovedFile({"removed": removed}).data)
