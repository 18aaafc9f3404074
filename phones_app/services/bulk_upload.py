"""The uploads of a rollout, many at a time: deployments are claimed, uploaded and written down in batches.

It does what `steps` does for one deployment from queued to session_cleared, in the same order, and leaves the same rows.
A worker that dies in between leaves deployments in `uploading`: their uploads are done again one by one, find their own
file and store nothing. Whatever does not go smoothly here is left to `steps` too, which knows how to fail.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from contacts_app.authorship import Author, authored, one_line
from contacts_app.models import Account
from contacts_app.services.errors import Refusal
from contacts_app.services.history import update_recorded
from contacts_app.services.insert_from import insert_from
from phones_app import sep
from phones_app.models import (
    Deployment,
    DeploymentStep,
    FileServer,
    Phone,
    ProfileRevision,
    Rollout,
    ServiceSession,
)
from phones_app.models.deployment import State, StepState
from phones_app.services.deployment_event import UPLOADED, tell_all
from phones_app.services.drift import note_uploads
from phones_app.services.steps import told_of_upload
from phones_app.services.targets import file_server_of, ftp_target
from phones_app.transports import TransportError
from phones_app.transports.ftp import FtpTarget, Upload
from phones_app.transports.ftp_pool import FtpPool, connections_to

log = structlog.get_logger(__name__)
# Deployments claimed at once: few enough that another worker gets its share, and that a pause is felt soon.
BATCH = 200
# Uploads are written down together once a batch is through, or those that are when it takes longer.
SOON = timedelta(seconds=1)
# What is read of the rows: with all columns that alone takes a tenth of the time of an upload.
READ = (
    "uuid", "kind", "state", "error_code", "error", "profile_name", "sha256", "requested_by", "mac", "revision", "user",
    "account", "rollout", "profile__uuid", "phone__uuid", "phone__name", "phone__current_profile", "phone__account",
    "phone__file_server",
)  # fmt: skip

Kind = DeploymentStep.Kind
Done = tuple[Deployment, FileServer, Upload | None]


def in_batches(due: "QuerySet[Deployment]") -> "QuerySet[Deployment]":
    """Those of the due deployments that are uploaded in batches."""
    return due.filter(rollout__isnull=False, state=State.QUEUED, kind=Deployment.Kind.DEPLOY)


def upload_batch(keys: Sequence[int], owner: str, pool: FtpPool) -> Iterator[list[int]]:
    """Upload deployments that have begun and yield their keys, as they are ready for what comes next."""
    rows = Deployment.objects.filter(pk__in=keys, lease_owner=owner, state=State.UPLOADING)
    by_server: defaultdict[FileServer, list[Deployment]] = defaultdict(list)
    servers: dict[tuple[int, int | None], FileServer] = {}
    found = list(rows.select_related("phone", "profile").only(*READ))
    accounts = Account.objects.in_bulk({row.account_id for row in found})
    rollouts = Rollout.objects.in_bulk({row.rollout_id for row in found if row.rollout_id})
    for row in found:
        row.account, row.rollout = accounts[row.account_id], rollouts.get(row.rollout_id or 0)
        try:
            phone = row.phone
            place = (phone.account_id, phone.file_server_id) if phone else (0, None)
            if phone is None:
                raise Refusal("phone-deleted", "")
            servers[place] = servers.get(place) or file_server_of(phone)
            by_server[servers[place]].append(row)
        except Refusal:
            yield [row.pk]
    yield from _upload_all(by_server, owner, pool)


def begin(keys: Sequence[int], owner: str) -> tuple[list[int], list[int]]:
    """Begin a claimed batch; those whose phones have other deployments, and the rest, which are `uploading` now."""
    held = Deployment.objects.filter(pk__in=keys, lease_owner=owner, state=State.QUEUED)
    others = Deployment.objects.filter(phone=OuterRef("phone"), finished_at=None).exclude(pk=OuterRef("pk"))
    alone = list(held.filter(Exists(others)).values_list("pk", flat=True))
    together = [pk for pk in keys if pk not in alone]
    held.filter(pk__in=together).update(state=State.UPLOADING, started_at=timezone.now())
    return alone, together


def _upload_all(
    by_server: dict[FileServer, list[Deployment]], owner: str, pool: FtpPool
) -> Iterator[list[int]]:
    revisions = {row.revision_id for rows in by_server.values() for row in rows if row.revision_id}
    stored = ProfileRevision.objects.filter(pk__in=revisions).values_list("pk", "content")
    contents = {pk: bytes(content) for pk, content in stored}
    results: SimpleQueue[Done] = SimpleQueue()
    with ExitStack() as stack:
        left = 0
        for server, rows in by_server.items():
            # Threads of its own for each server, so that a slow one holds up nobody else's.
            number = connections_to(server.host)
            threads = stack.enter_context(ThreadPoolExecutor(number))
            work, target = _Shared(rows), ftp_target(server)
            for _ in range(number):
                threads.submit(_upload_some, work, server, target, contents, pool, results)
            left += len(rows)
        done: list[tuple[Deployment, FileServer, Upload]] = []
        since = timezone.now()
        while left:
            row, server, upload = results.get()
            left -= 1
            if upload is None:
                yield [row.pk]
            else:
                done.append((row, server, upload))
            if done and (not left or timezone.now() - since > SOON):
                yield _write_down(done, owner)
                done, since = [], timezone.now()


class _Shared:
    """Rows that several threads share out among themselves, each of them knowing which is its next."""

    def __init__(self, rows: list[Deployment]) -> None:
        self._rows = iter(rows)
        self._lock = threading.Lock()
        self.broken = False  # the server does not take files as it should

    def __iter__(self) -> Iterator[tuple[Deployment, Deployment | None]]:
        following = self._take()
        while following:
            row, following = following, self._take()
            yield row, following

    def _take(self) -> Deployment | None:
        with self._lock:
            return next(self._rows, None)


def _upload_some(
    work: _Shared,
    server: FileServer,
    target: FtpTarget,
    contents: dict[int, bytes],
    pool: FtpPool,
    results: "SimpleQueue[Done]",
) -> None:
    """Upload over one connection; after a failure the rest of the server's rows go back untouched."""
    for row, following in work:
        upload = None
        try:
            if not work.broken and row.revision_id in contents:
                with pool.session(target) as session:
                    upload = session.upload(
                        sep.mac.file_name(row.mac),
                        contents[row.revision_id],
                        keep_backups=server.keep_backups,
                        read_back=server.read_back,
                        next_name=sep.mac.file_name(following.mac) if following else "",
                    )
        except TransportError:
            work.broken = True
        except Exception:
            log.exception("bulk upload broke", deployment=row.pk)
            work.broken = True
        results.put((row, server, upload))


def _write_down(done: list[tuple[Deployment, FileServer, Upload]], owner: str) -> list[int]:
    """The rows of a number of uploads in one transaction; the keys of those that are still ours."""
    now = timezone.now()
    with transaction.atomic():
        held = Deployment.objects.filter(
            pk__in=[row.pk for row, _, _ in done],
            state=State.UPLOADING,
            lease_owner=owner,
            finished_at=None,
        )
        ours = set(held.select_for_update().order_by("pk").values_list("pk", flat=True))
        uploaded = [(row, server, upload) for row, server, upload in done if row.pk in ours]
        if not uploaded:
            return []
        Deployment.objects.filter(pk__in=ours).update(
            state=State.SESSION_CLEARED, uploaded_at=now, waiting_for=""
        )
        _record_steps(uploaded, now)
        by_server: defaultdict[FileServer, list[int]] = defaultdict(list)
        for row, server, _ in uploaded:
            by_server[server].append(row.pk)
            row.state = State.UPLOADED
        for server, keys in by_server.items():
            note_uploads(Deployment.objects.filter(pk__in=keys), server, now)
        rows = [row for row, _, _ in uploaded]
        tell_all(rows, UPLOADED)
        _note_profiles(rows)
    return sorted(ours)


def _record_steps(uploaded: list[tuple[Deployment, FileServer, Upload]], now: datetime) -> None:
    """What each upload was answered; that nobody is logged in any more; and that the restart is next."""
    DeploymentStep.objects.bulk_create(
        DeploymentStep(
            deployment=row,
            kind=Kind.UPLOAD,
            state=StepState.DONE,
            started_at=now - timedelta(seconds=upload.seconds),
            finished_at=now,
            **told_of_upload(server, upload),
        )
        for row, server, upload in uploaded
    )
    sessions = ServiceSession.objects.filter(mac__in=[row.mac for row, _, _ in uploaded])
    were_logged_in = set(sessions.values_list("mac", flat=True))
    sessions.delete()
    keys: dict[bool, list[int]] = {True: [], False: []}
    for row, _, _ in uploaded:
        keys[row.mac in were_logged_in].append(row.pk)
    common: dict[str, Any] = {"deployment": F("pk"), "request": "", "answer": "", "started_at": now}
    for was_logged_in, found in keys.items():
        if found:
            insert_from(
                Deployment.objects.filter(pk__in=found),
                DeploymentStep,
                **common,
                kind=Kind.CLEAR_SESSION,
                state=StepState.DONE,
                message="Logged out of the service menu." if was_logged_in else "Nobody was logged in.",
                detail={"cleared": int(was_logged_in)},
                finished_at=now,
            )
    insert_from(
        Deployment.objects.filter(pk__in=[row.pk for row, _, _ in uploaded]),
        DeploymentStep,
        **common,
        kind=Kind.RESTART,
        state=StepState.RUNNING,
        message="",
        detail={},
        finished_at=None,
    )


def _note_profiles(rows: list[Deployment]) -> None:
    """What each phone got is its current profile now, in the name of whoever asked for it."""
    changed: defaultdict[tuple[int | None, Author], list[int]] = defaultdict(list)
    for row in rows:
        if row.phone is not None and row.phone.current_profile_id != row.profile_id:
            why = one_line(f"Rollout {row.rollout}")
            author = Author(row.requested_by, "task", row.user_id, reason=why)
            changed[row.profile_id, author].append(row.phone.pk)
    for (profile, author), phones in changed.items():
        with authored(lambda author=author: author):  # type: ignore[misc]
            update_recorded(
                Phone.objects.filter(pk__in=phones), current_profile_id=profile, updated_at=timezone.now()
            )
