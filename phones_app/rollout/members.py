"""The phones of a rollout with their deployments, which are stored held; and the next one of a phone that gets more."""

from typing import Any

from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import one_line
from contacts_app.core.lists.insert import insert_many
from contacts_app.core.work import clock
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.configuration.rendering import revisions_for
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.deployment.transitions import queued, requested
from phones_app.inventory.models import Phone
from phones_app.rollout.aims import Aim
from phones_app.rollout.models import Rollout, RolloutMember, Sequel
from phones_app.rollout.plan import Planned, refuse


def asked_by(rollout: Rollout, **what: Any) -> Deployment:
    """A deployment of it, not stored yet, which is held until its turn."""
    return requested(
        held=True,
        in_batch=True,
        requested_by=rollout.requested_by,
        user=rollout.user,
        channel=rollout.channel,
        reason=one_line(f"Rollout {rollout}"),
        **what,
    )


def store(rows: list[tuple[Planned, int]], rollout: Rollout, aim: Aim | None) -> None:
    """Deployments for these phones, and in which wave each of them is; they are held until their wave opens."""
    stored = queued(
        [
            asked_by(
                rollout,
                account_id=one.account,
                phone_id=one.phone,
                mac=one.mac,
                profile_id=one.profile,
                profile_name=one.profile_name,
                revision_id=one.revision,
                sha256=one.sha256,
            )
            for one, _ in rows
        ],
        phones=[one.phone for one, _ in rows],
    )
    places = {one.phone: (one, wave) for one, wave in rows}
    members = []
    for deployment in stored:
        one, wave = places[deployment.phone_id or 0]
        member = RolloutMember(rollout=rollout, deployment=deployment, wave=wave, site=one.site)
        member.file_server_id, member.sequel = one.server, Sequel.PENDING if aim else Sequel.NONE
        members.append(member)
    insert_many(members)
    if aim is not None:
        aim.begun(members, {one.phone: one.way for one, _ in rows})


def count_refused(rollout: Rollout, refused: list[tuple[str, Refusal]]) -> None:
    """What was refused since the plan was made is counted with what it has refused."""
    groups = {group["code"]: group for group in rollout.refused}
    for mac, why in refused:
        refuse(groups, mac, why)
    rollout.refused, rollout.total = list(groups.values()), rollout.total - len(refused)
    rollout.save(update_fields=["refused", "total"])


def deploy_load(member: RolloutMember, phone: Phone, load: str) -> None:
    """The phone gets its file with this firmware, in its place in the rollout and within its limits. Raises Refusal.

    In the transaction of the caller, who has locked the member.
    """
    file = revisions_for([phone], store=True, loads={phone.pk: load})[phone.pk]
    if isinstance(file, Refusal):
        raise file
    deployment = asked_by(
        member.rollout,
        account_id=phone.account_id,
        phone=phone,
        mac=phone.mac,
        profile=file.profile,
        profile_name=file.profile.name,
        revision=file.revision,
        sha256=file.sha256,
    )
    [member.deployment] = queued([deployment], phones=[phone.pk])
    set_sequel(member, Sequel.PENDING)
    nudge_after_commit(DEPLOYMENTS)


def set_sequel(member: RolloutMember, sequel: Sequel, code: str = "", error: str = "") -> None:
    """This is what follows the deployment of the phone."""
    member.sequel, member.sequel_since = sequel, clock.now()
    member.sequel_code, member.sequel_error = code, error
    member.save(update_fields=["deployment", "sequel", "sequel_since", "sequel_code", "sequel_error"])
