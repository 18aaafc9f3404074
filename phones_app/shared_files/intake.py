"""Takes files in that somebody hands over: single ones, archives and whole folders. All of them become rows, or none."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

from django.db import transaction

from contacts_app.accounts.models import Account
from contacts_app.core.archives import ArchiveLimits, Watch, entries, is_litter
from contacts_app.core.errors import Refusal
from contacts_app.core.tables import table
from phones_app.inventory.models import Phone
from phones_app.shared_files import services, store
from phones_app.shared_files.models import NEVER_GIVEN, SharedFile
from phones_app.shared_files.services import NewFile

ARCHIVES = (".zip", ".tgz", ".tar.gz")
LIMITS = ArchiveLimits(**table(__file__, "limits.toml"))


class IntakeOutcome(StrEnum):
    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left-out"


@dataclass(frozen=True)
class Incoming:
    """An open file. `among`: one of the files of a folder, of which those that are for no phone are left out."""

    name: str
    file: IO[bytes]
    among: bool = False

    @property
    def is_archive(self) -> bool:
        return not self.among and self.name.lower().endswith(ARCHIVES)


@dataclass(frozen=True)
class IntakeTarget:
    """For whom the files are (no account: everybody), and the folder in front of their paths."""

    account: Account | None = None
    phone: Phone | None = None
    into: str = ""
    description: str = ""

    def path(self, name: str) -> str:
        return f"{self.into.strip('/')}/{name}".lstrip("/")


@dataclass(frozen=True)
class OnePath:
    """Where one file goes. `kind` None: by the table; an empty `description` leaves the present one."""

    path: str
    account: Account | None = None
    phone: Phone | None = None
    kind: str | None = None
    description: str = ""


@dataclass(frozen=True)
class TakenFile:
    """What became of one file; `row` is stored unless it was a dry run, None of one that was left out."""

    path: str
    outcome: IntakeOutcome
    row: SharedFile | None = None
    reason: str = ""


def take_in(
    files: Iterable[Incoming], target: IntakeTarget, *, dry_run: bool = False, watch: Watch = lambda _doing, _done: None
) -> list[TakenFile]:
    """Store files with their rows, those of an archive for it. Raises Refusal: then nothing of them all is stored.

    A file that takes the place of another one is told as such. A dry run stores nothing.
    """
    with store.Staging() as staging:
        new, left_out = list[NewFile](), list[TakenFile]()
        left = LIMITS.together
        for path, pieces, among in _walk(files, target, watch):
            if reason := _reason_to_leave_out(path) if among else "":
                left_out.append(TakenFile(path, IntakeOutcome.LEFT_OUT, reason=reason))
                continue
            services.ensure_path(path)
            if len(new) == LIMITS.files:
                raise Refusal("too-many-files", f"These are more than {LIMITS.files:,} files.")
            content = staging.write(_bounded(pieces, path, min(left, LIMITS.each)))
            left -= content.size
            new.append(NewFile(path, content, target.account, target.phone, description=target.description))
        if not new:
            raise Refusal("no-files", "There is no file in it that a phone could be given.")
        with transaction.atomic():
            outcomes = _outcomes(new)
            rows = services.put_many(new)
            if dry_run:
                transaction.set_rollback(True)
            else:
                staging.place()
    taken = [TakenFile(row.path, outcome, row) for row, outcome in zip(rows, outcomes, strict=True)]
    return sorted([*taken, *left_out], key=lambda one: one.path)


def take_in_one(
    pieces: Iterable[bytes], file: OnePath, *, ensure: Callable[[SharedFile | None], None] = lambda _present: None
) -> SharedFile:
    """Store one file in pieces. Raises Refusal, and what `pieces` and `ensure` raise: then nothing is stored.

    `ensure` is given what is at the path, locked, before it is replaced.
    """
    services.ensure_path(file.path)
    with store.Staging() as staging:
        content = staging.write(_bounded(pieces, file.path, LIMITS.each))
        new = NewFile(file.path, content, file.account, file.phone, file.kind, file.description)
        with transaction.atomic():
            ensure(services.at_paths([new.path], *new.owner, services.locked()).get(new.path.lower()))
            [row] = services.put_many([new])
            staging.place()
    return row


def _walk(files: Iterable[Incoming], target: IntakeTarget, watch: Watch) -> Iterator[tuple[str, Iterator[bytes], bool]]:
    for one in files:
        if not one.is_archive:
            yield target.path(one.name), store.pieces(one.file), one.among
            continue
        size = one.file.seek(0, 2)
        one.file.seek(0)
        for name, pieces in entries(one.file, size, LIMITS, watch):
            yield target.path(name), pieces, True


def _bounded(pieces: Iterable[bytes], path: str, most: int) -> Iterator[bytes]:
    left = most
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            each, together = LIMITS.each // 1024**2, LIMITS.together // 1024**2
            raise Refusal("too-large", f"{path}: {each} MB a file and {together} MB together are the limits.")
        yield piece


def _reason_to_leave_out(path: str) -> str:
    """What lies in folders beside the files of phones."""
    if is_litter(path) or any(NEVER_GIVEN.fullmatch(part) for part in path.split("/")):
        return "Phones are never given such files."
    if services.is_from_profile(path):
        return services.FROM_PROFILE
    return ""


def _outcomes(new: list[NewFile]) -> list[IntakeOutcome]:
    account, phone = new[0].owner
    before = {path: row.sha256 for path, row in services.at_paths([file.path for file in new], account, phone).items()}

    def outcome(file: NewFile) -> IntakeOutcome:
        present = before.get(file.path.lower())
        if present is None:
            return IntakeOutcome.ADDED
        return IntakeOutcome.UNCHANGED if present == file.content.sha256 else IntakeOutcome.REPLACED

    return [outcome(file) for file in new]
