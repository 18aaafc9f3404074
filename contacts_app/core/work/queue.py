"""Running a queue: threads that claim due rows of its kinds of work and do them, until nothing is due.

Any number of processes may run the same queue. In a process one run at a time does: asking again prolongs it.
"""

import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

import structlog
from django.db import DEFAULT_DB_ALIAS, Error, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from contacts_app.core.database import RETRY_AFTER, passes_by
from contacts_app.core.work import clock
from contacts_app.core.work.apart import apart
from contacts_app.core.work.claim import Claim, Claims
from contacts_app.core.work.kind import Work, kinds_of
from contacts_app.core.work.lease import Heartbeat, LeaseLost
from contacts_app.core.work.models import lock

log = structlog.get_logger(__name__)
Stopped = Callable[[], bool]
# After an unexpected error rows rest, so that they cannot keep a worker busy for ever.
PENALTY = timedelta(minutes=1)
# The database may be back already, and then nothing has to wait for the lease to run out.
DATABASE_PAUSE = timedelta(seconds=RETRY_AFTER)
# How often a run looks for what came due while its threads are busy.
TICK_SECONDS = 0.2


@dataclass
class _Door:
    """Lets one run at a time in; `asked` is set when there may be more to do than it has seen."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: threading.Event = field(default_factory=threading.Event)


_doors: defaultdict[str, _Door] = defaultdict(_Door)


def run_queue(queue: str, stopped: Stopped = lambda: False) -> int:
    """Do all work of this queue that is due; how many rows were worked on. Once `stopped`, no more are claimed."""
    door, worked = _doors[queue], 0
    door.asked.set()
    while door.asked.is_set() and door.lock.acquire(blocking=False):
        try:
            worked += _Run(queue, door.asked, stopped).run()
        finally:
            door.lock.release()
    return worked


class _Run:
    """One run of a queue, with threads and database connections that are kept from row to row."""

    def __init__(self, queue: str, asked: threading.Event, stopped: Stopped) -> None:
        owner = uuid.uuid4().hex
        self._claims = [Claims(kind(owner)) for kind in kinds_of(queue)]
        self._asked, self._stopped, self._failed = asked, stopped, False
        self._unprepared: set[str] = set()
        # Of the threads: a new connection costs the database more than a row of work does.
        self._connections: set[BaseDatabaseWrapper] = set()

    def run(self) -> int:
        leased = [claims for claims in self._claims if claims.work.is_leased()]
        most = sum(each.work.threads() + each.work.reserve() for each in self._claims)
        with ExitStack() as stack:
            stack.callback(self._close)
            open_until = [stack.enter_context(_round(claims.work)) for claims in self._claims]
            heartbeat = Heartbeat(lambda: [each.work.held(keys) for each in leased if (keys := each.keys)])
            with heartbeat, ThreadPoolExecutor(most, thread_name_prefix="work") as threads:
                try:
                    return self._keep_going(threads, open_until)
                except BaseException:
                    # The threads end with what they hold: until then the heartbeat renews it.
                    self._failed = True
                    raise

    def _keep_going(self, threads: ThreadPoolExecutor, open_until: list[float]) -> int:
        running: set[Future[int]] = set()
        worked = 0
        while True:
            # Who asked has just written rows, and without anything under way the run ends if nothing is found.
            may_rest = bool(running) and not self._asked.is_set()
            self._asked.clear()
            prepared = sum(self._prepare(claims.work) for claims in self._claims)
            for claims, end in zip(self._claims, open_until, strict=True):
                while (claim := self._next(claims, end, may_rest=may_rest)) is not None:
                    running.add(threads.submit(self._thread, claims, claim, end))
            if running:
                # Each thread continues by itself; the next pass adds what came due in the meantime.
                ended, running = wait(running, TICK_SECONDS, FIRST_COMPLETED)
                worked += sum(each.result() for each in ended)
            elif not prepared and (not self._asked.is_set() or self._stopped()):
                return worked

    def _prepare(self, work: Work) -> int:
        """Where that breaks, what is due is done all the same; the next run tries again."""
        if work.name in self._unprepared:
            return 0
        with apart("preparing work broke", work=work.name):
            return work.prepare()
        self._unprepared.add(work.name)
        return 0

    def _next(self, claims: Claims, end: float, after: Claim | None = None, *, may_rest: bool) -> Claim | None:
        if self._failed or monotonic() > end or self._stopped():
            return None
        return claims.take(after, may_rest=may_rest)

    def _thread(self, claims: Claims, claim: Claim, end: float) -> int:
        """One claim after the other on one thread and one database connection, until nothing is due."""
        self._keep_connection()
        worked = 0
        following: Claim | None = claim
        while following is not None:
            claim = following
            try:
                self._do(claims.work, claim)
                worked += len(claim.keys)
                following = self._next(claims, end, claim, may_rest=True)
            except Error:
                log.exception("the database went away")
                connection.close()
                following = None
            finally:
                # From now on the heartbeat leaves the rows alone, even if they could not be given back.
                claims.end(claim)
        return worked

    def _do(self, work: Work, claim: Claim) -> None:
        try:
            work.do(claim.keys)
        except LeaseLost:
            log.info("taken over by another worker", work=work.name, rows=claim.keys)
        except Exception as error:
            if passes_by(error):
                log.exception("the database went away", work=work.name, rows=claim.keys)
                connection.close()
                self._rest(work, claim, DATABASE_PAUSE)
            else:
                log.exception("work broke", work=work.name, rows=claim.keys)
                self._rest(work, claim, PENALTY)

    def _rest(self, work: Work, claim: Claim, pause: timedelta) -> None:
        try:
            work.let_go(claim.keys, **work.rest(clock.now() + pause))
        except Error:
            # The rows come free with their lease; the sweep finds them.
            log.exception("could not give rows back", work=work.name, rows=claim.keys)
            connection.close()

    def _keep_connection(self) -> None:
        """Have the connection of this thread closed at the end, by the thread that is left then."""
        mine = connections[DEFAULT_DB_ALIAS]
        if mine not in self._connections:
            mine.inc_thread_sharing()
            self._connections.add(mine)

    def _close(self) -> None:
        for each in self._connections:
            each.close()
        for claims in self._claims:
            claims.work.opened.close()


@contextmanager
def _round(work: Work) -> Iterator[float]:
    """Until when (monotonic) this run may claim rows of this kind of work."""
    if work.round_time is None:
        yield float("inf")
        return
    # The last claim of a round may take as long as a claim is good for.
    with lock(work.name, seconds=work.claim_time.total_seconds()) as ours:
        yield monotonic() + work.round_time.total_seconds() if ours else 0.0
