"""`/file-servers`: where phones fetch their files from, and a test of the connection."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from phones_app.api.paging import PAGING
from phones_app.api.schema import NoMetadata, PageMetadata, answers, envelope
from phones_app.api.server import (
    CheckResult,
    ServerDetailView,
    ServerListView,
    ServerRecord,
    ServerTestView,
    ServerView,
)
from phones_app.models import FileServer
from phones_app.services.check_server import Check, check_file_server
from phones_app.services.file_server import save_file_server


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


ONE = envelope("FileServer", FileServerRecord(), metadata=NoMetadata)
MANY = envelope("FileServers", FileServerRecord(many=True), metadata=PageMetadata)
GONE = envelope(
    "FileServerDeleted", serializers.DictField(child=serializers.CharField()), metadata=NoMetadata
)
TESTED = envelope("FileServerTest", CheckResult(), metadata=NoMetadata)


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
        responses=answers(200, MANY, 400),
    ),
    post=extend_schema(
        description="Add a file server. The default one of an account serves the phones that name none.",
        request=FileServerRecord,
        responses=answers(201, ONE, 400, 409),
    ),
)
class FileServerList(_FileServers, ServerListView):
    pass


@extend_schema_view(
    get=extend_schema(description="One file server.", responses=answers(200, ONE, 400, 404)),
    put=extend_schema(
        description="Change only what is sent.",
        request=FileServerRecord(partial=True),
        responses=answers(200, ONE, 400, 404, 409),
    ),
    patch=extend_schema(
        description="The same as PUT.",
        request=FileServerRecord(partial=True),
        responses=answers(200, ONE, 400, 404, 409),
    ),
    delete=extend_schema(
        description="Delete a file server; its phones fall back to the default one.",
        responses=answers(200, GONE, 400, 404, 409),
    ),
)
class FileServerDetail(_FileServers, ServerDetailView):
    pass


@extend_schema_view(
    post=extend_schema(
        description="Log in, store, rename and delete a tiny file. A failed test is a 200 with `ok` false.",
        request=None,
        responses=answers(200, TESTED, 400, 404),
    )
)
class FileServerTest(_FileServers, ServerTestView):
    def check(self, server: Any) -> Check:
        return check_file_server(server)
