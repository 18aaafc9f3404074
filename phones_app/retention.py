"""How long deployments with their steps and files, rollouts, log-ins on phones and fetches are kept.

The last deployment of each phone stays, as its state is the phone's; a rollout goes as a whole or stays whole, because
its page counts its phones. The steps are most of the room, and go in any case.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from contacts_app.core.retention import Counts, Retention, Tell
from phones_app.boot.models import FileFetch, RequestedFile
from phones_app.deployment.models import Deployment, DeploymentStep, LastDeployment, PhoneFile
from phones_app.mobility.models import MobilitySession
from phones_app.rollout.models import Rollout, RolloutMember
from profiles_app.phone.models import ProfileRevision

BATCH = 500
# That it fetched its file shows for so long where a phone is (deployment/identity.py), and a day more.
FETCHES_AT_LEAST = timedelta(days=31)


def old_steps(before: datetime) -> QuerySet[DeploymentStep]:
    return DeploymentStep.objects.filter(deployment__in=_ended(before).values("pk"))


def old_deployments(before: datetime) -> QuerySet[Deployment]:
    return _ended(before).filter(Q(in_rollout=None) | Q(in_rollout__rollout__in=old_rollouts(before)))


def old_rollouts(before: datetime) -> list[int]:
    """The keys of those that are over, and of which no phone has its last deployment."""
    ended = Rollout.objects.filter(created_at__lt=before, finished_at__lt=before).order_by("pk")
    return [
        key
        for key in ended.values_list("pk", flat=True)
        if not RolloutMember.objects.filter(rollout=key).exclude(deployment__in=_ended(before).values("pk")).exists()
    ]


def _ended(before: datetime) -> QuerySet[Deployment]:
    last = LastDeployment.objects.values("deployment")
    # What is looked at once more for a rejection has ended, but not for long.
    return Deployment.objects.filter(created_at__lt=before, finished_at__lt=before).exclude(pk__in=last)


def old_sessions(before: datetime) -> QuerySet[MobilitySession]:
    return MobilitySession.objects.filter(since__lt=before, ended_at__lt=before)


def old_fetches(before: datetime) -> QuerySet[FileFetch]:
    return FileFetch.objects.filter(fetched_at__lt=min(before, timezone.now() - FETCHES_AT_LEAST))


def old_requests(before: datetime) -> QuerySet[RequestedFile]:
    return RequestedFile.objects.filter(last_at__lt=before)


def prune_fetches(before: datetime, tell: Tell) -> Counts:
    fetches = _delete(lambda: old_fetches(before), tell)
    return {"fetches": fetches, "requested files": _delete(lambda: old_requests(before), lambda count: None)}


def prune_deployments(before: datetime, tell: Tell = lambda count: None) -> Counts:
    steps = _delete(lambda: old_steps(before), lambda count: None)
    rollouts = old_rollouts(before)
    deployments = _delete(lambda: old_deployments(before), tell)
    with transaction.atomic():
        Rollout.objects.filter(pk__in=rollouts, members=None).delete()
    sessions = _delete(lambda: old_sessions(before), lambda count: None)
    return {"deployments": deployments, "steps": steps, "rollouts": len(rollouts), "log-ins": sessions}


def _delete(rows: Callable[[], QuerySet[Any]], tell: Tell) -> int:
    count = 0
    while batch := list(rows().order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            rows().model._default_manager.filter(pk__in=batch).delete()
        count += len(batch)
        tell(count)
    return count


DEPLOYMENTS = Retention(
    "deployments",
    "KEEP_DEPLOYMENTS_DAYS",
    lambda before: {
        "deployments": old_deployments(before).count(),
        "steps": old_steps(before).count(),
        "rollouts": len(old_rollouts(before)),
        "log-ins": old_sessions(before).count(),
    },
    prune_deployments,
)


def old_renderings(before: datetime) -> QuerySet[ProfileRevision]:
    """Files that were made for phones, which no deployment names, and no phone has, any more."""
    used = (Deployment.objects.filter(revision=OuterRef("pk")), PhoneFile.objects.filter(revision=OuterRef("pk")))
    rows = ProfileRevision.objects.filter(rendered_for__isnull=False, created_at__lt=before)
    return rows.exclude(Exists(used[0])).exclude(Exists(used[1]))


def prune_renderings(before: datetime, tell: Tell) -> Counts:
    count = 0
    while batch := list(old_renderings(before).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            count += ProfileRevision.objects.prune(batch)
        tell(count)
    return {"renderings": count}


RENDERINGS = Retention(
    "renderings",
    "KEEP_DEPLOYMENTS_DAYS",
    lambda before: {"renderings": old_renderings(before).count()},
    prune_renderings,
)
FETCHES = Retention(
    "fetches",
    "KEEP_FETCHES_DAYS",
    lambda before: {"fetches": old_fetches(before).count(), "requested files": old_requests(before).count()},
    prune_fetches,
)
