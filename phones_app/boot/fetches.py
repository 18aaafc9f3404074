"""What is noted of each file that a phone reads, or asks for in vain.

A complete fetch is the best proof that a phone has its new file (Cisco phones spec §2.7).
"""

import hashlib
import logging
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

logger = logging.getLogger(__name__)

REPORTERS = 4


@dataclass
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
        return str((self._digest or hashlib.sha256()).hexdigest())

    @property
    def age(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self.began)

    def sent(self, data: bytes) -> None:
        self._digest = self._digest or hashlib.sha256()
        self._digest.update(data)
        self.size += len(data)


class FetchReporter:
    """Hand complete fetches, and what was asked for in vain, to a callback, in threads of its own.

    Those of one address come one after another.

    The callback may take its time (it probably writes a row), and its failures are its own. A few threads, because
    thousands of phones that restart fetch together, and a slow callback delays all fetches behind it.
    """

    def __init__(self, on_fetch: Callable[[Fetch], None]) -> None:
        self._on_fetch = on_fetch
        self._threads = [
            ThreadPoolExecutor(max_workers=1, thread_name_prefix="file-server-fetches") for _ in range(REPORTERS)
        ]

    def report(self, fetch: Fetch) -> None:
        if fetch.complete or fetch.missing:
            # Companions of a phone's own file are assigned to the phone by their address.
            self._threads[zlib.crc32(fetch.address.encode()) % REPORTERS].submit(self._tell, fetch)
        else:
            logger.info("%s broke off reading %s", fetch.address, fetch.file_name)

    def close(self) -> None:
        """Return when the callback has had everything reported so far."""
        for thread in self._threads:
            thread.shutdown(wait=True)

    def _tell(self, fetch: Fetch) -> None:
        try:
            self._on_fetch(fetch)
        except Exception:
            logger.exception("The fetch of %s by %s could not be noted", fetch.file_name, fetch.address)
