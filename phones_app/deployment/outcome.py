"""How a deployment ended, as callers that wait for it need it; what showed it (`evidence.toml`); what to do about a
failed one (`advice.toml`, by step and error code); and what is told of it: its events, emitted in the transaction of the
change, without secrets and file contents, and the numbers for Prometheus, counted once that is committed.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from contacts_app.core.lists.among import among
from contacts_app.core.lists.statement import AnyRow, Instances, Slot
from contacts_app.core.metrics import Counted, Timed
from contacts_app.core.tables import table
from phones_app.deployment.models import CALL_TO_END, FAILURES, Deployment, DeploymentStep, State, StepState
from phones_app.inventory.models import Phone
from profiles_app.events.outbox import EventDraft, emit_many
from profiles_app.phone import sep
from profiles_app.phone.sep.catalogue import colons

RESTARTED = (State.RESTART_ACKNOWLEDGED, State.CONFIRMED)


class Outcome(Enum):
    RESTARTED = auto()  # the restart was accepted; whether the phone took the file may not be known yet
    NOT_RESTARTED = auto()  # the file is in its place, and the phone was not told, or gave it up
    NOT_UPLOADED = auto()
    GIVEN_UP = auto()  # cancelled, or a newer deployment took over
    UNDECIDED = auto()


# Waiting a little would change nothing: it ended, was restarted, or waits for a call to end.
DECIDED = (
    Q(finished_at__isnull=False) | Q(state__in=RESTARTED) | Q(state=State.SESSION_CLEARED, waiting_for=CALL_TO_END)
)


@cache
def _decided() -> Instances:
    """Asked again and again as long as a request waits."""
    rows = Deployment.objects.order_by().select_related("revision").filter(DECIDED)
    return Instances(rows.filter(pk=Slot(Deployment._meta.pk)()))


def when_decided(deployment: Deployment, seconds: float) -> Deployment:
    """The row as it is once it is decided, or after so many seconds."""
    deadline, pause = time.monotonic() + seconds, 0.03
    while (row := _decided().first(deployment.pk)) is None:
        if (left := deadline - time.monotonic()) <= 0:
            deployment.refresh_from_db()
            return deployment
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.25)
    found: Deployment = row
    return found


def outcome_of(deployment: Deployment) -> Outcome:
    if deployment.state in RESTARTED or _was_restarted(deployment):
        return Outcome.RESTARTED
    if deployment.is_open:
        return Outcome.UNDECIDED
    if deployment.state not in (*FAILURES, State.UPLOADED):
        return Outcome.GIVEN_UP
    return Outcome.NOT_RESTARTED if deployment.uploaded_at else Outcome.NOT_UPLOADED


def found_at_upload(deployment: Deployment) -> list[sep.Finding]:
    """What the upload found to know of other files on the file server."""
    step = deployment.steps.filter(kind=DeploymentStep.Kind.UPLOAD).first()
    rows = step.detail.get("warnings", ()) if step else ()
    return [sep.Finding(**row | {"severity": sep.Severity(row["severity"])}) for row in rows]


def _was_restarted(deployment: Deployment) -> bool:
    # A newer deployment supersedes one that merely waits for evidence; its restart was accepted all the same.
    if deployment.state != State.SUPERSEDED:
        return False
    return deployment.steps.filter(kind=DeploymentStep.Kind.RESTART, state=StepState.DONE).exists()


def proof_of(deployment: Deployment) -> str:
    """What showed that the phone took its file, as a sentence; "" where nothing did."""
    sentences: Mapping[str, str] = table(__file__, "evidence.toml")["evidence"]
    return sentences.get(deployment.evidence.get("kind", ""), "")


class Advice(NamedTuple):
    """One row of the table; an empty `step` means that the codes mean the same in every step."""

    codes: tuple[str, ...]
    step: str
    happened: str
    do: str


@cache
def all_advice() -> tuple[Advice, ...]:
    rows = table(__file__, "advice.toml")["advice"]
    return tuple(Advice(tuple(row["codes"]), row.get("step", ""), row["happened"], row["do"]) for row in rows)


def advice_on(code: str, step: str) -> Advice | None:
    """The row for a code that ended this kind of step; None for a code that speaks for itself, as `sip-486`."""
    return next((row for row in all_advice() if code in row.codes and row.step in ("", step)), None)


def advice_for(deployment: Deployment) -> Advice | None:
    failed = deployment.steps.filter(state=StepState.FAILED).order_by("-pk").values_list("kind", flat=True)
    return advice_on(deployment.error_code, failed.first() or DeploymentStep.Kind.UPLOAD)


UPLOADED, CONFIRMED, FAILED = "uploaded-deployment", "confirmed-deployment", "failed-deployment"
RESTARTED_PHONE = "restarted-phone"
# The general tag and the type of the data that go with each.
KIND_OF = {UPLOADED: "deployment", CONFIRMED: "deployment", FAILED: "deployment", RESTARTED_PHONE: "phone"}
# What deployments may be part of, by the name that their events give it.
_wholes: dict[str, "QuerySet[Any, tuple[int, UUID]]"] = {}


def register(name: str, rows: "QuerySet[Any, tuple[int, UUID]]") -> None:
    """Have it known which deployments are part of something of this name: `rows` are of their keys and of its UUID."""
    _wholes[name] = rows


def part_of(deployment: Deployment) -> dict[str, UUID | None]:
    """By the names of all that deployments may be part of what this one is part of, once `read_wholes` has read it."""
    found: dict[str, UUID | None] = vars(deployment)["part_of"]
    return found


def read_wholes(deployments: Iterable[Deployment]) -> None:
    """That never changes while a deployment may go on, so it is read once for each that a worker has."""
    if unread := [row for row in deployments if "part_of" not in vars(row)]:
        keys = [row.pk for row in unread]
        found = {name: dict(rows.filter(deployment__in=among(keys))) for name, rows in _wholes.items()}
        for row in unread:
            vars(row)["part_of"] = {name: uuids.get(row.pk) for name, uuids in found.items()}


# Called with the keys of deployments that were uploaded, or have ended, once that can be seen.
Follower = Callable[[Sequence[int]], None]
_followers: list[tuple[Follower, AnyRow]] = []


def register_follower(follower: Follower, *, of: Callable[[], "QuerySet[Any]"]) -> None:
    """Have `follower` called for deployments whose outcome may have changed, while there are rows that depend on any."""
    _followers.append((follower, AnyRow(of)))


def changed(deployments: Sequence[int], values: Mapping[str, Any]) -> None:
    def tell() -> None:
        for follower, any_row in _followers:
            if any_row():
                follower(deployments)

    if deployments and _followers and (values.get("finished_at") or values["state"] == State.UPLOADED):
        transaction.on_commit(tell, robust=True)


def tell_all(deployments: Sequence[Deployment], tag: str) -> None:
    read_wholes(deployments)
    emit_many([_draft(row, tag) for row in deployments])
    if count := COUNTS.get(tag):
        transaction.on_commit(lambda: count(deployments))


def own_phone(deployment: Deployment) -> Phone | None:
    """The phone, unless it went to another account since: what that one calls it is nothing for this one."""
    phone = deployment.phone
    return phone if phone and phone.account_id == deployment.account_id else None


def _draft(deployment: Deployment, tag: str) -> EventDraft:
    phone, profile, kind = deployment.phone, deployment.profile, KIND_OF[tag]
    named = own_phone(deployment)
    of_phone = {"mac": colons(deployment.mac), "name": named.name if named else ""}
    of_deployment = {
        "uuid": deployment.uuid,
        "kind": deployment.kind,
        "state": deployment.state,
        "error_code": deployment.error_code,
        "error": deployment.error,
        "profile": profile.uuid if profile else None,
        "profile_name": deployment.profile_name,
        "sha256": deployment.sha256,
        "requested_by": deployment.requested_by,
    }
    about = phone.uuid if kind == "phone" and phone else deployment.uuid
    return EventDraft(
        deployment.account,
        ["deployment" if kind == "deployment" else "phone", tag],
        kind,
        of_deployment | of_phone | part_of(deployment),
        about,
        request_id=deployment.request_id,
    )


ENDED = Counted(
    "patchbay_deployments_total", "Deployments that ended, by result and by the code of the error.", "result", "code"
)
UPLOADS = Counted("patchbay_uploads_total", "Files that were uploaded and checked, by the kind of deployment.", "kind")
EVIDENCE = Timed(
    "patchbay_evidence_seconds",
    "From the restart of a phone, or the upload of its file, to the evidence that it took it, by its kind.",
    "kind",
    buckets=(1, 5, 15, 30, 60, 120, 300, 3600),
)


def count_ends(values: Mapping[str, Any], number: int) -> None:
    """So many deployments were given these values."""
    if number and values.get("finished_at"):
        transaction.on_commit(lambda: ENDED.add(values["state"], values.get("error_code", ""), by=number))


def _count_uploads(deployments: Sequence[Deployment]) -> None:
    for kind, number in Counter(row.kind for row in deployments).items():
        UPLOADS.add(kind, by=number)


def _time_evidence(deployments: Sequence[Deployment]) -> None:
    for row in deployments:
        began = row.restarted_at or row.uploaded_at
        if began and row.finished_at:
            EVIDENCE.took(max(0.0, (row.finished_at - began).total_seconds()), row.evidence["kind"])


COUNTS: dict[str, Callable[[Sequence[Deployment]], None]] = {UPLOADED: _count_uploads, CONFIRMED: _time_evidence}
