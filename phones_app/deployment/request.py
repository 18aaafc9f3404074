"""Deployments as rows: requested, cancelled, retried, and which of them are due. They are carried out in `run`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.work import clock
from contacts_app.core.work.lease import no_live_lease
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.configuration.rendering import Rendered, revision_for, revisions_for
from phones_app.deployment import transitions
from phones_app.deployment.models import OPEN, Deployment, State
from phones_app.inventory.models import Phone
from phones_app.inventory.services import FileServerLookup, file_server_of
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, ProfileRevision, is_made
from profiles_app.phone.services import check_content, check_suits

# The queue of the workers that carry deployments out (`run`).
DEPLOYMENTS = "deployments"
BATCH = 500
# Of a dry run so many files that were made for phones are kept, to be shown.
KEPT = 50
# So many phones are named in a sentence.
NAMED = 10
# The permission of those who put files on phones and restart them; who chooses a profile for that has to see it.
MAY_DEPLOY = "phones_app.add_deployment"
MAY_DEPLOY_PROFILES = (MAY_DEPLOY, "profiles_app.view_phoneprofile")
# The file of a phone, or why it has none.
File = ProfileRevision | Refusal


@dataclass
class Deployed:
    """What became of a request for many phones: rows made, and phones refused with the reason."""

    deployments: list[Deployment] = field(default_factory=list)
    refused: list[tuple[Phone, Refusal]] = field(default_factory=list)


def check_fits(phone: Phone, profile: PhoneProfile) -> None:
    """Whether this profile may go to this phone, as far as can be told without reading its file. Raises Refusal."""
    if profile.revision_id is None and not is_made(profile):
        raise Refusal("profile-is-empty", f"The profile {profile.name} has no file.")
    if not phone.is_active:
        raise Refusal("phone-inactive", f"The phone {phone.mac_with_colons} is inactive.")
    check_suits(profile, account=phone.account_id, model=phone.model, software_type=phone.software_type)


def check_compatible(phone: Phone, profile: PhoneProfile, revision: ProfileRevision | None = None) -> list[sep.Finding]:
    """Whether this profile may go to this phone; the file's warnings for this phone. Raises Refusal.

    Without a revision it is asked for what the phone would get now.
    """
    check_fits(phone, profile)
    revision = revision or revision_for(phone, profile, store=False).revision
    return check_content(bytes(revision.content), model=phone.model, software_type=phone.software_type)


def deploy(*, phone: Phone, profile: PhoneProfile, actor: Actor) -> Deployment:
    """Ask for the profile's latest revision on the phone. Raises Refusal."""
    return _only(deploy_many(phones=[phone], profile=profile, actor=actor))


def deploy_many(*, phones: Sequence[Phone], profile: PhoneProfile, actor: Actor, dry_run: bool = False) -> Deployed:
    """Ask for the profile on every phone that it fits; the others come back with the reason."""
    servers = FileServerLookup()

    def check(phone: Phone) -> None:
        check_fits(phone, profile)
        servers.of(phone)

    def revise(batch: Sequence[Phone]) -> Mapping[int, File]:
        if profile.revision is not None and not is_made(profile):
            return dict.fromkeys((phone.pk for phone in batch), profile.revision)
        made = revisions_for(batch, profile, store=not dry_run)
        return {key: file.revision if isinstance(file, Rendered) else file for key, file in made.items()}

    return _request(phones, check, revise, actor, dry_run, profile=profile)


def restart_many(*, phones: Sequence[Phone], actor: Actor, dry_run: bool = False) -> Deployed:
    """Ask for a restart without an upload."""

    def check(phone: Phone) -> None:
        if not phone.is_active:
            raise Refusal("phone-inactive", f"The phone {phone.mac_with_colons} is inactive.")

    return _request(phones, check, None, actor, dry_run, profile=None)


def retry(deployment: Deployment, *, actor: Actor) -> Deployment:
    """The same revision to the same phone once more. Raises Refusal when it is open, or phone or revision are gone."""
    if deployment.is_open:
        raise Refusal("deployment-open", "The deployment has not ended yet.")
    if deployment.phone is None:
        raise Refusal("phone-deleted", "The phone of this deployment was deleted.")
    if deployment.phone.account_id != deployment.account_id:
        raise Refusal("another-account", "The phone of this deployment went to another account.")
    if deployment.kind == Deployment.Kind.RESTART:
        return _only(restart_many(phones=[deployment.phone], actor=actor), retry_of=deployment)
    profile, revision = deployment.profile, deployment.revision
    if profile is None or revision is None:
        raise Refusal("profile-deleted", "The profile of this deployment was deleted.")

    def check(phone: Phone) -> None:
        check_fits(phone, profile)
        file_server_of(phone)

    same = {deployment.phone.pk: revision}
    asked = _request([deployment.phone], check, lambda _: same, actor, dry_run=False, profile=profile)
    return _only(asked, retry_of=deployment)


def put_off(deployment: Deployment, until: datetime) -> None:
    """Have a deployment begin then, in the transaction that asked for it."""
    deployment.next_attempt_at = until
    deployment.save(update_fields=["next_attempt_at"])


def cancel(deployment: Deployment) -> None:
    """End a deployment that is queued or waits for a call to end. Raises Refusal when it is under way or over."""
    cancelled = transitions.cancelled(Deployment.objects.filter(pk=deployment.pk))
    deployment.refresh_from_db()
    if not cancelled:
        reason = (
            "is being carried out" if deployment.is_open else f"has already ended ({deployment.get_state_display()})"
        )
        raise Refusal("not-cancellable", f"The deployment {reason}.")


def _only(asked: Deployed, retry_of: Deployment | None = None) -> Deployment:
    if asked.refused:
        raise asked.refused[0][1]
    if not asked.deployments:
        raise Refusal("phone-deleted", "The phone was deleted meanwhile.")
    deployment = asked.deployments[0]
    if retry_of is not None:
        deployment.retry_of = retry_of
        deployment.save(update_fields=["retry_of"])
    return deployment


def _request(
    phones: Sequence[Phone],
    check: Callable[[Phone], None],
    revise: Callable[[Sequence[Phone]], Mapping[int, File]] | None,
    actor: Actor,
    dry_run: bool,
    profile: PhoneProfile | None,
) -> Deployed:
    """`check` raises Refusal for a phone that gets nothing; `revise` gives the files, None: none is uploaded."""
    asked = Deployed()
    for start in range(0, len(phones), BATCH):
        batch = [phone for phone in phones[start : start + BATCH] if _passes(phone, check, asked)]
        files = revise(batch) if revise else {}
        taken, rows = [], []
        for phone in batch:
            revision = _checked(phone, files.get(phone.pk))
            if isinstance(revision, Refusal):
                asked.refused.append((phone, revision))
                continue
            taken.append(phone)
            rows.append(request_of(phone, actor, profile, revision))
            if dry_run and revision and revision.pk is None and len(asked.deployments) + len(rows) > KEPT:
                revision.content = b""  # as many files as there are phones
        asked.deployments += rows if dry_run else _store(taken, rows)
    return asked


def _passes(phone: Phone, check: Callable[[Phone], None], asked: Deployed) -> bool:
    try:
        check(phone)
    except Refusal as refusal:
        asked.refused.append((phone, refusal))
        return False
    return True


def _checked(phone: Phone, file: File | None) -> File | None:
    """A file that was made was checked for its phone then; one that was written is checked for each phone here."""
    if file is None or isinstance(file, Refusal) or file.rendered_for:
        return file
    try:
        check_content(bytes(file.content), model=phone.model, software_type=phone.software_type)
    except Refusal as refusal:
        return refusal
    return file


def request_of(
    phone: Phone,
    actor: Actor,
    profile: PhoneProfile | None,
    revision: ProfileRevision | None,
    kind: Deployment.Kind | None = None,
) -> Deployment:
    """A deployment that is not stored yet; without a profile it is a mere restart."""
    return transitions.requested(
        account_id=phone.account_id,
        kind=kind or (Deployment.Kind.DEPLOY if profile else Deployment.Kind.RESTART),
        phone=phone,
        mac=phone.mac,
        profile=profile,
        profile_name=profile.name if profile else "",
        revision=revision,
        sha256=revision.sha256 if revision else "",
        requested_by=actor.label,
        user=actor.user,
        channel=actor.channel,
    )


@transaction.atomic
def _store(phones: Iterable[Phone], rows: list[Deployment]) -> list[Deployment]:
    created = transitions.queued(rows, phones=[phone.pk for phone in phones])
    nudge_after_commit(DEPLOYMENTS)
    return created


def due(now: Any = None) -> "QuerySet[Deployment]":
    """Open deployments that are due and that no worker has claimed; `now` may be an expression."""
    now = clock.now() if now is None else now
    # A queued deployment waits while another one of its phone is in the middle of something.
    busy = Deployment.objects.filter(phone=OuterRef("phone"), finished_at=None).exclude(state=State.QUEUED)
    busy = busy.filter(Q(waiting_for="") | Q(lease_until__gte=now, lease_owner__gt=""))
    return (
        Deployment.objects.filter(finished_at=None, next_attempt_at__lte=now)
        .filter(no_live_lease(now))
        .filter(~Q(state=State.QUEUED) | ~Exists(busy))
    )


def in_batches(due: "QuerySet[Deployment]") -> "QuerySet[Deployment]":
    """Those of the due deployments that are uploaded in batches."""
    return due.filter(in_batch=True, state=State.QUEUED, kind=Deployment.Kind.DEPLOY)


def deployments_under_way(accounts: Sequence[Account]) -> list[str]:
    """A phone whose file or restart is on its way would be left half done; what is only queued goes along."""
    taken = ~(Q(state=State.QUEUED) & no_live_lease())
    running = Deployment.objects.filter(taken, OPEN, account__in=accounts)
    number = running.count()
    if not number:
        return []
    names = ", ".join(sep.colons(mac) for mac in running.order_by("mac").values_list("mac", flat=True)[:NAMED])
    what = "1 deployment is" if number == 1 else f"{number} deployments are"
    return [f"{what} under way, to {names}{' …' if number > NAMED else ''}"]
