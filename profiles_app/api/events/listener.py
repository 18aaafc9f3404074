"""`/listeners` with `/subscriptions` and `/filters`: which events go to which callback (events spec §5.3 to §5.5)."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from contacts_app.services.history import create_recorded
from profiles_app.api.events.fields import Choice, EventsRecord, JsonObject, RowId, Truth, UnixTime
from profiles_app.api.events.grammar import Column
from profiles_app.api.events.schema import documented_collection, documented_item, tags_schema, value_schema
from profiles_app.api.events.views import CollectionView, ItemView, ResourceView
from profiles_app.models import Listener, ListenerFilter, Subscription
from profiles_app.services.listener import checked_tags, create_listener, update_listener
from profiles_app.services.listener_filter import checked_filter_value
from profiles_app.services.tags import TAGS


class ListenerRecord(EventsRecord):
    version = Choice(choices=Listener.Version.choices, required=False)
    callback_id = RowId()
    created_at = UnixTime(read_only=True)
    expires_at = UnixTime(required=False, allow_null=True)


@tags_schema
class Tags(serializers.ListField):
    """Names of tags; an event has to bear all of them."""

    child = Choice(choices=TAGS)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"allow_empty": False, "max_length": 100} | kwargs))


class SubscriptionRecord(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)

    def get_fields(self) -> dict[str, Any]:
        # No attribute of a class can have this name.
        return {**super().get_fields(), ":tags": Tags(source="tags")}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "tags" in attrs and "level" in self.context:
            attrs["tags"] = checked_tags(
                attrs["tags"], at_extension=self.context["level"].extension is not None
            )
        return attrs


@value_schema
class FilterValue(JsonObject):
    pass


FILTER = {"filter_type", "filter_value"}


class FilterRecord(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    listener_id = serializers.IntegerField(read_only=True)
    filter_type = Choice(choices=ListenerFilter.Type.choices)
    filter_value = FilterValue()
    not_logic = Truth(required=False, help_text="Pass what does not match.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        present = {name: getattr(self.instance, name) for name in FILTER} if self.instance else {}
        if FILTER & attrs.keys():
            wanted = present | attrs
            attrs["filter_value"] = checked_filter_value(wanted["filter_type"], wanted["filter_value"])
        return attrs


class ListenerView(ResourceView):
    record = ListenerRecord

    def rows(self) -> QuerySet[Listener]:
        return self.level.rows(Listener.objects.select_related("account", "extension"))


FILTERABLE = {"callback_id": Column("callback_id", numeric=True)}


@documented_collection("listener", ListenerRecord, filterable=FILTERABLE)
class ListenerList(ListenerView, CollectionView):
    filterable = FILTERABLE

    def create(self, given: dict[str, Any]) -> Listener:
        return create_listener(level=self.level, given=given)


@documented_item("listener", ListenerRecord, note="Its subscriptions and filters go along with it.")
class ListenerDetail(ListenerView, ItemView):
    def update(self, row: Listener, given: dict[str, Any]) -> Listener:
        return update_listener(row, level=self.level, given=given)


class PartOfListenerView(ResourceView):
    """Subscriptions and filters: the listener stands in the URL."""

    listener: Listener

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        listener = self.level.rows(Listener.objects.filter(pk=kwargs["listener_id"])).first()
        if listener is None:
            raise NotFound
        self.listener = listener


class SubscriptionView(PartOfListenerView):
    record = SubscriptionRecord

    def rows(self) -> QuerySet[Subscription]:
        return Subscription.objects.filter(listener=self.listener)


@documented_collection(
    "subscription", SubscriptionRecord, note="An event has to bear all the tags of one of them."
)
class SubscriptionList(SubscriptionView, CollectionView):
    def create(self, given: dict[str, Any]) -> Subscription:
        [subscription] = create_recorded([Subscription(listener=self.listener, **given)])
        return subscription


@documented_item("subscription", SubscriptionRecord)
class SubscriptionDetail(SubscriptionView, ItemView):
    pass


class FilterView(PartOfListenerView):
    record = FilterRecord

    def rows(self) -> QuerySet[ListenerFilter]:
        return ListenerFilter.objects.filter(listener=self.listener)


@documented_collection("filter", FilterRecord, note="An event has to pass all of them.")
class FilterList(FilterView, CollectionView):
    def create(self, given: dict[str, Any]) -> ListenerFilter:
        [rule] = create_recorded([ListenerFilter(listener=self.listener, **given)])
        return rule


@documented_item("filter", FilterRecord)
class FilterDetail(FilterView, ItemView):
    pass
