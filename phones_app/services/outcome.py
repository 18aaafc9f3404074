"""What became of a deployment, as somebody who waits for it wants to know: decided yet, and how."""

from enum import Enum, auto

from phones_app.models import Deployment, DeploymentStep
from phones_app.models.deployment import CALL_TO_END, FAILURES, State, StepState

RESTARTED = (State.RESTART_ACKNOWLEDGED, State.CONFIRMED)


class Outcome(Enum):
    RESTARTED = auto()  # the restart was accepted; whether the phone took the file may not be known yet
    NOT_RESTARTED = auto()  # the file is in its place, and the phone was not told, or gave it up
    NOT_UPLOADED = auto()
    GIVEN_UP = auto()  # cancelled, or a newer deployment took over
    UNDECIDED = auto()


def is_decided(deployment: Deployment) -> bool:
    """Waiting a little would change nothing: it ended, was restarted, or waits for a call to end."""
    in_call = deployment.state == State.SESSION_CLEARED and deployment.waiting_for == CALL_TO_END
    return not deployment.is_open or deployment.state in RESTARTED or in_call


def outcome_of(deployment: Deployment) -> Outcome:
    if deployment.state in RESTARTED or _was_restarted(deployment):
        return Outcome.RESTARTED
    if deployment.is_open:
        return Outcome.UNDECIDED
    if deployment.state not in FAILURES:
        return Outcome.GIVEN_UP
    return Outcome.NOT_RESTARTED if deployment.uploaded_at else Outcome.NOT_UPLOADED


def _was_restarted(deployment: Deployment) -> bool:
    # A newer deployment supersedes one that merely waits for evidence; its restart was accepted all the same.
    if deployment.state != State.SUPERSEDED:
        return False
    return deployment.steps.filter(kind=DeploymentStep.Kind.RESTART, state=StepState.DONE).exists()
