"""The steps by which a new file takes the place of an old one on an FTP server, in the order that is safe.

FTP can neither copy nor replace in one transaction, and a phone may fetch the file at any moment.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from time import monotonic

from contacts_app.core.errors import Exchange, TransportError
from phones_app.transports.ftp.folder import OVERTAKEN, FtpContent, FtpFolder, MayStill, hidden
from phones_app.transports.ftp.listing import RELATIVE

MAX_DELETIONS = 20  # leftovers and old backups removed after one upload
RESTORE_SECONDS = 10.0


@dataclass(frozen=True)
class Upload:
    """What one upload did; `unchanged` means that the very same content was there already.

    `replaced` is what the file held before, where it was read; `present` are those of the names asked about that lie in
    the folder, None where it cannot be listed.
    """

    path: str
    size: int
    sha256: str
    unchanged: bool
    backup: str | None
    read_back: bool
    exchange: Exchange
    seconds: float
    replaced: bytes | None = field(default=None, repr=False)
    present: frozenset[str] | None = None


@dataclass(frozen=True)
class Existing:
    """The file that is to be replaced; `content` is None where it is not needed or may not be read."""

    present: bool
    content: bytes | None = None


def take_over(folder: FtpFolder, name: str) -> None:
    """Delete what another upload of this name has stored, which may go on: it cannot give that its name any more."""
    folder.list(posixpath.dirname(name), anew=True)
    for each in leftovers(folder.relatives(name)):
        if each.endswith(".part"):
            folder.delete_quietly(each)


def look(folder: FtpFolder, name: str, new_size: int, *, for_backup: bool) -> Existing:
    """Find out what there is under `name`, reading it if it may equal the new content or is to be kept."""
    # Whether the old file is read or the new one stored at once, it takes a data connection.
    size = folder.size(name, following=folder.wire.offer)
    if size is None and folder.knows_size:
        return Existing(present=False)
    content = folder.read(name) if for_backup or size in (None, new_size) else None
    return Existing(present=size is not None or content is not None, content=content)


def look_for(folder: FtpFolder, path: str) -> Existing:
    """Find out whether there is a file at `path`, and have the folders for it; the file itself is not read."""
    size = folder.size(path)
    if size is None:
        for parent in reversed(folders_of(path)):
            folder.make_folder(parent)
    return Existing(present=size is not None or not folder.knows_size)


def withdraw(folder: FtpFolder, path: str, sha256: str, size: int, may_still: MayStill) -> bool:
    """Delete the file with this digest, or of this size where it may not be read; then the folders that are empty."""
    there = folder.size(path)
    if there is not None or not folder.knows_size:
        digest = folder.digest(path, size if there is None else there)
        if digest is None and there is None:
            return True  # which is no file, as far as can be told
        if digest != sha256 and (digest is not None or there != size):
            return False
        if not may_still():
            raise TransportError(f"Did not delete {path}: it is to be there again", code=OVERTAKEN)
        folder.delete(path)
    for parent in folders_of(path):
        if not folder.remove_folder(parent):
            break
    folder.wire.transcript.take()
    return True


def folders_of(path: str) -> list[str]:
    """The folders that a path leads through, the innermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]


def replace(
    folder: FtpFolder,
    name: str,
    content: FtpContent,
    existing: Existing,
    *,
    keep_backup: bool,
    read_back: bool,
    may_still: MayStill,
    next_name: str,
    reconnect: Callable[[float], FtpFolder],
) -> str | None:
    """Put `content` under `name` and return the name of the backup, if one was made.

    The real name is missing at no moment, except on servers that refuse to rename over an existing file or
    to let the old one be read: there the old file has to go away first, for the time of two commands.
    `may_still` is asked right before `name` is touched. `reconnect` opens a second connection, within that many
    seconds, to put the old file back.
    """
    swap = partial(_swap, may_still=may_still, reconnect=reconnect)
    kept = existing.present and keep_backup
    with folder.temporary(name, content, read_back=read_back, renamed=not kept) as temporary:
        if not kept:
            backup = None
        elif existing.content is None:
            backup = _free_backup_name(folder, name)
            swap(folder, temporary, name, backup)
            return backup
        else:
            backup = _copy(folder, name, existing.content)
        try:
            folder.rename(temporary, name, may_still=may_still, next_name=next_name)
        except TransportError as error:
            if folder.broken or not existing.present or error.code == OVERTAKEN:
                raise
            aside = hidden(name, "old")
            swap(folder, temporary, name, aside)
            folder.delete_quietly(aside)
    return backup


def tidy(folder: FtpFolder, name: str, keep_backups: int) -> None:
    """Delete what killed uploads have left and all but the newest backups, where listing works.

    A temporary file of another upload of the same name that is still under way goes too: this one is newer,
    and the other must not be renamed over it.
    """
    folder.list(posixpath.dirname(name))
    relatives = folder.relatives(name)
    superfluous = backups(relatives)[keep_backups:] if keep_backups else []
    for each in (leftovers(relatives) + superfluous)[:MAX_DELETIONS]:
        folder.delete(each)


def probe(folder: FtpFolder) -> None:
    """Show that files can be stored, renamed and deleted, with a tiny one of our own."""
    with folder.temporary("patchbay-test", FtpContent.of(b"test\n")) as temporary:
        renamed = hidden("patchbay-test", "old")
        folder.rename(temporary, renamed)
        folder.delete(renamed)


def new_backups(name: str, moment: datetime, relatives: Iterable[str]) -> Iterator[str]:
    """Offer names for the backup made at `moment`, all of them newer than those among `relatives`.

    From the second one of the same second on they bear a number. Numbers freed by deletion are not used
    again, as the newest backup would then pass for the oldest.
    """
    stamp = moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    last = max((number for taken, number, _ in _backups(relatives) if taken == stamp), default=-1)
    for number in count(last + 1):
        yield f"{name}.{stamp}.{number}.bak" if number else f"{name}.{stamp}.bak"


def backups(relatives: Iterable[str]) -> list[str]:
    """Return the backups among `relatives`, the newest first."""
    return [backup for _, _, backup in sorted(_backups(relatives), reverse=True)]


def leftovers(relatives: Iterable[str]) -> list[str]:
    """Return what uploads that were killed half-way have left among `relatives`."""
    return sorted(relative for relative in relatives if posixpath.basename(relative).startswith("."))


def _backups(relatives: Iterable[str]) -> list[tuple[str, int, str]]:
    matches = filter(None, map(RELATIVE.fullmatch, relatives))
    return [(match["stamp"], int(match["number"] or 0), match[0]) for match in matches if match["kept"]]


def _copy(folder: FtpFolder, name: str, content: bytes) -> str:
    with folder.temporary(name, FtpContent.of(content), renamed=False) as copy:
        backup = _free_backup_name(folder, name)
        folder.rename(copy, backup)
    return backup


def _free_backup_name(folder: FtpFolder, name: str) -> str:
    # Renaming would silently replace a backup made within the same second.
    return next(
        offered for offered in new_backups(name, datetime.now(UTC), folder.relatives(name)) if _is_free(folder, offered)
    )


def _is_free(folder: FtpFolder, name: str) -> bool:
    return folder.size(name) is None and (folder.knows_size or folder.read(name) is None)


def _swap(
    folder: FtpFolder,
    temporary: str,
    name: str,
    aside: str,
    *,
    may_still: MayStill,
    reconnect: Callable[[float], FtpFolder],
) -> None:
    """Rename the old file away and the new one in; on failure the old one gets its name back."""
    folder.rename(name, aside, may_still=may_still)
    try:
        folder.rename(temporary, name, may_still=may_still)
    except TransportError as error:
        try:
            # A phone must not be left without its file, so this may outlast the deadline a little and may
            # take a second connection.
            again = reconnect(RESTORE_SECONDS) if folder.broken else folder
            again.wire.deadline = max(again.wire.deadline, monotonic() + RESTORE_SECONDS)
            # What another upload has put there meanwhile is newer.
            if _is_free(again, name):
                _put_back(again, aside, name)
        except TransportError as second:
            error.message += f"; the old file could not be put back ({second.message}) and is now {aside}"
        raise


def _put_back(folder: FtpFolder, aside: str, name: str) -> None:
    try:
        folder.rename(aside, name)
    except TransportError:
        # Some servers allow no rename to such a name, yet allow to store under it.
        content = None if folder.broken else folder.read(aside)
        if content is None:
            raise
        folder.store(name, FtpContent.of(content))
        folder.delete_quietly(aside)


def remove(folder: FtpFolder, name: str, *, is_there: bool) -> list[str]:
    """Delete a file, if it is there, and its backups; the names of what was deleted."""
    if is_there:
        folder.delete(name)
    folder.list()
    old = list(backups(folder.relatives(name)))
    for backup in old:
        folder.delete(backup)
    folder.wire.transcript.take()
    return [name, *old] if is_there else old


def present(folder: FtpFolder, names: frozenset[str], *, any_case: bool) -> frozenset[str] | None:
    """Those of the names that lie in the folder and those below it."""
    folder.list()
    for path in sorted({folder.listings.folder_of(name, any_case=any_case) or "" for name in names if "/" in name}):
        folder.list(path)
    folder.wire.transcript.take()
    return folder.listings.present(names, any_case=any_case)
