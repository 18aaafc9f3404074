"""`/deployments`: what went to which phone and how, step by step; asking for many; cancel, retry."""

from typing import Any

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.actor import Actor
from contacts_app.core.api.family import (
    PAGING,
    NoMetadata,
    PageMetadata,
    PhoneFamilyView,
    answer,
    answers,
    envelope,
    page,
)
from contacts_app.core.api.view import Manages, OwnsOrManages, find, uuid_in_url
from phones_app.deployment import request as deployments
from phones_app.deployment.models import Deployment, DeploymentStep, State
from phones_app.inventory.api.fields import DeploymentFilter, MacText, Record, RowUuid, Shape, filtered
from phones_app.inventory.models import Phone
from profiles_app.phone.api.profile import profile_of
from profiles_app.phone.sep.mac import colons

MAX_PHONES = 10_000


class StepRecord(Record):
    """What one step did, with the exact texts that were exchanged; secrets in them are masked."""

    class Meta:
        model = DeploymentStep
        fields = ["kind", "state", "message", "request", "answer", "detail", "started_at", "finished_at"]
        read_only_fields = fields


class Wave(serializers.IntegerField):
    """In which wave of its rollout a deployment is; 0 for one that is in none."""

    def get_attribute(self, instance: Any) -> int:
        return super().get_attribute(instance) or 0


class DeploymentRecord(Record):
    """One profile revision on its way to one phone."""

    mac = MacText(read_only=True)
    account = serializers.IntegerField(source="account.voip_id", read_only=True)
    profile = serializers.CharField(source="profile_name", read_only=True)
    profile_uuid = RowUuid(source="profile", read_only=True, allow_null=True)
    revision = serializers.IntegerField(
        source="revision.number", read_only=True, allow_null=True, default=None
    )
    retry_of = RowUuid(read_only=True, allow_null=True)
    rollout = RowUuid(source="in_rollout.rollout", read_only=True, allow_null=True)
    wave = Wave(source="in_rollout.wave", read_only=True, help_text="Of its rollout.")
    is_open = serializers.BooleanField(read_only=True)

    class Meta:
        model = Deployment
        fields = [
            "uuid",
            "account",
            "kind",
            "mac",
            "profile",
            "profile_uuid",
            "revision",
            "sha256",
            "state",
            "is_open",
            "waiting_for",
            "error",
            "error_code",
            "requested_by",
            "channel",
            "retry_of",
            "rollout",
            "wave",
            "created_at",
            "started_at",
            "uploaded_at",
            "restarted_at",
            "finished_at",
        ]
        read_only_fields = fields


class DeploymentDetailRecord(DeploymentRecord):
    steps = StepRecord(many=True, read_only=True)
    evidence = serializers.DictField(read_only=True, help_text="How it is known that the phone took it.")

    class Meta(DeploymentRecord.Meta):
        fields = [*DeploymentRecord.Meta.fields, "evidence", "steps"]
        read_only_fields = fields


class DeploymentRequest(Shape):
    profile_uuid = serializers.UUIDField()
    macs = serializers.ListField(child=MacText(), allow_empty=False, max_length=MAX_PHONES)


class RefusedPhone(Shape):
    mac = serializers.CharField()
    code = serializers.CharField(help_text="Stable, for programs.")
    message = serializers.CharField()


class Asked(Shape):
    deployments = DeploymentRecord(many=True)
    refused = RefusedPhone(many=True)


ONE = envelope("Deployment", DeploymentDetailRecord(), metadata=NoMetadata)
MANY = envelope("Deployments", DeploymentRecord(many=True), metadata=PageMetadata)
ASKED = envelope("DeploymentRequest", Asked(), metadata=NoMetadata)
FILTERS = [
    *PAGING,
    OpenApiParameter("state", enum=State.values),
    OpenApiParameter("kind", enum=Deployment.Kind.values),
    OpenApiParameter("mac", description="In any spelling."),
    OpenApiParameter("profile", OpenApiTypes.UUID, description="UUID of a profile."),
    OpenApiParameter("rollout", OpenApiTypes.UUID, description="UUID of a rollout."),
    OpenApiParameter("created_after", OpenApiTypes.DATETIME, description="ISO 8601."),
    OpenApiParameter("created_before", OpenApiTypes.DATETIME, description="ISO 8601."),
    OpenApiParameter("open", bool, description="Whether there is something left to do."),
]


def deployments_with_relations() -> "QuerySet[Deployment]":
    related = ("account", "profile", "revision", "retry_of", "in_rollout__rollout")
    # The file itself would be decrypted for each row.
    return Deployment.objects.select_related(*related).defer("revision__content", "revision__facts")


def visible_to(actor: Actor) -> "QuerySet[Deployment]":
    """The account's deployments; people without level 0 see those they asked for."""
    rows = deployments_with_relations()
    return actor.sees(rows) if actor.manages else rows.filter(user=actor.user)


def in_full(actor: Actor, uuid: str) -> dict[str, Any]:
    rows = visible_to(actor).prefetch_related(Prefetch("steps", DeploymentStep.objects.order_by("pk")))
    return dict(DeploymentDetailRecord().to_representation(find(rows, "Deployment", uuid=uuid_in_url(uuid))))


class ReadableByOwners(PhoneFamilyView):
    def get_permissions(self) -> list[BasePermission]:
        return [OwnsOrManages() if self.request.method in ("GET", "HEAD") else Manages()]


class DeploymentList(ReadableByOwners):
    @extend_schema(operation_id="deployments_list", parameters=FILTERS, responses=answers(200, MANY, 400))
    def get(self, request: Request) -> Response:
        """Deployments, the newest first."""
        rows, metadata = page(request, filtered(request, visible_to(self.actor), DeploymentFilter))
        found = f"{metadata['total']} deployment(s) found"
        return answer(DeploymentRecord(many=True).to_representation(rows), found, metadata=metadata)

    @extend_schema(request=DeploymentRequest, responses=answers(202, ASKED, 400, 404))
    def post(self, request: Request) -> Response:
        """Ask for one profile on many phones. Those it does not fit are refused with the reason."""
        wanted = DeploymentRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        actor = self.actor
        profile = profile_of(actor, wanted.validated_data["profile_uuid"])
        macs = list(dict.fromkeys(wanted.validated_data["macs"]))
        known = actor.sees(Phone.objects.select_related("account", "file_server")).in_bulk(
            macs, field_name="mac"
        )
        asked = deployments.deploy_many(
            phones=[known[mac] for mac in macs if mac in known], profile=profile, actor=actor
        )
        # New ones are in no rollout, which need not be asked for each of them.
        prefetch_related_objects(asked.deployments, "in_rollout")
        refused = [(mac, "unknown-phone", "Phone not found") for mac in macs if mac not in known]
        refused += [(phone.mac, refusal.code, refusal.message) for phone, refusal in asked.refused]
        data = {
            "deployments": DeploymentRecord(many=True).to_representation(asked.deployments),
            "refused": [
                {"mac": colons(mac), "code": code, "message": message} for mac, code, message in refused
            ],
        }
        message = f"{len(asked.deployments)} deployment(s) requested"
        return answer(data, message, status=202, metadata={})


class DeploymentDetail(ReadableByOwners):
    @extend_schema(responses=answers(200, ONE, 400, 404))
    def get(self, request: Request, uuid: str) -> Response:
        """One deployment with its steps and evidence."""
        return answer(in_full(self.actor, uuid), "Deployment found", metadata={})


class DeploymentCancel(PhoneFamilyView):
    @extend_schema(request=None, responses=answers(200, ONE, 400, 404, 409))
    def post(self, request: Request, uuid: str) -> Response:
        """End a deployment that is queued or waits for a call to end."""
        deployment = find(visible_to(self.actor), "Deployment", uuid=uuid_in_url(uuid))
        deployments.cancel(deployment)
        return answer(in_full(self.actor, uuid), "Deployment cancelled", metadata={})


class DeploymentRetry(PhoneFamilyView):
    @extend_schema(request=None, responses=answers(201, ONE, 400, 404, 409))
    def post(self, request: Request, uuid: str) -> Response:
        """The same revision to the same phone once more."""
        deployment = find(visible_to(self.actor), "Deployment", uuid=uuid_in_url(uuid))
        again = deployments.retry(deployment, actor=self.actor)
        shown = in_full(self.actor, str(again.uuid))
        return answer(shown, "Deployment requested", status=201, metadata={})
