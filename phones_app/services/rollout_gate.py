"""When a rollout lets its phones go on: while it runs, and within its window."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from phones_app.models import Deployment, Rollout, RolloutMember, RolloutState
from phones_app.services.gates import Closed

# What a deployment waits for that was about to go on when its rollout was paused, or its window ended.
TO_GO_ON = Closed("its rollout to go on")


def closed_by_rollout(deployments: Sequence[Deployment]) -> Mapping[Deployment, Closed]:
    """Which of these deployments their rollouts, as they are now, do not let go on."""
    members = RolloutMember.objects.filter(deployment__in=deployments).select_related("rollout__account")
    rollouts = {member.deployment_id: member.rollout for member in members.defer("rollout__refused")}
    found = {row: _closed(rollouts[row.pk]) for row in deployments if row.pk in rollouts}
    return {row: closed for row, closed in found.items() if closed}


def _closed(rollout: Rollout) -> Closed | None:
    if not rollout.is_open:
        return ended(rollout)
    is_open = rollout.state == RolloutState.RUNNING and in_window(rollout, timezone.now())
    return None if is_open else TO_GO_ON


def ended(rollout: Rollout) -> Closed:
    """Why phones that were not told to restart when the rollout ended never are."""
    return Closed(f"The rollout was {rollout.get_state_display().lower()}.", f"rollout-{rollout.state}")


def in_window(rollout: Rollout, moment: datetime) -> bool:
    """Whether work may begin at this moment; the window's ends are times of day where the account is."""
    start, end = rollout.window_start, rollout.window_end
    if start is None or end is None:
        return True
    local: time = moment.astimezone(zone_of(rollout)).time()
    # From a time to the same time is the whole day, as it is from midnight to midnight.
    return start <= local < end if start < end else local >= start or local < end


def zone_of(rollout: Rollout) -> ZoneInfo:
    return ZoneInfo(rollout.account.time_zone if rollout.account else settings.TIME_ZONE)
