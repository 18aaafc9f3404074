"""Opens what firmware comes in: a folder, a ZIP or tar.gz archive, a signed `.cop`, or one `.loads` beside its files.

Nothing is unpacked to a disk and no file is held in memory: of each the name, the size and the beginning are kept, which
is what completeness takes. Archives are read to their end, so that sizes and check sums are what really comes out of
them. `contacts_app/core/uploads.py` reads archives of small files whole; only the checks of an entry are common.
"""

import os
import re
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from gzip import GzipFile
from pathlib import Path
from typing import IO, cast
from zipfile import ZipFile, ZipInfo

from contacts_app.core.archives import DAMAGED, ensure_readable_entry
from contacts_app.core.errors import Refusal
from contacts_app.core.tables import table
from phones_app.firmware.sets.header import LONGEST_HEADER, DamagedHeader, is_signed, read_header
from phones_app.firmware.sets.loads import LONGEST_LOADS
from phones_app.firmware.sets.measured import Measured

LOADS = ".loads"
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_CHUNK = 262144
_DRIVE = re.compile(r"[A-Za-z]:")
# Devices' own files and their signed forms are no firmware, however many lie beside it.
_NO_FIRMWARE = ".xml"
# What a small archive of text may unpack to, whatever the ratio says.
_SLACK = 1_048_576

# Called with what is being read and how much of it is done, from 0 to 1.
Watch = Callable[[str, float], None]


@dataclass(frozen=True)
class PackedFile:
    """`head` is its beginning: all of a `.loads`, of others enough for header and digest. `plain`: no link, no device."""

    path: str
    size: int
    head: bytes
    plain: bool = True

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


@dataclass(frozen=True)
class FirmwarePackage:
    """`only` is the `.loads` file that was named, "" where all of them count."""

    name: str
    files: tuple[PackedFile, ...]
    only: str = ""


def open_package(path: Path, watch: Watch = lambda _doing, _done: None) -> FirmwarePackage:
    """Look through a package. Raises Refusal for what is none, is damaged or goes beyond the limits, and OSError."""
    if path.is_dir():
        return FirmwarePackage(str(path), tuple(_folder(path, watch)))
    if not path.is_file():
        raise Refusal("no-package", "There is no such file or folder.")
    if path.name.lower().endswith(LOADS):
        files = tuple(_files(os.scandir(path.parent), "", watch))
        return FirmwarePackage(str(path), files, only=path.name)
    with path.open("rb") as file:
        return FirmwarePackage(str(path), tuple(_archive(path, file, watch)))


def _archive(path: Path, file: IO[bytes], watch: Watch) -> Iterator[PackedFile]:
    head = file.read(LONGEST_HEADER)
    start = 0
    if is_signed(head):
        try:
            start = read_header(head).length
        except DamagedHeader as error:
            raise Refusal("bad-archive", f"The signed package is damaged: {error}.") from None
    budget = _Budget(path.stat().st_size)
    opened = Measured(file)
    opened.seek(start)
    try:
        if head[start : start + 4] == _ZIP:
            yield from _zip(opened, budget, watch)
        elif head[start : start + 2] == _GZIP:
            yield from _tar(opened, budget, watch)
        else:
            raise Refusal(
                "no-package", "This is neither a folder, a ZIP or tar.gz archive, a signed .cop nor a .loads."
            )
    except DAMAGED as error:
        raise Refusal("bad-archive", f"The archive is damaged: {error}") from None


def _zip(file: Measured, budget: "_Budget", watch: Watch) -> Iterator[PackedFile]:
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
                yield _packed(name, opened, budget)


def _kind(entry: ZipInfo) -> int:
    """The kind of file in the upper half of what Unix systems write, 0 where another system has packed it."""
    return stat.S_IFMT(entry.external_attr >> 16)


def _no_plain_file(name: str) -> Refusal:
    return Refusal("no-plain-file", f"{name} is a link or a device; only files and folders are taken.")


def _tar(file: Measured, budget: "_Budget", watch: Watch) -> Iterator[PackedFile]:
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
                    yield _packed(name, opened, budget)


def _packed(name: str, opened: IO[bytes], budget: "_Budget") -> PackedFile:
    head = opened.read(_kept_of(name))
    size = len(head)
    budget.take(size, name)
    while chunk := opened.read(_CHUNK):
        size += len(chunk)
        budget.take(len(chunk), name)
    return PackedFile(name, size, head)


def _folder(root: Path, watch: Watch) -> Iterator[PackedFile]:
    for place, _folders, _names in os.walk(root, onerror=_raise):
        yield from _files(os.scandir(place), Path(place).relative_to(root).as_posix().removeprefix("."), watch)


def _files(entries: "Iterator[os.DirEntry[str]]", folder: str, watch: Watch) -> Iterator[PackedFile]:
    number = 0
    for entry in entries:
        # No load names what cannot be printed.
        ignored = _NO_FIRMWARE in entry.name.lower() or not entry.name.isprintable()
        if ignored or entry.is_dir(follow_symlinks=False):
            continue
        number += 1
        if number > _limit("folder_files"):
            raise Refusal("too-many-files", f"There are more than {_limit('folder_files'):,} files in one folder.")
        path = f"{folder}/{entry.name}" if folder else entry.name
        if not entry.is_file(follow_symlinks=False):
            yield PackedFile(path, 0, b"", plain=False)
            continue
        watch(path, 0)
        with open(entry.path, "rb") as file:
            yield PackedFile(path, entry.stat().st_size, file.read(_kept_of(path)))


def _kept_of(name: str) -> int:
    return LONGEST_HEADER + LONGEST_LOADS if name.lower().endswith(LOADS) else LONGEST_HEADER


def _raise(error: OSError) -> None:
    raise error


def _limit(name: str) -> int:
    return int(table(__file__, "firmware.toml")["limits"][name])


class _Budget:
    """What is left of the limits of one archive, which is `packed` bytes long."""

    def __init__(self, packed: int) -> None:
        self._most = min(_limit("together"), packed * _limit("ratio") + _SLACK)
        self._seen = set[str]()
        self.announced = self.taken = self._raw = 0

    def name(self, name: str) -> str:
        """The path of an entry, with `/` between folders. Raises Refusal for one that leads out of the archive."""
        path = name.replace("\\", "/")
        parts = [part for part in path.split("/") if part not in ("", ".")]
        shown = "/".join(parts)[-255:] if path.isprintable() else ascii(name)[:255]
        if path.startswith("/") or _DRIVE.match(path) or ".." in parts or not path.isprintable():
            raise Refusal("bad-path", f"The archive has an entry whose path leads out of it: {shown or path}.")
        if len(self._seen) >= _limit("files"):
            raise Refusal("too-many-files", f"The archive has more than {_limit('files'):,} entries.")
        if shown in self._seen and shown:
            raise Refusal("bad-archive", f"The archive has {shown} twice.")
        self._seen.add(shown or f"./{len(self._seen)}")
        return shown

    def announce(self, size: int, name: str) -> None:
        """What the archive says that an entry will be."""
        self.announced += max(size, 0)
        if size > _limit("each") or size < 0 or self.announced > _limit("together"):
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

    @staticmethod
    def _too_large(name: str) -> Refusal:
        most, together = _limit("each") // 1024**2, _limit("together") // 1024**2
        return Refusal(
            "too-large",
            f"Too much comes out of the archive at {name}: {most} MB a file, {together} MB together "
            f"and {_limit('ratio')} times the size of the archive are the limits.",
        )
