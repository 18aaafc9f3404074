"""The uploads of a rollout, many at a time: deployments are claimed, uploaded and written down in batches.

It does what `steps` does for one deployment from queued to session_cleared, in the same order, and leaves the same rows.
A worker that dies in between leaves deployments in `uploading`: their uploads are done again one by one, find their own
file and store nothing. Whatever does not go smoothly here is left to `steps` too, which knows how to fail.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from queue import SimpleQueue

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from contacts_app.authorship import Author, authored, one_line
from contacts_app.services.errors import Refusal
from contacts_app.services.history import update_recorded
from phones_app import sep
from phones_app.models import Deployment, DeploymentStep, FileServer, Phone, ProfileRevision, ServiceSession
from phones_app.models.deployment import State, StepState
from phones_app.services.deployment import due
from phones_app.services.deployment_event import UPLOADED, tell_all
from phones_app.services.drift import note_uploads
from phones_app.services.steps import told_of_upload
from phones_app.services.targets import file_server_of, ftp_target
from phones_app.transports import TransportError
from phones_app.transports.ftp import FtpTarget, Upload
from phones_app.transports.ftp_pool import PER_SERVER, FtpPool

log = structlog.get_logger(__name__)
# Deployments claimed at once: few enough that another worker gets its share, and that a pause is felt soon.
BATCH = 200
# Uploads written down together; the restart of a phone waits no longer than these take.
TOGETHER = 50

Kind = DeploymentStep.Kind
Done = tuple[Deployment, FileServer, Upload | None]


def upload_batch(owner: str, pool: FtpPool) -> Iterator[list[int]]:
    """Take a batch of due deployments of rollouts and yield their keys, as they are ready for what comes next."""
    alone, keys = take(owner)
    if alone:
        yield alone
    rows = Deployment.objects.filter(pk__in=keys, lease_owner=owner, state=State.UPLOADING)
    by_server: defaultdict[FileServer, list[Deployment]] = defaultdict(list)
    servers: dict[tuple[int, int | None], FileServer] = {}
    related = ("account", "phone__file_server", "profile", "rollout")
    for row in rows.select_related(*related).defer("phone__web_password"):
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


@transaction.atomic
def take(owner: str) -> tuple[list[int], list[int]]:
    """Claim a batch; those that must go through their steps alone, and the others, which are `uploading` now."""
    others = Deployment.objects.filter(phone=OuterRef("phone"), finished_at=None).exclude(pk=OuterRef("pk"))
    rows = due().filter(rollout__isnull=False, state=State.QUEUED, kind=Deployment.Kind.DEPLOY)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    found = rows.annotate(has_others=Exists(others)).order_by("next_attempt_at")
    taken = list(found.values_list("pk", "has_others")[:BATCH])
    now = timezone.now()
    lease = {"lease_owner": owner, "lease_until": now + timedelta(seconds=settings.LEASE_SECONDS)}
    alone = [pk for pk, has_others in taken if has_others]
    together = [pk for pk, has_others in taken if not has_others]
    if alone:
        Deployment.objects.filter(pk__in=alone).update(**lease)
    if together:
        Deployment.objects.filter(pk__in=together).update(state=State.UPLOADING, started_at=now, **lease)
    return alone, together


def _upload_all(
    by_server: dict[FileServer, list[Deployment]], owner: str, pool: FtpPool
) -> Iterator[list[int]]:
    revisions = {row.revision_id for rows in by_server.values() for row in rows if row.revision_id}
    contents = {
        revision.pk: bytes(revision.content)
        for revision in ProfileRevision.objects.filter(pk__in=revisions).only("content")
    }
    results: SimpleQueue[Done] = SimpleQueue()
    with ExitStack() as stack:
        left = 0
        for server, rows in by_server.items():
            # Threads of its own for each server, so that a slow one holds up nobody else's.
            threads = stack.enter_context(ThreadPoolExecutor(PER_SERVER))
            work, target = _Shared(rows), ftp_target(server)
            for _ in range(PER_SERVER):
                threads.submit(_upload_some, work, server, target, contents, pool, results)
            left += len(rows)
        done: list[tuple[Deployment, FileServer, Upload]] = []
        while left:
            row, server, upload = results.get()
            left -= 1
            if upload is None:
                yield [row.pk]
            else:
                done.append((row, server, upload))
            if done and (len(done) >= TOGETHER or not left):
                yield _write_down(done, owner)
                done = []


class _Shared:
    """Rows that several threads share out among themselves."""

    def __init__(self, rows: list[Deployment]) -> None:
        self._rows = iter(rows)
        self._lock = threading.Lock()
        self.broken = False  # the server does not take files as it should

    def __iter__(self) -> Iterator[Deployment]:
        while True:
            with self._lock:
                row = next(self._rows, None)
            if row is None:
                return
            yield row


def _upload_some(
    work: _Shared,
    server: FileServer,
    target: FtpTarget,
    contents: dict[int, bytes],
    pool: FtpPool,
    results: "SimpleQueue[Done]",
) -> None:
    """Upload over one connection; after a failure the rest of the server's rows go back untouched."""
    for row in work:
        upload = None
        try:
            if not work.broken and row.revision_id in contents:
                with pool.session(target) as session:
                    upload = session.upload(
                        sep.mac.file_name(row.mac),
                        contents[row.revision_id],
                        keep_backups=server.keep_backups,
                        read_back=server.read_back,
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
        Deployment.objects.filter(pk__in=ours).update(
            state=State.SESSION_CLEARED, uploaded_at=now, waiting_for=""
        )
        sessions = ServiceSession.objects.filter(mac__in=[row.mac for row, _, _ in done if row.pk in ours])
        logged_in = set(sessions.values_list("mac", flat=True))
        sessions.delete()
        DeploymentStep.objects.bulk_create(
            step
            for row, server, upload in done
            if row.pk in ours
            for step in _steps(row, server, upload, row.mac in logged_in)
        )
        note_uploads(
            [
                (row.phone_id, server, row.revision_id, upload.sha256)
                for row, server, upload in done
                if row.pk in ours and row.phone_id
            ],
            now,
        )
        uploaded = [row for row, _, _ in done if row.pk in ours]
        for row in uploaded:
            row.state = State.UPLOADED
        tell_all(uploaded, UPLOADED)
        _note_profiles(uploaded)
    return sorted(ours)


def _steps(
    row: Deployment, server: FileServer, upload: Upload, was_logged_in: bool
) -> Iterator[DeploymentStep]:
    now = timezone.now()
    ended = {"deployment": row, "state": StepState.DONE, "started_at": now, "finished_at": now}
    began = now - timedelta(seconds=upload.seconds)
    told = told_of_upload(server, upload)
    yield DeploymentStep(**ended | {"started_at": began}, kind=Kind.UPLOAD, **told)
    yield DeploymentStep(
        **ended,
        kind=Kind.CLEAR_SESSION,
        message="Logged out of the service menu." if was_logged_in else "Nobody was logged in.",
        detail={"cleared": int(was_logged_in)},
    )
    yield DeploymentStep(deployment=row, kind=Kind.RESTART, state=StepState.RUNNING, started_at=now)


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
