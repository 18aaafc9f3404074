"""The steps of one deployment: upload, clear the service session, restart, confirm (the seed's order).

Each step function is given a claimed deployment in the state it starts from, does its one thing and moves the row on. It
raises Wait to be called again later and Failed to end the deployment. Every move is an UPDATE of the row in its old state
and under our lease, so that a worker that lost its lease changes nothing.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from contacts_app.core.work.lease import LeaseLost, no_live_lease
from contacts_app.services.errors import Refusal
from contacts_app.services.history import update_recorded
from phones_app import sep
from phones_app.models import Deployment, DeploymentStep, FileServer, Phone
from phones_app.models.deployment import CALL_TO_END, State, StepState
from phones_app.services import evidence
from phones_app.services.deployment_event import CONFIRMED, RESTARTED, UPLOADED, tell
from phones_app.services.drift import note_uploads
from phones_app.services.restart import choose, line_user, look_at
from phones_app.services.service_session import clear_service_session
from phones_app.services.targets import file_server_of, ftp_target
from phones_app.transports import TransportError
from phones_app.transports.ftp import Upload
from phones_app.transports.ftp_pool import FtpPool

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


def move(deployment: Deployment, to: State, **fields: Any) -> None:
    """The row from its state to the next, if it is still ours."""
    held = Deployment.objects.filter(
        pk=deployment.pk, state=deployment.state, lease_owner=deployment.lease_owner, finished_at=None
    )
    if not held.update(state=to, waiting_for="", **fields):
        raise LeaseLost
    for name, value in ({"state": to, "waiting_for": ""} | fields).items():
        setattr(deployment, name, value)


def record(
    deployment: Deployment, kind: Kind, state: StepState, message: str = "", **fields: Any
) -> DeploymentStep:
    """Write down how a step stands; one row per kind of step, `detail` is added to what stands there.

    Always in the transaction of an update that proved that the deployment is still ours.
    """
    now = timezone.now()
    rows = steps_of(deployment)
    step = rows.get(kind) or DeploymentStep(deployment=deployment, kind=kind, started_at=now)
    step.state, step.message = state, message
    step.finished_at = None if state in (StepState.RUNNING, StepState.WAITING) else now
    step.detail = step.detail | fields.pop("detail", {})
    for name, value in fields.items():
        setattr(step, name, value)
    step.save()
    rows[kind] = step
    return step


def steps_of(deployment: Deployment) -> dict[str, DeploymentStep]:
    """The rows of the steps so far, read once while a worker has the deployment."""
    if not hasattr(deployment, "step_rows"):
        deployment.step_rows = {step.kind: step for step in deployment.steps.all()}  # type: ignore[attr-defined]
    return deployment.step_rows  # type: ignore[attr-defined,no-any-return]


def phone_of(deployment: Deployment) -> Phone:
    if deployment.phone is None:
        raise Failed("phone-deleted", "The phone was deleted.")
    return deployment.phone


def begin(deployment: Deployment, pool: FtpPool) -> None:
    """queued -> uploading (or straight to the restart), once nothing else is under way for this phone."""
    now = timezone.now()
    first = State.SESSION_CLEARED if deployment.kind == Deployment.Kind.RESTART else State.UPLOADING
    others = Deployment.objects.filter(phone=deployment.phone_id, finished_at=None).exclude(pk=deployment.pk)
    try:
        with transaction.atomic():
            # What only waits (for a call to end, for evidence) gives way to what is newer.
            idle = others.exclude(state=State.QUEUED).exclude(waiting_for="").filter(no_live_lease())
            DeploymentStep.objects.filter(
                deployment__in=list(idle.values_list("pk", flat=True)), finished_at=None
            ).update(state=StepState.SKIPPED, finished_at=now)
            idle.update(state=State.SUPERSEDED, finished_at=now, waiting_for="")
            move(deployment, first, started_at=now)
            record(deployment, Kind.UPLOAD if first == State.UPLOADING else Kind.RESTART, StepState.RUNNING)
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
            sep.mac.file_name(phone.mac),
            bytes(revision.content),
            keep_backups=server.keep_backups,
            read_back=server.read_back,
        )
    with transaction.atomic():
        now = timezone.now()
        ended = {"finished_at": now} if deployment.kind == Deployment.Kind.UPLOAD else {}
        move(deployment, State.UPLOADED, uploaded_at=now, **ended)
        note_uploads(Deployment.objects.filter(pk=deployment.pk), server, now)
        tell(deployment, UPLOADED)
        record(deployment, Kind.UPLOAD, StepState.DONE, **told_of_upload(server, result))
        update_recorded(
            Phone.objects.filter(pk=phone.pk),
            current_profile_id=deployment.profile_id,
            updated_at=timezone.now(),
        )


def told_of_upload(server: FileServer, result: Upload) -> dict[str, Any]:
    """What the row of the step says of an upload that went well."""
    stored = f"{result.size} bytes to {server.name}."
    return {
        "message": "The same file was there already." if result.unchanged else stored,
        "request": result.exchange.request,
        "answer": result.exchange.answer,
        "detail": {
            "server": server.name,
            "host": f"{server.host}:{server.port}",
            "path": result.path,
            "size": result.size,
            "sha256": result.sha256,
            "unchanged": result.unchanged,
            "backup": result.backup,
            "read_back": result.read_back,
            "seconds": round(result.seconds, 3),
            "replaced_user": _registration_user(result.replaced),
            "fetches_seen": server.is_embedded,
        },
    }


def _registration_user(content: bytes | None) -> str:
    """What a phone with this file registers as, "" when that cannot be told."""
    try:
        return sep.facts(sep.parse(content)).registration_user if content else ""
    except sep.Refused:
        return ""


def clear_session(deployment: Deployment, pool: FtpPool) -> None:
    """uploaded -> session_cleared, in one transaction."""
    with transaction.atomic():
        move(deployment, State.SESSION_CLEARED)
        cleared = clear_service_session(deployment.mac)
        message = "Logged out of the service menu." if cleared else "Nobody was logged in."
        record(deployment, Kind.CLEAR_SESSION, StepState.DONE, message, detail={"cleared": cleared})
        record(deployment, Kind.RESTART, StepState.RUNNING)


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
    with transaction.atomic():
        move(deployment, State.RESTARTING, restarted_at=timezone.now())
        if status := situation.status:
            detail |= {
                "load": status.load,
                "directory_number": status.directory_number,
                "had_status_page": True,
            }
            update_recorded(
                Phone.objects.filter(pk=phone.pk),
                last_seen_at=timezone.now(),
                software_version=status.load,
            )
        record(deployment, Kind.RESTART, StepState.RUNNING, detail=detail)
    _send(deployment, phone)


def resume_restart(deployment: Deployment, pool: FtpPool) -> None:
    """restarting, taken over after a crash: the restart may have been sent, so evidence is looked for first."""
    phone = phone_of(deployment)
    if evidence.fetched(deployment):
        message = "Sent before the worker died: the phone fetched its file."
        with transaction.atomic():
            move(deployment, State.RESTART_ACKNOWLEDGED)
            tell(deployment, RESTARTED)
            record(deployment, Kind.RESTART, StepState.DONE, message)
            record(deployment, Kind.CONFIRM, StepState.RUNNING)
        return
    since = timezone.now() - deployment.restarted_at if deployment.restarted_at else timedelta.max
    if since < timedelta(seconds=DOUBT_SECONDS):
        raise Wait(timedelta(seconds=0.5), "evidence of a restart that may have been sent")
    if not (fetches_are_seen(deployment) or choose(phone, deployment.revision).is_idempotent(since)):
        message = (
            "A worker died while it told the phone to restart. It may have heard, so it is not told again."
        )
        raise Failed("restart-in-doubt", message)
    # Evidence of this one is awaited from now on, however long no worker was there.
    move(deployment, State.RESTARTING, restarted_at=timezone.now())
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
    with transaction.atomic():
        move(deployment, State.RESTART_ACKNOWLEDGED)
        tell(deployment, RESTARTED)
        record(
            deployment,
            Kind.RESTART,
            StepState.DONE,
            f"Accepted ({sent.method}).",
            request=sent.exchange.request,
            answer=sent.exchange.answer,
            detail={"method": sent.method} | sent.remembered,
        )
        record(deployment, Kind.CONFIRM, StepState.RUNNING)


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
        with transaction.atomic():
            move(deployment, State.CONFIRMED, evidence=found, finished_at=timezone.now())
            tell(deployment, CONFIRMED)
            record(
                deployment, Kind.CONFIRM, StepState.DONE, evidence.CONFIRMED_BY[found["kind"]], detail=found
            )
        return
    since = deployment.restarted_at or timezone.now()
    if timezone.now() - since > timedelta(seconds=settings.CONFIRM_SECONDS):
        message = f"No evidence within {settings.CONFIRM_SECONDS:.0f} s that the phone took its file."
        with transaction.atomic():
            move(
                deployment,
                State.RESTART_ACKNOWLEDGED,
                finished_at=timezone.now(),
                error=message,
                error_code="no-evidence",
            )
            record(deployment, Kind.CONFIRM, StepState.FAILED, message, detail=noticed)
        return
    step.detail = noticed
    raise Wait(
        evidence.look_pause(since, told=fetches_are_seen(deployment)), "evidence that the phone took its file"
    )


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
