"""What is stored on an FTP server: bytes in memory, or a large file that passes through in pieces."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class FtpContent:
    """`pieces` may be asked for more than once: a server may refuse the first try."""

    size: int
    sha256: str
    pieces: Callable[[], Iterable[bytes]]

    @classmethod
    def of(cls, content: bytes) -> Self:
        return cls(len(content), hashlib.sha256(content).hexdigest(), lambda: (content,))
