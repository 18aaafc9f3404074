"""A file that an archive is read from, of which no part is read that is larger than an honest one has.

`zipfile` and `tarfile` read directories and long names with the length that the archive claims, which would let a small
archive take all the memory there is.
"""

import os
from collections.abc import Callable
from typing import IO

# A directory of 10,000 entries is smaller.
LARGEST_READ = 1_048_576
_SKIP = 65536


class Measured:
    """`size` is what `part` is of. `on_read` is told of each read.

    `forward`: what lies behind is not read again, and what is skipped is read.
    """

    def __init__(
        self,
        file: IO[bytes],
        on_read: Callable[[int], None] = lambda _size: None,
        *,
        size: int = 0,
        forward: bool = False,
    ) -> None:
        self._file = file
        self._on_read = on_read
        self._forward = forward
        self._size = size

    @property
    def part(self) -> float:
        """How much of the file is read, from 0 to 1."""
        return self._file.tell() / self._size if self._size else 0

    def read(self, size: int = -1) -> bytes:
        if size > LARGEST_READ:
            raise ValueError(f"a part of it claims {size:,} bytes")
        content = self._file.read(LARGEST_READ + 1 if size < 0 else size)
        if len(content) > LARGEST_READ:
            raise ValueError("a part of it is too long")
        self._on_read(len(content))
        return content

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        if not self._forward:
            return self._file.seek(place, whence)
        if whence != os.SEEK_SET or place < self._file.tell():
            raise ValueError("its entries overlap")
        while (left := place - self._file.tell()) > 0 and self.read(min(left, _SKIP)):
            pass
        return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """Whoever opened the file closes it."""
