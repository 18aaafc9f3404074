"""`/listeners` with `/subscriptions` and `/filters`: which events go to which callback (events spec §5.3 to §5.5)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from contacts_app.core.api.document import NamedShapes
from contacts_app.core.api.view import Record, Truth
from profiles_app.events.api.fields import Choice, EventsRecord, JsonObject, RowId, UnixTime
from profiles_app.events.api.query import FilterColumn
from profiles_app.events.api.schema import filter_shapes, tags_schema
from profiles_app.events.api.views import CreateAtIdViewSet, PartOfListenerViewSet
from profiles_app.events.listener_changes import checked_filter_value, checked_tags, create_listener, update_listener
from profiles_app.events.models.setup import Listener, ListenerFilter, Subscription
from profiles_app.events.tags import TAGS


class ListenerRecord(EventsRecord):
    version = Choice(choices=Listener.Version.choices, required=False)
    callback_id = RowId()
    created_at = UnixTime(read_only=True)
    expires_at = UnixTime(required=False, allow_null=True)


@tags_schema(TAGS)
class Tags(serializers.ListField):
    """Names of tags; an event has to bear all of them."""

    child = Choice(choices=TAGS)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"allow_empty": False, "max_length": 100} | kwargs))


class SubscriptionRecord(Record):
    id = serializers.IntegerField(read_only=True)
    odd = {":tags": Tags(source="tags", help_text="An event has to bear all of them. The colon is part of the name.")}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "tags" in attrs and "level" in self.context:
            attrs["tags"] = checked_tags(attrs["tags"], at_extension=self.context["level"].extension is not None)
        return attrs


class FilterValue(NamedShapes, JsonObject):
    """What the type of the filter calls for."""

    shapes = filter_shapes()


FILTER = {"filter_type", "filter_value"}


class FilterRecord(serializers.Serializer[Any]):
    is_shown_whole = True
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


class ListenerViewSet(CreateAtIdViewSet):
    queryset = Listener.objects.select_related("account", "extension")
    serializer_class = ListenerRecord
    columns = {"callback_id": FilterColumn("callback_id", numeric=True)}
    item_note = "Its subscriptions and filters go along with it."

    def made(self, given: Mapping[str, Any]) -> Listener:
        return create_listener(level=self.level, given=given)

    def save(self, row: Listener, sent: dict[str, Any]) -> None:
        update_listener(row, level=self.level, given=sent)


class SubscriptionViewSet(PartOfListenerViewSet):
    queryset = Subscription.objects.all()
    serializer_class = SubscriptionRecord
    note = "An event has to bear all the tags of one of them."


class FilterViewSet(PartOfListenerViewSet):
    queryset = ListenerFilter.objects.all()
    serializer_class = FilterRecord
    note = "An event has to pass all of them."
