"""How many more phones of a rollout may be under way at once, at each file server and in each location."""

from collections import defaultdict

from django.db.models import Count, Q, QuerySet

from phones_app.models import Deployment, Rollout
from phones_app.models.deployment import CALL_TO_END, State

# A call may last for hours; the phone's restart waits for its end, and neither the next wave nor a limit waits along.
IN_CALL = Q(state=State.SESSION_CLEARED, waiting_for=CALL_TO_END)
Place = tuple[int | None, str]


def room_in(rollout: Rollout, held: "QuerySet[Deployment]") -> dict[Place, int]:
    """How many more phones may be under way in each place (file server and site) where some are held back."""
    under_way = rollout.deployments.filter(finished_at=None, next_attempt_at__isnull=False).exclude(IN_CALL)
    at_server: defaultdict[int | None, int] = defaultdict(int)
    at_site: defaultdict[str, int] = defaultdict(int)
    for server, site, number in _by_place(under_way):
        at_server[server] += number
        at_site[site] += number
    room: dict[Place, int] = {}
    for server, site, number in _by_place(held):
        free = [number]
        if rollout.server_limit is not None:
            free.append(rollout.server_limit - at_server[server])
        # Phones whose place nobody noted are not in one place.
        if rollout.site_limit is not None and site:
            free.append(rollout.site_limit - at_site[site])
        if (most := min(free)) > 0:
            room[server, site] = most
            at_server[server] += most
            at_site[site] += most
    return room


def _by_place(rows: "QuerySet[Deployment]") -> "QuerySet[Deployment, tuple[int | None, str, int]]":
    return (
        rows.order_by()
        .values_list("in_rollout__file_server", "in_rollout__site")
        .annotate(number=Count("pk"))
    )


def first_of(held: "QuerySet[Deployment]", place: Place, room: int) -> "QuerySet[Deployment, int]":
    there = held.filter(in_rollout__file_server=place[0], in_rollout__site=place[1])
    return there.order_by("pk").values_list("pk", flat=True)[:room]
