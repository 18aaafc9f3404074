"""Rollouts: started, paused, resumed, stopped, and moved on from wave to wave by the worker that comes first.

The deployments are rows from the start, and those of later waves are held back (`Rollout`). `advance` looks at the rows
and does what is due; it may be called at any time by any number of processes, and a dead one leaves nothing undone.
"""

import secrets
from datetime import timedelta
from time import monotonic
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from contacts_app.core.actor import Actor
from contacts_app.core.counted import counted
from contacts_app.core.database import hash_joins
from contacts_app.core.errors import Refusal
from contacts_app.core.work import clock
from contacts_app.core.work.apart import apart
from contacts_app.core.work.lease import lock_unlocked
from contacts_app.core.work.queue import PENALTY
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.deployment.gates import hold, release
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.inventory.models import Phone
from phones_app.inventory.services import Selection
from phones_app.rollout.aims import check_aim
from phones_app.rollout.counting import count_anew, kept_numbers, outdated
from phones_app.rollout.events import tell
from phones_app.rollout.gate import end, end_waiting, in_window, released_next
from phones_app.rollout.models import Rollout, RolloutState, Sequel
from phones_app.rollout.planning import begin
from phones_app.rollout.standing import FAILED, IN_CALL, NOT_STARTED, UNCONFIRMED
from profiles_app.phone.models import PhoneProfile


def start(
    *,
    selection: Selection,
    profile: PhoneProfile | None,
    actor: Actor,
    pace: Rollout | None = None,
    include_unchanged: bool = False,
) -> Rollout:
    """Save `pace` as a rollout to these phones, with a deployment for each that fits and does not have the file yet.

    Where the phones are many a worker plans it, and until then it is in the state `planning`. Raises Refusal.
    """
    rollout = pace or Rollout()
    check_aim(rollout, profile)
    rollout.account_id = actor.account.pk if actor.account else None
    rollout.profile, rollout.profile_name = profile, profile.name if profile else ""
    rollout.requested_by, rollout.user, rollout.channel = actor.label, actor.user, actor.channel
    begin(rollout, selection, include_unchanged=include_unchanged)
    return rollout


def pause(rollout: Rollout) -> None:
    """Restart no more phones; those that were told go on. Raises Refusal unless it runs."""
    _change(rollout, RolloutState.RUNNING, RolloutState.PAUSED, "paused")


def pause_running() -> None:
    """All that run, because the portal was restored: phones that had their turn since the backup are not to have it again
    before somebody has looked.
    """
    for rollout in running():
        pause(rollout)
    for rollout in Rollout.objects.filter(state=RolloutState.PLANNING):
        cancel(rollout, reason="The portal was restored while it was being planned.")


def resume(rollout: Rollout) -> None:
    """Go on where it was paused. Raises Refusal unless it is paused."""
    _change(rollout, RolloutState.PAUSED, RolloutState.RUNNING, "resumed")
    nudge_after_commit(DEPLOYMENTS)


def cancel(rollout: Rollout, *, reason: str = "") -> None:
    """End it: phones that were not told to restart yet never are. Raises Refusal when it is over."""
    with transaction.atomic():
        locked = Rollout.objects.select_for_update().get(pk=rollout.pk)
        if not locked.is_open:
            raise _not_so(locked, "cancelled")
        end(locked, RolloutState.CANCELLED, reason)
    rollout.refresh_from_db()


def retry_failed(rollout: Rollout, *, actor: Actor) -> Rollout:
    """A new rollout, at the same pace, to the phones that failed or were not confirmed. Raises Refusal."""
    return _again(rollout, FAILED | UNCONFIRMED, Refusal("nothing-failed", "No phone of this rollout failed."), actor)


def continue_rest(rollout: Rollout, *, actor: Actor) -> Rollout:
    """A new rollout, at the same pace, to the phones that this one ended before. Raises Refusal."""
    return _again(rollout, NOT_STARTED, Refusal("nothing-left", "No phone of this rollout was left out."), actor)


def _again(rollout: Rollout, which: Q, none: Refusal, actor: Actor) -> Rollout:
    if rollout.is_open:
        raise Refusal("rollout-open", "The rollout has not ended yet.")
    chosen = rollout.deployments.filter(which)
    if not chosen.exists():
        raise none
    if rollout.profile is None and rollout.profile_name:
        raise Refusal("profile-deleted", "The profile of this rollout was deleted.")
    again = Rollout(**{name: getattr(rollout, name) for name in PACE}, name=rollout.name, retry_of=rollout)
    again.load = rollout.load
    # A phone that went to another account since is nothing of this one's any more.
    own = chosen.filter(account=F("phone__account"))
    selection = Selection(Phone.objects.filter(pk__in=own.values("phone")))
    return start(selection=selection, profile=rollout.profile, actor=actor, pace=again, include_unchanged=True)


# The fields that say how fast and how far a rollout goes: what its planner chooses, and what a retry takes over.
PACE = (
    "canary_size", "wave_size", "server_limit", "site_limit", "wave_pause", "wave_jitter", "window_start",
    "window_end", "abort_count", "abort_percent", "unconfirmed_fails",
)  # fmt: skip


def running() -> "QuerySet[Rollout]":
    return Rollout.objects.filter(state=RolloutState.RUNNING)


# Those that broke, by their UUIDs, and until when (monotonic) this process lets them be: they come five times a second.
_rests_until: dict[UUID, float] = {}


def advance_all() -> None:
    """Move every running rollout on as far as it may go now. One that breaks keeps no other from that."""
    for pk, uuid in running().values_list("pk", "uuid"):
        if _rests_until.get(uuid, 0.0) > monotonic():
            continue
        with apart("moving a rollout on broke", rollout=str(uuid)):
            advance(pk)
            continue
        _rests_until[uuid] = monotonic() + PENALTY.total_seconds()


@transaction.atomic
def advance(pk: int) -> None:
    """One step of one rollout: end it, open its next wave, or let more phones of the present one go."""
    rollout = lock_unlocked(running().filter(pk=pk)).select_related("account").first()
    if rollout is None:
        return
    numbers = kept_numbers(rollout)
    if numbers is None or not numbers.left:
        if rollout.load:
            end_waiting(rollout)
        numbers = count_anew(rollout)
    parts, opened = numbers.parts, numbers.opened
    if reason := _too_much_failed(rollout, opened["failed"], opened["phones"]):
        end(rollout, RolloutState.ABORTED, reason)
        return
    is_late = bool(rollout.ends_at and rollout.ends_at <= clock.now() and not parts["loading"])
    if is_late or not numbers.left:
        end(rollout, RolloutState.FINISHED, "Its end has come." if numbers.left else "")
        count_anew(rollout)  # for lists, which tell how many failed
        return
    opens = not opened["under_way"] and numbers.following is not None
    if opens:
        _open_wave(rollout, numbers.following)
    if not in_window(rollout, clock.now()):
        if parts["queued"] or parts["in_call"]:
            _hold_back(rollout)
    elif opens or opened["held"]:
        _release(rollout)


def _open_wave(rollout: Rollout, wave: int | None) -> None:
    """Open the next wave once the pause after the present one is over."""
    now = clock.now()
    if rollout.wave and rollout.next_wave_at is None:
        # In milliseconds; by chance, so that rollouts begun together do not stay together.
        jitter = secrets.randbelow(rollout.wave_jitter * 1000 + 1) / 1000
        rollout.next_wave_at = now + timedelta(seconds=rollout.wave_pause + jitter)
    if rollout.next_wave_at is None or rollout.next_wave_at <= now:
        rollout.wave, rollout.next_wave_at = wave or rollout.wave, None
    rollout.save(update_fields=["wave", "next_wave_at"])


def _release(rollout: Rollout) -> None:
    """Let held-back phones of the open waves go, as many as the limits leave room for."""
    opened = rollout.deployments_where(wave__lte=rollout.wave, sequel__in=(Sequel.NONE, Sequel.PENDING))
    with hash_joins():
        if rollout.server_limit is None and rollout.site_limit is None:
            release(opened)
            outdated(rollout)
            return
        keys = released_next(rollout)
    release(Deployment.objects.filter(pk__in=keys))


def _too_much_failed(rollout: Rollout, failed: int, opened: int) -> str:
    """Why the rollout must stop, "" when it need not. Of the phones in the waves opened so far."""
    if rollout.abort_count is not None and failed >= rollout.abort_count:
        ends = "1 ends" if rollout.abort_count == 1 else f"{rollout.abort_count:,} end"
        return f"{counted(failed, 'phone')} failed; {ends} the rollout."
    if rollout.abort_percent is not None and failed and failed * 100 >= rollout.abort_percent * opened:
        return f"{failed:,} of {counted(opened, 'phone')} failed; {rollout.abort_percent} % end the rollout."
    return ""


def _hold_back(rollout: Rollout) -> None:
    """Of what was let go, what has not begun; and a phone whose call ends now is not restarted either."""
    with hash_joins():
        hold(rollout.deployments_where().filter(Q(state=State.QUEUED) | IN_CALL))


def _change(rollout: Rollout, before: RolloutState, after: RolloutState, verb: str) -> None:
    with transaction.atomic():
        locked = Rollout.objects.select_for_update().get(pk=rollout.pk)
        if locked.state != before:
            raise _not_so(locked, verb)
        locked.state, locked.reason = after, ""
        locked.save(update_fields=["state", "reason"])
        if after == RolloutState.PAUSED:
            _hold_back(locked)
            tell(locked)
        outdated(locked)
    rollout.refresh_from_db()


def _not_so(rollout: Rollout, verb: str) -> Refusal:
    is_now = rollout.get_state_display().lower()
    return Refusal(f"rollout-not-{verb}", f"The rollout is {is_now}, so it cannot be {verb}.")
