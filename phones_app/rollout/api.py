"""`/rollouts`: one profile, or each phone's own, to many phones; looked at before, watched, stopped and repeated."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import django_filters
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.family import FamilyViewSet
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import ModelRecord, OneOf, RowUuid, Shape, TruthFilter
from contacts_app.core.api.view import Text
from contacts_app.core.api.viewset import Listed, Retrieved
from phones_app.configuration.effect import MOST_SECONDS
from phones_app.deployment.request import MAY_DEPLOY, MAY_DEPLOY_PROFILES
from phones_app.inventory.api.selection import PhoneFilterRecord, selected
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import Rollout, RolloutState
from phones_app.rollout.plan import ARROW, RolloutPlan, make_plan
from phones_app.rollout.progress import progress_of
from profiles_app.phone.api.profile import MacText, profile_of

MAX_PHONES = 100_000


class ReasonRecord(Shape):
    """Why phones were refused or failed; `message` is what was said of one of them."""

    code = serializers.CharField(help_text="Stable, for programs.")
    message = serializers.CharField()
    phones = serializers.IntegerField()


class RefusedRecord(ReasonRecord):
    macs = serializers.ListField(child=serializers.CharField(), help_text="The first of them.")


class PaceRecord(ModelRecord):
    """How fast and how far: the limits of a rollout, all of them optional."""

    class Meta:
        model = Rollout
        fields = ["name", "load", "ends_at", *rollouts.PACE]

    def validate(self, attrs: dict[str, Any]) -> dict[str, object]:
        if (attrs.get("window_start") is None) != (attrs.get("window_end") is None):
            raise ValidationError({"window_end": "A window has a start and an end."})
        return attrs


class RolloutRecord(PaceRecord):
    needs: ClassVar[Mapping[str, Sequence[str]]] = {"is_open": ("finished_at",), "refused_total": ("refused",)}

    account = serializers.IntegerField(source="account.voip_id", read_only=True, allow_null=True, default=None)
    profile = serializers.CharField(source="profile_name", read_only=True)
    profile_uuid = RowUuid(source="profile", read_only=True, allow_null=True)
    retry_of = RowUuid(read_only=True, allow_null=True)
    is_open = serializers.BooleanField(read_only=True)
    refused_total = serializers.IntegerField(read_only=True)

    class Meta:
        model = Rollout
        fields = [
            *("uuid", "account", "profile", "profile_uuid", "state", "is_open", "reason"),
            *PaceRecord.Meta.fields,
            *("total", "unchanged", "refused_total", "wave", "waves", "next_wave_at", "requested_by"),
            *("channel", "retry_of", "created_at", "finished_at"),
        ]
        read_only_fields = fields


class PartsRecord(Shape):
    """Phones by where they stand; together they are `total`."""

    held_back = serializers.IntegerField()
    queued = serializers.IntegerField()
    under_way = serializers.IntegerField()
    in_call = serializers.IntegerField()
    loading = serializers.IntegerField(help_text="They have their file, and are to report the firmware in it.")
    away = serializers.IntegerField(help_text="They get their firmware when they are back.")
    confirmed = serializers.IntegerField()
    unconfirmed = serializers.IntegerField()
    failed = serializers.IntegerField()
    at_start = serializers.IntegerField(help_text="Nothing restarts them: they take the file when they start.")
    superseded = serializers.IntegerField(help_text="By a newer deployment.")
    cancelled = serializers.IntegerField(help_text="Not started when the rollout ended.")


class ProgressRecord(Shape):
    total = serializers.IntegerField()
    ended = serializers.IntegerField(help_text="Nothing more is done for these.")
    done = serializers.IntegerField(help_text="Those of them that were started.")
    not_started = serializers.IntegerField()
    percent = serializers.IntegerField()
    parts = PartsRecord()
    rate = serializers.FloatField(help_text="Phones a second, over the last minute.")
    remaining = serializers.FloatField(allow_null=True, help_text="Seconds to go; null: it cannot be told.")
    waits_for = serializers.CharField()
    failures = ReasonRecord(many=True)
    counted_at = serializers.DateTimeField(
        allow_null=True, help_text="Of more than 2,000 phones the numbers may be some seconds old; null: they are not."
    )


class PlanningRecord(Shape):
    """How far a rollout is that is being planned."""

    chosen = serializers.IntegerField(help_text="Phones that were chosen.")
    looked_at = serializers.IntegerField(help_text="Of these, those of which it is known what they get.")


class RolloutDetailRecord(RolloutRecord):
    progress = serializers.SerializerMethodField()
    planning = PlanningRecord(
        read_only=True,
        allow_null=True,
        default=None,
        help_text="While a worker plans the rollout, whose numbers are not known until then; null: it is planned.",
    )
    refused = RefusedRecord(many=True, read_only=True)

    class Meta(RolloutRecord.Meta):
        fields = [*RolloutRecord.Meta.fields, "refused", "planning", "progress"]
        read_only_fields = fields

    @extend_schema_field(ProgressRecord)
    def get_progress(self, rollout: Rollout) -> dict[str, object]:
        return dict(ProgressRecord(progress_of(rollout)).data)


class RolloutRequest(PaceRecord):
    """Which phones — one of `macs`, `group`, `filter` and `all` — get which profile, and at what pace."""

    profile_uuid = serializers.UUIDField(
        required=False, allow_null=True, help_text="Null: the profile that each phone has."
    )
    macs = serializers.ListField(child=MacText(), required=False, allow_empty=False, max_length=MAX_PHONES)
    group = Text(required=False, max_length=255, help_text="UUID or exact name of a saved group of phones.")
    filter = PhoneFilterRecord(required=False)
    all = serializers.BooleanField(required=False)
    include_unchanged = serializers.BooleanField(default=False, help_text="Also phones that have this very file.")
    dry_run = serializers.BooleanField(default=False, help_text="Say what would be done, and do nothing.")

    class Meta(PaceRecord.Meta):
        fields = [
            *PaceRecord.Meta.fields,
            *("profile_uuid", "macs", "group", "filter", "all", "include_unchanged", "dry_run"),
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, object]:
        named = [name for name in ("macs", "group", "filter", "all") if attrs.get(name)]
        if len(named) != 1:
            raise ValidationError({"macs": "Name the phones by one of macs, group, filter and all."})
        return super().validate(attrs)


class WayRecord(Shape):
    """The firmware that some phones get, one load after the other."""

    loads = serializers.ListField(child=serializers.CharField())
    phones = serializers.IntegerField()


class PlanRecord(Shape):
    """What a rollout would do."""

    total = serializers.IntegerField(help_text="Phones that would get a file.")
    unchanged = serializers.IntegerField(help_text="Phones that have it already.")
    unseen = serializers.IntegerField(
        help_text="More phones, not examined for lack of time. The other numbers leave them out."
    )
    refused_total = serializers.IntegerField()
    refused = RefusedRecord(many=True)
    notes = serializers.ListField(
        child=serializers.CharField(),
        help_text="Queued deployments that it would supersede; lines that several phones would share; files that are "
        "missing; of firmware, what is not known or known to go wrong.",
    )
    ways = WayRecord(many=True, help_text="Of a rollout of firmware.")
    waves = serializers.ListField(child=serializers.IntegerField(), help_text="Phones in each.")
    canary = serializers.ListField(child=serializers.CharField(), help_text="The phones of the first wave.")


class Started(Shape):
    """`rollout` is null after a dry run, `plan` otherwise."""

    rollout = RolloutDetailRecord(allow_null=True)
    plan = PlanRecord(allow_null=True)


class RolloutFilter(django_filters.FilterSet):  # type: ignore[misc]
    state = OneOf(RolloutState)
    profile = django_filters.UUIDFilter("profile__uuid", label="UUID of a profile.")
    open = TruthFilter("finished_at", lookup_expr="isnull", label="Whether it is planned, runs or is paused.")

    class Meta:
        model = Rollout
        fields: list[str] = []


ROLLOUT = envelope("Rollout", RolloutDetailRecord)
STARTED = envelope("RolloutStart", Started)
ANSWERED = answers(202, STARTED, 400, 404, 409) | {
    200: OpenApiResponse(STARTED, "After a dry run: what would be done.")
}
MOST_CANARIES = 100


def _told(plan: RolloutPlan) -> dict[str, object]:
    canary = plan.waves[0][:MOST_CANARIES] if plan.waves else []
    return {
        **{name: getattr(plan, name) for name in ("total", "unchanged", "unseen", "refused_total", "refused", "notes")},
        "waves": [len(wave) for wave in plan.waves],
        "ways": [{"loads": way.split(ARROW), "phones": number} for way, number in plan.ways],
        "canary": [MacText().to_representation(one.mac) for one in canary],
    }


class Rollouts(Listed, Retrieved, FamilyViewSet):
    queryset = Rollout.objects.select_related("account", "profile", "retry_of", "planning")
    serializer_class = RolloutDetailRecord
    list_class = RolloutRecord
    filterset_class = RolloutFilter
    thing = name_in_document = "Rollout"
    rights = {
        "create": MAY_DEPLOY_PROFILES,
        **dict.fromkeys(("pause", "resume", "cancel", "retry", "go_on"), MAY_DEPLOY),
    }
    messages = {
        "pause": "Rollout paused",
        "resume": "Rollout resumed",
        "cancel": "Rollout cancelled",
        "retry": "Rollout started",
        "go_on": "Rollout started",
    }
    descriptions = {
        "list": "Rollouts, the newest first.",
        "retrieve": "One rollout with its progress. Its phones are the deployments with `?rollout=` its UUID.",
    }

    @extend_schema(request=RolloutRequest, responses=ANSWERED, examples=examples_of(__file__, "start"))
    def create(self, request: Request) -> Response:
        """Start a rollout or, with `dry_run`, be told what it would do (status 200).

        One to more than 200 phones is planned afterwards: it begins in the state `planning`.
        """
        wanted, actor = self.sent(body=RolloutRequest), self.actor
        uuid = wanted.get("profile_uuid")
        what: dict[str, Any] = {
            "selection": selected(actor, wanted),
            "profile": profile_of(actor, uuid) if uuid else None,
            "pace": Rollout(**{name: wanted[name] for name in PaceRecord.Meta.fields if name in wanted}),
            "include_unchanged": wanted["include_unchanged"],
        }
        if wanted["dry_run"]:
            plan = make_plan(**what, seconds=MOST_SECONDS)
            self.message = f"{plan.total} phone(s) would get a file"
            return Response({"rollout": None, "plan": _told(plan)})
        rollout = rollouts.start(**what, actor=actor)
        is_planned = rollout.state != RolloutState.PLANNING
        self.message = f"Rollout to {rollout.total} phone(s) {'started' if is_planned else 'is being planned'}"
        return Response({"rollout": self.shown(rollout), "plan": None}, status=202)

    @action(detail=True, methods=["post"])
    def pause(self, request: Request, uuid: str) -> Response:
        """Restart no more phones; those that were told to restart go on."""
        rollouts.pause(rollout := self.get_object())
        return Response(self.shown(rollout))

    @action(detail=True, methods=["post"])
    def resume(self, request: Request, uuid: str) -> Response:
        """Go on where it was paused."""
        rollouts.resume(rollout := self.get_object())
        return Response(self.shown(rollout))

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, uuid: str) -> Response:
        """End it: phones that were not told to restart yet are left alone."""
        rollouts.cancel(rollout := self.get_object())
        return Response(self.shown(rollout))

    @extend_schema(responses=answers(201, ROLLOUT, 400, 404, 409))
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, uuid: str) -> Response:
        """A new rollout to the phones that failed or were not confirmed."""
        again = rollouts.retry_failed(self.get_object(), actor=self.actor)
        return Response(self.shown(again), status=201)

    @extend_schema(responses=answers(201, ROLLOUT, 400, 404, 409))
    @action(detail=True, methods=["post"], url_path="continue")
    def go_on(self, request: Request, uuid: str) -> Response:
        """A new rollout to the phones that were not started when this one ended."""
        again = rollouts.continue_rest(self.get_object(), actor=self.actor)
        return Response(self.shown(again), status=201)
