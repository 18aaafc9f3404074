"""What is noted of each file that a phone reads, or asks for in vain.

A complete fetch is the best proof that a phone has its new file (Cisco phones spec §2.7).
"""

import hashlib
import logging
import marshal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from phones_app.boot.batches import Batches
from phones_app.boot.names import is_of_one_phone

logger = logging.getLogger(__name__)

# Fetches that come within a moment are handed on together, up to a batch. When many come the moment is longer, because
# what is done once for many takes little more time than for one, and that time is missing where phones are answered.
BATCH, MOMENT_SECONDS = 5000, 0.02
CROWD, CROWD_SECONDS = 50, 0.5
# At most so many wait; fetches of phones' own files always may.
MOST_WAITING = 100_000

# A fetch as a tuple of plain values, which is quickly handed to another process.
Told = tuple[Any, ...]


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

    def told(self) -> Told:
        """As it is sent to another process, where `Fetch(*told)` is the same; nothing more is added to it there."""
        about = (self.file_name, self.address, self.protocol, "", self.mac, self.began, self.size, self.complete)
        return (*about, self.missing, self.shared_file, self.refused, self._digest and self.sha256)

    def sent(self, data: bytes) -> None:
        self._digest = self._digest or hashlib.sha256()
        self._digest.update(data)
        self.size += len(data)


def message_of(fetches: list[Fetch]) -> bytes:
    """As they are sent between processes of one program: in a tenth of the time that pickled objects take."""
    return marshal.dumps([fetch.told() for fetch in fetches])


def fetches_of(message: bytes) -> list[Fetch]:
    return [Fetch(*told) for told in marshal.loads(message)]  # noqa: S302 (from our own other process)


class FetchReporter:
    """Hand complete fetches, and what was asked for in vain, to a callback, in batches, in a thread of its own.

    They come in their order. The callback may take its time (it probably writes rows), and its failures are its own.
    While it is behind, what is no evidence is not handed on: that of a file that was there is.
    """

    def __init__(self, on_fetches: Callable[[list[Fetch]], None]) -> None:
        self._waiting: Batches[Fetch] = Batches(on_fetches, most=BATCH, name="file-server-fetches", pause=_moment)

    def report(self, fetch: Fetch) -> None:
        if fetch.complete or fetch.missing:
            # Companions of a phone's own file are assigned to the phone by their address.
            if len(self._waiting) < MOST_WAITING or (fetch.complete and is_of_one_phone(fetch.file_name)):
                self._waiting.put(fetch)
        else:
            logger.info("%s broke off reading %s", fetch.address, fetch.file_name)

    def close(self) -> None:
        """Return when the callback has had everything reported so far."""
        self._waiting.close()


def _moment(came: int) -> float:
    return CROWD_SECONDS if came >= CROWD else MOMENT_SECONDS
