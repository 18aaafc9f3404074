"""Planning a rollout: at once where few phones are chosen, else by a worker, which may die at any moment.

The chosen phones are written down with the rollout. A worker looks at each, which changes nothing, and writes down in one
transaction who gets what in which wave; then it stores their deployments, some hundred at a time, and takes those phones
off the list. Each of these transactions is under the rollout's lock and asks for the lease, so the rows that are left are
exactly what is still to be done.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import Author, authored, current_author, following
from contacts_app.core.history.records import insert_from
from contacts_app.core.lists.among import among
from contacts_app.core.lists.insert import insert_many
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from contacts_app.core.work.lease import LeaseLost, no_live_lease
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.deployment.request import BATCH, DEPLOYMENTS
from phones_app.inventory.models import Phone
from phones_app.inventory.services import Selection
from phones_app.rollout.aims import Way, aim_of
from phones_app.rollout.counting import count_due
from phones_app.rollout.events import tell
from phones_app.rollout.gate import end
from phones_app.rollout.made_files import with_stored_files
from phones_app.rollout.members import count_refused, store
from phones_app.rollout.models import ChosenPhone, Rollout, RolloutPlanning, RolloutState
from phones_app.rollout.plan import Planned, RolloutPlan, make_plan, refuse
from phones_app.servers.models import FileServer
from profiles_app.phone.models import PhoneProfile

log = structlog.get_logger(__name__)
ROLLOUTS = "rollouts"
# So many phones are planned within the request; with files that are made for them it takes them half a second.
AT_ONCE = 200
# What of a planned phone its deployment is stored from.
KEPT = ("account", "mac", "site", "server", "profile", "profile_name", "revision", "sha256")


@transaction.atomic
def begin(rollout: Rollout, selection: Selection, *, include_unchanged: bool) -> None:
    """Store a rollout to these phones, and plan it if they are few; else a worker will. Raises Refusal."""
    refused: dict[str, dict[str, Any]] = {}
    for mac in selection.unknown:
        refuse(refused, mac, Refusal("unknown-phone", "There is no phone with this MAC address."))
    rollout.refused = list(refused.values())
    chosen = selection.phones.order_by()
    is_small = chosen.values("pk")[: AT_ONCE + 1].count() <= AT_ONCE
    rollout.state = RolloutState.RUNNING if is_small else RolloutState.PLANNING
    if rollout.account_id is None:
        accounts = chosen.values_list("account", flat=True).distinct()[:2]
        rollout.account_id = accounts[0] if len(accounts) == 1 else None
    rollout.save()
    planning = RolloutPlanning.objects.create(
        rollout=rollout,
        include_unchanged=include_unchanged,
        request_id=current_author().request_id,
        next_attempt_at=clock.now(),
    )
    planning.chosen = rollout.total = insert_from(chosen, ChosenPhone, planning=planning.pk, phone=F("pk"))
    planning.save(update_fields=["chosen"])
    rollout.save(update_fields=["total"])
    if is_small:
        _plan(planning)
        rollout.refresh_from_db()
    else:
        nudge_after_commit(ROLLOUTS)


class RolloutPlannings(Work):
    name = "rollout-planning"
    queue = ROLLOUTS
    model = RolloutPlanning
    account = "rollout__account"

    @classmethod
    def due(cls) -> "QuerySet[RolloutPlanning]":
        return RolloutPlanning.objects.filter(next_attempt_at__lte=clock.now()).filter(no_live_lease())

    @classmethod
    def sweep(cls) -> int:
        count_due()
        return super().sweep()

    def do(self, keys: Sequence[int]) -> None:
        for planning in self.held(keys).select_related("rollout__profile", "rollout__user"):
            rollout = planning.rollout
            author = Author(rollout.requested_by, "task", rollout.user_id)
            with authored(lambda author=author: author), following(planning.request_id):  # type: ignore[misc]
                self._plan(planning)

    def _plan(self, planning: RolloutPlanning) -> None:
        try:
            _plan(planning)
        except Refusal as refusal:
            # What was asked for was possible then.
            with transaction.atomic():
                end(_locked(planning), RolloutState.ABORTED, refusal.message)


def _plan(planning: RolloutPlanning) -> None:
    """Go on where it stands, to the end. Raises Refusal and LeaseLost."""
    rollout = planning.rollout
    if not planning.is_laid_out:
        _check_profile(rollout)
        chosen = Phone.objects.filter(pk__in=planning.phones.values("phone"))
        _lay_out(
            planning,
            make_plan(
                selection=Selection(chosen),
                profile=rollout.profile,
                pace=rollout,
                include_unchanged=planning.include_unchanged,
                note=partial(_note, planning),
            ),
        )
    while _store_next(planning):
        pass
    log.info("rollout planned", rollout=str(rollout.uuid), phones=planning.chosen)


def _note(planning: RolloutPlanning, looked_at: int) -> None:
    """So many phones were looked at. Raises LeaseLost."""
    if not _held(planning).update(looked_at=looked_at):
        raise LeaseLost


def _held(planning: RolloutPlanning) -> "QuerySet[RolloutPlanning]":
    return RolloutPlanning.objects.filter(pk=planning.pk, lease_owner=planning.lease_owner)


def _locked(planning: RolloutPlanning) -> Rollout:
    """The rollout under its lock, with its planning, which is seen to be ours still. Raises LeaseLost."""
    rollout = Rollout.objects.select_for_update(of=("self",)).select_related("profile", "user").get(pk=planning.pk)
    if not _held(planning).select_for_update().values_list("pk"):
        raise LeaseLost
    return rollout


def _check_profile(rollout: Rollout) -> None:
    """Without its profile it would be a rollout of each phone's own. Raises Refusal."""
    if rollout.profile is None and rollout.profile_name:
        raise Refusal("profile-deleted", "The profile was deleted while the rollout was being planned.")


@transaction.atomic
def _lay_out(planning: RolloutPlanning, plan: RolloutPlan) -> None:
    """Write down who gets what in which wave; the other phones are counted, and done with."""
    rollout = _locked(planning)
    planning.phones.all().delete()
    insert_many(
        [
            ChosenPhone(planning=planning, phone_id=one.phone, wave=wave, gets=_kept(one))
            for wave, planned in enumerate(plan.waves, 1)
            for one in planned
        ]
    )
    rollout.total, rollout.waves, rollout.unchanged = plan.total, len(plan.waves), plan.unchanged
    rollout.refused = sorted([*rollout.refused, *plan.refused], key=lambda group: -group["phones"])
    rollout.save(update_fields=["total", "waves", "unchanged", "refused"])
    planning.is_laid_out, planning.looked_at = True, planning.chosen
    planning.save(update_fields=["is_laid_out", "looked_at"])


def _kept(one: Planned) -> dict[str, Any]:
    return {name: getattr(one, name) for name in KEPT} | {"loads": one.way.loads}


def _planned(row: ChosenPhone) -> Planned:
    gets = dict(row.gets or {})
    way = Way(tuple(gets.pop("loads")))
    return Planned(phone=row.phone_id, model="", way=way, **gets)


@transaction.atomic
def _store_next(planning: RolloutPlanning) -> bool:
    """Deployments for the next phones on the list; False: there were none, and the rollout begins."""
    rollout = _locked(planning)
    _check_profile(rollout)
    # In one order for all, so that two rollouts at once do not wait for each other's phones in a circle.
    rows = list(planning.phones.order_by("phone")[:BATCH])
    if not rows:
        _finish(rollout, planning)
        return False
    refused: list[tuple[str, Refusal]] = []
    there = _still_there([(_planned(row), row.wave or 1) for row in rows], refused)
    store(list(with_stored_files(there, rollout.profile, refused)), rollout, aim_of(rollout))
    if refused:
        count_refused(rollout, refused)
    ChosenPhone.objects.filter(pk__in=among([row.pk for row in rows])).delete()
    return True


def _still_there(rows: list[tuple[Planned, int]], refused: list[tuple[str, Refusal]]) -> list[tuple[Planned, int]]:
    """Those whose profile and file server have not been deleted since they were looked at, and that are still the same
    phones of the same accounts: a file holds the credentials of its account.
    """
    phones = Phone.objects.filter(pk__in=among([one.phone for one, _ in rows]))
    was = {one.phone: (one.account, one.mac) for one, _ in rows}
    moved = {key for key, *now in phones.values_list("pk", "account", "mac") if tuple(now) != was[key]}
    profiles = set(_keys(PhoneProfile.objects.all(), [one.profile for one, _ in rows]))
    servers = set(_keys(FileServer.objects.all(), [one.server for one, _ in rows]))
    found = []
    for one, wave in rows:
        if one.profile not in profiles:
            refused.append((one.mac, Refusal("profile-deleted", "The profile of the phone was deleted meanwhile.")))
        elif one.server not in servers:
            refused.append((one.mac, Refusal("no-file-server", "The file server was deleted meanwhile.")))
        elif one.phone in moved:
            refused.append(
                (one.mac, Refusal("phone-changed", "The phone got another account or MAC address meanwhile."))
            )
        else:
            found.append((one, wave))
    return found


def _keys(rows: "QuerySet[Any]", keys: list[int]) -> Iterable[int]:
    return rows.filter(pk__in=among(list(set(keys)))).values_list("pk", flat=True)


def _finish(rollout: Rollout, planning: RolloutPlanning) -> None:
    # Phones may have been deleted meanwhile.
    rollout.total = rollout.members.count()
    rollout.state = RolloutState.RUNNING
    if not rollout.total:
        rollout.state, rollout.finished_at = RolloutState.FINISHED, clock.now()
        rollout.reason = f"No phone gets a file: {rollout.unchanged} had it already, {rollout.refused_total} refused."
    rollout.save(update_fields=["state", "total", "reason", "finished_at"])
    planning.delete()
    if rollout.total:
        tell(rollout)
        nudge_after_commit(DEPLOYMENTS)
