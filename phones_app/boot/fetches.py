"""The files that phones may fetch, those that lie directly in one folder, and the reports of their fetches: the best
proof that a phone has its new file (Cisco phones spec §2.7).
"""

import logging
import os
import re
import stat
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import Literal

logger = logging.getLogger(__name__)

REPORTERS = 4
# Names that are never a phone's business: hidden, half uploaded, put aside.
_PRIVATE = re.compile(r"\..*|.*\.(part|bak)", re.IGNORECASE | re.DOTALL)


def is_private(file_name: str) -> bool:
    """Say whether a file of this name is kept from the phones."""
    return bool(_PRIVATE.fullmatch(file_name))


@dataclass(frozen=True)
class Fetch:
    """One file that somebody read.

    `at` is the time the file was opened, not the end of the transfer: a fetch must never look newer than the
    version it carried. `size` and `sha256` are of the bytes in the file as they were sent.
    """

    file_name: str
    address: str
    protocol: Literal["http", "tftp"]
    size: int
    sha256: str
    at: datetime
    complete: bool


class FetchReporter:
    """Hand complete fetches to a callback, those of one address one after another, in threads of its own.

    So the callback may take its time (it probably writes a row), and its failures are its own. A few threads, because
    thousands of phones that restart fetch together, and whoever waits for one of them waits for all before it.
    """

    def __init__(self, on_fetch: Callable[[Fetch], None]) -> None:
        self._on_fetch = on_fetch
        self._threads = [
            ThreadPoolExecutor(max_workers=1, thread_name_prefix="file-server-fetches")
            for _ in range(REPORTERS)
        ]

    def report(self, fetch: Fetch) -> None:
        if fetch.complete:
            # What comes after a phone's own file tells by its address whose it is.
            self._threads[zlib.crc32(fetch.address.encode()) % REPORTERS].submit(self._tell, fetch)
        else:
            logger.info("%s broke off reading %s", fetch.address, fetch.file_name)

    def close(self) -> None:
        """Return when everything reported so far has been told."""
        for thread in self._threads:
            thread.shutdown(wait=True)

    def _tell(self, fetch: Fetch) -> None:
        try:
            self._on_fetch(fetch)
        except Exception:
            logger.exception("The fetch of %s by %s could not be noted", fetch.file_name, fetch.address)


# No link is followed, so none leads out of the folder; a FIFO must not make us wait for its writer.
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_plain_file(root: Path, name: str) -> FileIO | None:
    """Open once: whatever is renamed over the name afterwards, this reader keeps its version."""
    if not name or "/" in name or "\0" in name or is_private(name):
        return None
    try:
        descriptor = os.open(root / name, _OPEN_FLAGS)
    except (OSError, UnicodeError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return FileIO(descriptor)
