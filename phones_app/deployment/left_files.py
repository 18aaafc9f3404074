"""What a phone leaves behind that is no longer where it was deployed to: its MAC address, file server or account changed.

Its old file lies where it was, with the credentials of its lines in it, and no phone of the inventory owns it. The row
counts as not deployed from then on, and the file is offered for removal; nothing is deleted without being asked for.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from posixpath import normpath
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from contacts_app.core.errors import Refusal, TransportError
from contacts_app.core.history.authorship import Changed
from contacts_app.core.lists.among import among
from contacts_app.core.work import clock
from contacts_app.core.work.wake import nudge
from phones_app.configuration.changes import note_files
from phones_app.deployment.leaving import left_behind
from phones_app.deployment.models import Deployment, LastDeployment, LeftFile, PhoneFile
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.deployment.transitions import cancelled
from phones_app.inventory.models import Phone
from phones_app.inventory.services import Changes
from phones_app.servers.models import FileServer
from phones_app.servers.services import default_server, ftp_target, told_of
from phones_app.transports.ftp.session import FtpSession

log = structlog.get_logger(__name__)
REMOVED_FILE = "Deleted the file and its backups from the file server."
MOVED, LEFT = "The phone went to another account.", "its phone went to another account"
CHANGED = "The phone's MAC address or file server was changed."


def identity_changed(instance: Phone, changes: Changes) -> None:
    """The phone's MAC address or file server was changed, in this transaction."""
    mac = changes["mac"][0] if "mac" in changes else instance.mac
    files = _files().filter(phone=instance)
    moved = [file for file in files if "mac" in changes or file.server_id != _server_of(instance)]
    reason = "its MAC address was changed" if "mac" in changes else "its file server was changed"
    _leave(moved, reason, of=_owners([instance.pk]) if "account" in changes else {}, mac=mac)
    if moved or "mac" in changes:
        open_ones = Deployment.objects.filter(phone=instance, finished_at=None)
        cancelled(open_ones, error=CHANGED, code="phone-changed")


def account_changed(changed: Changed) -> None:
    """These phones went to another account: what was done for the former one, and the file with its lines, is its own."""
    phones = [phone.pk for phone, _ in changed]
    _leave(_files().filter(phone__in=among(phones)), LEFT, of=_owners(phones))
    LastDeployment.objects.filter(phone__in=among(phones)).delete()
    cancelled(Deployment.objects.filter(phone__in=among(phones), finished_at=None), error=MOVED, code="phone-changed")
    # Not before: a worker may hold the rows, and wait for the phones', which are ours until then.
    transaction.on_commit(lambda: _take_from_workers(phones), robust=True)


def _take_from_workers(phones: Sequence[int]) -> None:
    """What a worker has in hand for the former account: it records nothing more, and whatever is next does not begin."""
    theirs = Deployment.objects.filter(phone__in=among(phones), finished_at=None).exclude(account=F("phone__account"))
    held = theirs.exclude(lease_owner="").order_by("pk").values_list("pk", flat=True)
    if keys := list(held):
        free = {"lease_owner": "", "lease_until": None, "next_attempt_at": clock.now()}
        Deployment.objects.filter(pk__in=keys, finished_at=None).update(**free)
        cancelled(theirs, error=MOVED, code="phone-changed")
        nudge(DEPLOYMENTS)  # what cannot be cancelled, as in the middle of an upload, fails
    account_of = dict(Phone.objects.filter(pk__in=among(phones)).values_list("pk", "account"))
    owners = {phone: owner for phone, owner in _owners(phones).items() if owner != account_of.get(phone)}
    # Recorded in the moment before.
    _leave(_files().filter(phone__in=among(list(owners))), LEFT, of=owners)


def _owners(phones: Sequence[int]) -> dict[int, int]:
    """For which accounts these phones got their files last."""
    uploads = Deployment.objects.filter(phone__in=among(phones), uploaded_at__isnull=False).order_by("created_at")
    return {phone: account for phone, account in uploads.values_list("phone", "account") if phone is not None}


def _server_of(phone: Phone) -> int | None:
    return phone.file_server_id or _default_of(phone.account_id)


def file_server_changed(instance: FileServer, change: str, changes: Changes, **_: Any) -> None:
    """Called with each recorded change of a file server, in its transaction."""
    if change == "~" and "directory" in changes and not instance.is_embedded:
        before = changes["directory"][0] or ""
        _leave(_files().filter(server=instance), "the directory of its file server was changed", directory=before)
    if (change == "+" and instance.is_default) or (change == "~" and "is_default" in changes):
        _default_changed(instance)


def _default_changed(server: FileServer) -> None:
    """Phones that name no file server have another one now, where the default of their account is no longer theirs."""
    files = _files().filter(phone__file_server=None, server__isnull=False)
    if server.account_id is not None:
        files = files.filter(phone__account=server.account_id)
    if not server.is_default:
        files = files.filter(server=server)
    for account in list(files.order_by().values_list("phone__account", flat=True).distinct()):
        elsewhere = files.filter(phone__account=account).exclude(server=_default_of(account))
        _leave(elsewhere, "the default file server was changed")


def _default_of(account: int) -> int | None:
    try:
        return default_server(account).pk
    except Refusal:
        return None


def phone_deleted(instance: Phone, **_: Any) -> None:
    """Called before a phone is deleted, and the row of its file with it."""
    files = _files().filter(phone=instance, server__isnull=False)
    LeftFile.objects.bulk_create(left_behind(file, "its phone was deleted", at=clock.now()) for file in files)


def _files() -> QuerySet[PhoneFile]:
    rows = PhoneFile.objects.select_related("phone", "server", "revision__profile")
    return rows.defer("found", "revision__content", "revision__facts")


@transaction.atomic
def _leave(files: Iterable[PhoneFile], reason: str, *, of: Mapping[int, int] | None = None, **where: str) -> None:
    """These phones are not deployed to any more, and their files are of no phone. `of`: whose else than their phones'."""
    moved = list(files)
    keys = [file.pk for file in moved]
    now = clock.now()
    owners = of or {}
    left = (left_behind(file, reason, at=now, account=owners.get(file.pk), **where) for file in moved if file.server_id)
    LeftFile.objects.bulk_create(left, batch_size=500)
    for start in range(0, len(keys), 500):
        batch = keys[start : start + 500]
        PhoneFile.objects.filter(pk__in=batch).delete()
        note_files(batch)
        LastDeployment.objects.filter(phone__in=batch).delete()


def remove_later(mac: str) -> int:
    """Have the files of this MAC address removed by a worker, as the handset is retired; how many."""
    return LeftFile.objects.filter(mac=mac, remove_at=None).update(remove_at=clock.now())


def remove(left: LeftFile) -> list[str]:
    """Delete the file and its backups from its server; the names that were deleted. Raises Refusal, TransportError."""
    files = _files().filter(phone__mac=left.mac, server=left.server, file_format=left.file_format)
    file = files.first() if _may_be_one(left.directory, left.server.directory) else None
    if file is not None:
        raise Refusal("file-in-use", f"The file is that of the phone {file.phone} again.")
    name = left.file_name
    try:
        with FtpSession(replace(ftp_target(left.server), directory=left.directory)) as session:
            content = session.read(name)
            if content is not None and hashlib.sha256(content).hexdigest() != left.sha256:
                raise Refusal("file-changed", f"{name} is not the file that was left there: somebody has changed it.")
            removed = session.remove(name, is_there=content is not None)
    except TransportError as error:
        raise told_of(left.server, error) from None
    log.info("a file left behind was deleted", mac=left.mac, server=str(left.server), files=removed)
    left.delete()
    return removed


def _may_be_one(directory: str, other: str) -> bool:
    """Whether two directories of a server may be one folder: one from its root may be one below that of the log-in."""
    paths = [
        [part for part in normpath(each.lower()).split("/") if part not in ("", ".")] for each in (directory, other)
    ]
    if directory.startswith("/") == other.startswith("/"):
        return paths[0] == paths[1]
    relative, whole = paths if other.startswith("/") else reversed(paths)
    return whole[max(0, len(whole) - len(relative)) :] == relative
