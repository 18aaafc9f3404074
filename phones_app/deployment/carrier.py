"""What a step of a deployment is carried out with, and how it ends where it does not move the deployment on."""

from dataclasses import dataclass
from datetime import timedelta

from contacts_app.core.errors import TransportError
from contacts_app.core.work.lease import Fence, LeaseLost
from phones_app.deployment.models import FOR_STAFF, Deployment
from phones_app.deployment.record import steps_of
from phones_app.servers.models import CallManager, FileServer
from phones_app.servers.services import told_of
from phones_app.transports.ftp.pool import FtpPool


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


def as_told(
    deployment: Deployment, kind: str, server: FileServer | CallManager | None, error: TransportError
) -> TransportError:
    """A failure as the account may be told of it; what else there is to it is kept with the step, for staff."""
    told = told_of(server, error) if server else error
    if told is not error:
        steps_of(deployment)[kind].detail[FOR_STAFF] = f"{error.message} ({error.code})"
    return told


def ensure_ours(moved: list[Deployment]) -> None:
    """Raises LeaseLost unless the transition changed the one deployment that it was for."""
    if not moved:
        raise LeaseLost
