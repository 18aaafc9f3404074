"""`/file-servers`: where phones fetch their files from, and a test of the connection.

`/call-managers`: what phones are registered at, and so how they are told to restart; a test of it.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from contacts_app.core.api.family import PAGING, NoMetadata, PageMetadata, answers, envelope
from phones_app.servers.api.base import (
    CheckResult,
    ServerDetailView,
    ServerListView,
    ServerRecord,
    ServerTestView,
    ServerView,
)
from phones_app.servers.models import CallManager, FileServer
from phones_app.servers.services import Check, check_call_manager, check_file_server, save_file_server


class FileServerRecord(ServerRecord):
    class Meta:
        model = FileServer
        fields = [
            "uuid",
            "account",
            "name",
            "protocol",
            "host",
            "port",
            "username",
            "password",
            "directory",
            "passive",
            "keep_backups",
            "is_default",
            "verify_certificate",
            "read_back",
            "is_embedded",
            "tested_at",
            "test_result",
            "created_at",
            "updated_at",
        ]
        # That there is one default only, the service sees to.
        validators: ClassVar[list[Any]] = []
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "is_default": {"validators": []},
            # The same on every database; left alone it would be what the column of the present one takes.
            "keep_backups": {"max_value": 32_767},
        }
        read_only_fields = ["uuid", "is_embedded", "tested_at", "test_result"]


ONE_FILE_SERVER = envelope("FileServer", FileServerRecord(), metadata=NoMetadata)
FILE_SERVERS = envelope("FileServers", FileServerRecord(many=True), metadata=PageMetadata)
FILE_SERVER_GONE = envelope(
    "FileServerDeleted", serializers.DictField(child=serializers.CharField()), metadata=NoMetadata
)
FILE_SERVER_TESTED = envelope("FileServerTest", CheckResult(), metadata=NoMetadata)


class _FileServers(ServerView):
    rows = FileServer.objects.all()
    record = FileServerRecord
    thing = "File server"

    def store(self, server: FileServer, update_fields: list[str] | None = None) -> None:
        save_file_server(server, update_fields=update_fields)


@extend_schema_view(
    get=extend_schema(
        operation_id="file_servers_list",
        description="The account's own file servers and the shared ones.",
        parameters=PAGING,
        responses=answers(200, FILE_SERVERS, 400),
    ),
    post=extend_schema(
        description="Add a file server. The default one of an account serves the phones that name none.",
        request=FileServerRecord,
        responses=answers(201, ONE_FILE_SERVER, 400, 409),
    ),
)
class FileServerList(_FileServers, ServerListView):
    pass


@extend_schema_view(
    get=extend_schema(description="One file server.", responses=answers(200, ONE_FILE_SERVER, 400, 404)),
    put=extend_schema(
        description="Change only what is sent.",
        request=FileServerRecord(partial=True),
        responses=answers(200, ONE_FILE_SERVER, 400, 404, 409),
    ),
    patch=extend_schema(
        description="The same as PUT.",
        request=FileServerRecord(partial=True),
        responses=answers(200, ONE_FILE_SERVER, 400, 404, 409),
    ),
    delete=extend_schema(
        description="Delete a file server; its phones fall back to the default one.",
        responses=answers(200, FILE_SERVER_GONE, 400, 404, 409),
    ),
)
class FileServerDetail(_FileServers, ServerDetailView):
    pass


@extend_schema_view(
    post=extend_schema(
        description="Log in, store, rename and delete a tiny file. A failed test is a 200 with `ok` false.",
        request=None,
        responses=answers(200, FILE_SERVER_TESTED, 400, 404),
    )
)
class FileServerTest(_FileServers, ServerTestView):
    def check(self, server: Any) -> Check:
        return check_file_server(server)


USUAL_PORT = {CallManager.Kind.SIP: 5060, CallManager.Kind.AMI: 5038}


class CallManagerRecord(ServerRecord):
    class Meta:
        model = CallManager
        fields = [
            "uuid",
            "account",
            "name",
            "kind",
            "host",
            "port",
            "transport",
            "username",
            "password",
            "channel",
            "action",
            "stamps",
            "tested_at",
            "test_result",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["uuid", "tested_at", "test_result"]
        extra_kwargs = {
            "host": {"help_text": "Name or address; `address` is taken for it too."},
            "port": {"required": False, "help_text": "If not given, 5060 for SIP and 5038 for AMI."},
        }

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and "host" not in data and "address" in data:
            data = data | {"host": data["address"]}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None:
            attrs.setdefault("port", USUAL_PORT[attrs["kind"]])
        return super().validate(attrs)


ONE_CALL_MANAGER = envelope("CallManager", CallManagerRecord(), metadata=NoMetadata)
CALL_MANAGERS = envelope("CallManagers", CallManagerRecord(many=True), metadata=PageMetadata)
CALL_MANAGER_GONE = envelope(
    "CallManagerDeleted", serializers.DictField(child=serializers.CharField()), metadata=NoMetadata
)
CALL_MANAGER_TESTED = envelope("CallManagerTest", CheckResult(), metadata=NoMetadata)


class _CallManagers(ServerView):
    rows = CallManager.objects.all()
    record = CallManagerRecord
    thing = "Call manager"


@extend_schema_view(
    get=extend_schema(
        operation_id="call_managers_list",
        description="The account's own call managers and the shared ones.",
        parameters=PAGING,
        responses=answers(200, CALL_MANAGERS, 400),
    ),
    post=extend_schema(
        description="Add a call manager.",
        request=CallManagerRecord,
        responses=answers(201, ONE_CALL_MANAGER, 400),
    ),
)
class CallManagerList(_CallManagers, ServerListView):
    pass


@extend_schema_view(
    get=extend_schema(description="One call manager.", responses=answers(200, ONE_CALL_MANAGER, 400, 404)),
    put=extend_schema(
        description="Change only what is sent.",
        request=CallManagerRecord(partial=True),
        responses=answers(200, ONE_CALL_MANAGER, 400, 404),
    ),
    patch=extend_schema(
        description="The same as PUT.",
        request=CallManagerRecord(partial=True),
        responses=answers(200, ONE_CALL_MANAGER, 400, 404),
    ),
    delete=extend_schema(
        description="Delete a call manager; its SIP phones are then asked directly.",
        responses=answers(200, CALL_MANAGER_GONE, 400, 404),
    ),
)
class CallManagerDetail(_CallManagers, ServerDetailView):
    pass


@extend_schema_view(
    post=extend_schema(
        description="Asterisk: log in and ping. SIP: resolve the address only. Failed: 200 with `ok` false.",
        request=None,
        responses=answers(200, CALL_MANAGER_TESTED, 400, 404),
    )
)
class CallManagerTest(_CallManagers, ServerTestView):
    def check(self, server: Any) -> Check:
        return check_call_manager(server)
