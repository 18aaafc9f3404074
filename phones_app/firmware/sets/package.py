"""Opens what firmware comes in: a folder, a ZIP or tar.gz archive, a signed `.cop`, or one `.loads` beside its files.

Nothing is unpacked to a disk and no file is held in memory: of each the name, the size and the beginning are kept, which
is what completeness takes. Who wants more of a file `takes` it, in pieces. Archives are read to their end, so that sizes
and check sums are what really comes out of them. `contacts_app/core/uploads.py` reads archives of small files whole.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

from contacts_app.core.archives import ArchiveLimits, UnknownArchive, Watch, entries
from contacts_app.core.errors import Refusal
from contacts_app.core.tables import table
from phones_app.firmware.sets.header import LONGEST_HEADER, DamagedHeader, is_signed, read_header
from phones_app.firmware.sets.loads import LONGEST_LOADS

LOADS = ".loads"
_CHUNK = 262144
# Devices' own files and their signed forms are no firmware, however many lie beside it.
_NO_FIRMWARE = ".xml"
# Called with the path of a file and its content in pieces, of which it may take all or none.
Take = Callable[[str, Iterator[bytes]], None]
# Where a package lies: at a path, or in open files on the disk that were uploaded, by the names that they came under.
Source = Path | Mapping[str, IO[bytes]]


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


def _watch_nothing(_doing: str, _done: float) -> None:
    pass


def _take_nothing(_path: str, _pieces: Iterator[bytes]) -> None:
    pass


def open_package(source: Source, watch: Watch = _watch_nothing, take: Take = _take_nothing) -> FirmwarePackage:
    """Look through a package. Raises Refusal for what is none, is damaged or goes beyond the limits, and OSError."""
    if isinstance(source, Path):
        return _at(source, str(source), watch, take)
    if len(source) == 1 and not any(name.lower().endswith(LOADS) for name in source):
        [(name, file)] = source.items()
        return FirmwarePackage(name, tuple(_archive(file, watch, take)))
    names = ", ".join(sorted(name for name in source if name.lower().endswith(LOADS)))
    files = tuple(_one(name, file, watch, take) for name, file in source.items() if not _is_ignored(name))
    return FirmwarePackage(names[:255] or "uploaded files", files)


def _at(path: Path, name: str, watch: Watch, take: Take) -> FirmwarePackage:
    if path.is_dir():
        return FirmwarePackage(name, tuple(_folder(path, watch, take)))
    if not path.is_file():
        raise Refusal("no-package", "There is no such file or folder.")
    if path.name.lower().endswith(LOADS):
        files = tuple(_files(os.scandir(path.parent), "", watch, take))
        return FirmwarePackage(name, files, only=path.name)
    with path.open("rb") as file:
        return FirmwarePackage(name, tuple(_archive(file, watch, take)))


def _archive(file: IO[bytes], watch: Watch, take: Take) -> Iterator[PackedFile]:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(LONGEST_HEADER)
    start = 0
    if is_signed(head):
        try:
            start = read_header(head).length
        except DamagedHeader as error:
            raise Refusal("bad-archive", f"The signed package is damaged: {error}.") from None
    try:
        for name, pieces in entries(file, size, _limits(), watch, start=start):
            yield _packed(name, pieces, take)
    except UnknownArchive:
        raise Refusal(
            "no-package", "This is neither a folder, a ZIP or tar.gz archive, a signed .cop nor a .loads."
        ) from None


def _packed(name: str, pieces: Iterator[bytes], take: Take) -> PackedFile:
    # A piece is longer than what is kept.
    first = next(pieces, b"")
    size = len(first)

    def counted() -> Iterator[bytes]:
        nonlocal size
        yield first
        for piece in pieces:
            size += len(piece)
            yield piece

    unpacked = counted()
    take(name, unpacked)
    # To the end, whether anybody takes it or not.
    for _piece in unpacked:
        pass
    return PackedFile(name, size, first[: _kept_of(name)])


def _folder(root: Path, watch: Watch, take: Take) -> Iterator[PackedFile]:
    for place, _folders, _names in os.walk(root, onerror=_raise):
        yield from _files(os.scandir(place), Path(place).relative_to(root).as_posix().removeprefix("."), watch, take)


def _files(found: "Iterable[os.DirEntry[str]]", folder: str, watch: Watch, take: Take) -> Iterator[PackedFile]:
    number = 0
    for entry in found:
        if _is_ignored(entry.name) or entry.is_dir(follow_symlinks=False):
            continue
        number += 1
        if number > limit("folder_files"):
            raise Refusal("too-many-files", f"There are more than {limit('folder_files'):,} files in one folder.")
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.is_file(follow_symlinks=False):
            with open(entry.path, "rb") as file:
                yield _one(path, file, watch, take)
        else:
            yield PackedFile(path, 0, b"", plain=False)


def _one(name: str, file: IO[bytes], watch: Watch, take: Take) -> PackedFile:
    """A file that lies on the disk by itself."""
    watch(name, 0)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(_kept_of(name))
    take(name, chain([head], iter(partial(file.read, _CHUNK), b"")))
    return PackedFile(name, size, head)


def _is_ignored(name: str) -> bool:
    # No load names what cannot be printed.
    return _NO_FIRMWARE in name.lower() or not name.isprintable()


def _kept_of(name: str) -> int:
    return LONGEST_HEADER + LONGEST_LOADS if name.lower().endswith(LOADS) else LONGEST_HEADER


def _raise(error: OSError) -> None:
    raise error


def limit(name: str) -> int:
    return int(table(__file__, "firmware.toml")["limits"][name])


def _limits() -> ArchiveLimits:
    return ArchiveLimits(limit("files"), limit("each"), limit("together"), limit("ratio"))
