"""`/profiles` and `/callbacks`: support addresses, where events go, and how that went (events spec §5.1, §5.2)."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.document import NamedShapes
from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.view import Truth
from profiles_app.events.api.fields import Choice, Email, EventsRecord, EventText, JsonObject, RowId, UnixTime
from profiles_app.events.api.query import FilterColumn
from profiles_app.events.api.schema import config_shapes, failures
from profiles_app.events.api.views import CreateAtIdViewSet, ResourceViewSet
from profiles_app.events.callback_changes import create_callback, delete_callback, renew_signing_secret, update_callback
from profiles_app.events.callback_config import masked_config
from profiles_app.events.callback_health import health_of
from profiles_app.events.listener_changes import create_profile, delete_profile
from profiles_app.events.models.setup import Callback, EventProfile


class EventProfileRecord(EventsRecord):
    name = EventText(max_length=128)
    support_email = Email(
        max_length=254, allow_null=True, help_text="null: the account's own email; it has to be said."
    )
    created_at = UnixTime(read_only=True)


class EventProfileViewSet(CreateAtIdViewSet):
    queryset = EventProfile.objects.select_related("account", "extension")
    serializer_class = EventProfileRecord
    brief = ("id", "name")
    examples = examples_of(__file__, "profile")

    def made(self, given: Mapping[str, Any]) -> EventProfile:
        return create_profile(level=self.level, given=given)

    def remove(self, row: EventProfile) -> None:
        delete_profile(row)


class Config(NamedShapes, JsonObject):
    """The configuration: checked by the service, which knows the mode; secrets never go out."""

    needs = ("stored_config",)
    shapes = config_shapes()

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return masked_config(value)


class CallbackRecord(EventsRecord):
    fallback_callback_id = RowId(required=False, allow_null=True, min_value=0)
    name = EventText(required=False, allow_null=True, max_length=128)
    profile_id = RowId(required=False, allow_null=True, min_value=0)
    enabled = Truth(required=False)
    mode = Choice(choices=Callback.Mode.choices, required=False)
    config = Config()


class HealthRecord(serializers.Serializer[Any]):
    period_start = UnixTime(source="start")
    period_end = UnixTime(source="end")
    total = serializers.IntegerField(help_text="Invocations.")
    success = serializers.IntegerField()
    failed = serializers.IntegerField()
    timeout = serializers.IntegerField()
    avg_duration_ms = serializers.IntegerField(allow_null=True, help_text="null without invocations.")


class SigningSecretRecord(serializers.Serializer[Any]):
    signing_secret = serializers.CharField(
        help_text="`X-Patchbay-Signature` is `sha256=` and the HMAC-SHA256, in hex, of `X-Patchbay-Timestamp`, a dot "
        "and the body."
    )


class CallbackViewSet(ResourceViewSet):
    # Webhooks of messaging profiles are changed there.
    queryset = Callback.objects.filter(webhook_key="").select_related("account", "extension")
    serializer_class = CallbackRecord
    brief = ("id", "name")
    columns = {
        "name": FilterColumn("name", sound="name_sound"),
        "profile_id": FilterColumn("profile_id", numeric=True),
        "fallback_callback_id": FilterColumn("fallback_callback_id", numeric=True),
    }
    note = 'The URL is sent `{"test": 1}` by POST and has to answer 200 or 201.'
    item_note = (
        "`config` is merged key by key unless the mode changes. A secret sent back as `true` is kept, unless the host "
        "changes."
    )
    examples = examples_of(__file__, "callback")
    rights = {"health": "view", "signing_secret": "change"}

    def made(self, given: Mapping[str, Any]) -> Callback:
        return create_callback(level=self.level, given=given)

    def save(self, row: Callback, sent: dict[str, Any]) -> None:
        update_callback(row, level=self.level, given=sent)

    def remove(self, row: Callback) -> None:
        delete_callback(row)

    @extend_schema(
        description="Invocations per hour of the last day, the newest first.",
        responses={200: HealthRecord(many=True), **failures(401, 403, 404, 422)},
    )
    @action(detail=True, brief=(), columns={})
    def health(self, request: Request, **_: Any) -> Response:
        periods = health_of(self.get_object())
        if self.query.is_ascending:
            periods.reverse()
        return self.get_paginated_response(HealthRecord(self.paginate_queryset(periods), many=True).data)

    @extend_schema(request=None, responses={201: SigningSecretRecord, **failures(401, 403, 404)})
    @action(detail=True, methods=["post"], url_path="signing-secret")
    def signing_secret(self, request: Request, **_: Any) -> Response:
        """Give the callback a new secret to sign deliveries with. It is shown this once; the former one ends now."""
        answer = Response({"signing_secret": renew_signing_secret(self.get_object())}, status=201)
        answer["Cache-Control"] = "no-store"
        return answer
