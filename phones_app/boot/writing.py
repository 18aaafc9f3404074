"""Writes to the database in a process of its own, so that the one which answers phones never waits for its turn.

In one process, whatever a thread works out keeps the thread that answers from its next answer, and thousands of phones
that start together make both busy.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

import structlog
from django.db import connections

from phones_app.boot.fetches import REPORTERS, Fetch, queue_of
from phones_app.boot.recording import fetch_recorder
from phones_app.boot.requests import RequestCounter

log = structlog.get_logger(__name__)
# Longer than a write is tried again for, and shorter than a supervisor waits for us.
STOP_SECONDS = 8.0

Write = Callable[[list[Fetch]], None]


class WritingProcess:
    """`start` it before any thread; then `send` it fetches from the threads that have them.

    It ends when `stop` is called or its parent has died, after all that was sent is written.
    """

    def __init__(self) -> None:
        # A pipe and a thread for each queue.
        self._pipes = [multiprocessing.Pipe(duplex=False) for _ in range(REPORTERS)]
        # A copy of this process, ready at once and with its memory shared; there are no threads yet that it would lack.
        self._process = multiprocessing.get_context("fork").Process(target=self._run, name="file-server-writing")

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def start(self) -> None:
        connections.close_all()
        self._process.start()
        for receiving, _ in self._pipes:
            receiving.close()

    def send(self, fetches: list[Fetch]) -> None:
        """Return when these, which are of one of the reporter's queues, are on their way; OSError: the process has died.

        Who sends more than can be written waits.
        """
        self._pipes[queue_of(fetches[0])][1].send(fetches)

    def stop(self) -> None:
        for _, sending in self._pipes:
            sending.close()
        self._process.terminate()
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            log.error("not all that phones asked for could be written down before the end")
            self._process.kill()
            self._process.join()

    def _run(self) -> None:
        # Answers come first where there is too little of the processor for both.
        os.nice(10)
        stopping = threading.Event()
        # Ctrl-C reaches all processes of a terminal: the parent says when there is no more.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        for _, sending in self._pipes:
            sending.close()
        with _writing_fetches(stopping) as write:
            threads = [threading.Thread(target=_write_on, args=(receiving, write)) for receiving, _ in self._pipes]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()


@contextmanager
def _writing_fetches(stopping: threading.Event) -> Iterator[Write]:
    """Fetches are counted, and those of phones' own files are evidence."""
    counter, record = RequestCounter(), fetch_recorder(stopping)

    def write(fetches: list[Fetch]) -> None:
        for fetch in fetches:
            counter.note(fetch)
        record(fetches)

    counter.start()
    try:
        yield write
    finally:
        counter.stop()


def _write_on(receiving: Connection, write: Write) -> None:
    # A parent that was killed in the middle of a message leaves half of one.
    with suppress(EOFError, OSError):
        while True:
            fetches = receiving.recv()
            try:
                write(fetches)
            except Exception:
                log.exception("what phones asked for could not be written down")
    connections.close_all()
