"""An opened file as it is sent: size, version, any part of it; and which part a client asks for (RFC 9110 §14)."""

import os
import re
from collections import OrderedDict
from dataclasses import dataclass
from io import FileIO
from typing import Generic, Self, TypeVar

# What is sent in one piece together with its head, and in pieces where it is read.
SMALL_BYTES = 64 * 1024
# Contents that many phones ask for.
KEPT_BYTES = 32 * 1024 * 1024
# Parts are put together for so many clients and files at a time, and of each so many pieces that do not touch.
MOST_PARTIAL, MOST_PIECES = 1024, 64
_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


class NotInFileError(ValueError):
    """The part that is asked for begins behind the file's end."""


@dataclass(slots=True)
class SentContent:
    """What is sent of one version of a file; `version` differs whenever the content does.

    A small one lies in memory. A large one is read from its file until that is closed, and stays what it is meanwhile:
    uploads rename over it.
    """

    size: int
    version: str
    data: bytes | None = None
    file: FileIO | None = None

    @classmethod
    def opened(cls, descriptor: int, status: os.stat_result, version: str = "") -> Self:
        """Takes the descriptor over."""
        version = version or f"{status.st_mtime_ns:x}-{status.st_size:x}"
        if status.st_size > SMALL_BYTES:
            return cls(status.st_size, version, file=FileIO(descriptor))
        try:
            data = os.read(descriptor, SMALL_BYTES)
        finally:
            os.close(descriptor)
        return cls(len(data), version, data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self.file is not None:
            self.file.close()

    def read(self, offset: int, count: int) -> bytes:
        if self.data is not None:
            return self.data[offset : offset + count]
        assert self.file is not None  # noqa: S101 (what is not in memory is in a file)
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


Key = TypeVar("Key")


class KeptContents(Generic[Key]):
    """Small contents in memory by what tells them apart; of too many, those which nobody asks for are forgotten."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, SentContent] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key) -> SentContent | None:
        content = self._kept.get(key)
        if content is not None:
            self._kept.move_to_end(key)
        return content

    def keep(self, key: Key, content: SentContent) -> None:
        if content.data is None:
            return
        self.forget(key)
        self._kept[key] = content
        self._bytes += content.size
        while self._bytes > KEPT_BYTES:
            self._bytes -= self._kept.popitem(last=False)[1].size

    def forget(self, key: Key) -> None:
        if (content := self._kept.pop(key, None)) is not None:
            self._bytes -= content.size


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
