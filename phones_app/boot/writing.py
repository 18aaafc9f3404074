"""Writes to the database in a process of its own, so that the one which answers phones never waits for its turn.

In one process, whatever a thread works out keeps the thread that answers from its next answer, and thousands of phones
that start together make both busy.
"""

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import structlog
from django.db import close_old_connections, connections

log = structlog.get_logger(__name__)
# Longer than a write is tried again for, and shorter than a supervisor waits for us.
STOP_SECONDS = 8.0

Write = Callable[[Any], object]
# Makes the functions that write, in the process that calls them; the event is set when they are to end soon.
MakeWrites = Callable[[threading.Event], list[Write]]


class WritingProcess:
    """`start` it before any thread; then `send` work to the function of that number. Each has a thread of its own.

    It ends when `stop` is called or its parent has died, after all that was sent is written. What is sent is pickled.
    """

    def __init__(self, make_writes: MakeWrites, number: int) -> None:
        self._make_writes = make_writes
        self._pipes = [multiprocessing.Pipe(duplex=False) for _ in range(number)]
        self._locks = [threading.Lock() for _ in range(number)]
        # A copy of this process, ready at once and with its memory shared; there are no threads yet that it would lack.
        self._process = multiprocessing.get_context("fork").Process(target=self._run, name="file-server-writing")

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def start(self) -> None:
        connections.close_all()
        self._process.start()
        for receiving, _ in self._pipes:
            receiving.close()

    def send(self, number: int, work: object) -> None:
        """Return when it is on its way: who sends more than can be written waits. OSError: the process has died."""
        with self._locks[number]:
            self._pipes[number][1].send(work)

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
        stopping = threading.Event()
        # Ctrl-C reaches all processes of a terminal: the parent says when there is no more.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        for _, sending in self._pipes:
            sending.close()
        threads = [
            threading.Thread(target=_write_on, args=(receiving, write))
            for (receiving, _), write in zip(self._pipes, self._make_writes(stopping), strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _write_on(receiving: Connection, write: Write) -> None:
    with contextlib.suppress(EOFError):
        while True:
            work = receiving.recv()
            close_old_connections()
            try:
                write(work)
            except Exception:
                log.exception("what phones asked for could not be written down")
    connections.close_all()
