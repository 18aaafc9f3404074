"""The file of a backup: a ZIP archive with the rows of each table, the files of folders, encrypted, and what it is of.

Without the keys nobody reads a password in it: columns with secrets hold ciphertext, and files are encrypted here.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from cryptography.fernet import InvalidToken

from contacts_app.core.errors import Refusal
from contacts_app.core.secrets import cipher

FORMAT = 1
MANIFEST = "manifest.json"
BLOCK = 1024**2
# Most of it is ciphertext, which nothing makes much smaller.
LEVEL = 1


class ArchiveWriter:
    """Writes beside `path`, and puts the whole file there at the end; nothing stays of one that failed."""

    def __init__(self, path: Path) -> None:
        self._path, self._draft = path, path.with_name(f".{path.name}.{os.getpid()}")

    def __enter__(self) -> "ArchiveWriter":
        self._zip = ZipFile(self._open(), "w", ZIP_DEFLATED, compresslevel=LEVEL)
        return self

    def _open(self) -> IO[bytes]:
        return os.fdopen(os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        file = self._zip.fp
        self._zip.close()
        if file is not None:
            file.flush()
            os.fsync(file.fileno())
            file.close()
        if kind is None:
            self._draft.rename(self._path)
        else:
            self._draft.unlink(missing_ok=True)

    def add_table(self, name: str, lines: Iterable[bytes]) -> int:
        """How many rows there were."""
        count = 0
        with self._member(f"tables/{name}.jsonl") as member:
            for line in lines:
                member.write(line)
                count += 1
        return count

    def add_folder(self, name: str, folder: Path) -> int:
        """Every file below the folder, how many there were. One that was deleted meanwhile is left out."""
        count = 0
        for relative in files_below(folder):
            try:
                with (folder / relative).open("rb") as file, self._member(f"files/{name}/{relative}") as member:
                    while block := file.read(BLOCK):
                        member.write(cipher().encrypt(block) + b"\n")
            except FileNotFoundError:
                continue
            count += 1
        return count

    def finish(self, manifest: dict[str, Any]) -> None:
        with self._member(MANIFEST) as member:
            member.write(json.dumps(manifest | {"format": FORMAT}, indent=1).encode())

    def _member(self, name: str) -> IO[bytes]:
        info = ZipInfo(name)
        info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
        return self._zip.open(info, "w", force_zip64=True)


def files_below(folder: Path) -> Iterator[str]:
    """The regular files, as paths relative to the folder; no links, and nothing that is still being written."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()


class ArchiveReader:
    """Raises Refusal when the file is no whole backup."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = ZipFile(path)
            self.manifest: dict[str, Any] = json.loads(self._zip.read(MANIFEST))
        except (OSError, BadZipFile, KeyError, ValueError) as error:
            raise Refusal("not-a-backup", f"{path} is no whole backup: {error}") from error
        if self.manifest.get("format") != FORMAT:
            raise Refusal(
                "another-format",
                f"{path} has another format than this version reads. Restore it with the version that made it, which "
                "stands in its name or in the log of that time, and upgrade that (docs/upgrade.md).",
            )

    def lines(self, table: str) -> Iterator[bytes]:
        with self._zip.open(f"tables/{table}.jsonl") as member:
            yield from member

    def extract_folder(self, name: str, folder: Path) -> int:
        """How many files were written. Fails before the first one if a name would lead out of the folder."""
        prefix = f"files/{name}/"
        found = [member for member in self._zip.namelist() if member.startswith(prefix)]
        for member in found:
            relative = PurePosixPath(member.removeprefix(prefix))
            if relative.is_absolute() or ".." in relative.parts:
                raise Refusal("not-a-backup", f"The backup has a file that would not be in its folder: {member}")
        for member in found:
            target = folder / member.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._zip.open(member) as lines, target.open("wb") as file:
                for line in lines:
                    file.write(_decrypt(line.rstrip(b"\n")))
        return len(found)


def _decrypt(token: bytes) -> bytes:
    try:
        return cipher().decrypt(token)
    except InvalidToken:
        raise Refusal("wrong-keys", "No key of ENCRYPTION_KEYS decrypts the files of this backup.") from None
