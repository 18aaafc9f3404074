"""`/overview`: listeners with their callback, subscriptions and filters, created at once (events spec §5.6)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from contacts_app.core.api.view import Record
from profiles_app.events.api.callback import CallbackRecord, EventProfileRecord
from profiles_app.events.api.fields import Choice, RowId, UnixTime
from profiles_app.events.api.listener import FilterRecord, ListenerRecord, SubscriptionRecord
from profiles_app.events.api.views import CollectionViewSet
from profiles_app.events.listener_changes import create_overview
from profiles_app.events.models.setup import Listener


class CallbackOverview(CallbackRecord):
    odd = {
        ":profile": EventProfileRecord(source="profile", allow_null=True),
        ":fallback": CallbackRecord(source="fallback_callback", allow_null=True),
    }


class OverviewRecord(ListenerRecord):
    odd = {
        ":callback": CallbackOverview(source="callback"),
        ":subscriptions": SubscriptionRecord(source="subscriptions", many=True),
        ":filters": FilterRecord(source="filters", many=True),
    }


class NewCallback(CallbackRecord):
    """A callback that is made along, with a new profile or one that exists."""

    odd = {":profile": EventProfileRecord(source="profile", required=False, allow_null=True)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("profile") and attrs.get("profile_id"):
            raise serializers.ValidationError({"profile_id": "Either profile_id or :profile."})
        return attrs


class ExpressCreate(Record):
    version = Choice(choices=Listener.Version.choices, required=False)
    expires_at = UnixTime(required=False, allow_null=True)
    callback_id = RowId(required=False, allow_null=True)
    odd = {
        ":callback": NewCallback(source="callback", required=False, allow_null=True),
        ":subscriptions": serializers.ListSerializer(
            source="subscriptions", child=SubscriptionRecord(), allow_empty=False, max_length=100
        ),
        ":filters": serializers.ListSerializer(source="filters", child=FilterRecord(), required=False, max_length=100),
    }

    also_takes = ("subscriptions",)

    def to_internal_value(self, data: Any) -> Any:
        # The guide's list of fields has no colon here, its example has one.
        if isinstance(data, dict) and ":subscriptions" not in data and "subscriptions" in data:
            data = data | {":subscriptions": data["subscriptions"]}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("callback")) == bool(attrs.get("callback_id")):
            raise serializers.ValidationError({"callback_id": "Either callback_id or :callback."})
        return attrs


OVERVIEWS = Listener.objects.select_related(
    *("account", "extension", "callback__account", "callback__extension"),
    *("callback__profile__account", "callback__profile__extension"),
    *("callback__fallback_callback__account", "callback__fallback_callback__extension"),
).prefetch_related("subscriptions", "filters")


class OverviewViewSet(CollectionViewSet):
    queryset = OVERVIEWS
    serializer_class = OverviewRecord
    body_class = ExpressCreate
    rights = {
        verb: [f"profiles_app.{right}_{part}" for part in ("listener", "subscription", "listenerfilter", "callback")]
        for verb, right in {"list": "view", "create": "add"}.items()
    }
    note = "Express create: all of it is made, or nothing."

    def made(self, given: Mapping[str, Any]) -> Listener:
        return OVERVIEWS.get(pk=create_overview(level=self.level, given=given).pk)
