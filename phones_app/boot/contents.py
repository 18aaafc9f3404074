"""An opened file as it is sent: size, version, any part of it; and which part a client asks for (RFC 9110 §14)."""

import os
import re
from collections import OrderedDict
from dataclasses import dataclass
from io import FileIO

from phones_app.boot.files import OpenedFile

# Parts are put together for so many clients and files at a time, and of each so many pieces that do not touch.
MOST_PARTIAL, MOST_PIECES = 1024, 64
_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


class NotInFileError(ValueError):
    """The part that is asked for begins behind the file's end."""


@dataclass(frozen=True)
class SentContent:
    """`version` differs whenever the content does. A file keeps its version while it is open: uploads rename over it."""

    file: FileIO
    size: int
    version: str

    @classmethod
    def of(cls, file: FileIO) -> "SentContent":
        status = file.status if isinstance(file, OpenedFile) else os.fstat(file.fileno())
        known = getattr(file, "sha256", "")
        return cls(file, status.st_size, known or f"{status.st_mtime_ns:x}-{status.st_size:x}")

    def read(self, offset: int, count: int) -> bytes:
        return os.pread(self.file.fileno(), count, offset)

    def part(self, asked: str, only_of: str) -> range | None:
        """The part that `Range: asked` means, None: all of it. NotInFileError.

        `only_of` (If-Range): the version of which the client has the rest already. Several ranges are none: a server may
        send all instead, and phones ask for one.
        """
        found = _ONE_RANGE.fullmatch(asked)
        if found is None or found.groups() == ("", "") or (only_of and only_of.strip() != f'"{self.version}"'):
            return None
        first, last = found.groups()
        if not first:
            start, stop = max(0, self.size - int(last)), self.size
        else:
            start, stop = int(first), min(int(last) + 1, self.size) if last else self.size
            if last and int(last) < start:
                return None
        if start >= self.size or start >= stop:
            raise NotInFileError
        return range(start, stop)


class Parts:
    """Which parts of a version a client has: only all of them are the file."""

    def __init__(self) -> None:
        self._pieces: OrderedDict[tuple[str, ...], list[range]] = OrderedDict()

    def add(self, key: tuple[str, ...], part: range, size: int) -> bool:
        """Whether the client has all `size` bytes now; what it has is forgotten then."""
        pieces = self._pieces.pop(key, [])
        joined = part
        apart = []
        for piece in pieces:
            if piece.start <= joined.stop and joined.start <= piece.stop:
                joined = range(min(piece.start, joined.start), max(piece.stop, joined.stop))
            else:
                apart.append(piece)
        if len(joined) == size:
            return True
        self._pieces[key] = [*apart, joined][-MOST_PIECES:]
        if len(self._pieces) > MOST_PARTIAL:
            self._pieces.popitem(last=False)
        return False
