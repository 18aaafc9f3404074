"""`/file-servers`: where phones fetch their files from; `/call-managers`: what phones are registered at, and so how they
are told to restart. Each with a test of the connection.
"""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import AccountNumber, OwnedRecord
from contacts_app.core.api.dialect import Conflict
from contacts_app.core.api.family import FamilyResource
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.reading import Narrowed
from contacts_app.core.api.view import Text
from phones_app.servers.models import CallManager, FileServer
from phones_app.servers.services import (
    Check,
    check_call_manager,
    check_file_server,
    keep_password_at_its_place,
    save_file_server,
    told_to,
)

# Of a shared server the tenants see where it is, not how staff log in there or what it said to them.
STAFF_ONLY = {"username": "", "test_result": None}
USUAL_PORT = {CallManager.Kind.SIP: 5060, CallManager.Kind.AMI: 5038}


class ServerRecord(Narrowed, OwnedRecord):
    """A server; its password goes in and never comes out."""

    account = AccountNumber(help_text="Null: shared by all accounts; only staff may write those.")
    password = Text(write_only=True, required=False, allow_blank=True, trim_whitespace=False)
    test_result = serializers.CharField(
        read_only=True, allow_null=True, help_text="Empty: the last test went well. Null: only staff is told."
    )

    @classmethod
    def narrowed(cls, record: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        is_hidden = record["account"] is None and not context["request"].user.is_staff
        return record | STAFF_ONLY if is_hidden else record


class FileServerRecord(ServerRecord):
    class Meta:
        model = FileServer
        fields = [
            *("uuid", "account", "name", "protocol", "host", "port", "username", "password", "directory"),
            *("passive", "keep_backups", "is_default", "verify_certificate", "read_back"),
            *("takes_shared_files", "is_embedded"),
            *("tested_at", "test_result", "created_at", "updated_at"),
        ]
        # That there is one default only, the service sees to.
        validators: ClassVar[list[Any]] = []
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "is_default": {"validators": []},
            # The same on every database; left alone it would be what the column of the present one takes.
            "keep_backups": {"max_value": 32_767},
        }
        read_only_fields = ["uuid", "is_embedded", "tested_at", "test_result"]


class CallManagerRecord(ServerRecord):
    also_takes = ("address",)

    class Meta:
        model = CallManager
        fields = [
            *("uuid", "account", "name", "kind", "host", "port", "transport", "username", "password"),
            *("channel", "action", "stamps", "tested_at", "test_result", "created_at", "updated_at"),
        ]
        read_only_fields = ["uuid", "tested_at", "test_result"]
        extra_kwargs = {
            "host": {"help_text": "Name or address; `address` is taken for it too."},
            "port": {"required": False, "help_text": "If not given, 5060 for SIP and 5038 for AMI."},
        }

    def to_internal_value(self, data: object) -> Any:
        if isinstance(data, dict) and "host" not in data and "address" in data:
            data = data | {"host": data["address"]}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, object]:
        if self.instance is None:
            attrs.setdefault("port", USUAL_PORT[attrs["kind"]])
        return super().validate(attrs)


class CheckResult(Shape):
    ok = serializers.BooleanField()
    message = serializers.CharField()
    request = serializers.CharField(source="exchange.request", help_text="What was sent, secrets masked.")
    answer = serializers.CharField(source="exchange.answer", help_text="What came back.")


class Servers(FamilyResource):
    """Tenants see the shared servers, too, and write their own ones alone."""

    taken = "Another server became the default at the same moment"
    messages = {"test": "{} tested"}
    rights = {"test": "change"}

    def get_queryset(self) -> Any:
        return self.actor.sees(self.queryset.all(), shared=True)

    def get_object(self) -> Any:
        server = super().get_object()
        if server.account_id is None and not self.actor.is_staff:
            raise PermissionDenied(f"This {self.thing.lower()} is shared; only staff may do that")
        return server

    def store(self, row: Any, changed: Collection[str] | None) -> None:
        keep_password_at_its_place(row, typed=changed is None or "password" in changed)
        super().store(row, changed)

    def check(self, server: Any) -> Check:
        raise NotImplementedError

    @action(detail=True, methods=["post"])
    def test(self, request: Request, uuid: str) -> Response:
        return Response(CheckResult(told_to(self.actor, self.check(self.get_object()))).data)


@extend_schema_view(test=extend_schema(responses=answers(200, envelope("FileServerTest", CheckResult), 400, 404)))
class FileServers(Servers):
    queryset = FileServer.objects.select_related("account")
    serializer_class = FileServerRecord
    thing = "File server"
    name_in_document = "FileServer"
    descriptions = {
        "list": "The account's own file servers and the shared ones.",
        "create": "Add a file server. The default one of an account serves the phones that name none.",
        "retrieve": "One file server.",
        "update": "Change only what is sent.",
        "destroy": "Delete a file server; its phones fall back to the default one.",
        "test": "Log in, store, rename and delete a tiny file. A failed test is a 200 with `ok` false.",
    }
    failures = {"create": (400, 409), "update": (400, 404, 409), "destroy": (400, 404, 409)}

    def store(self, row: FileServer, changed: Collection[str] | None) -> None:
        keep_password_at_its_place(row, typed=changed is None or "password" in changed)
        save_file_server(row, update_fields=None if changed is None else [*changed, "updated_at"])

    def remove(self, row: FileServer) -> None:
        if row.is_embedded:
            raise Conflict("The embedded file server belongs to the installation and cannot be deleted")
        row.delete()

    def check(self, server: FileServer) -> Check:
        return check_file_server(server)


@extend_schema_view(test=extend_schema(responses=answers(200, envelope("CallManagerTest", CheckResult), 400, 404)))
class CallManagers(Servers):
    queryset = CallManager.objects.select_related("account")
    serializer_class = CallManagerRecord
    thing = "Call manager"
    name_in_document = "CallManager"
    descriptions = {
        "list": "The account's own call managers and the shared ones.",
        "create": "Add a call manager.",
        "retrieve": "One call manager.",
        "update": "Change only what is sent.",
        "destroy": "Delete a call manager; its SIP phones are then asked directly.",
        "test": "Asterisk: log in and try what restarts need, without any effect. SIP: resolve the address only. "
        "Failed: 200 with `ok` false; `message` names the rights or modules that are missing.",
    }

    def check(self, server: CallManager) -> Check:
        return check_call_manager(server)
