"""The only writer of a deployment's state: which state follows which, and what is written with each change.

Every function is named after what happens and takes a set of deployments; one is a set of one. It checks the old state
and the lease in the UPDATE that changes them, writes steps, history, events and the phone's row in the same transaction,
and returns the deployments that it changed: what another worker took over, or what ended meanwhile, is not among them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from contacts_app.core.history.authorship import current_author
from contacts_app.core.history.records import update_returning
from contacts_app.core.lists.among import among
from contacts_app.core.lists.update import update_row
from contacts_app.core.work import clock
from contacts_app.core.work.lease import no_live_lease
from phones_app.deployment import outcome as event
from phones_app.deployment import record
from phones_app.deployment.arrows import ALSO_ENDED, ARROWS
from phones_app.deployment.models import LOOK_FOR_REJECTION, Deployment, LastDeployment, State, StepState
from phones_app.deployment.record import Kind, Note, Uploaded
from phones_app.inventory.models import Phone
from phones_app.inventory.services import clear_service_sessions

log = structlog.get_logger(__name__)
BATCH = 500


class Rest(NamedTuple):
    """So long nothing is done, for this reason; `noticed` is what is known of the phone until then."""

    pause: timedelta
    reason: str
    noticed: Mapping[str, Any]


def requested(*, held: bool = False, **what: Any) -> Deployment:
    """A deployment as it begins, not stored yet; `what` are its other fields. A held one waits to be released."""
    due = None if held else clock.now()
    return Deployment(next_attempt_at=due, request_id=current_author().request_id, **what)


@transaction.atomic
def queued(deployments: Iterable[Deployment], *, phones: Sequence[int]) -> list[Deployment]:
    """Store requested ones; what was queued for the same phones before is superseded. Phones that are gone get none."""
    # The lock makes simultaneous requests for one phone queue up here, so that the last one is the one that stays.
    locked = Phone.objects.select_for_update(no_key=True).filter(pk__in=phones).order_by("pk")
    keys = set(locked.values_list("pk", flat=True))
    _end(Deployment.objects.filter(phone__in=keys, state=State.QUEUED), State.SUPERSEDED)
    created = Deployment.objects.bulk_create(row for row in deployments if row.phone_id in keys)
    LastDeployment.objects.bulk_create(
        [LastDeployment(phone_id=row.phone_id, deployment=row) for row in created if row.phone_id],
        update_conflicts=True,
        unique_fields=["phone"],
        update_fields=["deployment"],
    )
    if created:
        log.info("deployments requested", number=len(created), first=str(created[0].uuid))
    return created


@transaction.atomic
def started(deployments: Sequence[Deployment], *, in_batch: bool = False) -> list[Deployment]:
    """queued -> uploading, or straight to the restart. IntegrityError while another one of the phone is under way.

    `in_batch`: that their uploads run is told by their state alone, until all is written down.
    """
    now = clock.now()
    # What only waits (for a call to end, for evidence) gives way to what is newer.
    others = Deployment.objects.filter(phone__in=among([row.phone_id for row in deployments if row.phone_id]))
    waiting = others.exclude(state=State.QUEUED).exclude(waiting_for="")
    _end(waiting.filter(no_live_lease()).exclude(pk__in=among([row.pk for row in deployments])), State.SUPERSEDED)
    restarts = [row for row in deployments if row.kind == Deployment.Kind.RESTART]
    uploads = [row for row in deployments if row.kind != Deployment.Kind.RESTART]
    restarts = _move(restarts, State.SESSION_CLEARED, started_at=now)
    uploads = _move(uploads, State.UPLOADING, started_at=now)
    begun = {Kind.RESTART: restarts, Kind.UPLOAD: [] if in_batch else uploads}
    record.write_steps({row: [record.BEGUN[kind]] for kind, rows in begun.items() for row in rows})
    return restarts + uploads


def uploading_again(deployments: Sequence[Deployment]) -> list[Deployment]:
    """uploading as before, and not waiting for another try any more: what only waits gives way to what is newer."""
    return _move(deployments, State.UPLOADING)


@transaction.atomic
def uploaded(uploads: Mapping[Deployment, Uploaded], *, in_batch: bool = False) -> list[Deployment]:
    """uploading -> uploaded, which is the end of an upload without a restart.

    `in_batch`: at once to session_cleared, as by the next function, with one UPDATE: a change of state is dear, as
    almost every index of the row gets another entry. No step has a row yet.
    """
    now = clock.now()
    last = [row for row in uploads if row.kind == Deployment.Kind.UPLOAD]
    others = [row for row in uploads if row.kind != Deployment.Kind.UPLOAD]
    restarted = _move(others, State.UPLOADED, State.SESSION_CLEARED if in_batch else None, uploaded_at=now)
    moved = restarted + _move(last, State.UPLOADED, uploaded_at=now, finished_at=now)
    record.note_uploads({row: uploads[row] for row in moved}, now, in_batch=in_batch)
    event.tell_all(moved, event.UPLOADED)
    record.note_profiles(moved)
    if in_batch:
        _clear_sessions(restarted, new=True)
    return moved


@transaction.atomic
def session_cleared(deployments: Sequence[Deployment]) -> list[Deployment]:
    """uploaded -> session_cleared: who was logged in on the phone's service menu is so no more."""
    moved = _move(deployments, State.SESSION_CLEARED)
    _clear_sessions(moved)
    return moved


def _clear_sessions(moved: Sequence[Deployment], *, new: bool = False) -> None:
    were_logged_in = clear_service_sessions(row.mac for row in moved)
    begun = record.BEGUN[Kind.RESTART]
    record.write_steps({row: [record.CLEARED[row.mac in were_logged_in], begun] for row in moved}, new=new)
    for row in moved:
        row.state = State.SESSION_CLEARED


@transaction.atomic
def restarting(details: Mapping[Deployment, Mapping[str, Any]]) -> list[Deployment]:
    """session_cleared -> restarting, in the moment before the phone is told; `details` of what it said before."""
    moved = _move(details, State.RESTARTING, restarted_at=clock.now())
    record.note_status({row: details[row] for row in moved})
    record.write_steps({row: [Note(Kind.RESTART, StepState.RUNNING, detail=details[row])] for row in moved})
    return moved


@transaction.atomic
def acknowledged(notes: Mapping[Deployment, Note], *, rests: Rest | None = None) -> list[Deployment]:
    """restarting -> restart_acknowledged: the phone accepted, or Asterisk sent it; the notes are of the restarts.

    `rests`: nothing more is to be done for so long, and the worker gives them back at once.
    """
    confirm, values = Note(Kind.CONFIRM, StepState.RUNNING), dict[str, Any]()
    if rests is not None:
        confirm = Note(Kind.CONFIRM, StepState.WAITING, f"Waits for {rests.reason}.", detail=rests.noticed)
        values = {"lease_owner": "", "next_attempt_at": clock.now() + rests.pause, "waiting_for": rests.reason}
    moved = _move(notes, State.RESTART_ACKNOWLEDGED, **values)
    event.tell_all(moved, event.RESTARTED_PHONE)
    record.write_steps({row: [notes[row], confirm] for row in moved})
    return moved


@transaction.atomic
def told_again(notes: Mapping[Deployment, Note]) -> list[Deployment]:
    """restart_acknowledged as before: the phone is told in another way, too; the notes are of the restarts."""
    moved = _move(notes, State.RESTART_ACKNOWLEDGED)
    record.write_steps({row: [notes[row]] for row in moved})
    return moved


@transaction.atomic
def confirmed(evidence: Mapping[Deployment, dict[str, Any]]) -> list[Deployment]:
    """Any state with the file in its place -> confirmed, each with the evidence that the phone took its file."""
    moved, now = [], clock.now()
    for row, found in evidence.items():
        moved += _move([row], State.CONFIRMED, evidence=found, finished_at=now, error="", error_code="")
    event.tell_all(moved, event.CONFIRMED)
    record.write_steps({row: record.confirmation(row) for row in moved})
    return moved


@transaction.atomic
def left_for_start(notes: Mapping[Deployment, Note], *, code: str) -> list[Deployment]:
    """restarting -> uploaded, which ends it: nothing can restart this phone; it takes the file when it starts."""
    moved, now = [], clock.now()
    for row, note in notes.items():
        moved += _move([row], State.UPLOADED, error=note.message, error_code=code, finished_at=now)
    record.write_steps({row: [notes[row]] for row in moved})
    return moved


def doubted(deployments: Sequence[Deployment]) -> None:
    """confirmed as before, and a worker is to see whether the phone rejects its file."""
    rows = Deployment.objects.filter(pk__in=[row.pk for row in deployments], state=State.CONFIRMED, waiting_for="")
    rows.update(waiting_for=LOOK_FOR_REJECTION, next_attempt_at=clock.now())


def trusted(deployments: Sequence[Deployment]) -> None:
    """confirmed as before, without a doubt."""
    rows = Deployment.objects.filter(pk__in=[row.pk for row in deployments], state=State.CONFIRMED)
    rows.exclude(waiting_for="").update(waiting_for="", lease_owner="", lease_until=None)


@transaction.atomic
def unconfirmed(noticed: Mapping[Deployment, Mapping[str, Any]], *, stale: str = "") -> list[Deployment]:
    """The end of what was acknowledged, without evidence in good time; `noticed` is what was seen of the phones.

    `stale` says that they did not react, and why.
    """
    message = stale or f"No evidence within {settings.CONFIRM_SECONDS:.0f} s that the phone took its file."
    code = "stale-call-id" if stale else "no-evidence"
    moved = _move(noticed, State.RESTART_ACKNOWLEDGED, error=message, error_code=code, finished_at=clock.now())
    record.write_steps({row: [Note(Kind.CONFIRM, StepState.FAILED, message, detail=noticed[row])] for row in moved})
    return moved


def rejected(messages: Mapping[Deployment, str]) -> list[Deployment]:
    """confirmed -> rejected: the phone gave its file up afterwards."""
    notes = {row: Note(Kind.CONFIRM, StepState.FAILED, message) for row, message in messages.items()}
    return _fail(notes, State.REJECTED, code="file-rejected")


def failed(notes: Mapping[Deployment, Note], *, code: str) -> list[Deployment]:
    """Any open state -> failed, in the step that the note is of and for its reason."""
    return _fail(notes, State.FAILED, code=code)


@transaction.atomic
def _fail(notes: Mapping[Deployment, Note], to: State, *, code: str) -> list[Deployment]:
    moved, now = [], clock.now()
    for row, note in notes.items():
        moved += _move([row], to, error=note.message, error_code=code, finished_at=now)
    event.tell_all(moved, event.FAILED)
    record.write_steps({row: [notes[row]] for row in moved})
    return moved


def cancelled(rows: "QuerySet[Deployment]", *, owner: str = "", error: str = "", code: str = "") -> int:
    """Those of the rows that nothing is under way for on the wire -> cancelled; how many.

    They have to be held by the worker `owner`, or by none.
    """
    lease = Q(lease_owner=owner) if owner else no_live_lease()
    return _end(rows.filter(lease), State.CANCELLED, error=error, error_code=code)


def _move(deployments: Iterable[Deployment], to: State, stored: State | None = None, **fields: Any) -> list[Deployment]:
    """From their states to the next, those that are still in them and in the hands of their worker.

    `stored`: the state after the next, where the caller takes them there at once.
    """
    rows = {row.pk: row for row in deployments}
    states, owners = {State(row.state) for row in rows.values()}, {row.lease_owner for row in rows.values()}
    if wrong := [state for state in states if to not in ARROWS.get(state, ())]:
        raise ValueError(f"no arrow leads from {', '.join(wrong)} to {to}")
    values = {"state": to, "waiting_for": ""} | fields
    if fields.get("finished_at"):
        values["lease_owner"] = ""
    ended = {} if to in ALSO_ENDED else {"finished_at": None}
    if len(rows) == 1:
        moved = [row for row in rows.values() if _update_one(row, values | {"state": stored or to}, ended)]
    else:
        held = Deployment.objects.filter(pk__in=among(list(rows)), state__in=states, lease_owner__in=owners, **ended)
        moved = [rows[key] for key in _update(held, values | {"state": stored or to})]
    for row in moved:
        for name, value in values.items():
            setattr(row, name, value)
    return moved


@transaction.atomic
def _end(rows: "QuerySet[Deployment]", to: State, **fields: Any) -> int:
    """Call off those of the rows that are open and from whose states an arrow leads there; how many."""
    before = [state for state, following in ARROWS.items() if to in following]
    values = {"state": to, "finished_at": clock.now(), "waiting_for": "", "lease_owner": ""} | fields
    keys = _update(rows.filter(finished_at=None, state__in=before), values)
    for start in range(0, len(keys), BATCH):
        record.skip_steps(keys[start : start + BATCH])
    return len(keys)


def _update(rows: "QuerySet[Deployment]", values: dict[str, Any]) -> list[int]:
    """Change the rows, and return the keys of those that met the conditions."""
    # In one order, so that two who change several rows at once do not wait for each other in a circle.
    if not list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk").values_list("pk")):
        return []
    changed = sorted(update_returning(rows, **values))
    _changed(changed, values)
    return changed


def _update_one(row: Deployment, values: dict[str, Any], conditions: dict[str, None]) -> bool:
    is_ours = update_row(Deployment, row.pk, values, state=row.state, lease_owner=row.lease_owner, **conditions)
    _changed([row.pk] if is_ours else [], values)
    return is_ours


def _changed(keys: list[int], values: dict[str, Any]) -> None:
    event.count_ends(values, len(keys))
    event.changed(keys, values)
