"""Opens the files that phones may read: plain files of one folder and those below it, found whatever their case.

Phones ask for `ringlist.xml` where the file is called `Ringlist.xml`. The files of single phones are an exception: there
are thousands of them, Patchbay names them exactly, and they stay exact.
"""

import contextlib
import os
import stat
import time
from collections import OrderedDict
from collections.abc import Set
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from phones_app.boot.contents import KeptContents, SentContent
from phones_app.boot.names import is_of_one_phone
from phones_app.shared_files.models import NEVER_GIVEN

# No link is followed, so none leads out of the folder; a FIFO must not make us wait for its writer.
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# Locales and pictures lie in folders: United_States/g3-tones.xml, Desktops/320x212x12/List.xml.
DEEPEST = 3
# How many folders are remembered, and how many entries of one are read at most.
FOLDERS, ENTRIES = 256, 100_000
# A folder that changes all the time, as in a rollout, is read again for at most a twentieth of the time.
PAUSES_OF_READS = 20
# A change this soon after a reading may leave the folder's time as it was.
_TICK_NANOSECONDS = 20_000_000


class _Listing(NamedTuple):
    """The names in a folder by their lower case, and as what the folder was read."""

    changed: int
    read: int
    not_before: float
    names: dict[str, str]


# A name and what the file was: one that replaces it, or is written anew, is another.
_Version = tuple[str, int, int, int, int]


class PlainFiles:
    """The files below `root`. Its callers are on one event loop: it has no lock."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._listings: OrderedDict[tuple[str, ...], _Listing] = OrderedDict()
        self._kept: KeptContents[_Version] = KeptContents()

    def open(self, name: str) -> SentContent | None:
        """Open once: whatever is renamed over the name afterwards, this reader keeps its version.

        The exact name comes first. None: there is no such file, or it is none that phones may read.
        """
        parts = _parts(name)
        if not parts:
            return None
        is_own = is_of_one_phone(name)
        is_there = True
        if not is_own:
            # Asked for by many phones: a look at the file says whether it is what is kept.
            try:
                kept = self._kept.get(_version(name, os.stat(f"{self._root}/{name}", follow_symlinks=False)))
            except (OSError, UnicodeError):
                kept, is_there = None, False
            if kept is not None:
                return kept
        # Most files lie in the folder itself, and are opened with one call of the system.
        open_ = self._open if len(parts) > 1 else self._open_here
        descriptor = open_(parts, folded=False) if is_there else None
        if descriptor is None and not is_own:
            descriptor = open_(parts, folded=True)
        return self._content(name, descriptor, is_own) if descriptor is not None else None

    def _content(self, name: str, descriptor: int, is_own: bool) -> SentContent | None:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            return None
        content = SentContent.opened(descriptor, status)
        if not is_own and time.time_ns() - status.st_mtime_ns > _TICK_NANOSECONDS:
            self._kept.keep(_version(name, status), content)
        return content

    def _open_here(self, parts: tuple[str, ...], *, folded: bool) -> int | None:
        try:
            called = self._names(self._root, ()).get(parts[0].lower()) if folded else parts[0]
            return os.open(f"{self._root}/{called}", _OPEN_FLAGS) if called else None
        except (OSError, UnicodeError):
            return None

    def top(self) -> Set[str]:
        """What lies in the folder itself, in lower case: whoever looks in many folders need not try to open each."""
        try:
            return self._names(self._root, ()).keys()
        except OSError:
            return frozenset()

    def _open(self, parts: tuple[str, ...], *, folded: bool) -> int | None:
        found: tuple[str, ...] = ()
        try:
            descriptor = os.open(self._root, os.O_RDONLY | os.O_CLOEXEC)
            for part in parts:
                folder = descriptor
                try:
                    descriptor, called = self._step(folder, found, part, folded)
                finally:
                    os.close(folder)
                found = (*found, called)
        except (OSError, UnicodeError):
            return None
        return descriptor

    def _step(self, folder: int, path: tuple[str, ...], part: str, folded: bool) -> tuple[int, str]:
        """Open an entry of a folder; also return what it is called."""
        try:
            return os.open(part, _OPEN_FLAGS, dir_fd=folder), part
        except FileNotFoundError:
            called = self._names(folder, path).get(part.lower()) if folded else None
            if called is None:
                raise
            return os.open(called, _OPEN_FLAGS, dir_fd=folder), called

    def _names(self, folder: int | str, path: tuple[str, ...]) -> dict[str, str]:
        """What lies in the folder, read again once it has changed."""
        changed = os.stat(folder).st_mtime_ns
        listing = self._listings.get(path)
        if listing is not None:
            self._listings.move_to_end(path)
            is_certain = listing.changed == changed and listing.read - changed > _TICK_NANOSECONDS
            if is_certain or time.monotonic() < listing.not_before:
                return listing.names
        started, read = time.monotonic(), time.time_ns()
        names: dict[str, str] = {}
        with contextlib.closing(os.scandir(folder)) as entries:
            for entry in islice(entries, ENTRIES):
                if not NEVER_GIVEN.fullmatch(entry.name) and not is_of_one_phone(entry.name):
                    lower = entry.name.lower()
                    # The same of several whatever the order in which the folder lists them.
                    names[lower] = min(entry.name, names.get(lower, entry.name))
        ended = time.monotonic()
        self._listings[path] = _Listing(changed, read, ended + PAUSES_OF_READS * (ended - started), names)
        while len(self._listings) > FOLDERS:
            self._listings.popitem(last=False)
        return names


@lru_cache(maxsize=1024)
def _parts(name: str) -> tuple[str, ...]:
    """The folders and the file; none of a name that is never given."""
    parts = tuple(name.split("/"))
    if len(parts) > DEEPEST or "\0" in name or any(not part or NEVER_GIVEN.fullmatch(part) for part in parts):
        return ()
    return parts


def _version(name: str, status: os.stat_result) -> _Version:
    return name, status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
