"""The steps of one deployment: upload, clear the service session, restart, confirm (phone profiles spec §5).

Each step function is given a claimed deployment in the state it starts from, does its one thing and moves the row on. It
raises Wait to be called again later and Failed to end the deployment. Every move is one of `transitions`, which change
nothing for a worker that lost its lease.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError

from contacts_app.core.errors import Exchange, Refusal, TransportError
from contacts_app.core.work import clock
from contacts_app.core.work.lease import LeaseLost
from phones_app.deployment import evidence, transitions, ways
from phones_app.deployment.companions import Beside, findings_beside, watched
from phones_app.deployment.gates import Carrier, Failed, Wait, as_told, ensure_ours, step_of
from phones_app.deployment.identity import check_address, is_shown, known_lines, line_user, other_lines, without_proof
from phones_app.deployment.models import CALL_TO_END, FOR_STAFF, Deployment, DeploymentStep, State, StepState
from phones_app.deployment.record import Note, Uploaded, read_back_later, steps_of
from phones_app.deployment.refusals import DOUBT_SECONDS, may_be_told_again, refused
from phones_app.deployment.restart import PASSING, Situation, choose, first_contact, look_at
from phones_app.deployment.transitions import Rest
from phones_app.inventory.models import Phone
from phones_app.inventory.services import file_server_of
from phones_app.servers.services import ftp_target
from phones_app.transports.ftp.folder import OVERTAKEN
from phones_app.transports.restart.strategies import NO_LINE, RestartStrategy, Sent
from profiles_app.phone import sep

# So long an Asterisk is waited for that cannot be asked before a restart, so often it is tried.
ASTERISK_SECONDS, ASTERISK_PAUSE = 60, timedelta(seconds=2)
# How an upload fails at a server that is restarted just now, and how often it is tried again.
AWAY, AWAY_PAUSE = ("refused", "disconnected", "unreachable"), timedelta(seconds=2)
EVIDENCE = "evidence that the phone took its file"
Kind = DeploymentStep.Kind


def phone_of(deployment: Deployment) -> Phone:
    if deployment.phone is None:
        raise Failed("phone-deleted", "The phone was deleted.")
    if deployment.phone.account_id != deployment.account_id:
        raise Failed("phone-changed", "The phone went to another account.")
    return deployment.phone


def begin(deployment: Deployment, carrier: Carrier) -> None:
    """queued -> uploading (or straight to the restart), once nothing else is under way for this phone."""
    try:
        ensure_ours(transitions.started([deployment]))
    except IntegrityError:
        raise Wait(timedelta(seconds=0.2), "another deployment of this phone") from None


def upload(deployment: Deployment, carrier: Carrier) -> None:
    """uploading -> uploaded, which is the end of an upload without a restart.

    Done again after a crash it finds its own file there and stores nothing.
    """
    phone, revision = phone_of(deployment), deployment.revision
    if revision is None:
        raise Failed("profile-deleted", "The profile was deleted.")
    server = file_server_of(phone)
    if deployment.waiting_for:
        ensure_ours(transitions.uploading_again([deployment]))
    if carrier.takes_over:
        read_back_later([phone.pk])
    name = sep.file_name(phone.mac, sep.file_format(phone.model, revision.facts))
    try:
        with carrier.pool.session(ftp_target(server)) as session:
            result = session.upload(
                name,
                bytes(revision.content),
                keep_backups=server.keep_backups,
                read_back=server.read_back,
                watch=watched(server, phone, phone.mac, revision.facts),
                may_still=partial(carrier.fence.holds, deployment.pk),
                takes_over=carrier.takes_over,
            )
    except TransportError as error:
        told = as_told(deployment, Kind.UPLOAD, server, error)
        _try_again(deployment, error.code, told)
        raise told from None
    seen = Beside(phone.mac, revision.facts, server, result.present, phone, phone.account_id)
    [beside] = findings_beside([seen])
    ensure_ours(transitions.uploaded({deployment: Uploaded(server, result, beside, carrier.takes_over)}))


def _try_again(deployment: Deployment, code: str, error: TransportError) -> None:
    """A server that is away may be back in a moment, as it is when it is restarted. Returns if that took too long."""
    if code == OVERTAKEN:
        raise LeaseLost
    step, now = step_of(deployment, Kind.UPLOAD), clock.now()
    away_since = datetime.fromisoformat(step.detail.setdefault("away_since", now.isoformat()))
    if code in AWAY and now - away_since < timedelta(seconds=settings.UPLOAD_RETRY_SECONDS):
        step.request, step.answer = error.request, error.answer
        raise Wait(AWAY_PAUSE, f"the file server: {error.message}")


def clear_session(deployment: Deployment, carrier: Carrier) -> None:
    """uploaded -> session_cleared, in one transaction."""
    ensure_ours(transitions.session_cleared([deployment]))


def restart(deployment: Deployment, carrier: Carrier) -> None:
    """session_cleared -> restarting -> restart_acknowledged, never in a call and never another phone."""
    phone = phone_of(deployment)
    if _has_fetched(deployment):
        return
    situation = _look(deployment, phone)
    detail: dict[str, Any] = {"note": situation.note}
    if situation.for_staff:
        detail[FOR_STAFF] = situation.for_staff
    if status := situation.status:
        detail |= {"load": status.load, "directory_number": status.directory_number, "had_status_page": True}
    ensure_ours(transitions.restarting({deployment: detail}))
    _send(deployment, phone, situation, carrier)


def _has_fetched(deployment: Deployment) -> bool:
    """Whether the phone has its file already, as one that was just starting: then there is nothing to restart it for."""
    found = evidence.fetched(deployment)
    if found:
        ensure_ours(transitions.confirmed({deployment: found}))
    return found is not None


def _look(deployment: Deployment, phone: Phone) -> Situation:
    """Who is there and whether somebody talks on it, right before a restart."""
    check_address(phone)
    waiting = clock.now() - steps_of(deployment)[Kind.RESTART].started_at
    try:
        situation = look_at(phone, line_user(deployment, phone, steps_of(deployment)))
    except TransportError as error:
        told = as_told(deployment, Kind.RESTART, phone.call_manager, error)
        if error.code in PASSING and waiting < timedelta(seconds=ASTERISK_SECONDS):
            raise Wait(ASTERISK_PAUSE, told.message) from None
        raise told from None
    if situation.in_call:
        if waiting > timedelta(seconds=settings.CALL_WAIT_SECONDS):
            raise Failed("in-call", "The phone was in a call for longer than restarts wait.")
        raise Wait(timedelta(seconds=settings.CALL_POLL_SECONDS), CALL_TO_END)
    return situation


def resume_restart(deployment: Deployment, carrier: Carrier) -> None:
    """restarting, not for the first time: the restart was refused, or a worker died that may have sent it.

    Evidence is looked for first in either case.
    """
    phone, step = phone_of(deployment), steps_of(deployment)[Kind.RESTART]
    if code := step.detail.get("error_code"):
        if _has_fetched(deployment):
            return
        if may_be_told_again(deployment, code):
            _send_again(deployment, phone, carrier, tries=step.detail.get("tries", 0) + 1, error="", error_code="")
            return
        error = TransportError(step.detail["error"], code=code, exchange=Exchange(step.request, step.answer))
        refused(deployment, phone, error)
        return
    if evidence.fetched(deployment):
        message = "Sent before the worker died: the phone fetched its file."
        ensure_ours(transitions.acknowledged({deployment: Note(Kind.RESTART, StepState.DONE, message)}))
        return
    since = clock.now() - deployment.restarted_at if deployment.restarted_at else timedelta.max
    if since < timedelta(seconds=DOUBT_SECONDS):
        raise Wait(timedelta(seconds=0.5), "evidence of a restart that may have been sent")
    if not (evidence.fetches_are_seen(deployment) or choose(phone, deployment.revision).is_idempotent(since)):
        message = "A worker died while it told the phone to restart. It may have heard, so it is not told again."
        raise Failed("restart-in-doubt", message)
    _send_again(deployment, phone, carrier)


def _send_again(deployment: Deployment, phone: Phone, carrier: Carrier, **detail: Any) -> None:
    situation = _look(deployment, phone)
    # Evidence of this one is awaited from now on, however long no worker was there.
    ensure_ours(transitions.restarting({deployment: detail}))
    _send(deployment, phone, situation, carrier)


def _send(deployment: Deployment, phone: Phone, situation: Situation, carrier: Carrier) -> None:
    """Tell the phone to restart, or leave it to `resume_restart` to see whether it fetches its file all the same."""
    strategy, steps = choose(phone, deployment.revision), steps_of(deployment)
    if not known_lines(deployment, phone, steps):
        strategy = first_contact(strategy, phone)
    if not is_shown(phone, situation):
        strategy = without_proof(strategy, phone, situation.note)
    try:
        sent = tell(strategy, deployment, phone, carrier)
    except TransportError as error:
        refused(deployment, phone, error)
        return
    accepted = Note(
        Kind.RESTART,
        StepState.DONE,
        sent.message,
        request=sent.exchange.request,
        answer=sent.exchange.answer,
        detail={"method": sent.method} | sent.remembered,
    )
    ensure_ours(transitions.acknowledged({deployment: accepted}, rests=_rest(deployment, sent)))


def _rest(deployment: Deployment, sent: Sent) -> Rest | None:
    """How long a worker need not look for evidence; None where no fetches are told of, or registrations are read."""
    if not evidence.fetches_are_seen(deployment) or sent.remembered.get("contact"):
        return None
    noticed = {"had_status_page": steps_of(deployment)[Kind.RESTART].detail.get("had_status_page", False)}
    return Rest(evidence.evidence_pause(clock.now(), told=True), EVIDENCE, noticed)


def tell(strategy: RestartStrategy, deployment: Deployment, phone: Phone, carrier: Carrier) -> Sent:
    """Ask for the restart; where the phone has no such line, by its other ones. It has surely not heard then."""
    steps = steps_of(deployment)
    user = line_user(deployment, phone, steps)
    # By SIP, the same transaction again after a crash is a retransmission for the phone and no second restart.
    transaction = f"{deployment.uuid.hex}-{steps[Kind.RESTART].detail.get('tries', 0)}"
    carrier.ensure_held(deployment)
    try:
        return strategy.send(user=user, transaction=transaction)
    except TransportError as error:
        if error.code not in NO_LINE:
            raise
        for other in other_lines(deployment, phone, steps, refused=user):
            carrier.ensure_held(deployment)
            try:
                return strategy.send(user=other, transaction=f"{transaction}-{other}")
            except TransportError as again:
                if again.code not in NO_LINE:
                    raise
        raise


def confirm(deployment: Deployment, carrier: Carrier) -> None:
    """restart_acknowledged -> confirmed with evidence; without any in good time it ends unconfirmed."""
    rows = steps_of(deployment)
    remembered, step = rows[Kind.RESTART].detail, rows[Kind.CONFIRM]
    noticed = {"had_status_page": remembered.get("had_status_page", False)} | step.detail
    found = evidence.fetched(deployment)
    if not found and not evidence.fetches_are_seen(deployment):
        # Where fetches are seen nothing less is taken: a phone that registers has restarted, on whatever file it had.
        found = evidence.registered_anew(deployment, remembered) or evidence.came_back(deployment, noticed)
    if found:
        ensure_ours(transitions.confirmed({deployment: found}))
        return
    since = deployment.restarted_at or clock.now()
    if clock.now() - since > timedelta(seconds=settings.CONFIRM_SECONDS):
        ensure_ours(transitions.unconfirmed({deployment: noticed}, stale=ways.stale(deployment)))
        return
    step.detail = noticed
    pause = evidence.evidence_pause(since, told=evidence.fetches_are_seen(deployment))
    if remembered.get("contact"):  # it was sent by Asterisk, perhaps with an old Call-ID
        pause = min(pause, ways.try_another(deployment, noticed) or pause)
    raise Wait(pause, EVIDENCE)


Step = Callable[[Deployment, Carrier], None]
# Which step a deployment is in, by its state: its function, and its row for what goes wrong.
STEPS: dict[str, tuple[Step, Kind]] = {
    State.QUEUED: (begin, Kind.UPLOAD),
    State.UPLOADING: (upload, Kind.UPLOAD),
    State.UPLOADED: (clear_session, Kind.CLEAR_SESSION),
    State.SESSION_CLEARED: (restart, Kind.RESTART),
    State.RESTARTING: (resume_restart, Kind.RESTART),
    State.RESTART_ACKNOWLEDGED: (confirm, Kind.CONFIRM),
}


def perform(deployment: Deployment, carrier: Carrier) -> None:
    """The step that the state calls for; whatever went wrong on the wire comes out as Failed."""
    function, _ = STEPS[deployment.state]
    try:
        function(deployment, carrier)
    except TransportError as error:
        raise Failed(error.code, error.message, error.request, error.answer) from None
    except Refusal as refusal:
        raise Failed(refusal.code, refusal.message) from None
