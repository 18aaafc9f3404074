"""What is noted of each file that a phone reads, or asks for in vain.

A complete fetch is the best proof that a phone has its new file (Cisco phones spec §2.7).
"""

import contextlib
import hashlib
import logging
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Any, Literal

from phones_app.boot.names import is_of_one_phone

logger = logging.getLogger(__name__)

REPORTERS = 2
# Fetches that come within a moment are handed on together, up to a batch. When many come the moment is longer, because a
# statement for many takes little more time than for one, and that time is missing where phones are answered.
BATCH, MOMENT_SECONDS = 1000, 0.02
CROWD, CROWD_SECONDS = 50, 0.5
# At most so many wait in each thread; fetches of phones' own files always may.
MOST_WAITING = 50_000


@dataclass(slots=True)
class Fetch:
    """One file that a client at `address` asks for.

    Made before the file is opened, so that it is never younger than the version it carried. `size` is that of the file;
    `sha256` is of the bytes as they were sent, where it is the phone's own file. `missing`: there is no such file, which
    phones take without a word.
    """

    file_name: str
    address: str
    protocol: Literal["http", "tftp"]
    # What the client calls itself, which may name the phone's model.
    agent: str = ""
    # The phone whose file it is, or else the one known at that address.
    mac: str | None = None
    # By the steady clock: ours may differ from that of the process that records the fetch.
    began: float = field(default_factory=time.monotonic, compare=False)
    size: int = 0
    complete: bool = False
    missing: bool = False
    # The row that it was given from, and why a phone was not given its file.
    shared_file: int | None = None
    refused: str = ""
    _digest: Any = field(default=None, repr=False, compare=False)

    @property
    def sha256(self) -> str:
        return self._digest if isinstance(self._digest, str) else str((self._digest or hashlib.sha256()).hexdigest())

    @property
    def age(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self.began)

    def __reduce__(self) -> tuple[type["Fetch"], tuple[Any, ...]]:
        """As it is sent to another process, where nothing more is added to it."""
        told = (self.file_name, self.address, self.protocol, self.agent, self.mac, self.began, self.size)
        return Fetch, (*told, self.complete, self.missing, self.shared_file, self.refused, self._digest and self.sha256)

    def sent(self, data: bytes) -> None:
        self._digest = self._digest or hashlib.sha256()
        self._digest.update(data)
        self.size += len(data)


def queue_of(fetch: Fetch) -> int:
    """Which of so many queues as there are `REPORTERS` it goes through: those of one address one after another."""
    return zlib.crc32(fetch.address.encode()) % REPORTERS


_Queue = SimpleQueue["Fetch | None"]


class FetchReporter:
    """Hand complete fetches, and what was asked for in vain, to a callback, in batches, in threads of its own.

    Those of one address come one after another. The callback may take its time (it probably writes rows), and its
    failures are its own. While it is behind, what is no evidence is not handed on: that of a file that was there is.
    """

    def __init__(self, on_fetches: Callable[[list[Fetch]], None]) -> None:
        self._on_fetches = on_fetches
        self._queues = [_Queue() for _ in range(REPORTERS)]
        self._threads = [
            threading.Thread(target=self._tell_on, args=(queue,), name="file-server-fetches", daemon=True)
            for queue in self._queues
        ]
        for thread in self._threads:
            thread.start()

    def report(self, fetch: Fetch) -> None:
        if fetch.complete or fetch.missing:
            # Companions of a phone's own file are assigned to the phone by their address.
            queue = self._queues[queue_of(fetch)]
            if queue.qsize() < MOST_WAITING or (fetch.complete and is_of_one_phone(fetch.file_name)):
                queue.put(fetch)
        else:
            logger.info("%s broke off reading %s", fetch.address, fetch.file_name)

    def close(self) -> None:
        """Return when the callback has had everything reported so far."""
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()

    def _tell_on(self, queue: _Queue) -> None:
        has_ended, came = False, 0
        while not has_ended:
            taken = [queue.get()]
            if queue.qsize() < BATCH:
                time.sleep(CROWD_SECONDS if came >= CROWD else MOMENT_SECONDS)
            with contextlib.suppress(Empty):
                while len(taken) < BATCH:
                    taken.append(queue.get_nowait())
            has_ended = None in taken  # which is the last
            came = len(taken)
            if batch := [fetch for fetch in taken if fetch is not None]:
                self._tell(batch)

    def _tell(self, batch: list[Fetch]) -> None:
        try:
            self._on_fetches(batch)
        except Exception:
            logger.exception("%d fetches could not be noted, of %s and others", len(batch), batch[0].file_name)
