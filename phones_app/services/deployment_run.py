"""Carrying deployments out: claim due rows, take each through its steps, let go. Any number of workers may do this.

A claim is a lease: `lease_owner` and `lease_until` on the row, renewed by a heartbeat while the process lives. A worker
that is killed stops renewing; another one takes the row over and goes on in the state where it stands.
"""

import uuid
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from contacts_app.authorship import Author, authored
from contacts_app.services.heartbeat import Heartbeat
from phones_app.models import Deployment, DeploymentStep, Sweep
from phones_app.models.deployment import State, StepState
from phones_app.services.deployment import no_live_lease
from phones_app.services.deployment_event import FAILED, tell
from phones_app.services.nudge import nudge
from phones_app.services.rollout import advance_all
from phones_app.services.steps import STEPS, Failed, LeaseLost, Wait, perform, record
from phones_app.transports.ftp_pool import FtpPool

log = structlog.get_logger(__name__)
# After an unexpected error the row rests, so that it cannot keep a worker busy for ever.
PENALTY = timedelta(minutes=1)


def run_due(stopped: Callable[[], bool] = lambda: False) -> int:
    """Carry out all deployments that are due now; how many were worked on. Once `stopped`, no more are taken."""
    owner = uuid.uuid4().hex
    most = settings.DEPLOYMENT_THREADS
    advance_all()
    first = [] if stopped() else claim(owner, most)
    if not first:
        return 0
    with closing(FtpPool()) as pool, Heartbeat(_held_by(owner)), ThreadPoolExecutor(most) as threads:
        lanes = {threads.submit(_lane, pk, owner, pool, stopped) for pk in first}
        worked = 0
        while lanes:
            ended, lanes = wait(lanes, timeout=0.5, return_when=FIRST_COMPLETED)
            worked += sum(lane.result() for lane in ended)
            # Each lane goes on by itself; this adds lanes for what came due while some were free.
            advance_all()
            more = [] if stopped() or not lanes else claim(owner, most - len(lanes))
            lanes |= {threads.submit(_lane, pk, owner, pool, stopped) for pk in more}
        return worked


def _lane(pk: int | None, owner: str, pool: FtpPool, stopped: Callable[[], bool]) -> int:
    """One deployment after the other on one thread and one database connection, until none is due."""
    worked = 0
    try:
        while pk is not None:
            _run(pk, owner, pool)
            worked += 1
            pk = None if stopped() else next(iter(claim(owner, 1)), None)
    except DatabaseError:
        # What this lane held comes free with its lease; the sweep finds it.
        log.exception("the database went away")
    finally:
        connection.close()
    return worked


def sweep() -> int:
    """Find rows that are due although nobody was nudged for them; how many there are. Notes that it ran."""
    Sweep.objects.update_or_create(name="deployments", defaults={"ran_at": timezone.now()})
    advance_all()
    due = _due().count()
    if due:
        nudge()
    return due


def _due() -> QuerySet[Deployment]:
    now = timezone.now()
    # A queued deployment waits while another one of its phone is in the middle of something.
    busy = Deployment.objects.filter(phone=OuterRef("phone"), finished_at=None).exclude(state=State.QUEUED)
    busy = busy.filter(Q(waiting_for="") | Q(lease_until__gte=now, lease_owner__gt=""))
    return (
        Deployment.objects.filter(finished_at=None, next_attempt_at__lte=now)
        .filter(no_live_lease())
        .filter(~Q(state=State.QUEUED) | ~Exists(busy))
    )


@transaction.atomic
def claim(owner: str, limit: int) -> list[int]:
    """Take up to `limit` due deployments under our lease; their keys. Of several workers each row goes to one."""
    if limit <= 0:
        return []
    # SQLite knows no row locks and needs none: its transactions follow one another.
    due = _due().order_by("next_attempt_at")
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    # Whoever waits for one phone need not wait for the thousands of a rollout.
    rows: list[tuple[int, int | None, str]] = []
    for some in (due.filter(rollout=None), due.filter(rollout__isnull=False)):
        if left := limit - len(rows):
            rows += some.values_list("pk", "phone", "state")[:left]
    # What waits and what is to take its place are due together; the newer one comes when the older was looked at.
    moving = {phone for _, phone, state in rows if state != State.QUEUED}
    keys = [pk for pk, phone, state in rows if state != State.QUEUED or phone not in moving]
    if keys:
        until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
        Deployment.objects.filter(pk__in=keys).update(lease_owner=owner, lease_until=until)
    return keys


def _held_by(owner: str) -> QuerySet[Deployment]:
    return Deployment.objects.filter(lease_owner=owner, finished_at=None)


def _run(pk: int, owner: str, pool: FtpPool) -> None:
    try:
        run_one(pk, owner, pool)
    except LeaseLost:
        log.info("deployment taken over by another worker", deployment=pk)
    except Exception:
        log.exception("deployment step broke", deployment=pk)
        _let_go(pk, owner, PENALTY, "another try after an internal error")


def run_one(pk: int, owner: str, pool: FtpPool) -> None:
    """Take one claimed deployment through its steps until it ends or waits."""
    deployment = (
        Deployment.objects.select_related(
            "account", "phone__file_server", "phone__call_manager", "profile", "revision", "rollout"
        )
        .filter(pk=pk, lease_owner=owner, finished_at=None)
        .first()
    )
    if deployment is None:
        raise LeaseLost
    wish = Author(deployment.requested_by, "task", deployment.user_id, reason=f"Deployment {deployment.uuid}")
    with authored(lambda: wish):
        _carry_out(deployment, owner, pool)


def _carry_out(deployment: Deployment, owner: str, pool: FtpPool) -> None:
    while deployment.finished_at is None:
        kind = STEPS[deployment.state][1]
        try:
            perform(deployment, pool)
        except Wait as pause:
            with transaction.atomic():
                if (
                    _let_go(deployment.pk, owner, pause.pause, pause.reason)
                    and deployment.state != State.QUEUED
                ):
                    record(deployment, kind, StepState.WAITING, f"Waits for {pause.reason}.")
            return
        except Failed as failure:
            _fail(deployment, kind, failure)
            return


def _fail(deployment: Deployment, kind: DeploymentStep.Kind, failure: Failed) -> None:
    with transaction.atomic():
        held = Deployment.objects.filter(
            pk=deployment.pk, lease_owner=deployment.lease_owner, finished_at=None
        )
        if not held.update(
            state=State.FAILED,
            error=failure.message,
            error_code=failure.code,
            finished_at=timezone.now(),
            waiting_for="",
            lease_owner="",
        ):
            raise LeaseLost
        deployment.state, deployment.error, deployment.error_code = (
            State.FAILED,
            failure.message,
            failure.code,
        )
        tell(deployment, FAILED)
        record(
            deployment,
            kind,
            StepState.FAILED,
            failure.message,
            request=failure.request,
            answer=failure.answer,
        )
    log.info("deployment failed", deployment=str(deployment.uuid), code=failure.code, mac=deployment.mac)


def _let_go(pk: int, owner: str, pause: timedelta, reason: str) -> bool:
    """Give the row back until later; whether it was still ours."""
    held = Deployment.objects.filter(pk=pk, lease_owner=owner, finished_at=None)
    later = timezone.now() + pause
    return bool(
        held.update(lease_owner="", lease_until=None, next_attempt_at=later, waiting_for=reason[:255])
    )
