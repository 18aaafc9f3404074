"""The fleet at a glance: phones by state, presence and drift, running rollouts, what failed and why."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from contacts_app.admin.overview import Day, Number, Panel, list_url, rows_for, shares
from phones_app.models import Deployment, Phone, Rollout
from phones_app.models.deployment import State
from phones_app.models.phone import Presence
from phones_app.models.phone_file import FileState
from phones_app.models.rollout import RolloutState

DAYS = 14
FAILURE_DAYS = 7
MOST_REASONS = 6
MOST_ROLLOUTS = 5

# Under way is everything that has not ended: one colour, one filter.
UNDER_WAY = (State.QUEUED, State.UPLOADING, State.UPLOADED, State.SESSION_CLEARED, State.RESTARTING)
FLEET = (
    ("confirmed", (State.CONFIRMED,), "good"),
    ("restarted, not confirmed", (State.RESTART_ACKNOWLEDGED,), "wait"),
    ("under way", UNDER_WAY, "busy"),
    ("failed", (State.FAILED,), "bad"),
    ("cancelled or superseded", (State.CANCELLED, State.SUPERSEDED), "gone"),
)
PRESENCE_TONES = {
    Presence.REACHABLE: "good",
    Presence.UNREACHABLE: "bad",
    Presence.ANOTHER: "bad",
    Presence.NEVER: "gone",
}
FILE_TONES = {FileState.IN_PLACE: "good", FileState.CHANGED: "bad", FileState.MISSING: "bad"}


def panels(request: HttpRequest) -> list[Panel]:
    return [*_of_phones(request), *_of_rollouts(request), *_of_deployments(request)]


def _of_phones(request: HttpRequest) -> list[Panel]:
    phones = rows_for(request, Phone)
    if phones is None:
        return []
    by_state = dict(phones.values_list("last_deployment__state").annotate(Count("pk")))
    fleet = [
        Number(label, sum(by_state.get(state, 0) for state in states), _phones_in(states), tone)
        for label, states, tone in FLEET
    ]
    never = list_url(Phone, last_deployment__isnull=True)
    fleet.append(Number("never deployed to", by_state.get(None, 0), never, "gone"))
    return [
        Panel("Phones by their last deployment", "bar", shares(fleet), empty="There are no phones yet."),
        _by(
            phones, "Phones by what the last look saw", "presence", PRESENCE_TONES, "There are no phones yet."
        ),
        _by(phones, "Files on the file servers", "file__state", FILE_TONES, "No file was uploaded yet."),
    ]


def _by(phones: QuerySet[Phone], title: str, field: str, tones: Mapping[Any, str], empty: str) -> Panel:
    """Phones by the value of a field that the list of phones can be filtered by."""
    counted = dict(phones.values_list(field).annotate(Count("pk")))
    numbers = [
        Number(
            state.label.lower(),
            counted.get(state, 0),
            list_url(Phone, **{f"{field}__exact": state.value}),
            tone,
        )
        for state, tone in tones.items()
    ]
    return Panel(title, "bar", shares(numbers), empty=empty)


def _phones_in(states: tuple[State, ...]) -> str:
    return list_url(Phone, last_deployment__state__exact=[state.value for state in states])


def _of_rollouts(request: HttpRequest) -> list[Panel]:
    rollouts = rows_for(request, Rollout)
    if rollouts is None:
        return []
    open_ones = rollouts.filter(state__in=(RolloutState.RUNNING, RolloutState.PAUSED)).annotate(
        ended=Count("deployments", filter=Q(deployments__finished_at__isnull=False))
    )
    numbers = [
        Number(
            str(rollout),
            rollout.ended,
            reverse("admin:phones_app_rollout_change", args=[rollout.pk]),
            "wait" if rollout.state == RolloutState.PAUSED else "busy",
            100 * rollout.ended / (rollout.total or 1),
            f"{rollout.get_state_display()}, {rollout.ended} of {rollout.total} phones",
        )
        for rollout in open_ones.order_by("-created_at")[:MOST_ROLLOUTS]
    ]
    return [Panel("Rollouts", "progress", numbers, empty="No rollout is running.")]


def _of_deployments(request: HttpRequest) -> list[Panel]:
    deployments = rows_for(request, Deployment)
    if deployments is None:
        return []
    today = timezone.localdate()
    since = timezone.now() - timedelta(days=FAILURE_DAYS)
    failed = deployments.filter(state=State.FAILED, created_at__gte=since)
    reasons = failed.values_list("error_code").annotate(count=Count("pk")).order_by("-count", "error_code")
    first = (today - timedelta(days=FAILURE_DAYS)).isoformat()
    numbers = [
        Number(
            code or "without a code",
            count,
            list_url(
                Deployment, state__exact=State.FAILED.value, error_code__exact=code, created_at_from=first
            ),
            "bad",
        )
        for code, count in reasons[:MOST_REASONS]
    ]
    ended = deployments.filter(created_at__date__gt=today - timedelta(days=DAYS))
    ended = ended.filter(state__in=(State.CONFIRMED, State.RESTART_ACKNOWLEDGED, State.FAILED))
    counted = ended.values_list(TruncDate("created_at"), "state").annotate(Count("pk"))
    by_day = {(day, state): count for day, state, count in counted}
    tallest = max(
        (sum(by_day.get((day, state), 0) for _, (state, *_), _ in FLEET) for day, _ in by_day), default=1
    )
    days = []
    for back in range(DAYS - 1, -1, -1):
        day = today - timedelta(days=back)
        where = {"created_at_from": day.isoformat(), "created_at_to": day.isoformat()}
        parts = [
            Number(label, count, "", tone, 100 * count / tallest)
            for label, (state, *_), tone in FLEET
            if (count := by_day.get((day, state), 0))
        ]
        days.append(Day(day.day, date_format(day, "j F"), list_url(Deployment, **where), parts))
    return [
        Panel(
            f"Deployments of {DAYS} days", "days", days=days if by_day else [], empty="Nothing was deployed."
        ),
        Panel(f"Failed within {FAILURE_DAYS} days, by reason", "counts", numbers, empty="Nothing failed."),
    ]
