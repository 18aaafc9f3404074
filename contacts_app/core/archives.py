"""Archives that come from elsewhere, ZIP and tar.gz: read as a stream to their end, nothing unpacked to a disk.

What is counted is what really comes out of an archive and not what its directory says. No Django here, so that pure
packages use it as well.
"""

import re
import stat
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from gzip import GzipFile
from tarfile import TarError
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from contacts_app.core.errors import Refusal
from contacts_app.core.measured import Measured

ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
EMPTY_ZIP = b"PK\x05\x06"
# What systems put beside the files that a person has packed.
LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_ENCRYPTED = 0x1  # Bit 0 of the general purpose flags (APPNOTE.TXT, 4.4.4).
# Of these alone nothing but the length of the text decides how much memory unpacking takes.
_METHODS = (ZIP_STORED, ZIP_DEFLATED)
# What `zipfile`, `gzip` and `tarfile` raise for archives that somebody has spoilt.
DAMAGED = (
    *(BadZipFile, TarError, zlib.error, struct.error),
    *(EOFError, OSError, ValueError, LookupError, RuntimeError, OverflowError),
)
_CHUNK = 262_144
_DRIVE = re.compile(r"[A-Za-z]:")
# What a small archive of text may unpack to, whatever the ratio says.
_SLACK = 1_048_576

# Called with what is being read and how much of it is done, from 0 to 1.
Watch = Callable[[str, float], None]
# A file of an archive: its path and its content in pieces, which may be left unread.
Packed = tuple[str, Iterator[bytes]]


@dataclass(frozen=True)
class ArchiveLimits:
    """How many entries, how large each and all together, unpacked, and how many times the size of the archive."""

    files: int
    each: int
    together: int
    ratio: int


def is_litter(path: str) -> bool:
    return path.startswith(LITTER[0]) or path.rpartition("/")[2] in LITTER


def ensure_readable_entry(entry: ZipInfo, name: str) -> None:
    """Raise Refusal for an entry of a ZIP archive that is encrypted, or packed by a method other than deflate."""
    if entry.flag_bits & _ENCRYPTED:
        raise Refusal("encrypted-archive", f"The ZIP archive is encrypted: {name}. Pack it without a password.")
    if entry.compress_type not in _METHODS:
        raise Refusal("bad-archive", f"{name} is packed by a method that Patchbay does not read. Use deflate.")


class UnknownArchive(Refusal):
    """Neither ZIP nor tar.gz."""

    def __init__(self) -> None:
        super().__init__("no-archive", "This is neither a ZIP nor a tar.gz archive.")


def entries(
    file: IO[bytes], size: int, limits: ArchiveLimits, watch: Watch = lambda _doing, _done: None, *, start: int = 0
) -> Iterator[Packed]:
    """The plain files of an archive of so many bytes, which begins at `start`, in its order.

    The pieces of one are to be read before the next is asked for. Raises UnknownArchive, and Refusal for an archive
    that is damaged or encrypted, goes beyond the limits, or has anything in it but plain files within its folders.
    """
    budget = _Budget(size, limits)
    opened = Measured(file, size=size)
    opened.seek(start)
    head = file.read(len(ZIP))
    opened.seek(start)
    if head in (ZIP, EMPTY_ZIP):
        found = _zip(opened, budget, watch)
    elif head.startswith(GZIP):
        found = _tar(opened, budget, watch)
    else:
        raise UnknownArchive
    while (one := _next(found)) is not None:
        name, content = one
        pieces = _counted(name, content, budget)
        yield name, pieces
        # The check sum is at the end, so what the caller has not read is read here.
        for _ in pieces:
            pass


def _next(found: Iterator[tuple[str, IO[bytes]]]) -> tuple[str, IO[bytes]] | None:
    try:
        return next(found, None)
    except DAMAGED as error:
        raise _damaged(error) from None


def _counted(name: str, opened: IO[bytes], budget: "_Budget") -> Iterator[bytes]:
    """What is raised while somebody else works with a piece is theirs, and no damage of the archive."""
    while True:
        try:
            piece = opened.read(_CHUNK)
        except DAMAGED as error:
            raise _damaged(error) from None
        if not piece:
            return
        budget.take(len(piece), name)
        yield piece


def _damaged(error: Exception) -> Refusal:
    return Refusal("bad-archive", f"The archive is damaged: {error}")


def _zip(file: Measured, budget: "_Budget", watch: Watch) -> Iterator[tuple[str, IO[bytes]]]:
    with ZipFile(cast("IO[bytes]", file)) as archive:
        for entry in archive.infolist():
            name = budget.name(entry.filename)
            if entry.is_dir():
                continue
            ensure_readable_entry(entry, name)
            if _kind(entry) not in (0, stat.S_IFREG):
                raise _no_plain_file(name)
            budget.announce(entry.file_size, name)
            watch(name, budget.taken / budget.announced if budget.announced else 0)
            with archive.open(entry) as opened:
                yield name, opened


def _kind(entry: ZipInfo) -> int:
    """The kind of file in the upper half of what Unix systems write, 0 where another system has packed it."""
    return stat.S_IFMT(entry.external_attr >> 16)


def _no_plain_file(name: str) -> Refusal:
    return Refusal("no-plain-file", f"{name} is a link or a device; only files and folders are taken.")


def _tar(file: Measured, budget: "_Budget", watch: Watch) -> Iterator[tuple[str, IO[bytes]]]:
    with GzipFile(fileobj=cast("IO[bytes]", file), mode="rb") as unpacked:
        # Mode "r:" reads with the sizes that the archive names, which `Measured` bounds, and never goes back.
        measured = Measured(cast("IO[bytes]", unpacked), on_read=budget.unpacked, forward=True)
        with tarfile.open(fileobj=cast("IO[bytes]", measured), mode="r:") as archive:
            for entry in archive:
                name = budget.name(entry.name)
                if entry.isdir():
                    continue
                if not entry.isreg() or entry.issparse():
                    raise _no_plain_file(name)
                budget.announce(entry.size, name)
                watch(name, file.part)
                opened = archive.extractfile(entry)
                if opened is not None:
                    yield name, opened


class _Budget:
    """What is left of the limits of one archive, which is `packed` bytes long."""

    def __init__(self, packed: int, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._most = min(limits.together, packed * limits.ratio + _SLACK)
        self._seen = set[str]()
        self.announced = self.taken = self._raw = 0

    def name(self, name: str) -> str:
        """The path of an entry, with `/` between folders. Raises Refusal for one that leads out of the archive."""
        path = name.replace("\\", "/")
        parts = [part for part in path.split("/") if part not in ("", ".")]
        shown = "/".join(parts)[-255:] if path.isprintable() else ascii(name)[:255]
        if path.startswith("/") or _DRIVE.match(path) or ".." in parts or not path.isprintable():
            raise Refusal("bad-path", f"The archive has an entry whose path leads out of it: {shown or path}.")
        if len(self._seen) >= self._limits.files:
            raise Refusal("too-many-files", f"The archive has more than {self._limits.files:,} entries.")
        if shown in self._seen and shown:
            raise Refusal("bad-archive", f"The archive has {shown} twice.")
        self._seen.add(shown or f"./{len(self._seen)}")
        return shown

    def announce(self, size: int, name: str) -> None:
        """What the archive says that an entry will be."""
        self.announced += max(size, 0)
        if size > self._limits.each or size < 0 or self.announced > self._limits.together:
            raise self._too_large(name)

    def take(self, size: int, name: str) -> None:
        """What really came out of it."""
        self.taken += size
        if self.taken > self._most:
            raise self._too_large(name)

    def unpacked(self, size: int) -> None:
        """What came out of the compression around a whole archive, the names between files included."""
        self._raw += size
        if self._raw > self._most + 4 * _SLACK:
            raise self._too_large("the archive")

    def _too_large(self, name: str) -> Refusal:
        most, together = self._limits.each // 1024**2, self._limits.together // 1024**2
        return Refusal(
            "too-large",
            f"Too much comes out of the archive at {name}: {most} MB a file, {together} MB together "
            f"and {self._limits.ratio} times the size of the archive are the limits.",
        )
