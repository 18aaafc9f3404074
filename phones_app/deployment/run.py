"""Carrying deployments out: each claimed one is taken through its steps until it ends or waits.

A worker that is killed loses its lease; another one continues in the state where the row stands. Commands that wait for
deployments carry them out here when no worker does, under leases as well.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, Count, F, Q, QuerySet, When
from django.db.models.functions import Coalesce

from contacts_app.core.history.authorship import following
from contacts_app.core.lists.statement import Instances, Slot
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from contacts_app.core.work.lease import Fence, LeaseLost, no_live_lease
from contacts_app.core.work.queue import run_queue
from phones_app.deployment.batch import BATCH, alone_in, batch_after, upload_batch
from phones_app.deployment.evidence import confirm_if_fetched, judge_doubt
from phones_app.deployment.gates import GATED, Carrier, Failed, Wait, ensure_ours, pass_gates, release_due
from phones_app.deployment.models import Deployment, State, StepState
from phones_app.deployment.record import Note, write_steps
from phones_app.deployment.request import DEPLOYMENTS, due, in_batches
from phones_app.deployment.steps import STEPS, perform
from phones_app.deployment.transitions import failed
from phones_app.transports.ftp.pool import PER_SERVER, FtpPool

log = structlog.get_logger(__name__)
POLL_SECONDS = 0.2
# A worker that was nudged takes its rows sooner than this.
GRACE = timedelta(seconds=1)
# How often held deployments are released while there is work: that may count ten thousand phones.
ADVANCE_SECONDS = 0.2
_releasing = clock.Paced(quick=0.01)
# The phone's server; where it has none, its account's default one, for which the account stands.
SERVER = Coalesce("phone__file_server", -F("account"))


# A deployment that is due for so long was taken by no worker; so many are logged at a time.
MISSED = timedelta(seconds=10)
MOST_LOGGED = 5


def _pause() -> timedelta:
    return timedelta(seconds=settings.SWEEP_SECONDS)


class _DeploymentWork(Work):
    queue = DEPLOYMENTS
    model = Deployment
    account = "account"

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.pool = self.opened.enter_context(closing(FtpPool()))

    def rest(self, until: datetime) -> dict[str, Any]:
        return {"next_attempt_at": until, "waiting_for": "another try after an internal error"}


class SingleDeployments(_DeploymentWork):
    """Deployments one by one; uploads that were asked for together are made in batches before (`UploadBatches`)."""

    name = DEPLOYMENTS
    # What is uploaded already needs no file server any more.
    server = Case(When(state__in=(State.QUEUED, State.UPLOADING), then=SERVER))
    per_server = PER_SERVER
    _advanced = 0.0

    @classmethod
    def due(cls) -> QuerySet[Deployment]:
        return cls.due_at(clock.now())

    @classmethod
    def due_at(cls, now: Any) -> QuerySet[Deployment]:
        return due(now).filter(Q(in_batch=False) | ~Q(state=State.QUEUED))

    @classmethod
    def threads(cls) -> int:
        return int(settings.DEPLOYMENT_THREADS)

    @classmethod
    def sweep(cls) -> int:
        release_due()
        now = clock.now()
        # Each of them about once: what became due a while ago, and no worker has taken since.
        missed = cls.due().filter(next_attempt_at__range=(now - MISSED - 2 * _pause(), now - MISSED))
        for uuid, state, request_id in missed.values_list("uuid", "state", "request_id")[:MOST_LOGGED]:
            log.info("found by the sweep", deployment=str(uuid), state=state, request_id=request_id)
        return super().sweep()

    def prepare(self) -> int:
        if time.monotonic() - self._advanced > ADVANCE_SECONDS:
            with _releasing as is_time:
                if is_time:
                    release_due()
            self._advanced = time.monotonic()
        return 0

    def do(self, keys: Sequence[int]) -> None:
        for pk in keys:
            run_one(pk, self.owner, self.pool, takes_over=pk in self.taken_over)


class UploadBatches(_DeploymentWork):
    """Uploads that were asked for together, many at a time, so that one phone need not wait for thousands of others."""

    name = "upload-batches"
    batch: int = BATCH
    server = SERVER
    # Two, as a batch that has files for this server may be waiting for another server, a slow one.
    per_server = 2

    @classmethod
    def due(cls) -> QuerySet[Deployment]:
        """But for accounts whose restarts have not kept up: what is uploaded long before cannot be paused any more."""
        ready = Deployment.objects.filter(
            in_batch=True, state=State.SESSION_CLEARED, finished_at=None, next_attempt_at__lte=clock.now()
        )
        by_account = ready.order_by().values("account").annotate(number=Count("pk"))
        return in_batches(due()).exclude(account__in=by_account.filter(number__gte=BATCH).values("account"))

    @classmethod
    def reserve(cls) -> int:
        return 3

    def do(self, keys: Sequence[int]) -> None:
        began = time.monotonic()
        alone = alone_in(keys)
        together = [pk for pk in keys if pk not in alone]
        for pk in alone:
            with suppress(LeaseLost):
                run_one(pk, self.owner, self.pool, until=State.UPLOADING)
        self.let_go(alone)
        for ready in upload_batch(together, self.owner, self.pool):
            self.let_go(ready)
        self.batch = batch_after(len(keys), time.monotonic() - began)


class Doubts(_DeploymentWork):
    """Confirmed deployments whose phones fetch their files again and again: is it that they reject them?"""

    name = "rejections"

    @classmethod
    def due(cls) -> QuerySet[Deployment]:
        doubted = Deployment.objects.filter(state=State.CONFIRMED, next_attempt_at__lte=clock.now())
        return doubted.exclude(waiting_for="").filter(no_live_lease())

    def do(self, keys: Sequence[int]) -> None:
        for row in self.held(keys).select_related("phone"):
            judge_doubt(row)


def run_one(pk: int, owner: str, pool: FtpPool, until: State | None = None, *, takes_over: bool = False) -> None:
    """Take one claimed deployment through its steps until it ends, waits or is in the state `until`.

    `takes_over`: another worker was in the middle of it.
    """
    read = time.monotonic()
    deployment = _claimed().first(pk, owner)
    if deployment is None:
        raise LeaseLost
    fence = Fence(Deployment.objects.filter(pk=pk, lease_owner=owner, finished_at=None), deployment, read)
    with following(deployment.request_id):
        _carry_out(deployment, owner, Carrier(pool, fence, takes_over), until)
        log.info("deployment carried on", deployment=str(deployment.uuid), mac=deployment.mac, state=deployment.state)


@cache
def _claimed() -> Instances:
    """A row that this worker holds, by its key and the worker."""
    # Not all that steps may want: with nine tables PostgreSQL takes ten milliseconds to plan what it does in one.
    rows = Deployment.objects.order_by().select_related("phone", "profile", "revision")
    # Most steps need no file, and each one is deciphered when it is read.
    rows = rows.defer("revision__content")
    return Instances(rows.filter(pk=Slot()()).filter(lease_owner=Slot()(), finished_at=None))


def _carry_out(deployment: Deployment, owner: str, carrier: Carrier, until: State | None) -> None:
    while deployment.finished_at is None and deployment.state != until:
        kind = STEPS[deployment.state][1]
        if deployment.state in GATED and not pass_gates([deployment]):
            return
        try:
            perform(deployment, carrier)
        except Wait as pause:
            if not deployment.lease_owner:
                return  # it was given back when the phone answered
            with transaction.atomic():
                if _let_go(deployment.pk, owner, pause.pause, pause.reason) and deployment.state != State.QUEUED:
                    waits = Note(kind, StepState.WAITING, f"Waits for {pause.reason}.")
                    write_steps({deployment: [waits]})
            return
        except Failed as failure:
            note = Note(kind, StepState.FAILED, failure.message, failure.request, failure.answer)
            ensure_ours(failed({deployment: note}, code=failure.code))
            log.info("deployment failed", deployment=str(deployment.uuid), code=failure.code, mac=deployment.mac)
    if deployment.error_code:
        # A fetch that was noted while this worker held the row was left to it.
        confirm_if_fetched(deployment)


def _let_go(pk: int, owner: str, pause: timedelta, reason: str) -> bool:
    """Give the row back until later; whether it was still ours."""
    held = Deployment.objects.filter(pk=pk, lease_owner=owner, finished_at=None)
    later = clock.now() + pause
    return bool(held.update(lease_owner="", lease_until=None, next_attempt_at=later, waiting_for=reason[:255]))


def wait_for(deployments: Sequence[Deployment], *, seconds: float) -> Iterator[list[Deployment]]:
    """Yield the rows as they stand, again and again, until all have ended or the time is up."""
    keys = [deployment.pk for deployment in deployments]
    rows = Deployment.objects.filter(pk__in=keys).select_related("phone").order_by("mac")
    deadline = time.monotonic() + seconds
    driver = Driver()
    try:
        while True:
            present = list(rows.all())
            yield present
            if not any(row.is_open for row in present) or time.monotonic() >= deadline:
                return
            driver.look(Deployment.objects.filter(pk__in=keys))
            time.sleep(POLL_SECONDS)
    finally:
        driver.stop()


class Driver:
    """Runs what is due in a thread beside the one that waits, as soon as it is seen that nobody else does."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._grace = GRACE

    def look(self, rows: "QuerySet[Deployment]") -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        overdue = rows.filter(finished_at=None).filter(no_live_lease())
        if overdue.filter(next_attempt_at__lte=clock.now() - self._grace).exists():
            self._grace = timedelta(0)  # There is no worker, so that nobody is waited for from now on.
            self._thread = threading.Thread(target=self._run, name="deployments")
            self._thread.start()

    def stop(self) -> None:
        """Take no more; return when what is under way has come to its next pause."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            run_queue(DEPLOYMENTS, self._stopped.is_set)
        except Exception:
            log.exception("deployments could not be carried out here")
        finally:
            connection.close()
