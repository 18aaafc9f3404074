"""What may stop a deployment that is not called off: it is held until it is released, and gates are asked on its way.

A held one has no `next_attempt_at`, so that no worker takes it. A gate is asked before a deployment starts and before
its phone is restarted; subjects above deployments register theirs, with what releases what they hold.

Also what a step is carried out with (`Carrier`), and how it says that it does not move the deployment on.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from contacts_app.core.errors import TransportError
from contacts_app.core.lists.statement import AnyRow
from contacts_app.core.work import clock
from contacts_app.core.work.lease import Fence, LeaseLost, no_live_lease
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.deployment.models import DUE, FOR_STAFF, HELD, Deployment, DeploymentStep, State
from phones_app.deployment.outcome import part_of, read_wholes
from phones_app.deployment.record import Kind, steps_of
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.deployment.transitions import cancelled
from phones_app.servers.models import CallManager, FileServer
from phones_app.servers.services import told_of
from phones_app.transports.ftp.pool import FtpPool


@dataclass(frozen=True)
class Closed:
    """Why a deployment may not go on. With a code it ends here for that reason; without one it is held."""

    reason: str
    code: str = ""


class Gate(Protocol):
    def __call__(self, deployments: Mapping[Deployment, UUID], *, is_last: bool = False) -> Mapping[Deployment, Closed]:
        """Of deployments with the UUID of what they are part of: which may not go on.

        `is_last`: who would end that or have it go on waits for the end of this transaction.
        """


# The states in which gates are asked: before the start, and before the restart.
GATED = (State.QUEUED, State.SESSION_CLEARED)
_gates: list[tuple[str, Gate]] = []
_releases: list[tuple[Callable[[], None], AnyRow]] = []


def register(name: str, gate: Gate, *, release: Callable[[], None], of: Callable[[], "QuerySet[Any]"]) -> None:
    """Have `gate` asked of deployments that are part of something of this name, and `release` called as long as there is
    work.

    `of` are the rows that hold deployments: without any nothing is released.
    """
    _gates.append((name, gate))
    _releases.append((release, AnyRow(of)))


def release_due() -> None:
    """Let go whatever need not be held any longer."""
    for release, any_row in _releases:
        if any_row():
            release()


def pass_gates(deployments: Sequence[Deployment]) -> list[Deployment]:
    """Those of a worker's deployments that may go on; the others are taken from it, and ended or held."""
    read_wholes(deployments)
    closed: Mapping[Deployment, Closed] = _closed(deployments)
    if closed:
        with transaction.atomic():
            # Who ended it meanwhile found them in our hands, and would not look for them once they are held.
            closed = _closed(list(closed), is_last=True)
            _stop(closed)
    return [row for row in deployments if row not in closed]


def _closed(deployments: Sequence[Deployment], *, is_last: bool = False) -> dict[Deployment, Closed]:
    closed: dict[Deployment, Closed] = {}
    for name, gate in _gates:
        if theirs := {row: whole for row in deployments if (whole := part_of(row)[name])}:
            closed |= gate(theirs, is_last=is_last)
    return closed


def _stop(closed: Mapping[Deployment, Closed]) -> None:
    alike: defaultdict[tuple[Closed, str], list[int]] = defaultdict(list)
    for row, why in closed.items():
        alike[why, row.lease_owner].append(row.pk)
    for (why, owner), keys in alike.items():
        rows = Deployment.objects.filter(pk__in=keys, lease_owner=owner)
        if why.code:
            cancelled(rows, owner=owner, error=why.reason, code=why.code)
        else:
            rows.filter(finished_at=None).update(
                lease_owner="", lease_until=None, next_attempt_at=None, waiting_for=why.reason
            )


def hold(rows: "QuerySet[Deployment]") -> None:
    """Hold those that no worker has; of what a worker has it learns at the next gate."""
    released = rows.filter(DUE)
    released.filter(no_live_lease()).update(next_attempt_at=None)


def release(rows: "QuerySet[Deployment]") -> None:
    """Let those go that are held."""
    if rows.filter(HELD).update(next_attempt_at=clock.now()):
        nudge_after_commit(DEPLOYMENTS)


@dataclass(frozen=True)
class Carrier:
    """The worker that carries a deployment out: its FTP connections, and whether the row is still its own."""

    pool: FtpPool
    fence: Fence
    # Another worker was in the middle of it, and is dead, or stopped and may go on.
    takes_over: bool = False

    def ensure_held(self, deployment: Deployment) -> None:
        """Raises LeaseLost. Asked right before something that is not taken back."""
        if not self.fence.holds(deployment.pk):
            raise LeaseLost


class Wait(Exception):
    """Nothing to do now; look again after `pause`."""

    def __init__(self, pause: timedelta, reason: str) -> None:
        super().__init__(reason)
        self.pause, self.reason = pause, reason


class Failed(Exception):
    """The deployment ends here."""

    def __init__(self, code: str, message: str, request: str = "", answer: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.request, self.answer = code, message, request, answer


def step_of(deployment: Deployment, kind: Kind) -> DeploymentStep:
    """The row of one step; a new one where none is stored, as of an upload that was begun in a batch."""
    return steps_of(deployment).setdefault(kind, DeploymentStep(deployment_id=deployment.pk, kind=kind))


def as_told(
    deployment: Deployment, kind: Kind, server: FileServer | CallManager | None, error: TransportError
) -> TransportError:
    """A failure as the account may be told of it; what else there is to it is kept with the step, for staff."""
    told = told_of(server, error) if server else error
    if told is not error:
        step_of(deployment, kind).detail[FOR_STAFF] = f"{error.message} ({error.code})"
    return told


def ensure_ours(moved: list[Deployment]) -> None:
    """Raises LeaseLost unless the transition changed the one deployment that it was for."""
    if not moved:
        raise LeaseLost
