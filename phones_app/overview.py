"""The fleet at a glance: phones by state, presence and drift, running rollouts, what failed and why."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format

from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import list_url, page_of
from contacts_app.core.admin.overview import Day, Figure, Panel, panels_about, shares
from contacts_app.core.tally.service import Tallied
from phones_app.deployment.models import FAILURES, Deployment, FileState, State
from phones_app.inventory.models import Phone, Presence
from phones_app.rollout.models import Rollout, RolloutState
from phones_app.rollout.progress import progress_of
from phones_app.tallies import DAYS, DEPLOYMENTS, ENDED, PHONES, since

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
PRESENCE_TONES = {
    Presence.REACHABLE: "good",
    Presence.UNREACHABLE: "bad",
    Presence.ANOTHER: "bad",
    Presence.NEVER: "gone",
}
FILE_TONES = {FileState.IN_PLACE: "good", FileState.CHANGED: "bad", FileState.MISSING: "bad"}


def panels(request: HttpRequest) -> list[Panel]:
    actor = actor_of(request)

    def of_deployments(rows: QuerySet[Deployment]) -> list[Panel]:
        numbers = DEPLOYMENTS.numbers(actor, rows)
        return [_by_day(numbers), _by_reason(numbers)]

    return [
        *panels_about(request, Phone, lambda rows: _of_phones(PHONES.numbers(actor, rows))),
        *panels_about(request, Rollout, _of_rollouts),
        *panels_about(request, Deployment, of_deployments),
    ]


def _of_phones(numbers: Tallied) -> list[Panel]:
    by_state = numbers.where(0)
    fleet = [
        Figure(label, sum(by_state[state] for state in states), _phones_in(states), tone)
        for label, states, tone in FLEET
    ]
    # Such as those of the demo: they hold files that no deployment has put there.
    held = sum(number for (state, _, file), number in numbers.by.items() if state is None and file is not None)
    there = {"last_deployment__isnull": True}
    none = by_state[None] - held
    fleet.append(Figure("hold their first file", held, list_url(Phone, **there, file__isnull=False), "rest"))
    fleet.append(Figure("not deployed", none, list_url(Phone, **there, file__isnull=True), "gone"))
    empty = "There are no phones yet."
    return [
        Panel("Phones by their last deployment", "bar", shares(fleet), empty=empty, at=numbers.at),
        _by(numbers, 1, "Phones by reachability", "presence", PRESENCE_TONES, empty),
        _by(numbers, 2, "Files on the file servers", "file__state", FILE_TONES, "No file was uploaded yet."),
    ]


def _by(counted: Tallied, place: int, title: str, field: str, tones: Mapping[Any, str], empty: str) -> Panel:
    """Phones by the value of a field that the list of phones can be filtered by."""
    by_value = counted.where(place)
    numbers = [
        Figure(state.label.lower(), by_value[state.value], list_url(Phone, **{f"{field}__exact": state.value}), tone)
        for state, tone in tones.items()
    ]
    return Panel(title, "bar", shares(numbers), empty=empty, at=counted.at)


def _phones_in(states: tuple[State, ...]) -> str:
    return list_url(Phone, last_deployment__state__exact=[state.value for state in states])


def _of_rollouts(rollouts: QuerySet[Rollout]) -> list[Panel]:
    open_ones = rollouts.filter(state__in=OPEN)
    numbers = [_of_rollout(rollout) for rollout in open_ones.order_by("-created_at")[:MOST_ROLLOUTS]]
    there = list_url(Rollout, state__exact=[state.value for state in OPEN])
    whole = Figure("running or paused", open_ones.count(), there) if numbers else None
    return [Panel("Rollouts", "progress", numbers, whole=whole, empty="No rollout is running.")]


def _of_rollout(rollout: Rollout) -> Figure:
    ended = progress_of(rollout).ended
    return Figure(
        str(rollout),
        ended,
        page_of(rollout),
        "wait" if rollout.state == RolloutState.PAUSED else "busy",
        100 * ended / (rollout.total or 1),
        f"{rollout.get_state_display()}, {ended} of {rollout.total} phones",
    )


def _by_reason(counted: Tallied) -> Panel:
    first, _ = since(FAILURE_DAYS)
    by_code: Counter[str] = Counter()
    for (day, state, code), number in counted.by.items():
        if state in FAILURES and day >= first.isoformat():
            by_code[code] += number
    reasons = sorted(by_code.items(), key=lambda reason: (-reason[1], reason[0]))
    there = {"state__exact": [state.value for state in FAILURES], "created_at_from": first.isoformat()}
    numbers = [
        Figure(code or "without a code", count, list_url(Deployment, **there, error_code__exact=code), "bad")
        for code, count in reasons[:MOST_REASONS]
    ]
    failures = by_code.total()
    whole = Figure("failed in all", failures, list_url(Deployment, **there), "bad") if reasons else None
    title = f"Failed within {FAILURE_DAYS} days, by reason"
    return Panel(title, "counts", numbers, whole=whole, empty="Nothing failed.", at=counted.at)


def _by_day(counted: Tallied) -> Panel:
    first, _ = since(DAYS)
    by_day: Counter[tuple[str, str]] = Counter()
    for (day, state, _code), number in counted.by.items():
        by_day[day, state] += number
    tallest = max((sum(by_day[day, state] for _, (state, *_), _ in FLEET) for day, _ in by_day), default=1)
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
            if (count := by_day[day.isoformat(), state])
        ]
        days.append(Day(day.day, date_format(day, "j F"), list_url(Deployment, **where), parts))
    title, empty = f"Deployments of {DAYS} days", "Nothing was deployed."
    return Panel(title, "days", days=days if by_day else [], empty=empty, at=counted.at)
