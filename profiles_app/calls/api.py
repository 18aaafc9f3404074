"""`/calls`: records of calls, sent by switches one at a time or many at once, listed, and exported as CSV."""

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import TenantRecord
from contacts_app.core.api.family import FamilyViewSet
from contacts_app.core.api.family_document import Failure, answers, envelope
from contacts_app.core.api.fields import OneOf, Shape, described
from contacts_app.core.api.reading import Narrowed
from contacts_app.core.api.view import Text
from contacts_app.core.api.viewset import Listed, Retrieved
from profiles_app.calls.csv import export_calls
from profiles_app.calls.models import CallRecord
from profiles_app.calls.numbers import spelled
from profiles_app.calls.services import OPERATORS_WORDS, completed, of_number, record_calls, shows_operators_words

MOST_AT_ONCE = 1000
MOST_SECONDS = 2**31 - 1
NOT_SHOWN = "The operator shows no sites, campaigns and descriptions to this account."


class CallNumber(Text):
    """A number in any spelling, which comes out in one."""

    def to_internal_value(self, data: Any) -> str:
        return spelled(super().to_internal_value(data))


class RecordedCall(Narrowed, TenantRecord):
    """One call that has ended."""

    caller = CallNumber(max_length=255, allow_blank=True, help_text="In whatever spelling; E.164 where that is known.")
    called = CallNumber(max_length=255, allow_blank=True, help_text="As the caller.")
    seconds = serializers.IntegerField(
        required=False, min_value=0, max_value=MOST_SECONDS, help_text="Left out: from the answer to the end."
    )
    disposition = serializers.ChoiceField(
        CallRecord.Disposition.choices, required=False, help_text="Left out: what the other members say."
    )

    class Meta:
        model = CallRecord
        fields = [
            *("uuid", "account", "call_id", "direction", "caller", "called", "extension", "started_at", "answered_at"),
            *("ended_at", "seconds", "disposition", "cost", "currency", "voice_profile", "site", "campaign"),
            *("description", "recording_url", "created_at"),
        ]
        read_only_fields = ["uuid", "created_at"]
        # The first record of a call stays: that is for the database to see.
        validators: list[object] = []

    @classmethod
    def narrowed(cls, record: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        return record if context.get("operators_words") else record | dict.fromkeys(OPERATORS_WORDS, "")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs, actor = super().validate(attrs), self.context["request"].user
        if actor.account and (said := [name for name in OPERATORS_WORDS if attrs.get(name)]):
            raise ValidationError(dict.fromkeys(said, "Only the operator says this."))
        if (end := attrs.get("ended_at")) and end < attrs["started_at"]:
            raise ValidationError({"ended_at": "The call ends before it begins."})
        return attrs


class CallBatch(Shape):
    calls = RecordedCall(many=True, max_length=MOST_AT_ONCE, allow_empty=False)  # type: ignore[call-arg]


class CallCounts(Shape):
    created = serializers.IntegerField(help_text="Calls that were not known before.")
    known = serializers.IntegerField(help_text="Calls whose id was recorded already, which stay as they were.")


class CallFilter(django_filters.FilterSet):  # type: ignore[misc]
    started_from = django_filters.IsoDateTimeFilter("started_at", "gte", label="ISO 8601.")
    started_before = django_filters.IsoDateTimeFilter("started_at", "lt", label="ISO 8601.")
    direction = OneOf(CallRecord.Direction)
    disposition = OneOf(CallRecord.Disposition)
    number = django_filters.CharFilter(method="by_number", label="Caller or called number, in any spelling.")
    extension = django_filters.CharFilter(label="The account's line.")
    site = django_filters.CharFilter(method="by_site", label="The operator's site, as a whole.")
    voice_profile = django_filters.UUIDFilter(label="UUID of the outbound voice profile.")
    call_id = django_filters.CharFilter(label="The switch's own name of the call.")

    class Meta:
        model = CallRecord
        fields: list[str] = []

    def by_number(self, rows: "QuerySet[CallRecord]", _name: str, value: str) -> "QuerySet[CallRecord]":
        return of_number(rows, value)

    def by_site(self, rows: "QuerySet[CallRecord]", _name: str, value: str) -> "QuerySet[CallRecord]":
        if not shows_operators_words(self.request.user):
            raise ValidationError({"site": NOT_SHOWN})
        return rows.filter(site=value)


described(CallFilter.base_filters["number"], "Caller or called number, in any spelling.", type="string")


class Calls(Listed, Retrieved, FamilyViewSet):
    queryset = CallRecord.objects.select_related("account")
    serializer_class = RecordedCall
    filterset_class = CallFilter
    rights: ClassVar[Mapping[str, str]] = {"batch": "add", "export": "view"}
    thing = "Call"
    name_in_document = "Call"
    messages = {"create": "Call recorded", "batch": "Calls recorded"}
    descriptions = {
        "list": "The calls of the account, the latest first. Customers see the operator's sites, campaigns and "
        "descriptions where their MyAccount profile says so.",
        "retrieve": "One call.",
    }

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "operators_words": shows_operators_words(self.actor)}

    @extend_schema(responses=answers(201, envelope("Call", RecordedCall), 400) | {200: envelope("Call", RecordedCall)})
    def create(self, request: Request) -> Response:
        """Record a call that has ended: 201. A call whose `call_id` the account has already stays as it is: 200."""
        row = _row_of(self.sent())
        is_new = bool(record_calls([row]))
        stored = self.get_queryset().get(account=row.account, call_id=row.call_id)
        self.message = "Call recorded" if is_new else "This call is recorded already"
        return Response(self.shown(stored), status=201 if is_new else 200)

    @extend_schema(request=CallBatch, responses=answers(200, envelope("CallBatch", CallCounts), 400))
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        """Record up to 1000 calls: all of them, or none if one is wrong. Calls that are recorded already stay."""
        rows = [_row_of(values) for values in self.sent(body=CallBatch)["calls"]]
        created = len(record_calls(rows))
        return Response(CallCounts({"created": created, "known": len(rows) - created}).data)


class CallsExport(FamilyViewSet):
    """`/calls.csv`"""

    queryset = CallRecord.objects.all()
    filterset_class = CallFilter
    pagination_class = None

    @extend_schema(
        responses={(200, "text/csv"): OpenApiTypes.STR, 400: Failure, 401: Failure, 403: Failure, 429: Failure},
        description="The same calls as the list shows, all of them, as CSV. Times are UTC. Cells that a spreadsheet "
        "would carry out begin with an apostrophe.",
        filters=True,
    )
    def list(self, request: Request) -> HttpResponseBase:
        rows = self.filter_queryset(self.get_queryset())
        pieces = export_calls(rows, operators_words=shows_operators_words(self.actor))
        answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="calls.csv"'
        return answer


def _row_of(values: Mapping[str, Any]) -> CallRecord:
    """The row of a checked body."""
    return completed(CallRecord(**values), values.get("seconds"))
