"""`/ingest`: where a PBX or another system feeds events of its own into the outbox. Not in the provider's API."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.members import refuse_unknown
from contacts_app.core.api.view import Record
from profiles_app.events.api.dialect import EventsView
from profiles_app.events.api.fields import Choice, EventText, JsonObject, RowId
from profiles_app.events.api.listener import Tags
from profiles_app.events.api.schema import failures, tags_schema
from profiles_app.events.listener_changes import checked_tags
from profiles_app.events.outbox import EventDraft, emit_many
from profiles_app.events.tags import FOREIGN

MOST = 1000


@tags_schema(FOREIGN)
class ForeignTags(Tags):
    """Names of tags that tell of what happens elsewhere."""

    child = Choice(choices=FOREIGN)


@extend_schema_field({"type": "object", "additionalProperties": True})
class EventData(JsonObject):
    """What the type of the data calls for (events spec §7); numbers of calls and messages are found by filters."""


class IngestedEvent(Record):
    data_type = EventText(max_length=64)
    data_object_uuid = serializers.UUIDField(required=False, allow_null=True)
    schedules = serializers.ListField(
        child=RowId(),
        required=False,
        max_length=1000,
        help_text="The ids of the schedules that were in force, which filters of listeners can ask for.",
    )
    tags = ForeignTags()
    odd = {"data": EventData()}


class IngestRequest(serializers.Serializer[Any]):
    events = serializers.ListField(child=IngestedEvent(), min_length=1, max_length=MOST)


class AcceptedEvent(serializers.Serializer[Any]):
    uuid = serializers.UUIDField()
    timestamp_ns = serializers.IntegerField()


class Accepted(serializers.Serializer[Any]):
    items = AcceptedEvent(many=True)


class IngestViewSet(EventsView, ViewSet):
    rights = {"create": "profiles_app.add_event"}

    @extend_schema(
        request=IngestRequest,
        responses={201: Accepted, **failures(400, 401, 403, 404, 422)},
        examples=examples_of(__file__, "call"),
    )
    def create(self, request: Request, **_: Any) -> Response:
        """Take in events of the account or extension, in their order: all of them or, if one is wrong, none.

        A body that is one event, without `events` around it, is taken too.
        """
        body = request.data
        wanted = IngestRequest(data=body if "events" in body else {"events": [body]})
        refuse_unknown(wanted, wanted.initial_data)
        wanted.is_valid(raise_exception=True)
        at_extension = self.level.extension is not None
        drafts = [
            EventDraft(
                self.level.account,
                checked_tags(given["tags"], at_extension=at_extension),
                given["data_type"],
                given["data"],
                given.get("data_object_uuid"),
                self.level.extension,
                given.get("schedules", ()),
            )
            for given in wanted.validated_data["events"]
        ]
        events = emit_many(drafts)
        return Response({"items": AcceptedEvent(events, many=True).data}, status=201)
