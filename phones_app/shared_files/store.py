"""The contents of shared files on disk, each once under its digest. Large ones pass through in pieces.

A content is there whole or not at all: it gets its name when the last byte is on the disk. One that no row names is
deleted by `sweep`, an hour after it came at the earliest, because its row may not be committed yet.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import IO

from django.conf import settings

CHUNK = 262_144
YOUNG_SECONDS = 3600.0
# As its readers, web servers among them, can read it.
FILE_MODE = 0o644


@dataclass(frozen=True)
class StoredContent:
    sha256: str
    size: int


def place_of(sha256: str) -> Path:
    """Where the content with this digest lies."""
    folder: Path = settings.SHARED_FILES_DIR
    return folder / sha256[:2] / sha256


def read(sha256: str) -> IO[bytes]:
    """Raises FileNotFoundError: the content was lost from the disk."""
    return place_of(sha256).open("rb")


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def store(chunks: Iterable[bytes], on_written: Callable[[int], None] = lambda _size: None) -> StoredContent:
    """Write the content and return what it is. Whatever `chunks` raises, nothing is left behind."""
    folder: Path = settings.SHARED_FILES_DIR
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{token_hex(8)}.part"
    digest, size = hashlib.sha256(), 0
    try:
        with half.open("xb") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                on_written(size)
            file.flush()
            os.fsync(file.fileno())
        place = place_of(digest.hexdigest())
        place.parent.mkdir(exist_ok=True)
        # Over the same content that was there before: its time is new, so that no sweep takes it away now.
        half.replace(place)
    finally:
        with suppress(FileNotFoundError):
            half.unlink()
    return StoredContent(digest.hexdigest(), size)


def sweep(is_used: Callable[[list[str]], set[str]]) -> int:
    """Delete contents that no row names, and what was left half written; how many. `is_used`: those of them in use."""
    folder: Path = settings.SHARED_FILES_DIR
    old = time.time() - YOUNG_SECONDS
    deleted = 0
    for half in folder.glob(".*.part"):
        deleted += _delete(half, old)
    for shelf in folder.glob("??"):
        names = [each.name for each in shelf.iterdir()]
        for name in set(names) - is_used(names):
            deleted += _delete(shelf / name, old)
    return deleted


def _delete(path: Path, older_than: float) -> int:
    with suppress(FileNotFoundError):
        if path.stat().st_mtime < older_than:
            path.unlink()
            return 1
    return 0
