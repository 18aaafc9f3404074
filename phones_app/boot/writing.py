"""Writes to the database in a process of its own, so that the one which answers phones never waits for its turn.

In one process, whatever a thread works out keeps the thread that answers from its next answer, and thousands of phones
that start together make both busy.
"""

import multiprocessing
import signal
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from operator import attrgetter

import structlog
from django.db import connections

from phones_app.boot.batches import Batches
from phones_app.boot.fetches import Fetch, fetches_of, message_of
from phones_app.boot.recording import fetch_recorder
from phones_app.boot.requests import RequestCounter
from phones_app.boot.sequels import Evidence

log = structlog.get_logger(__name__)
# Longer than a write is tried again for, and shorter than a supervisor waits for us.
STOP_SECONDS = 8.0
# Threads that write evidence, how much of it together, and how long they wait for the rest of a message.
WRITERS, BATCH, MOMENT = 2, 1000, 0.01

Take = Callable[[bytes], None]


class WritingProcess:
    """`start` it before any thread; then `send` it fetches from one thread.

    It ends when `stop` is called or its parent has died, after all that was sent is written.
    """

    def __init__(self) -> None:
        self._receiving, self._sending = multiprocessing.Pipe(duplex=False)
        # A copy of this process, ready at once and with its memory shared; there are no threads yet that it would lack.
        self._process = multiprocessing.get_context("fork").Process(target=self._run, name="file-server-writing")

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def start(self) -> None:
        connections.close_all()
        self._process.start()
        self._receiving.close()

    def send(self, fetches: list[Fetch]) -> None:
        """Return when these are on their way; OSError: the process has died."""
        self._sending.send_bytes(message_of(fetches))

    def stop(self) -> None:
        self._sending.close()
        self._process.terminate()
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            log.error("not all that phones asked for could be written down before the end")
            self._process.kill()
            self._process.join()

    def _run(self) -> None:
        stopping = threading.Event()
        # Ctrl-C reaches all processes of a terminal: the parent says when there is no more.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        self._sending.close()
        with _writing(stopping) as take:
            _take_on(self._receiving, take)


@contextmanager
def _writing(stopping: threading.Event) -> Iterator[Take]:
    """What is evidence is written at once, of one address one after another; all are counted when there is time."""
    evidence, counter, record = Evidence(time.monotonic()), RequestCounter(), fetch_recorder(stopping)
    queues: list[Batches[Fetch]] = [
        Batches(record, most=BATCH, name="file-server-evidence", pause=lambda _: MOMENT, at_end=connections.close_all)
        for _ in range(WRITERS)
    ]

    def take(message: bytes) -> None:
        # Those that overlap may be reported in another order than they began in, which is theirs.
        fetches = sorted(fetches_of(message), key=attrgetter("began"))
        for fetch in filter(evidence.takes, fetches):
            queues[zlib.crc32(fetch.address.encode()) % WRITERS].put(fetch)
        counter.keep(message, len(fetches))

    counter.start()
    try:
        yield take
    finally:
        for queue in queues:
            queue.close()
        counter.stop()


def _take_on(receiving: Connection, take: Take) -> None:
    # A parent that was killed in the middle of a message leaves half of one.
    with suppress(EOFError, OSError):
        while True:
            message = receiving.recv_bytes()
            try:
                take(message)
            except Exception:
                log.exception("what phones asked for could not be written down")
