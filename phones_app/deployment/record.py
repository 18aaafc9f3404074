"""What is stored with a deployment's transition beside its state: the rows of its steps, the row of the phone's file on
its file server, and the phone's own.

All of it for sets of deployments, in a few statements however many there are, and always in the transaction of the
update that proved that the deployments are still the worker's (`transitions`).
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import F, QuerySet

from contacts_app.core.history.authorship import Author, authored
from contacts_app.core.history.records import change_recorded, insert_from
from contacts_app.core.lists.among import among
from contacts_app.core.lists.insert import insert_many, upsert_few
from contacts_app.core.lists.statement import Instances, Slot
from contacts_app.core.lists.update import update_row
from contacts_app.core.work import clock
from phones_app.configuration.changes import note_files
from phones_app.deployment.file_news import tell_files
from phones_app.deployment.leaving import left_behind
from phones_app.deployment.models import DRIFTED, Deployment, DeploymentStep, FileState, LeftFile, PhoneFile, StepState
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from phones_app.transports.ftp.session import GRACE_SECONDS
from phones_app.transports.ftp.upload import Upload
from profiles_app.phone import sep

Kind = DeploymentStep.Kind
WRITTEN = ("state", "message", "request", "answer", "detail", "started_at", "finished_at")
UNIQUE = ["deployment", "kind"]
UNFINISHED = (StepState.RUNNING, StepState.WAITING)


class Uploaded(NamedTuple):
    """A file that was stored, and where; `beside` is what to know of other files there.

    `takes_over`: another worker was in the middle of this upload, and may only have been stopped.
    """

    server: FileServer
    result: Upload
    beside: Sequence[sep.Finding] = ()
    takes_over: bool = False


@dataclass(frozen=True)
class Note:
    """How a step stands. An empty request or answer leaves what stands there; `detail` is added to it.

    `whole`: it says all of its step, so that what stands there need not be read.
    """

    kind: Kind
    state: StepState
    message: str = ""
    request: str = ""
    answer: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    began: datetime | None = None
    whole: bool = False


def write_steps(notes: Mapping[Deployment, Sequence[Note]], *, new: bool = False) -> None:
    """Write down how steps stand: one row for each kind of step of a deployment; `new`: none of them has one yet.

    Those of `ALIKE` are stored for many by one INSERT … SELECT: rows cost most of what a batch writes down.
    """
    now, written = clock.now(), list[DeploymentStep]()
    alike: dict[int, list[Deployment]] = {key: [] for key in ALIKE} if len(notes) > 1 else {}
    _read_steps(row for row, its_notes in notes.items() if not all(note.whole for note in its_notes))
    for deployment, its_notes in notes.items():
        rows: dict[str, DeploymentStep] = getattr(deployment, "step_rows", {})
        for note in its_notes:
            if id(note) in alike:
                alike[id(note)].append(deployment)
            else:
                step = rows.get(note.kind) or DeploymentStep(deployment_id=deployment.pk, kind=note.kind)
                rows[note.kind] = step
                written.append(_stand(step, note, now))
    for key, deployments in alike.items():
        if deployments:
            step = _stand(DeploymentStep(kind=ALIKE[key].kind), ALIKE[key], now)
            same = {name: getattr(step, name) for name in ("kind", *WRITTEN)}
            of_all = Deployment.objects.filter(pk__in=among([row.pk for row in deployments]))
            insert_from(of_all, DeploymentStep, over=() if new else UNIQUE, deployment=F("pk"), **same)
        for row in deployments:
            row.__dict__.pop("step_rows", None)  # to be read again, if at all
    if new:
        insert_many(written)
    else:
        upsert_few(written, unique=UNIQUE, fields=WRITTEN)


def _stand(step: DeploymentStep, note: Note, now: datetime) -> DeploymentStep:
    step.state, step.message = note.state, note.message
    step.request, step.answer = note.request or step.request, note.answer or step.answer
    step.detail = step.detail | note.detail
    step.started_at = note.began or step.started_at or now
    step.finished_at = None if note.state in UNFINISHED else now
    step.pk = None  # found by deployment and kind
    return step


def steps_of(deployment: Deployment) -> dict[str, DeploymentStep]:
    """The rows of the steps so far, read once while a worker has the deployment."""
    _read_steps([deployment])
    return deployment.step_rows  # type: ignore[attr-defined,no-any-return]


def _read_steps(deployments: Iterable[Deployment]) -> None:
    """In one query, of those whose steps were not read before."""
    unread: dict[int, dict[str, DeploymentStep]] = {}
    for row in deployments:
        if not hasattr(row, "step_rows"):
            row.step_rows = unread[row.pk] = {}  # type: ignore[attr-defined]
    for step in _steps().all(*unread) if len(unread) == 1 else DeploymentStep.objects.filter(deployment__in=unread):
        unread[step.deployment_id][step.kind] = step


@cache
def _steps() -> Instances:
    return Instances(DeploymentStep.objects.order_by().filter(deployment=Slot()()))


BEGUN = {kind: Note(kind, StepState.RUNNING, whole=True) for kind in (Kind.UPLOAD, Kind.RESTART)}
CLEARED = {
    was_logged_in: Note(Kind.CLEAR_SESSION, StepState.DONE, message, detail={"cleared": int(was_logged_in)}, whole=True)
    for was_logged_in, message in ((True, "Logged out of the service menu."), (False, "No one was logged in."))
}
# By identity. Steps are shown in the order in which their rows were made, so the order is that of the kinds.
ALIKE = {id(note): note for note in (BEGUN[Kind.UPLOAD], *CLEARED.values(), BEGUN[Kind.RESTART])}


def skip_steps(deployments: Sequence[int]) -> None:
    """What was under way of deployments (their keys) that were called off."""
    steps = DeploymentStep.objects.filter(deployment__in=deployments, finished_at=None)
    steps.update(state=StepState.SKIPPED, finished_at=clock.now())


def upload_note(uploaded: Uploaded, now: datetime) -> Note:
    """What the row of the step says of an upload that went well."""
    server, result, beside, _ = uploaded
    stored = "The same file was there already." if result.unchanged else f"{result.size} bytes to {server.name}."
    return Note(
        Kind.UPLOAD,
        StepState.DONE,
        " ".join([stored, *(f"Warning: {finding.message}." for finding in beside)]),
        request=result.exchange.request,
        answer=result.exchange.answer,
        detail={
            "server": server.name,
            "host": f"{server.host}:{server.port}",
            "path": result.path,
            "size": result.size,
            "sha256": result.sha256,
            "unchanged": result.unchanged,
            "backup": result.backup,
            "read_back": result.read_back,
            "seconds": round(result.seconds, 3),
            "replaced_user": _registration_user(result.replaced),
            "fetches_seen": server.is_embedded,
            "warnings": [finding.as_dict() for finding in beside],
        },
        began=now - timedelta(seconds=result.seconds),
        whole=True,
    )


def _registration_user(content: bytes | None) -> str:
    """What a phone with this file registers as, "" when that cannot be told."""
    try:
        return sep.facts_of(content).registration_user if content else ""
    except sep.Refused:
        return ""


CONFIRMED_BY = {
    "file-fetched": "The phone fetched the file.",
    "registered-anew": "The phone registered anew.",
    "came-back": "The phone went away and came back.",
}


def confirmation(row: Deployment) -> list[Note]:
    """What the rows of the steps say of a deployment with evidence, also that of a restart it was faster than."""
    confirmed = Note(Kind.CONFIRM, StepState.DONE, CONFIRMED_BY[row.evidence["kind"]], detail=row.evidence)
    step = steps_of(row).get(Kind.RESTART)
    if step is None or step.state not in UNFINISHED:
        return [confirmed]
    if error := step.detail.get("error"):
        return [Note(Kind.RESTART, StepState.FAILED, error), confirmed]
    return [Note(Kind.RESTART, StepState.SKIPPED, "Not needed: the phone fetched its file by itself."), confirmed]


def note_profiles(deployments: Iterable[Deployment]) -> None:
    """What each phone got is its current profile now."""
    now = clock.now()
    changed = (row for row in deployments if row.phone is not None and row.phone.current_profile_id != row.profile_id)
    _change_phones({row: {"current_profile_id": row.profile_id, "updated_at": now} for row in changed})


def note_status(details: Mapping[Deployment, Mapping[str, Any]]) -> None:
    """What the phones' status pages said before their restart: that they are there, and with which load."""
    now, seen = clock.now(), {row: detail["load"] for row, detail in details.items() if "load" in detail}
    changed = {row: load for row, load in seen.items() if row.phone is None or row.phone.software_version != load}
    _change_phones({row: {"last_seen_at": now, "software_version": load} for row, load in changed.items()})
    for row in seen:
        if row.phone is not None and row not in changed:
            update_row(Phone, row.phone.pk, {"last_seen_at": now})  # no history is kept of this


def _change_phones(changes: Mapping[Deployment, dict[str, Any]]) -> None:
    """Change the deployments' phones in the names of those who asked for them."""
    by_author: defaultdict[tuple[Author, int], dict[int, dict[str, Any]]] = defaultdict(dict)
    for row, values in changes.items():
        if row.phone_id is not None:
            reason = row.reason or f"Deployment {row.uuid}"
            author = Author(row.requested_by, "task", row.user_id, reason=reason)
            by_author[author, row.account_id][row.phone_id] = values
    if len(by_author) > 1:
        # In one order, as who checks the status of many phones locks them.
        every = [key for phones in by_author.values() for key in phones]
        list(Phone.objects.select_for_update(no_key=True).filter(pk__in=every).order_by("pk").values_list("pk"))
    for (author, account), phones in by_author.items():
        with authored(lambda author=author: author):  # type: ignore[misc]
            # One that went to another account meanwhile is none of theirs.
            change_recorded(Phone.objects.filter(account=account), phones, list(next(iter(phones.values()))))


def note_uploads(uploads: Mapping[Deployment, Uploaded], now: datetime, *, in_batch: bool) -> None:
    """The files of these deployments are in their places now, in the transaction of their state."""
    alike: defaultdict[tuple[FileServer, str], list[int]] = defaultdict(list)
    for row, uploaded in uploads.items():
        name = uploaded.result.path.rpartition("/")[2]
        alike[uploaded.server, sep.format_of_file_name(name)].append(row.pk)
    for (server, file_format), keys in alike.items():
        _note_files(Deployment.objects.filter(pk__in=among(keys)), server, file_format, now)
    read_back_later(row.phone_id for row, uploaded in uploads.items() if uploaded.takes_over)
    write_steps({row: [upload_note(uploaded, now)] for row, uploaded in uploads.items()}, new=in_batch)


def _note_files(deployments: "QuerySet[Deployment]", server: FileServer, file_format: str, now: datetime) -> None:
    of_phones = deployments.filter(phone__isnull=False)
    files = PhoneFile.objects.filter(phone__in=of_phones.values("phone"))
    others = files.exclude(file_format=file_format).filter(server__isnull=False).defer("found", "revision__content")
    # With another name than the new one: it is of no phone any more, and holds credentials.
    LeftFile.objects.bulk_create(
        left_behind(file, "its phone reads a file of another format", at=now)
        for file in others.select_related("phone", "server", "revision__profile")
    )
    drifted = list(files.filter(state__in=DRIFTED).values_list("pk", flat=True))
    insert_from(
        of_phones,
        PhoneFile,
        over=["phone"],
        phone=F("phone"),
        server=server.pk,
        revision=F("revision"),
        file_format=file_format,
        sha256=F("sha256"),
        uploaded_at=now,
        state=FileState.IN_PLACE,
        state_since=now,
        checked_at=now,
        next_check_at=now + check_pause(),
        error="",
        found_sha256="",
        found=None,
    )
    note_files(of_phones.values("phone"))
    # Where a file was left behind before, this one has taken its place.
    there = LeftFile.objects.filter(server=server, directory=server.directory, file_format=file_format)
    there.filter(mac__in=of_phones.values("mac")).delete()
    if drifted:
        tell_files(PhoneFile.objects.filter(pk__in=drifted).select_related("phone__account", "server"))


def read_back_later(phones: Iterable[int | None]) -> None:
    """Have the files of these phones read back once no upload that began before now can still change them.

    A stopped worker that goes on may rename its file in the moment after it was told that it may.
    """
    longest = timedelta(seconds=settings.FTP_UPLOAD_SECONDS + GRACE_SECONDS)
    if keys := [key for key in phones if key is not None]:
        PhoneFile.objects.filter(pk__in=keys).update(reread_at=clock.now() + longest)


def check_pause() -> timedelta:
    """How long a file is not read back; by chance, so that those of one rollout do not stay together for ever."""
    return timedelta(seconds=(settings.DRIFT_CHECK_SECONDS or 86_400.0) * random.uniform(0.8, 1.2))  # noqa: S311
