"""Drift: files on the file servers that are no longer those that were uploaded.

Each upload is noted on the phone's PhoneFile; at intervals the file is read back. Rows are due at `next_check_at` and
claimed by setting that time ahead. Reading needs no database and few connections; the results are stored in batches. A
server that does not answer says nothing about its files.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from contacts_app.core.errors import TransportError
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from phones_app.deployment.file_news import tell_files
from phones_app.deployment.models import Deployment, FileState, PhoneFile, State
from phones_app.deployment.record import check_pause
from phones_app.servers.services import ftp_target, told_of
from phones_app.transports.ftp.login import FtpTarget
from phones_app.transports.ftp.pool import FtpPool
from profiles_app.phone import sep

BATCH = 100
READ_SECONDS = 10.0
# As many as the pool lends of one server.
READERS = 2

FOUND = ("state", "state_since", "checked_at", "next_check_at", "error", "found_sha256", "found")


@dataclass(frozen=True)
class Found:
    """What is on the server now; `error`: nothing is known. `content` is kept only where it is not what it should be."""

    file: PhoneFile
    sha256: str = ""
    content: bytes | None = None
    error: str = ""

    @property
    def state(self) -> FileState:
        if not self.sha256:
            return FileState.MISSING
        return FileState.IN_PLACE if self.sha256 == self.file.sha256 else FileState.CHANGED


def check_files(files: "QuerySet[PhoneFile]") -> Iterator[Found]:
    """Read these files back now, whether due or not, batch by batch, and keep what is found."""
    rows = files.filter(server__isnull=False).order_by("pk")
    last = 0
    with closing(FtpPool()) as pool:
        while batch := list(readable(rows.filter(pk__gt=last))[:BATCH]):
            last = batch[-1].pk
            yield from write_down(read_back(batch, pool))


class DriftChecks(Work):
    """Reading back the files that are due, by one process at a time."""

    name = queue = "drift-checks"
    model = PhoneFile
    due_field = "next_check_at"
    batch = BATCH
    # So that a worker with other work gets to it.
    round_time = timedelta(seconds=30)

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.pool = self.opened.enter_context(closing(FtpPool()))

    @classmethod
    def due(cls) -> "QuerySet[PhoneFile]":
        if settings.DRIFT_CHECK_SECONDS <= 0:
            return PhoneFile.objects.none()
        return PhoneFile.objects.filter(server__isnull=False, next_check_at__lte=clock.now())

    def do(self, keys: Sequence[int]) -> None:
        write_down(read_back(readable(PhoneFile.objects.filter(pk__in=keys)), self.pool))


def readable(files: "QuerySet[PhoneFile]") -> "QuerySet[PhoneFile]":
    return files.select_related("phone__account", "server").defer("phone__web_password", "found")


def read_back(files: Iterable[PhoneFile], pool: FtpPool) -> list[Found]:
    """Read the files, those of a server on few connections, which are kept."""
    by_server: dict[FtpTarget, list[PhoneFile]] = defaultdict(list)
    for file in files:
        if file.server is not None:
            by_server[replace(ftp_target(file.server), deadline=READ_SECONDS)].append(file)
    shares = [(target, rows[start::READERS]) for target, rows in by_server.items() for start in range(READERS)]
    with ThreadPoolExecutor(READERS * 4, thread_name_prefix="read-back") as threads:
        return [found for share in threads.map(lambda each: _read(each[0], each[1], pool), shares) for found in share]


def _read(target: FtpTarget, files: Iterable[PhoneFile], pool: FtpPool) -> list[Found]:
    found, trouble = [], ""
    for file in files:
        if not trouble:
            try:
                with pool.session(target) as session:
                    found.append(_compare(file, session.read(file.file_name)))
                continue
            except TransportError as error:
                trouble = told_of(file.server, error).message if file.server else error.message
        # What one file could not be read for the others on this server cannot either.
        found.append(Found(file, error=trouble))
    return found


def _compare(file: PhoneFile, content: bytes | None) -> Found:
    if content is None:
        return Found(file)
    digest = hashlib.sha256(content).hexdigest()
    if digest == file.sha256:
        return Found(file, digest)
    # A file that no phone would take need not be kept whole to be told from ours.
    return Found(file, digest, content if len(content) <= sep.MAX_BYTES else None)


@transaction.atomic
def write_down(found: Sequence[Found]) -> list[Found]:
    """Keep what was found, but for files that were being uploaded meanwhile; what was kept."""
    keys = [each.file.pk for each in found]
    locked = PhoneFile.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    unchanged = set(locked.values_list("pk", "sha256", "uploaded_at"))
    # Before this state nothing is stored, and after it the row of the file says what was. Others may wait for days.
    uploads = Deployment.objects.filter(phone__in=keys, finished_at=None, state=State.UPLOADING)
    uploading = set(uploads.values_list("phone", flat=True))
    kept = [
        each
        for each in found
        if (each.file.pk, each.file.sha256, each.file.uploaded_at) in unchanged and each.file.pk not in uploading
    ]
    now, news = clock.now(), []
    for each in kept:
        file = each.file
        file.next_check_at, file.error = now + check_pause(), each.error[:255]
        if not each.error:
            file.checked_at = now
            if file.state != each.state:
                file.state, file.state_since = each.state, now
                news.append(file)
            file.found_sha256, file.found = (each.sha256, each.content) if file.is_drifted else ("", None)
    asked = [each.file for each in kept if not each.error]
    PhoneFile.objects.bulk_update(asked, FOUND, batch_size=BATCH)
    PhoneFile.objects.bulk_update(
        [each.file for each in kept if each.error], ("error", "next_check_at"), batch_size=BATCH
    )
    tell_files(news)
    return kept


def difference(file: PhoneFile) -> str:
    """What was changed, as a unified diff with passwords masked; "" where there is nothing to compare."""
    if not file.found or file.revision is None:
        return ""
    return sep.diff(bytes(file.revision.content), bytes(file.found))
