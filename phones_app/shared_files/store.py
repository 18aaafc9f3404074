"""The contents of shared files on disk, each once under its digest. Large ones pass through in pieces.

A content is there whole or not at all: it gets its name when the last byte is on the disk. One that no row names is
deleted by `sweep`, an hour after it came at the earliest, because its row may not be committed yet.
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import IO, Self

from django.conf import settings

from contacts_app.core.disk import room
from contacts_app.core.errors import Refusal

CHUNK = 262_144
YOUNG_SECONDS = 3600.0
# What is kept of a beginning, to tell what it is.
HEAD = 2_048
FULL = (errno.ENOSPC, errno.EDQUOT)
# As its readers, web servers among them, can read it.
FILE_MODE = 0o644


@dataclass(frozen=True)
class StoredContent:
    """`head` is what it begins with, where it has just been written."""

    sha256: str
    size: int
    head: bytes = field(default=b"", compare=False, repr=False)


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


class Staging:
    """Contents on their way: `place` puts all of them where they belong. Of those that were not placed nothing stays.

    Whatever the pieces of one raise, the others can still be placed.
    """

    def __init__(self) -> None:
        self._folder: Path = settings.SHARED_FILES_DIR
        self._halves: dict[str, Path] = {}

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        for half in self._halves.values():
            half.unlink(missing_ok=True)

    def write(self, chunks: Iterable[bytes], on_written: Callable[[int], None] = lambda _size: None) -> StoredContent:
        """Raises Refusal where the disk has no room for it."""
        half = self._folder / f".{token_hex(8)}.part"
        try:
            content = _write(half, chunks, on_written)
        except BaseException as error:
            half.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in FULL:
                raise _no_room() from None
            raise
        if content.sha256 in self._halves:
            half.unlink()
        else:
            self._halves[content.sha256] = half
        return content

    def place(self) -> None:
        for sha256, half in self._halves.items():
            place = place_of(sha256)
            place.parent.mkdir(exist_ok=True)
            # Over the same content that was there before: its time is new, so that no sweep takes it away now.
            os.utime(half)
            half.replace(place)
        self._halves = {}


def store(chunks: Iterable[bytes], on_written: Callable[[int], None] = lambda _size: None) -> StoredContent:
    """Write the content and return what it is. Whatever `chunks` raises, nothing is left behind. Raises Refusal."""
    with Staging() as staging:
        content = staging.write(chunks, on_written)
        staging.place()
    return content


def _write(half: Path, chunks: Iterable[bytes], on_written: Callable[[int], None]) -> StoredContent:
    digest, size, head = hashlib.sha256(), 0, b""
    with half.open("xb") as file:
        os.fchmod(file.fileno(), FILE_MODE)
        for chunk in chunks:
            if room().is_too_little:
                raise _no_room()
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            head = head if len(head) >= HEAD else head + chunk[:HEAD]
            on_written(size)
        file.flush()
        os.fsync(file.fileno())
    return StoredContent(digest.hexdigest(), size, head[:HEAD])


def _no_room() -> Refusal:
    return Refusal("no-room", "The disk of the portal is full.")


def unused(is_used: Callable[[list[str]], set[str]], older_than: float) -> Iterator[Path]:
    """Contents that no row names, and what was left half written, from before a time as `time.time` gives it."""
    folder: Path = settings.SHARED_FILES_DIR
    older_than = min(older_than, time.time() - YOUNG_SECONDS)
    for half in folder.glob(".*.part"):
        if _is_older(half, older_than):
            yield half
    for shelf in folder.glob("??"):
        old = [each.name for each in shelf.iterdir() if _is_older(each, older_than)]
        in_use = is_used(old) if old else set()
        yield from (shelf / name for name in old if name not in in_use)


def sweep(is_used: Callable[[list[str]], set[str]], older_than: float | None = None) -> int:
    """Delete these; how many."""
    young = time.time() - YOUNG_SECONDS
    deleted, before = 0, young if older_than is None else min(older_than, young)
    for path in unused(is_used, before):
        # Somebody may have placed the same content while rows were asked for: it is young again.
        if _is_older(path, before):
            with suppress(FileNotFoundError):
                path.unlink()
                deleted += 1
    return deleted


def _is_older(path: Path, than: float) -> bool:
    with suppress(FileNotFoundError):
        return path.stat().st_mtime < than
    return False
