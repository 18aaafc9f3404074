"""Uploads in batches: many deployments that were asked for together are claimed, uploaded and written down together.

It takes them from queued to session_cleared by the same transitions as `steps` does one.
A worker that dies in between leaves deployments in `uploading`: their uploads are done again one by one, find their own
file and store nothing. Whatever does not go smoothly here is left to `steps` too, which knows how to fail.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta
from functools import partial
from queue import SimpleQueue
from time import monotonic
from typing import Any

import structlog
from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.core.errors import Refusal, TransportError
from contacts_app.core.lists.among import among
from contacts_app.core.secrets import read_encrypted
from contacts_app.core.work.lease import Fence
from phones_app.deployment import transitions
from phones_app.deployment.companions import Beside, findings_beside, watched
from phones_app.deployment.gates import pass_gates
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.record import Uploaded
from phones_app.inventory.services import FileServerLookup
from phones_app.servers.models import FileServer
from phones_app.servers.services import ftp_target
from phones_app.transports.ftp.pool import FtpPool, connections_to
from phones_app.transports.ftp.upload import Upload
from profiles_app.phone import sep
from profiles_app.phone.models import ProfileRevision

log = structlog.get_logger(__name__)
# Deployments claimed at once: few enough that another worker gets its share, and that a pause is felt soon. As each batch
# costs some thirty statements, however large it is, more are claimed of those that are through within a second.
BATCH, MOST, BATCH_SECONDS = 200, 500, 1.0
# Uploads are written down together once a batch is through, or those that are when it takes longer.
SOON = timedelta(seconds=2)
PASSED_ON_SECONDS = 0.5
# What is read of the rows: with all columns that alone takes a tenth of the time of an upload.
READ = (
    "uuid", "kind", "state", "lease_owner", "error_code", "error", "profile_name", "sha256", "requested_by", "reason",
    "request_id", "mac", "revision", "user", "account", "profile__uuid", "phone__uuid", "phone__name",
    "phone__current_profile", "phone__account", "phone__file_server", "phone__model", "phone__software_version",
)  # fmt: skip

# Files and what they say, by their revisions.
Contents = dict[int, tuple[bytes, dict[str, Any]]]
Done = tuple[Deployment, FileServer, Upload | None]


def batch_after(number: int, seconds: float) -> int:
    """How many deployments are claimed after a batch of so many that took so long."""
    return min(MOST, max(BATCH, int(number * BATCH_SECONDS / max(seconds, 0.001))))


def alone_in(keys: Sequence[int]) -> list[int]:
    """Those of a claimed batch whose phones have other open deployments: each of them goes through its steps alone."""
    others = Deployment.objects.filter(phone=OuterRef("phone"), finished_at=None).exclude(pk=OuterRef("pk"))
    return list(Deployment.objects.filter(Exists(others), pk__in=among(keys)).values_list("pk", flat=True))


def upload_batch(keys: Sequence[int], owner: str, pool: FtpPool) -> Iterator[list[int]]:
    """Upload claimed deployments and yield their keys, as they are ready for what comes next."""
    held = Deployment.objects.filter(pk__in=among(keys), lease_owner=owner)
    rows = held.filter(state=State.QUEUED)
    by_server: defaultdict[FileServer, list[Deployment]] = defaultdict(list)
    servers = FileServerLookup()
    found = list(rows.select_related("phone", "profile").only(*READ))
    accounts = Account.objects.in_bulk({row.account_id for row in found})
    for row in transitions.started(pass_gates(found), in_batch=True):
        Deployment._meta.get_field("account").set_cached_value(row, accounts[row.account_id])
        try:
            if row.phone is None:
                raise Refusal("phone-deleted", "")
            by_server[servers.of(row.phone)].append(row)
        except Refusal:
            yield [row.pk]
    yield from _upload_all(by_server, pool, Fence(held.filter(state=State.UPLOADING)))


def _upload_all(by_server: dict[FileServer, list[Deployment]], pool: FtpPool, fence: Fence) -> Iterator[list[int]]:
    revisions = {row.revision_id for rows in by_server.values() for row in rows if row.revision_id}
    stored = ProfileRevision.objects.filter(pk__in=among(revisions))
    files = read_encrypted(stored, "content")
    contents = {pk: (files[pk], facts) for pk, facts in stored.values_list("pk", "facts") if pk in files}
    results: SimpleQueue[list[Done]] = SimpleQueue()
    with ExitStack() as stack:
        left = 0
        # Here first, so that the threads need no connections of their own to ask as long as the answer is good.
        fence.holds(0)
        for server, rows in by_server.items():
            # Threads of its own for each server, so that a slow one holds up nobody else's.
            number = connections_to(server.host)
            threads = stack.enter_context(ThreadPoolExecutor(number))
            uploads = _Uploads(server, rows, contents, fence)
            for _ in range(number):
                threads.submit(uploads.run, pool, results)
            left += len(rows)
        done: dict[Deployment, Uploaded] = {}
        since = timezone.now()
        while left:
            news = results.get()
            left -= len(news)
            done |= {row: Uploaded(server, upload) for row, server, upload in news if upload}
            if back := [row.pk for row, _, upload in news if upload is None]:
                yield back
            if done and (not left or timezone.now() - since > SOON):
                yield _write_down(done, contents)
                done, since = {}, timezone.now()


class _Uploads:
    """The rows of one server, which several threads share out among themselves, each of them knowing its next."""

    def __init__(self, server: FileServer, rows: list[Deployment], contents: Contents, fence: Fence) -> None:
        self.server, self.target = server, ftp_target(server)
        self._contents, self._fence = contents, fence
        self._rows = iter([(row, self._name_of(row)) for row in rows])
        self._lock = threading.Lock()
        self._broken = False  # the server does not take files as it should

    def run(self, pool: FtpPool, results: "SimpleQueue[list[Done]]") -> None:
        """Upload over one connection; after a failure the rest of the server's rows go back untouched.

        Results are passed on a few at a time: who takes them would interrupt the threads at each.
        """
        done, since = list[Done](), monotonic()
        with closing(connection):  # of this thread, which asks the fence
            following = self._take()
            while following:
                (row, name), following = following, self._take()
                upload = None
                try:
                    if not self._broken and row.revision_id in self._contents:
                        upload = self._upload(row, name, following[1] if following else "", pool)
                except TransportError:
                    self._broken = True
                except Exception:
                    log.exception("bulk upload broke", deployment=str(row.uuid), request_id=row.request_id)
                    self._broken = True
                done.append((row, self.server, upload))
                if upload is None or following is None or monotonic() - since > PASSED_ON_SECONDS:
                    results.put(done)
                    done, since = [], monotonic()

    def _take(self) -> tuple[Deployment, str] | None:
        with self._lock:
            return next(self._rows, None)

    def _upload(self, row: Deployment, name: str, next_name: str, pool: FtpPool) -> Upload:
        content, facts = self._contents[row.revision_id or 0]
        with pool.session(self.target) as session:
            return session.upload(
                name,
                content,
                keep_backups=self.server.keep_backups,
                read_back=self.server.read_back,
                next_name=next_name,
                watch=watched(self.server, row.phone, row.mac, facts),
                may_still=partial(self._fence.holds, row.pk),
            )

    def _name_of(self, row: Deployment) -> str:
        _, facts = self._contents.get(row.revision_id or 0, (b"", {}))
        return sep.file_name(row.mac, sep.file_format(row.phone.model if row.phone else "", facts))


def _write_down(done: Mapping[Deployment, Uploaded], contents: Contents) -> list[int]:
    """Write down a number of uploads in one transaction; the keys of those that are still ours."""
    seen = [
        Beside(row.mac, contents[row.revision_id or 0][1], one.server, one.result.present, row.phone, row.account_id)
        for row, one in done.items()
    ]
    told = {
        row: one._replace(beside=beside) for (row, one), beside in zip(done.items(), findings_beside(seen), strict=True)
    }
    return [row.pk for row in transitions.uploaded(told, in_batch=True)]
