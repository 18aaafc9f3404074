"""`/changes`: the change log of the admin for programs, with the same filters and the same rights."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import django_filters
from django.db.models import QuerySet
from django_filters.utils import translate_validation
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.actor import Actor
from contacts_app.core.api.family import DEFAULT_LIMIT, MAX_LIMIT, FamilyViewSet
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import Shape, described
from contacts_app.core.api.view import Instant, Manages
from contacts_app.core.history.authorship import CHANNELS
from contacts_app.core.history.change_log import LogPage, LogPlace, LogQuery, read_log, tracked_kinds
from contacts_app.core.history.logged_kinds import kinds_of, request_of
from contacts_app.core.history.models import MASK

ACTIONS = {"created": "+", "changed": "~", "deleted": "-"}
USED = "used"
WORDS = {sign: word for word, sign in ACTIONS.items()}


class LetIntoAdmin(Manages):
    """Who may open the admin, where the change log is a page, and the portal's own tokens: history names the people who
    run the portal, which customers are not told.
    """

    message = "This is for people with access to the admin, and for tokens of the portal"

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        actor = cast(Actor, request.user)
        # A method that there is not is answered as such.
        return view.action is None or actor.is_staff or (actor.user is not None and actor.user.is_staff)


class FieldChange(Shape):
    """A field before and after, by the names that related records had then. Of a secret only whether there was one."""

    field = serializers.CharField()
    before = serializers.JSONField(allow_null=True, help_text=f"`{MASK}` for a secret.")
    after = serializers.JSONField(allow_null=True)


class ChangeRecord(Shape):
    """One change of one record."""

    id = serializers.CharField(help_text="Names the change, whatever else is asked for.")
    at = Instant()
    kind = serializers.CharField(help_text="Of the record: `phones_app.phone`.")
    record = serializers.CharField(help_text="What the record was called.")
    record_uuid = serializers.UUIDField(allow_null=True, help_text="Null where its kind has none.")
    action = serializers.ChoiceField(
        [*ACTIONS, USED],
        help_text="`used`: something was done with the record that left it as it was, which `reason` says.",
    )
    who = serializers.CharField(help_text="A person's e-mail address, a token, or the system.")
    channel = serializers.CharField(help_text="`admin`, `rest`, `portal`, `command`, `task`, or another one.")
    reason = serializers.CharField()
    request_id = serializers.CharField(help_text="As logs and deployments have it.")
    changes = FieldChange(many=True)


class LogMetadata(Shape):
    limit = serializers.IntegerField()
    following = serializers.CharField(allow_null=True, help_text="`after` of the next page; null: there is none.")
    stopped_at = Instant(
        allow_null=True,
        help_text="Null: the search was complete. Otherwise it reached its limit before the page was full, and stopped "
        "at a change of this time; continue with `following`.",
    )


def _one_of(choices: Any, label: str) -> django_filters.ChoiceFilter:
    found = django_filters.ChoiceFilter(choices=[(each, each) for each in choices])
    described(found, label, type="string", enum=[*choices])
    return found


class ChangeFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Its values go into one query of all historical tables (`read_log`)."""

    who = django_filters.CharFilter(
        max_length=255, label="A person's e-mail address or user name, a token, or `system`."
    )
    kind = django_filters.CharFilter(max_length=255, label="`phones_app.phone`, as records show it.")
    record = django_filters.CharFilter(max_length=255, label="A part of the record's name.")
    action = _one_of(ACTIONS, "`changed` finds `used` too.")
    channel = _one_of(CHANNELS, "")
    changed_after = django_filters.IsoDateTimeFilter("history_date", "gte", label="ISO 8601.")
    changed_before = django_filters.IsoDateTimeFilter("history_date", "lt", label="ISO 8601.")


class LogPaging(Shape):
    limit = serializers.IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)
    after = serializers.CharField(
        required=False, max_length=255, help_text="`following` of the page before, with the same filters."
    )


class Changes(FamilyViewSet):
    """The changes of all records, the newest first."""

    serializer_class = ChangeRecord
    filterset_class = ChangeFilter
    permission_classes = [LetIntoAdmin]
    pagination_class = None
    thing = name_in_document = "Change"
    # What somebody may see is asked kind by kind.
    rights: ClassVar[Mapping[str, Any]] = {"list": ()}

    def get_queryset(self) -> "QuerySet[Any]":
        """For the document alone: all historical tables have the columns of the filters."""
        return next(iter(tracked_kinds().values())).rows_of_model().none()

    @extend_schema(
        parameters=[LogPaging],
        responses=answers(200, envelope("Changes", ChangeRecord, many=True, metadata=LogMetadata), 400),
    )
    def list(self, request: Request) -> Response:
        """The changes of all records that one may look at in the admin, the newest first."""
        paging, given = self.asked(LogPaging), self._filters()
        page = self._page(given, _place(paging.get("after")), paging["limit"])
        following = page.following
        self.metadata = {
            "limit": paging["limit"],
            "following": str(following) if following else None,
            "stopped_at": Instant().to_representation(following.moment) if following and page.stopped else None,
        }
        self.message = f"{len(page.rows)} change(s) found"
        return Response([_record(kind, row) for kind, row in page.rows])

    def _filters(self) -> dict[str, Any]:
        filters = ChangeFilter(self.request.query_params, queryset=self.get_queryset())
        if not filters.is_valid():
            raise translate_validation(filters.errors)
        return dict(filters.form.cleaned_data)

    def _page(self, given: dict[str, Any], after: LogPlace | None, limit: int) -> LogPage:
        asked_with = request_of(self.actor)
        kinds = {each.name: each for each in kinds_of(asked_with)}
        if not kinds:
            raise PermissionDenied("This needs a permission to view records")
        if given["kind"]:
            if given["kind"] not in kinds:
                raise ValidationError({"kind": f"Must be one of: {', '.join(sorted(kinds))}."})
            kinds = {given["kind"]: kinds[given["kind"]]}
        query = LogQuery(
            who=given["who"],
            text=given["record"],
            action=ACTIONS.get(given["action"], ""),
            channel=given["channel"],
            since=given["changed_after"],
            until=given["changed_before"],
        )
        sources = {name: each.rows(asked_with, self.actor.account) for name, each in kinds.items()}
        return read_log(sources, query, after, limit)


def _place(text: str | None) -> LogPlace | None:
    try:
        return LogPlace.parse(text) if text else None
    except ValueError:
        raise ValidationError({"after": "Must be `following` of an answer."}) from None


def _record(kind: str, row: Any) -> dict[str, Any]:
    is_used = row.history_type == "~" and not row.history_changes
    return {
        "id": f"{kind}~{row.history_id}",
        "at": Instant().to_representation(row.history_date),
        "kind": kind,
        "record": row.history_name,
        "record_uuid": getattr(row, "uuid", None),
        "action": USED if is_used else WORDS[row.history_type],
        "who": row.history_actor,
        "channel": row.history_channel,
        "reason": row.history_change_reason or "",
        "request_id": row.history_request_id,
        "changes": [
            {"field": field, "before": before, "after": after} for field, (before, after) in row.history_changes.items()
        ],
    }
