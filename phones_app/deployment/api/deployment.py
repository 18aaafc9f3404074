"""`/deployments`: what went to which phone and how, step by step; asking for many; cancel, retry."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet, prefetch_related_objects
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family import ReadableByOwners
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import ModelRecord, OneOf, RowUuid, Shape, TruthFilter
from contacts_app.core.api.reading import Narrowed
from contacts_app.core.api.viewset import Listed, Retrieved
from phones_app.deployment import request as deployments
from phones_app.deployment.models import FOR_STAFF, OPEN, Deployment, DeploymentStep, State
from phones_app.inventory.models import Phone
from profiles_app.phone.api.profile import MacFilter, MacText, profile_of

MAX_PHONES = 10_000


class StepRecord(ModelRecord):
    """What one step did, with the exact texts that were exchanged; secrets in them are masked."""

    class Meta:
        model = DeploymentStep
        fields = ["kind", "state", "message", "request", "answer", "detail", "started_at", "finished_at"]
        read_only_fields = fields


class Wave(serializers.IntegerField):
    """In which wave of its rollout a deployment is; 0 for one that is in none."""

    absent = 0

    def get_attribute(self, instance: Any) -> int:
        return super().get_attribute(instance) or self.absent


class OfRollout(serializers.CharField):
    """What a rollout says of a deployment; empty for one that is in none."""

    absent = ""

    def get_attribute(self, instance: Any) -> str:
        return super().get_attribute(instance) or self.absent


class DeploymentRecord(ModelRecord):
    """One profile revision on its way to one phone."""

    needs: ClassVar[Mapping[str, Sequence[str]]] = {"is_open": ("finished_at",)}

    mac = MacText(read_only=True)
    account = serializers.IntegerField(source="account.voip_id", read_only=True)
    profile = serializers.CharField(source="profile_name", read_only=True)
    profile_uuid = RowUuid(source="profile", read_only=True, allow_null=True)
    revision = serializers.IntegerField(source="revision.number", read_only=True, allow_null=True, default=None)
    retry_of = RowUuid(read_only=True, allow_null=True)
    rollout = RowUuid(source="in_rollout.rollout", read_only=True, allow_null=True)
    wave = Wave(source="in_rollout.wave", read_only=True, help_text="Of its rollout.")
    sequel = OfRollout(
        source="in_rollout.sequel",
        read_only=True,
        help_text="What follows it in a rollout of firmware, and counts there: pending (the phone is to report its "
        "load), away (it is waited for), reached, failed; empty: nothing.",
    )
    sequel_code = OfRollout(source="in_rollout.sequel_code", read_only=True, help_text="Stable, for programs.")
    sequel_error = OfRollout(source="in_rollout.sequel_error", read_only=True)
    is_open = serializers.BooleanField(read_only=True)

    class Meta:
        model = Deployment
        fields = [
            *("uuid", "account", "kind", "mac", "profile", "profile_uuid", "revision", "sha256", "state"),
            *("is_open", "waiting_for", "error", "error_code", "requested_by", "channel", "request_id"),
            *("retry_of", "rollout", "wave", "sequel", "sequel_code", "sequel_error"),
            *("created_at", "started_at", "uploaded_at", "restarted_at"),
            "finished_at",
        ]
        read_only_fields = fields


class DeploymentDetailRecord(Narrowed, DeploymentRecord):
    steps = StepRecord(many=True, read_only=True)
    evidence = serializers.DictField(read_only=True, help_text="How it is known that the phone took it.")

    class Meta(DeploymentRecord.Meta):
        fields = [*DeploymentRecord.Meta.fields, "evidence", "steps"]
        read_only_fields = fields

    @classmethod
    def narrowed(cls, record: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        if context["request"].user.account is None:
            return record
        steps = record["steps"]
        details = [{name: value for name, value in step["detail"].items() if name != FOR_STAFF} for step in steps]
        return record | {"steps": [step | {"detail": told} for step, told in zip(steps, details, strict=True)]}


class DeploymentRequest(Shape):
    profile_uuid = serializers.UUIDField()
    macs = serializers.ListField(child=MacText(), allow_empty=False, max_length=MAX_PHONES)


class RefusedPhone(Shape):
    mac = MacText()
    code = serializers.CharField(help_text="Stable, for programs.")
    message = serializers.CharField()


class Asked(Shape):
    deployments = DeploymentRecord(many=True)
    refused = RefusedPhone(many=True)


class OpenFilter(TruthFilter):
    """An index has what is due, and one what is held; none has all that is open."""

    def filter(self, qs: QuerySet[Deployment], value: bool | None) -> QuerySet[Deployment]:
        if value is None:
            return qs
        return qs.filter(OPEN) if value else qs.filter(finished_at__isnull=False)


class DeploymentFilter(django_filters.FilterSet):  # type: ignore[misc]
    state = OneOf(State)
    kind = OneOf(Deployment.Kind)
    mac = MacFilter(label="In any spelling.")
    profile = django_filters.UUIDFilter("profile__uuid", label="UUID of a profile.")
    rollout = django_filters.UUIDFilter("in_rollout__rollout__uuid", label="UUID of a rollout.")
    created_after = django_filters.IsoDateTimeFilter("created_at", "gte", label="ISO 8601.")
    created_before = django_filters.IsoDateTimeFilter("created_at", "lt", label="ISO 8601.")
    open = OpenFilter(label="Whether there is something left to do.")

    class Meta:
        model = Deployment
        fields: list[str] = []


DEPLOYMENT = envelope("Deployment", DeploymentDetailRecord)
ASKED = envelope("DeploymentRequest", Asked)


class Deployments(Listed, Retrieved, ReadableByOwners):
    """The account's deployments; people without level 0 see those they asked for."""

    # The file itself would be decrypted for each row.
    queryset = Deployment.objects.select_related(
        "account", "profile", "revision", "retry_of", "in_rollout__rollout"
    ).defer("revision__content", "revision__facts")
    serializer_class = DeploymentDetailRecord
    list_class = DeploymentRecord
    filterset_class = DeploymentFilter
    thing = name_in_document = "Deployment"
    messages = {"cancel": "Deployment cancelled", "retry": "Deployment requested"}
    rights = {"create": deployments.MAY_DEPLOY_PROFILES, **dict.fromkeys(("cancel", "retry"), deployments.MAY_DEPLOY)}
    descriptions = {"list": "Deployments, the newest first.", "retrieve": "One deployment with its steps and evidence."}

    def get_queryset(self) -> "QuerySet[Deployment]":
        rows = self.queryset.all()
        return self.actor.sees(rows) if self.actor.manages else rows.filter(user=self.actor.user)

    @extend_schema(request=DeploymentRequest, responses=answers(202, ASKED, 400, 404))
    def create(self, request: Request) -> Response:
        """Ask for one profile on many phones. Those it does not fit are refused with the reason."""
        wanted, actor = self.sent(body=DeploymentRequest), self.actor
        profile = profile_of(actor, wanted["profile_uuid"])
        macs = list(dict.fromkeys(wanted["macs"]))
        known = actor.sees(Phone.objects.select_related("account", "file_server")).in_bulk(macs, field_name="mac")
        asked = deployments.deploy_many(
            phones=[known[mac] for mac in macs if mac in known], profile=profile, actor=actor
        )
        # New ones are in no rollout, which need not be asked for each of them.
        prefetch_related_objects(asked.deployments, "in_rollout")
        refused = [
            {"mac": mac, "code": "unknown-phone", "message": "Phone not found"} for mac in macs if mac not in known
        ] + [{"mac": phone.mac, "code": refusal.code, "message": refusal.message} for phone, refusal in asked.refused]
        self.message = f"{len(asked.deployments)} deployment(s) requested"
        return Response(Asked({"deployments": asked.deployments, "refused": refused}).data, status=202)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, uuid: str) -> Response:
        """End a deployment that is queued or waits for a call to end."""
        deployments.cancel(self.get_object())
        return Response(self.shown(self.get_object()))

    @extend_schema(responses=answers(201, DEPLOYMENT, 400, 404, 409))
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, uuid: str) -> Response:
        """The same revision to the same phone once more."""
        again = deployments.retry(self.get_object(), actor=self.actor)
        return Response(self.shown(self.get_queryset().get(pk=again.pk)), status=201)
