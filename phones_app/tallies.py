"""What the first page counts of phones and deployments, which may be a million (`overview`)."""

from datetime import date, datetime, time, timedelta

from django.db.models import QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from contacts_app.core.tally.service import Counting
from phones_app.deployment.models import FAILURES, Deployment, State
from phones_app.inventory.models import Phone

DAYS = 14
# What a day's column is made of.
ENDED = (State.CONFIRMED, State.RESTART_ACKNOWLEDGED, *FAILURES)


def since(days: int) -> tuple[date, datetime]:
    """The first of so many days, today being the last, and when it began: lists are filtered by whole days."""
    first = timezone.localdate() - timedelta(days=days - 1)
    return first, timezone.make_aware(datetime.combine(first, time.min))


def _lately_ended(rows: "QuerySet[Deployment]") -> "QuerySet[Deployment]":
    return rows.filter(created_at__gte=since(DAYS)[1], state__in=ENDED)


# By the state of the last deployment, whether the phone answers, and how its file is found.
PHONES = Counting(
    "phones", lambda: Phone.objects.all(), ("last_deployment__deployment__state", "presence", "file__state")
)
# By day, state and the code of the error.
DEPLOYMENTS = Counting(
    "deployments",
    lambda: Deployment.objects.all(),
    (TruncDate("created_at"), "state", "error_code"),
    within=_lately_ended,
)
