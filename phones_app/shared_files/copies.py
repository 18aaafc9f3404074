"""Which copies of shared files FTP servers should have, kept in step with the files (boot server spec §5).

What brings them there is a kind of work (`copying`). The embedded file server needs no copies: it reads the rows.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Lower

from contacts_app.core.lists.among import among
from contacts_app.core.work import clock
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.servers.models import FileServer
from phones_app.shared_files.models import CopyState, FileCopy, SharedFile
from phones_app.shared_files.store import StoredContent

QUEUE = "file-copies"
BATCH = 500
# With another one of these the files lie somewhere else.
PLACE = {"host", "port", "username", "directory"}
_WANTED = ["sha256", "size", "state", "placed_sha256", "due_at", "attempts", "error"]

# What is wanted, by server and path.
Wanted = dict[tuple[int, str], StoredContent]


@dataclass(frozen=True)
class CopyProgress:
    """How many copies a server should have, and how many it has; `leaving` are those still to be deleted there."""

    total: int
    in_place: int
    failed: int
    leaving: int

    @property
    def is_under_way(self) -> bool:
        return self.in_place + self.failed < self.total or self.leaving > 0

    def __str__(self) -> str:
        words = f"{self.in_place} of {self.total} in place"
        words += f", {self.failed} failed" if self.failed else ""
        return words + (f", {self.leaving} to be deleted" if self.leaving else "")


def files_changed(account: int | None, phone: int | None, paths: Sequence[str]) -> None:
    """Called in the transaction in which shared files are changed. Files of single phones are on no FTP server."""
    if phone is None:
        servers = _takers()
        keep_in_step(servers if account is None else servers.filter(account=account), paths)


def file_server_changed(instance: FileServer, change: str, changes: Mapping[str, Any], **_: Any) -> None:
    """Called with each recorded change of a file server, in its transaction.

    Nothing is deleted on a server that takes no files any more, or that is another one now: phones may still need them.
    """
    if instance.is_embedded or change == "-":
        return
    if change == "~" and (not instance.takes_shared_files or PLACE & changes.keys()):
        FileCopy.objects.filter(server=instance).delete()
    if instance.takes_shared_files and (change == "+" or (PLACE | {"takes_shared_files", "account"}) & changes.keys()):
        keep_in_step(FileServer.objects.filter(pk=instance.pk))


def progress(server: FileServer) -> CopyProgress:
    wanted = ~Q(sha256="")
    counted = FileCopy.objects.filter(server=server).aggregate(
        total=Count("pk", filter=wanted),
        in_place=Count("pk", filter=wanted & Q(state=CopyState.IN_PLACE)),
        failed=Count("pk", filter=Q(state=CopyState.FAILED)),
        leaving=Count("pk", filter=~wanted),
    )
    return CopyProgress(**counted)


def try_again(copies: "QuerySet[FileCopy]") -> int:
    """Have these brought there now, also those that are in place as far as is known; how many."""
    asked = copies.update(state=CopyState.WAITING, due_at=clock.now(), attempts=0)
    if asked:
        nudge_after_commit(QUEUE)
    return asked


@transaction.atomic
def keep_in_step(servers: "QuerySet[FileServer]", paths: Collection[str] | None = None) -> None:
    """Have the rows of these servers say what they should have, at these paths in whatever case, or at all."""
    # Locked, so that a change of another file of the same path is waited for and seen.
    locked = list(servers.order_by("pk").select_for_update(of=("self",)).only("pk", "account"))
    if not locked:
        return
    lower = None if paths is None else sorted({path.lower() for path in paths})
    wanted = _wanted(locked, lower)
    copies = FileCopy.objects.filter(server__in=among([server.pk for server in locked]))
    now, changed, superfluous = clock.now(), [], []
    for copy in _at(copies, lower).select_for_update(of=("self",)):
        content = wanted.pop((copy.server_id, copy.path), StoredContent("", copy.size))
        if content.sha256 == copy.sha256:
            continue
        if not content.sha256 and not (copy.placed_sha256 or copy.attempts or copy.lease_owner):
            superfluous.append(copy.pk)
            continue
        if not content.sha256:
            # What may have been brought there by a worker that could not say so any more.
            copy.placed_sha256 = copy.placed_sha256 or copy.sha256
        changed.append(_due(copy, content))
    changed += [_due(FileCopy(server_id=server, path=path), content) for (server, path), content in wanted.items()]
    for copy in changed:
        copy.due_at, copy.pk = now, None
    FileCopy.objects.bulk_create(
        changed, batch_size=BATCH, update_conflicts=True, unique_fields=["server", "path"], update_fields=_WANTED
    )
    for start in range(0, len(superfluous), BATCH):
        FileCopy.objects.filter(pk__in=superfluous[start : start + BATCH]).delete()
    if changed:
        nudge_after_commit(QUEUE)


def _due(copy: FileCopy, content: StoredContent) -> FileCopy:
    copy.sha256, copy.size = content.sha256, content.size
    copy.state, copy.attempts, copy.error = CopyState.WAITING, 0, ""
    return copy


def _takers() -> "QuerySet[FileServer]":
    return FileServer.objects.filter(takes_shared_files=True, is_embedded=False)


def _at(rows: "QuerySet[Any]", lower: list[str] | None) -> "QuerySet[Any]":
    return rows if lower is None else rows.alias(lower=Lower("path")).filter(lower__in=among(lower))


def _wanted(servers: Sequence[FileServer], lower: list[str] | None) -> Wanted:
    """What phones of each server's account would be given: the account's file before everybody's."""
    accounts = {server.account_id for server in servers if server.account_id is not None}
    owners = Q(account=None) | Q(account__in=accounts)
    files = _at(SharedFile.objects.filter(owners, phone=None), lower)
    by_account: dict[int | None, dict[str, tuple[str, StoredContent]]] = {}
    for account, path, sha256, size in files.values_list("account", "path", "sha256", "size"):
        by_account.setdefault(account, {})[path.lower()] = path, StoredContent(sha256, size)
    everybodys = by_account.get(None, {})
    return {
        (server.pk, path): content
        for server in servers
        for path, content in (
            everybodys if server.account_id is None else everybodys | by_account.get(server.account_id, {})
        ).values()
    }


def placed_names(servers: Iterable[FileServer], names: Iterable[str]) -> dict[int, set[str]]:
    """Of each server (its key) those of the names that were brought there and are in place."""
    found: dict[int, set[str]] = {server.pk: set() for server in servers}
    wanted = sorted(set(names))
    if found and wanted:
        rows = FileCopy.objects.filter(server__in=among(sorted(found)), path__in=among(wanted))
        in_place = rows.filter(state=CopyState.IN_PLACE).exclude(sha256="")
        for server, path in in_place.values_list("server", "path"):
            found[server].add(path)
    return found
