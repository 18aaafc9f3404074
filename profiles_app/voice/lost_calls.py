"""Calls of which nothing is heard any more: their PBX died, or lost its way here. And how long decisions are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from contacts_app.core.retention import Counts, Retention, Tell
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from profiles_app.voice.admission import close
from profiles_app.voice.decision import day_of
from profiles_app.voice.models.admission import Admission, VoiceUsage

LOST_CALLS = "lost-calls"
BATCH = 500


class LostCalls(Work):
    """Ends calls whose leases ran out a while ago: each has lasted, and has cost, as long as its lease did.

    Their channels are free without this. It writes their call records, and keeps the rows that a decision reads few.
    """

    name = queue = LOST_CALLS
    model = Admission
    account = "account"
    due_field = "lost_at"
    batch = 100

    @classmethod
    def due(cls) -> QuerySet[Admission]:
        return Admission.objects.filter(Admission.OPEN, lost_at__lte=clock.now())

    def do(self, keys: Sequence[int]) -> None:
        for made in Admission.objects.filter(Admission.OPEN, pk__in=keys).select_related("profile__account"):
            close(made, ended_at=made.expires_at)


def _old(before: datetime) -> QuerySet[Admission]:
    return Admission.objects.filter(~Q(reason="") | Q(ended_at__lt=before), created_at__lt=before)


def _old_usage(before: datetime) -> QuerySet[VoiceUsage]:
    return VoiceUsage.objects.filter(day__lt=day_of(before))


def _count(before: datetime) -> Counts:
    return {"admissions": _old(before).count(), "days of calls": _old_usage(before).count()}


def _prune(before: datetime, tell: Tell) -> Counts:
    admissions = _delete(_old(before), tell)
    return {"admissions": admissions, "days of calls": _delete(_old_usage(before), lambda count: None)}


def _delete(rows: "QuerySet[Any]", tell: Tell) -> int:
    count = 0
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            count += rows.filter(pk__in=batch).delete()[0]
        tell(count)
    return count


ADMISSIONS = Retention("admissions", "KEEP_ADMISSIONS_DAYS", _count, _prune)
