"""The fleet at a glance: phones by state, presence and drift, running rollouts, what failed and why."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format

from contacts_app.core.admin.links import list_url, page_of
from contacts_app.core.admin.overview import Day, Figure, Panel, panels_about, shares
from phones_app.deployment.models import FAILURES, Deployment, FileState, State
from phones_app.inventory.models import Phone, Presence
from phones_app.rollout.models import Rollout, RolloutState

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
    ("rejected by the phone", (State.REJECTED,), "bad"),
    ("cancelled or superseded", (State.CANCELLED, State.SUPERSEDED), "gone"),
)
OPEN = (RolloutState.RUNNING, RolloutState.PAUSED)
# What a day's column is made of.
ENDED = (State.CONFIRMED, State.RESTART_ACKNOWLEDGED, *FAILURES)
PRESENCE_TONES = {
    Presence.REACHABLE: "good",
    Presence.UNREACHABLE: "bad",
    Presence.ANOTHER: "bad",
    Presence.NEVER: "gone",
}
FILE_TONES = {FileState.IN_PLACE: "good", FileState.CHANGED: "bad", FileState.MISSING: "bad"}


def panels(request: HttpRequest) -> list[Panel]:
    return [
        *panels_about(request, Phone, _of_phones),
        *panels_about(request, Rollout, _of_rollouts),
        *panels_about(request, Deployment, lambda rows: [_by_day(rows), _by_reason(rows)]),
    ]


def _of_phones(phones: QuerySet[Phone]) -> list[Panel]:
    by_state = dict(phones.values_list("last_deployment__deployment__state").annotate(Count("pk")))
    fleet = [
        Figure(label, sum(by_state.get(state, 0) for state in states), _phones_in(states), tone)
        for label, states, tone in FLEET
    ]
    # Such as those of the demo: they hold files that no deployment has put there.
    never = phones.filter(last_deployment=None)
    held, none = never.filter(file__isnull=False).count(), never.filter(file=None).count()
    there = {"last_deployment__isnull": True}
    fleet.append(Figure("hold their first file", held, list_url(Phone, **there, file__isnull=False), "rest"))
    fleet.append(Figure("not deployed", none, list_url(Phone, **there, file__isnull=True), "gone"))
    return [
        Panel("Phones by their last deployment", "bar", shares(fleet), empty="There are no phones yet."),
        _by(phones, "Phones by reachability", "presence", PRESENCE_TONES, "There are no phones yet."),
        _by(phones, "Files on the file servers", "file__state", FILE_TONES, "No file was uploaded yet."),
    ]


def _by(phones: QuerySet[Phone], title: str, field: str, tones: Mapping[Any, str], empty: str) -> Panel:
    """Phones by the value of a field that the list of phones can be filtered by."""
    counted = dict(phones.values_list(field).annotate(Count("pk")))
    numbers = [
        Figure(state.label.lower(), counted.get(state, 0), list_url(Phone, **{f"{field}__exact": state.value}), tone)
        for state, tone in tones.items()
    ]
    return Panel(title, "bar", shares(numbers), empty=empty)


def _phones_in(states: tuple[State, ...]) -> str:
    return list_url(Phone, last_deployment__state__exact=[state.value for state in states])


def _of_rollouts(rollouts: QuerySet[Rollout]) -> list[Panel]:
    open_ones = rollouts.filter(state__in=OPEN)
    shown = open_ones.annotate(ended=Count("members", filter=Q(members__deployment__finished_at__isnull=False)))
    numbers = [
        Figure(
            str(rollout),
            rollout.ended,
            page_of(rollout),
            "wait" if rollout.state == RolloutState.PAUSED else "busy",
            100 * rollout.ended / (rollout.total or 1),
            f"{rollout.get_state_display()}, {rollout.ended} of {rollout.total} phones",
        )
        for rollout in shown.order_by("-created_at")[:MOST_ROLLOUTS]
    ]
    there = list_url(Rollout, state__exact=[state.value for state in OPEN])
    whole = Figure("running or paused", open_ones.count(), there) if numbers else None
    return [Panel("Rollouts", "progress", numbers, whole=whole, empty="No rollout is running.")]


def _since(days: int) -> tuple[date, datetime]:
    """The first of so many days, today being the last, and when it began: lists are filtered by whole days."""
    first = timezone.localdate() - timedelta(days=days - 1)
    return first, timezone.make_aware(datetime.combine(first, time.min))


def _by_reason(deployments: QuerySet[Deployment]) -> Panel:
    first, began = _since(FAILURE_DAYS)
    failed = deployments.filter(state__in=FAILURES, created_at__gte=began)
    reasons = list(failed.values_list("error_code").annotate(count=Count("pk")).order_by("-count", "error_code"))
    there = {"state__exact": [state.value for state in FAILURES], "created_at_from": first.isoformat()}
    numbers = [
        Figure(code or "without a code", count, list_url(Deployment, **there, error_code__exact=code), "bad")
        for code, count in reasons[:MOST_REASONS]
    ]
    failures = sum(count for _, count in reasons)
    whole = Figure("failed in all", failures, list_url(Deployment, **there), "bad") if reasons else None
    title = f"Failed within {FAILURE_DAYS} days, by reason"
    return Panel(title, "counts", numbers, whole=whole, empty="Nothing failed.")


def _by_day(deployments: QuerySet[Deployment]) -> Panel:
    first, began = _since(DAYS)
    ended = deployments.filter(created_at__gte=began, state__in=ENDED)
    counted = ended.values_list(TruncDate("created_at"), "state").annotate(Count("pk"))
    by_day = {(day, state): count for day, state, count in counted}
    tallest = max((sum(by_day.get((day, state), 0) for _, (state, *_), _ in FLEET) for day, _ in by_day), default=1)
    days = []
    for day in (first + timedelta(days=number) for number in range(DAYS)):
        where = {
            "created_at_from": day.isoformat(),
            "created_at_to": day.isoformat(),
            "state__exact": [state.value for state in ENDED],
        }
        parts = [
            Figure(label, count, "", tone, 100 * count / tallest)
            for label, (state, *_), tone in FLEET
            if (count := by_day.get((day, state), 0))
        ]
        days.append(Day(day.day, date_format(day, "j F"), list_url(Deployment, **where), parts))
    return Panel(f"Deployments of {DAYS} days", "days", days=days if by_day else [], empty="Nothing was deployed.")
