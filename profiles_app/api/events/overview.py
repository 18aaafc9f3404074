"""`/overview`: listeners with all that belongs to them, and creating all of it at once (events spec §5.6)."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from profiles_app.api.events.callback import CallbackRecord
from profiles_app.api.events.fields import Choice, RowId, UnixTime
from profiles_app.api.events.listener import FilterRecord, ListenerRecord, SubscriptionRecord
from profiles_app.api.events.profile import EventProfileRecord
from profiles_app.api.events.schema import documented_collection
from profiles_app.api.events.views import CollectionView
from profiles_app.models import Listener
from profiles_app.services.listener import create_overview

JOINED = (
    "account",
    "extension",
    "callback__account",
    "callback__extension",
    "callback__profile__account",
    "callback__profile__extension",
    "callback__fallback_callback__account",
    "callback__fallback_callback__extension",
)


class CallbackOverview(CallbackRecord):
    def get_fields(self) -> dict[str, Any]:
        return {
            **super().get_fields(),
            ":profile": EventProfileRecord(source="profile", allow_null=True),
            ":fallback": CallbackRecord(source="fallback_callback", allow_null=True),
        }


class OverviewRecord(ListenerRecord):
    def get_fields(self) -> dict[str, Any]:
        return {
            **super().get_fields(),
            ":callback": CallbackOverview(source="callback"),
            ":subscriptions": SubscriptionRecord(source="subscriptions", many=True),
            ":filters": FilterRecord(source="filters", many=True),
        }


class NewCallback(CallbackRecord):
    """A callback that is made along, with a new profile or one that exists."""

    def get_fields(self) -> dict[str, Any]:
        profile = EventProfileRecord(source="profile", required=False, allow_null=True)
        return {**super().get_fields(), ":profile": profile}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("profile") and attrs.get("profile_id"):
            raise serializers.ValidationError({"profile_id": "Either profile_id or :profile."})
        return attrs


class ExpressCreate(serializers.Serializer[Any]):
    version = Choice(choices=Listener.Version.choices, required=False)
    expires_at = UnixTime(required=False, allow_null=True)
    callback_id = RowId(required=False, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return {
            **super().get_fields(),
            ":callback": NewCallback(source="callback", required=False, allow_null=True),
            ":subscriptions": serializers.ListSerializer(
                source="subscriptions", child=SubscriptionRecord(), allow_empty=False, max_length=100
            ),
            ":filters": serializers.ListSerializer(
                source="filters", child=FilterRecord(), required=False, max_length=100
            ),
        }

    def to_internal_value(self, data: Any) -> Any:
        # The guide's list of fields has no colon here, its example has one.
        if isinstance(data, dict) and ":subscriptions" not in data and "subscriptions" in data:
            data = data | {":subscriptions": data["subscriptions"]}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("callback")) == bool(attrs.get("callback_id")):
            raise serializers.ValidationError({"callback_id": "Either callback_id or :callback."})
        return attrs


@documented_collection(
    "overview", OverviewRecord, request=ExpressCreate, note="Express create: all of it is made, or nothing."
)
class OverviewList(CollectionView):
    record = OverviewRecord

    def rows(self) -> QuerySet[Listener]:
        joined = Listener.objects.select_related(*JOINED).prefetch_related("subscriptions", "filters")
        return self.level.rows(joined)

    def given(self, row: Any = None) -> dict[str, Any]:
        wanted = ExpressCreate(data=self.body(), context={"level": self.level})
        wanted.is_valid(raise_exception=True)
        return dict(wanted.validated_data)

    def create(self, given: dict[str, Any]) -> Listener:
        listener = create_overview(
            level=self.level,
            given={
                **given,
                "subscriptions": [wanted["tags"] for wanted in given["subscriptions"]],
                "filters": given.get("filters", []),
            },
        )
        return self.rows().get(pk=listener.pk)
