"""The steps of one deployment: upload, clear the service session, restart, confirm (phone profiles spec §5).

Each step function is given a claimed deployment in the state it starts from, does its one thing and moves the row on. It
raises Wait to be called again later and Failed to end the deployment. Every move is one of `transitions`, which change
nothing for a worker that lost its lease.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from contacts_app.core.errors import Refusal, TransportError
from contacts_app.core.work.lease import LeaseLost
from phones_app.deployment import evidence, transitions
from phones_app.deployment.models import CALL_TO_END, Deployment, DeploymentStep, State, StepState
from phones_app.deployment.record import Note, Uploaded, steps_of
from phones_app.deployment.restart import choose, line_user, look_at
from phones_app.inventory.models import Phone
from phones_app.inventory.services import file_server_of
from phones_app.servers.services import ftp_target
from phones_app.transports.ftp.pool import FtpPool
from profiles_app.phone import sep

# After a crash between sending a restart and recording it, evidence of the restart is awaited this long before it is
# sent again: a phone that got it fetches its file within seconds.
DOUBT_SECONDS = 10
Kind = DeploymentStep.Kind


class Wait(Exception):
    """Nothing to do now; look again after `pause`."""

    def __init__(self, pause: timedelta, reason: str) -> None:
        super().__init__(reason)
        self.pause, self.reason = pause, reason


class Failed(Exception):
    """The deployment ends here."""

    def __init__(self, code: str, message: str, request: str = "", answer: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.request, self.answer = code, message, request, answer


def ensure_ours(moved: list[Deployment]) -> None:
    """Raises LeaseLost unless the transition changed the one deployment that it was for."""
    if not moved:
        raise LeaseLost


def phone_of(deployment: Deployment) -> Phone:
    if deployment.phone is None:
        raise Failed("phone-deleted", "The phone was deleted.")
    return deployment.phone


def begin(deployment: Deployment, pool: FtpPool) -> None:
    """queued -> uploading (or straight to the restart), once nothing else is under way for this phone."""
    try:
        ensure_ours(transitions.started([deployment]))
    except IntegrityError:
        raise Wait(timedelta(seconds=0.2), "another deployment of this phone") from None


def upload(deployment: Deployment, pool: FtpPool) -> None:
    """uploading -> uploaded, which is the end of an upload without a restart.

    Done again after a crash it finds its own file there and stores nothing.
    """
    phone, revision = phone_of(deployment), deployment.revision
    if revision is None:
        raise Failed("profile-deleted", "The profile was deleted.")
    server = file_server_of(phone)
    with pool.session(ftp_target(server)) as session:
        result = session.upload(
            sep.file_name(phone.mac),
            bytes(revision.content),
            keep_backups=server.keep_backups,
            read_back=server.read_back,
            watch=sep.watched(phone.mac, revision.facts),
        )
    beside = sep.beside(phone.mac, revision.facts, result.present, runs=phone.software_version)
    ensure_ours(transitions.uploaded({deployment: Uploaded(server, result, beside)}))


def clear_session(deployment: Deployment, pool: FtpPool) -> None:
    """uploaded -> session_cleared, in one transaction."""
    ensure_ours(transitions.session_cleared([deployment]))


def restart(deployment: Deployment, pool: FtpPool) -> None:
    """session_cleared -> restarting -> restart_acknowledged, never in a call and never another phone."""
    phone = phone_of(deployment)
    situation = look_at(phone)
    if situation.in_call:
        waiting_since = steps_of(deployment)[Kind.RESTART].started_at
        if timezone.now() - waiting_since > timedelta(seconds=settings.CALL_WAIT_SECONDS):
            raise Failed("in-call", "The phone was in a call for longer than restarts wait.")
        raise Wait(timedelta(seconds=settings.CALL_POLL_SECONDS), CALL_TO_END)
    detail: dict[str, Any] = {"note": situation.note}
    if status := situation.status:
        detail |= {"load": status.load, "directory_number": status.directory_number, "had_status_page": True}
    ensure_ours(transitions.restarting({deployment: detail}))
    _send(deployment, phone)


def resume_restart(deployment: Deployment, pool: FtpPool) -> None:
    """restarting, taken over after a crash: the restart may have been sent, so evidence is looked for first."""
    phone = phone_of(deployment)
    if evidence.fetched(deployment):
        message = "Sent before the worker died: the phone fetched its file."
        ensure_ours(transitions.acknowledged({deployment: Note(Kind.RESTART, StepState.DONE, message)}))
        return
    since = timezone.now() - deployment.restarted_at if deployment.restarted_at else timedelta.max
    if since < timedelta(seconds=DOUBT_SECONDS):
        raise Wait(timedelta(seconds=0.5), "evidence of a restart that may have been sent")
    if not (fetches_are_seen(deployment) or choose(phone, deployment.revision).is_idempotent(since)):
        message = "A worker died while it told the phone to restart. It may have heard, so it is not told again."
        raise Failed("restart-in-doubt", message)
    # Evidence of this one is awaited from now on, however long no worker was there.
    ensure_ours(transitions.restarting({deployment: {}}))
    _send(deployment, phone)


def fetches_are_seen(deployment: Deployment) -> bool:
    """Whether the file server told us of the phone's fetch, so that none means that it was not restarted."""
    upload = steps_of(deployment).get(Kind.UPLOAD)
    return upload is not None and bool(upload.detail.get("fetches_seen"))


def _send(deployment: Deployment, phone: Phone) -> None:
    # By SIP, the same transaction again after a crash is a retransmission for the phone and no second restart.
    sent = choose(phone, deployment.revision).send(
        user=line_user(deployment, phone, steps_of(deployment)), transaction=deployment.uuid.hex
    )
    accepted = Note(
        Kind.RESTART,
        StepState.DONE,
        f"Accepted ({sent.method}).",
        request=sent.exchange.request,
        answer=sent.exchange.answer,
        detail={"method": sent.method} | sent.remembered,
    )
    ensure_ours(transitions.acknowledged({deployment: accepted}))


def confirm(deployment: Deployment, pool: FtpPool) -> None:
    """restart_acknowledged -> confirmed with evidence; without any in good time it ends unconfirmed."""
    rows = steps_of(deployment)
    remembered, step = rows[Kind.RESTART].detail, rows[Kind.CONFIRM]
    noticed = {"had_status_page": remembered.get("had_status_page", False)} | step.detail
    found = evidence.fetched(deployment) or evidence.registered_anew(deployment, remembered)
    if not found and not fetches_are_seen(deployment):
        # Where fetches are seen nothing less is taken.
        found = evidence.came_back(deployment, noticed)
    if found:
        ensure_ours(transitions.confirmed({deployment: found}))
        return
    since = deployment.restarted_at or timezone.now()
    if timezone.now() - since > timedelta(seconds=settings.CONFIRM_SECONDS):
        ensure_ours(transitions.unconfirmed({deployment: noticed}))
        return
    step.detail = noticed
    raise Wait(evidence.look_pause(since, told=fetches_are_seen(deployment)), "evidence that the phone took its file")


Step = Callable[[Deployment, FtpPool], None]
# Which step a deployment is in, by its state: its function, and its row for what goes wrong.
STEPS: dict[str, tuple[Step, Kind]] = {
    State.QUEUED: (begin, Kind.UPLOAD),
    State.UPLOADING: (upload, Kind.UPLOAD),
    State.UPLOADED: (clear_session, Kind.CLEAR_SESSION),
    State.SESSION_CLEARED: (restart, Kind.RESTART),
    State.RESTARTING: (resume_restart, Kind.RESTART),
    State.RESTART_ACKNOWLEDGED: (confirm, Kind.CONFIRM),
}


def perform(deployment: Deployment, pool: FtpPool) -> None:
    """The step that the state calls for; whatever went wrong on the wire comes out as Failed."""
    function, _ = STEPS[deployment.state]
    try:
        function(deployment, pool)
    except TransportError as error:
        raise Failed(error.code, error.message, error.request, error.answer) from None
    except Refusal as refusal:
        raise Failed(refusal.code, refusal.message) from None
