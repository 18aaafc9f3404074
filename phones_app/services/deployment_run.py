"""Carrying deployments out: claim due rows, take each through its steps, let go. Any number of workers may do this.

A claim is a lease: `lease_owner` and `lease_until` on the row, renewed by a heartbeat while the process lives. A worker
that is killed stops renewing; another one takes the row over and goes on in the state where it stands.
"""

import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import timedelta
from time import monotonic

import structlog
from django.conf import settings
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q, QuerySet
from django.utils import timezone

from contacts_app.services.heartbeat import Heartbeat
from phones_app.models import Deployment, Sweep
from phones_app.models.deployment import State, StepState
from phones_app.services.bulk_upload import BATCH, upload_batch
from phones_app.services.deployment import due
from phones_app.services.deployment_record import Note, write_steps
from phones_app.services.gates import GATED, pass_gates, release_due
from phones_app.services.nudge import nudge
from phones_app.services.steps import STEPS, Failed, LeaseLost, Wait, held, perform
from phones_app.services.transitions import failed
from phones_app.transports.ftp_pool import FtpPool

log = structlog.get_logger(__name__)
# After an unexpected error the row rests, so that it cannot keep a worker busy for ever.
PENALTY = timedelta(minutes=1)
# How often what is held is looked after while there is work: that may count ten thousand phones.
ADVANCE_SECONDS = 0.2
NOT_IN_BATCHES = Q(in_batch=False) | ~Q(state=State.QUEUED)


def run_due(stopped: Callable[[], bool] = lambda: False) -> int:
    """Carry out all deployments that are due now; how many were worked on. Once `stopped`, no more are taken."""
    release_due()
    owner = uuid.uuid4().hex
    with closing(FtpPool()) as pool:
        return _Work(owner, pool, stopped).carry_out()


class _Work:
    """One call of `run_due`: lanes that take deployments one by one, and a feeder that uploads batches for them."""

    def __init__(self, owner: str, pool: FtpPool, stopped: Callable[[], bool]) -> None:
        self.owner, self.pool, self.stopped = owner, pool, stopped
        self.ready: deque[int] = deque()
        # Of the threads, kept from lane to lane: a new connection costs the database more than a deployment does.
        self.connections: set[BaseDatabaseWrapper] = set()

    def carry_out(self) -> int:
        try:
            return self._carry_out()
        finally:
            for each in self.connections:
                each.close()

    def _carry_out(self) -> int:
        most, advanced = settings.DEPLOYMENT_THREADS, monotonic()
        lanes, feeder, worked = self._lanes(most), self._is_fed(), 0
        if not lanes and not feeder:
            return 0
        with Heartbeat(_held_by(self.owner)), ThreadPoolExecutor(most + 1) as threads:
            running = {threads.submit(self._lane, pk) for pk in lanes}
            feeding = threads.submit(self._feed) if feeder else None
            while running or feeding:
                ended, still = wait({*running, *filter(None, [feeding])}, 0.5, FIRST_COMPLETED)
                worked += sum(each.result() for each in ended)
                running &= still
                # Each goes on by itself; this adds what came due in the meantime.
                if not (running or feeding in still) or monotonic() - advanced > ADVANCE_SECONDS:
                    release_due()
                    advanced = monotonic()
                if feeding not in still:
                    feeding = threads.submit(self._feed) if self._is_fed() else None
                if running or feeding or self.ready:
                    running |= {threads.submit(self._lane, pk) for pk in self._lanes(most - len(running))}
        return worked

    def _lanes(self, most: int) -> list[int]:
        """What further lanes may begin with."""
        begun = [self.ready.popleft() for _ in range(min(most, len(self.ready)))]
        return begun + ([] if self.stopped() else claim(self.owner, most - len(begun)))

    def _lane(self, pk: int | None) -> int:
        """One deployment after the other on one thread and one database connection, until none is due."""
        worked = 0
        self._keep_connection()
        try:
            while pk is not None:
                _run(pk, self.owner, self.pool)
                worked += 1
                pk = next(iter(self._lanes(1)), None)
        except DatabaseError:
            # What this lane held comes free with its lease; the sweep finds it.
            log.exception("the database went away")
            connection.close()
        return worked

    def _is_fed(self) -> bool:
        """Whether there is a batch to upload, and the lanes are through with the one before."""
        return len(self.ready) < BATCH and not self.stopped() and due().filter(~NOT_IN_BATCHES).exists()

    def _feed(self) -> int:
        self._keep_connection()
        try:
            for keys in upload_batch(self.owner, self.pool):
                self.ready += keys
        except DatabaseError:
            log.exception("the database went away")
            connection.close()
        return 0

    def _keep_connection(self) -> None:
        """Have the connection of this thread closed at the end, by the thread that is left then."""
        mine = connections[DEFAULT_DB_ALIAS]
        if mine not in self.connections:
            mine.inc_thread_sharing()
            self.connections.add(mine)


def sweep() -> int:
    """Find rows that are due although nobody was nudged for them; how many there are. Notes that it ran."""
    Sweep.objects.update_or_create(name="deployments", defaults={"ran_at": timezone.now()})
    release_due()
    number = due().count()
    if number:
        nudge()
    return number


@transaction.atomic
def claim(owner: str, limit: int) -> list[int]:
    """Take up to `limit` due deployments under our lease; their keys. Of several workers each row goes to one."""
    if limit <= 0:
        return []
    # Of many that were asked for together the uploads are taken in batches (bulk_upload), so that one phone's
    # deployment does not wait for thousands.
    found = due().filter(NOT_IN_BATCHES).order_by("next_attempt_at")
    # SQLite knows no row locks and needs none: its transactions follow one another.
    if connection.features.has_select_for_update_skip_locked:
        found = found.select_for_update(skip_locked=True)
    rows = list(found.values_list("pk", "phone", "state")[:limit])
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
    except (OperationalError, InterfaceError):
        # It may be back already, and then nobody has to wait for the lease to run out.
        log.exception("the database went away", deployment=pk)
        connection.close()
        _let_go(pk, owner, timedelta(seconds=1), "another try after the database went away")
    except Exception:
        log.exception("deployment step broke", deployment=pk)
        _let_go(pk, owner, PENALTY, "another try after an internal error")


def run_one(pk: int, owner: str, pool: FtpPool) -> None:
    """Take one claimed deployment through its steps until it ends or waits."""
    deployment = (
        # Not all that steps may want: with nine tables PostgreSQL takes ten milliseconds to plan what it does in one.
        Deployment.objects.select_related("phone", "profile", "revision")
        # Most steps need no file, and each one is deciphered when it is read.
        .defer("revision__content")
        .filter(pk=pk, lease_owner=owner, finished_at=None)
        .first()
    )
    if deployment is None:
        raise LeaseLost
    _carry_out(deployment, owner, pool)


def _carry_out(deployment: Deployment, owner: str, pool: FtpPool) -> None:
    while deployment.finished_at is None:
        kind = STEPS[deployment.state][1]
        if deployment.state in GATED and not pass_gates([deployment]):
            return
        try:
            perform(deployment, pool)
        except Wait as pause:
            with transaction.atomic():
                if (
                    _let_go(deployment.pk, owner, pause.pause, pause.reason)
                    and deployment.state != State.QUEUED
                ):
                    waits = Note(kind, StepState.WAITING, f"Waits for {pause.reason}.")
                    write_steps({deployment: [waits]})
            return
        except Failed as failure:
            note = Note(kind, StepState.FAILED, failure.message, failure.request, failure.answer)
            held(failed({deployment: note}, code=failure.code))
            log.info(
                "deployment failed", deployment=str(deployment.uuid), code=failure.code, mac=deployment.mac
            )
            return


def _let_go(pk: int, owner: str, pause: timedelta, reason: str) -> bool:
    """Give the row back until later; whether it was still ours."""
    held = Deployment.objects.filter(pk=pk, lease_owner=owner, finished_at=None)
    later = timezone.now() + pause
    return bool(
        held.update(lease_owner="", lease_until=None, next_attempt_at=later, waiting_for=reason[:255])
    )
