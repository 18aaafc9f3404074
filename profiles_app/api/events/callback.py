"""`/callbacks`: where events are delivered to, and how that went of late (events spec §5.2)."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from profiles_app.api.events.fields import Choice, EventsRecord, JsonObject, RowId, Text, Truth, UnixTime
from profiles_app.api.events.grammar import Column
from profiles_app.api.events.query import asked_mode, list_query
from profiles_app.api.events.schema import (
    config_schema,
    documented_collection,
    documented_item,
    documented_list,
    example,
    failures,
)
from profiles_app.api.events.views import CollectionView, ItemView, ResourceView
from profiles_app.models import Callback
from profiles_app.services.callback import (
    create_callback,
    delete_callback,
    renew_signing_secret,
    update_callback,
)
from profiles_app.services.callback_config import masked_config
from profiles_app.services.callback_health import health_of

FILTERABLE = {
    "name": Column("name", sound="name_sound"),
    "profile_id": Column("profile_id", numeric=True),
    "fallback_callback_id": Column("fallback_callback_id", numeric=True),
}
EXAMPLE = {
    "id": 1432,
    "voip_id": 1000002,
    "extension_id": None,
    "fallback_callback_id": None,
    "name": "My callback",
    "profile_id": 389,
    "enabled": True,
    "mode": "HTTPS",
    "config": {
        "url": "https://example.org/events",
        "method": "POST",
        "headers": [{"name": "Authorization", "value": True}],
    },
}


@extend_schema_field(config_schema())
class Config(JsonObject):
    """The configuration: checked by the service, which knows the mode; secrets never go out."""

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return masked_config(value)


class CallbackRecord(EventsRecord):
    fallback_callback_id = RowId(required=False, allow_null=True, min_value=0)
    name = Text(required=False, allow_null=True, max_length=128)
    profile_id = RowId(required=False, allow_null=True, min_value=0)
    enabled = Truth(required=False)
    mode = Choice(choices=Callback.Mode.choices, required=False)
    config = Config()


class CallbackView(ResourceView):
    record = CallbackRecord
    brief = ("id", "name")

    def rows(self) -> QuerySet[Callback]:
        return self.level.rows(Callback.objects.select_related("account", "extension"))


@documented_collection(
    "callback",
    CallbackRecord,
    examples=[example(EXAMPLE)],
    filterable=FILTERABLE,
    brief=True,
    note='The URL is sent `{"test": 1}` by POST and has to answer 200 or 201.',
)
class CallbackList(CallbackView, CollectionView):
    filterable = FILTERABLE

    def create(self, given: dict[str, Any]) -> Callback:
        return create_callback(level=self.level, given=given)


@documented_item(
    "callback",
    CallbackRecord,
    examples=[example(EXAMPLE)],
    brief=True,
    note="`config` is merged key by key unless the mode changes. A secret sent back as `true` is kept.",
)
class CallbackDetail(CallbackView, ItemView):
    def update(self, row: Callback, given: dict[str, Any]) -> Callback:
        return update_callback(row, level=self.level, given=given)

    def delete_row(self, row: Callback) -> None:
        delete_callback(row)


class HealthRecord(serializers.Serializer[Any]):
    period_start = UnixTime(source="start")
    period_end = UnixTime(source="end")
    total = serializers.IntegerField(help_text="Invocations.")
    success = serializers.IntegerField()
    failed = serializers.IntegerField()
    timeout = serializers.IntegerField()
    avg_duration_ms = serializers.IntegerField(allow_null=True, help_text="null without invocations.")


@documented_list(
    "callback_health", HealthRecord, note="Invocations per hour of the last day, the newest first."
)
class CallbackHealth(CallbackView, ItemView):
    is_list = True
    http_method_names = ["get", "head"]

    def get(self, request: Request, **_: Any) -> Response:
        query = list_query(request, {})
        asked_mode(request)
        periods = health_of(self.row())
        if query.sort["id"] == "asc":
            periods.reverse()
        page = periods[query.offset : query.offset + query.limit]
        return Response(query.envelope(len(periods), list(HealthRecord(page, many=True).data)))


class SigningSecretRecord(serializers.Serializer[Any]):
    signing_secret = serializers.CharField(
        help_text="`X-Patchbay-Signature` is `sha256=` and the HMAC-SHA256, in hex, of `X-Patchbay-Timestamp`, a dot "
        "and the body."
    )


class SigningSecret(CallbackView, ItemView):
    http_method_names = ["post"]

    @extend_schema(request=None, responses={201: SigningSecretRecord, **failures(401, 403, 404)})
    def post(self, request: Request, **_: Any) -> Response:
        """Give the callback a new secret to sign deliveries with. It is shown this once; the former one ends now."""
        answer = Response({"signing_secret": renew_signing_secret(self.row())}, status=201)
        answer["Cache-Control"] = "no-store"
        return answer
