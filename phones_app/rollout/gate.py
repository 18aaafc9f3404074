"""Which phones of a rollout may go on: the limits at each file server and in each location, the window, and the gate that
stops a deployment whose rollout was paused or has ended, also one that was just uploaded.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from uuid import UUID

import structlog
from django.db.models import Count, F, Q, QuerySet

from contacts_app.core.database import hash_joins
from contacts_app.core.lists.among import among
from contacts_app.core.work import clock
from contacts_app.people.zones import zone_of_account
from phones_app.deployment.gates import Closed
from phones_app.deployment.models import DUE, HELD, Deployment, State
from phones_app.deployment.transitions import cancelled
from phones_app.inventory.models import Presence
from phones_app.rollout.counting import outdated
from phones_app.rollout.events import tell
from phones_app.rollout.models import Rollout, RolloutMember, RolloutPlanning, RolloutState, Sequel
from phones_app.rollout.standing import AWAY, IN_CALL, LOADING

log = structlog.get_logger(__name__)
# The phone does not answer at its address, or another one does.
GONE = (Presence.UNREACHABLE, Presence.ANOTHER)
# What is under way for the limits: a phone that loads firmware needs its server and its network as much.
UNDER_WAY = (DUE & ~AWAY & ~IN_CALL) | LOADING


def released_next(rollout: Rollout) -> list[int]:
    """The keys of those held deployments of the open waves for which the limits leave room, in each place."""
    of_rollout = rollout.deployments_to_count()
    held = of_rollout.filter(HELD, ~AWAY, in_rollout__wave__lte=rollout.wave)
    under_way = of_rollout.filter(UNDER_WAY)
    at_server: defaultdict[int | None, int] = defaultdict(int)
    at_site: defaultdict[str, int] = defaultdict(int)
    for server, site, number in _by_place(under_way):
        at_server[server] += number
        at_site[site] += number
    keys: list[int] = []
    for server, site, number in _by_place(held):
        room = number
        if rollout.server_limit is not None:
            room = min(room, rollout.server_limit - at_server[server])
        # Phones without a location are not in one place.
        if rollout.site_limit is not None and site:
            room = min(room, rollout.site_limit - at_site[site])
        if room > 0:
            there = held.filter(in_rollout__file_server=server, in_rollout__site=site)
            keys += there.order_by("pk").values_list("pk", flat=True)[:room]
            at_server[server] += room
            at_site[site] += room
    return keys


def _by_place(rows: "QuerySet[Deployment]") -> "QuerySet[Deployment, tuple[int | None, str, int]]":
    return rows.order_by().values_list("in_rollout__file_server", "in_rollout__site").annotate(number=Count("pk"))


# What a deployment waits for that was about to go on when its rollout was paused, or its window ended.
TO_GO_ON = Closed("its rollout to go on")
TO_COME_BACK = Closed("the phone to come back")
SEEN_SINCE = Q(deployment__phone__last_seen_at__gt=F("deployment__phone__presence_since"))


def closed_by_rollout(deployments: Mapping[Deployment, UUID], *, is_last: bool = False) -> Mapping[Deployment, Closed]:
    """Which of these deployments, with the UUIDs of their rollouts, these do not let go on as they are now (`Gate`)."""
    rows = Rollout.objects.select_related("account").defer("refused").filter(uuid__in=set(deployments.values()))
    if is_last:
        rows = rows.select_for_update(no_key=True, of=("self",)).order_by("pk")
    rollouts = {rollout.uuid: rollout for rollout in rows}
    closed = {uuid: _closed(rollout) for uuid, rollout in rollouts.items()}
    # Those of one that was deleted meanwhile are of none.
    found = {row: closed[uuid] for row, uuid in deployments.items() if uuid in closed}
    firmware = [row for row, why in found.items() if why is None and rollouts[deployments[row]].load]
    gone = _wait_for_phones([row.pk for row in firmware if row.state == State.QUEUED])
    found |= {row: TO_COME_BACK for row in firmware if row.pk in gone}
    return {row: why for row, why in found.items() if why}


def _wait_for_phones(keys: Sequence[int]) -> set[int]:
    """Of these deployments, which bring firmware, those whose phones are away: they wait, and hold up nobody else."""
    if not keys:
        return set()
    rows = RolloutMember.objects.filter(deployment__in=among(keys), deployment__phone__presence__in=GONE)
    # What has fetched its file since is there, whatever its status page says.
    gone = dict(rows.exclude(SEEN_SINCE).values_list("pk", "deployment"))
    RolloutMember.objects.filter(pk__in=among(list(gone))).update(sequel=Sequel.AWAY, sequel_since=clock.now())
    return set(gone.values())


def end_waiting(rollout: Rollout) -> None:
    """Let those phones take their turn again that were waited for and have been seen since."""
    away = rollout.members.filter(sequel=Sequel.AWAY, deployment__finished_at=None)
    seen = away.filter(deployment__phone__last_seen_at__gt=F("sequel_since"))
    keys = list(seen.values_list("pk", flat=True))
    rollout.members.filter(pk__in=among(keys), sequel=Sequel.AWAY).update(sequel=Sequel.PENDING, sequel_since=None)


def _closed(rollout: Rollout) -> Closed | None:
    if not rollout.is_open:
        return ended(rollout)
    is_open = rollout.state == RolloutState.RUNNING and in_window(rollout, clock.now())
    return None if is_open else TO_GO_ON


def ended(rollout: Rollout) -> Closed:
    """Why phones that were not told to restart when the rollout ended never are."""
    return Closed(f"The rollout was {rollout.get_state_display().lower()}.", f"rollout-{rollout.state}")


def end(rollout: Rollout, state: RolloutState, reason: str) -> None:
    """The rollout, which is locked, is over: nothing of it begins any more."""
    now = clock.now()
    rollout.state, rollout.reason, rollout.finished_at = state, reason[:255], now
    rollout.save(update_fields=["state", "reason", "finished_at"])
    RolloutPlanning.objects.filter(pk=rollout.pk).delete()
    outdated(rollout)
    why = ended(rollout)
    with hash_joins():
        cancelled(rollout.deployments_where(), error=why.reason, code=why.code)
        if rollout.load:
            # Nothing follows what was not sent.
            rollout.members.filter(deployment__state=State.CANCELLED).update(sequel=Sequel.NONE)
    tell(rollout)
    log.info("rollout ended", rollout=str(rollout.uuid), state=state, reason=reason)


def in_window(rollout: Rollout, moment: datetime) -> bool:
    """Whether work may begin at this moment; the window's ends are times of day where the account is."""
    start, end = rollout.window_start, rollout.window_end
    if start is None or end is None:
        return True
    local: time = moment.astimezone(zone_of_account(rollout.account)).time()
    # From a time to the same time is the whole day, as it is from midnight to midnight.
    return start <= local < end if start < end else local >= start or local < end
