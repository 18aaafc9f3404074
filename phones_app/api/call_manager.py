"""`/call-managers`: what phones are registered at, and so how they are told to restart; a test of it."""

from typing import Any

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
from phones_app.models import CallManager
from phones_app.services.check_server import Check, check_call_manager

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


ONE = envelope("CallManager", CallManagerRecord(), metadata=NoMetadata)
MANY = envelope("CallManagers", CallManagerRecord(many=True), metadata=PageMetadata)
GONE = envelope(
    "CallManagerDeleted", serializers.DictField(child=serializers.CharField()), metadata=NoMetadata
)
TESTED = envelope("CallManagerTest", CheckResult(), metadata=NoMetadata)


class _CallManagers(ServerView):
    rows = CallManager.objects.all()
    record = CallManagerRecord
    thing = "Call manager"


@extend_schema_view(
    get=extend_schema(
        operation_id="call_managers_list",
        description="The account's own call managers and the shared ones.",
        parameters=PAGING,
        responses=answers(200, MANY, 400),
    ),
    post=extend_schema(
        description="Add a call manager.", request=CallManagerRecord, responses=answers(201, ONE, 400)
    ),
)
class CallManagerList(_CallManagers, ServerListView):
    pass


@extend_schema_view(
    get=extend_schema(description="One call manager.", responses=answers(200, ONE, 400, 404)),
    put=extend_schema(
        description="Change only what is sent.",
        request=CallManagerRecord(partial=True),
        responses=answers(200, ONE, 400, 404),
    ),
    patch=extend_schema(
        description="The same as PUT.",
        request=CallManagerRecord(partial=True),
        responses=answers(200, ONE, 400, 404),
    ),
    delete=extend_schema(
        description="Delete a call manager; its SIP phones are then asked directly.",
        responses=answers(200, GONE, 400, 404),
    ),
)
class CallManagerDetail(_CallManagers, ServerDetailView):
    pass


@extend_schema_view(
    post=extend_schema(
        description="Asterisk: log in and ping. SIP: resolve the address only. Failed: 200 with `ok` false.",
        request=None,
        responses=answers(200, TESTED, 400, 404),
    )
)
class CallManagerTest(_CallManagers, ServerTestView):
    def check(self, server: Any) -> Check:
        return check_call_manager(server)
