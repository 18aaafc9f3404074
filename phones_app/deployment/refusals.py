"""What follows where a phone refuses its restart: it is told again, its fetch is waited for, or it is left to itself.

A phone that is just starting refuses what it takes a moment later, or it is on its way to its new file already.
"""

from datetime import datetime, timedelta

from django.conf import settings

from contacts_app.core.errors import TransportError
from contacts_app.core.work import clock
from phones_app.deployment import evidence, transitions
from phones_app.deployment.gates import Wait, as_told, ensure_ours
from phones_app.deployment.identity import UNPROVEN, known_lines
from phones_app.deployment.models import Deployment, DeploymentStep, StepState
from phones_app.deployment.record import Note, steps_of
from phones_app.deployment.restart import BY_HAND
from phones_app.inventory.models import Phone
from phones_app.servers.services import NOT_TOLD
from phones_app.transports.restart.strategies import NO_LINE

Kind = DeploymentStep.Kind
# After a crash between sending a restart and recording it, evidence of the restart is awaited this long before it is
# sent again: a phone that got it fetches its file within seconds.
DOUBT_SECONDS = 10
# A phone that may be starting is told again after so long, then ever more seldom.
AGAIN_SECONDS = 2
# With these codes a phone has certainly not heard of its restart. One that is just starting has no line, no page and no
# open port for a while.
UNHEARD = (*NO_LINE, UNPROVEN, "refused", "unreachable", NOT_TOLD)
# The code of a restart that needed a line, or keys, and found neither.
NO_LINE_YET = "no-line"
NEVER_SEEN = "The phone was never seen: it takes its file when it starts."


def refused(deployment: Deployment, phone: Phone, error: TransportError) -> None:
    """A phone that was starting when it was told answers anything, or nothing, and fetches its file a moment later.

    That is waited for; and a phone that may be starting still is told again.
    """
    error = as_told(deployment, Kind.RESTART, phone.call_manager, error)
    step = steps_of(deployment)[Kind.RESTART]
    step.detail.setdefault("refused_at", clock.now().isoformat())
    waited, pauses = _waited(deployment), []
    if evidence.fetches_are_seen(deployment) and evidence.may_have_heard(error.code):
        pauses.append((_doubt() - waited, "the phone to fetch its file all the same"))
    if may_be_told_again(deployment, error.code):
        again = timedelta(seconds=min(AGAIN_SECONDS, settings.CONFIRM_SECONDS))
        pauses.append((max(again, waited / 2), "the phone, which may be starting"))
    pause, reason = min((each for each in pauses if each[0] > timedelta(0)), default=(None, ""))
    if pause is None:
        _end_refused(deployment, phone, error)
        return
    step.request, step.answer = error.request, error.answer
    step.detail |= {"error": error.message, "error_code": error.code}
    # A fetch confirms the deployment as soon as it is made (`judge_fetch`).
    raise Wait(pause, reason)


def _waited(deployment: Deployment) -> timedelta:
    """Since the first refusal."""
    refused_at = steps_of(deployment)[Kind.RESTART].detail.get("refused_at")
    return clock.now() - datetime.fromisoformat(refused_at) if refused_at else timedelta(0)


def _doubt() -> timedelta:
    return timedelta(seconds=min(DOUBT_SECONDS, settings.CONFIRM_SECONDS))


def _patience() -> timedelta:
    """How long a phone that may be starting is told again."""
    return timedelta(seconds=settings.CONFIRM_SECONDS / 2)


def may_be_told_again(deployment: Deployment, code: str) -> bool:
    """Whether a phone that may be starting has not heard. Where its fetches are seen, silence says so in the end."""
    waited = _waited(deployment)
    silent = code == "timeout" and evidence.fetches_are_seen(deployment) and waited >= _doubt()
    return (code in UNHEARD or silent) and waited < _patience() and evidence.may_be_starting(deployment)


def _end_refused(deployment: Deployment, phone: Phone, error: TransportError) -> None:
    """A phone that has no line yet, or was never seen, is left to itself: it can be told nothing, which is no fault."""
    is_new = phone.last_seen_at is None and not known_lines(deployment, phone, steps_of(deployment))
    if deployment.kind == Deployment.Kind.RESTART or not (
        error.code in (NO_LINE_YET, BY_HAND) or (error.code == UNPROVEN and is_new)
    ):
        raise error
    message = error.message if error.code in (NO_LINE_YET, BY_HAND) else f"{NEVER_SEEN} {error.message}"
    note = Note(Kind.RESTART, StepState.SKIPPED, message, error.request, error.answer)
    ensure_ours(transitions.left_for_start({deployment: note}, code=error.code))
