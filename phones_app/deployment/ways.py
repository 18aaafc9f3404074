"""The other ways to restart a phone that a NOTIFY through Asterisk had no effect on (Asterisk spec §B).

Asterisk keeps the first Call-ID of a contact. A phone that has registered under another one since refuses the NOTIFY, and
nothing tells us. So its effects are looked for, and without any the next way is taken; every way has its own result in
the step of the restart. A phone in a call acts when the call ends, and is not told again before.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings

from contacts_app.core.errors import TransportError
from contacts_app.core.work import clock
from contacts_app.core.work.lease import LeaseLost
from phones_app.boot.models import FileFetch
from phones_app.deployment import transitions
from phones_app.deployment.identity import check_address, fetched_there, registered_there, without_proof
from phones_app.deployment.models import Deployment, DeploymentStep, StepState
from phones_app.deployment.record import Note, steps_of
from phones_app.deployment.restart import choose, look_at, registration_of
from phones_app.transports.restart.asterisk import mac_of_call_id, place_of
from phones_app.transports.restart.strategies import AmiPjsip, RestartStrategy

# A phone that obeys unregisters, or asks for its file, within a few seconds.
EFFECT_SECONDS = 5.0
STALE = (
    "The phone did not react to the Call-ID that Asterisk tells of its registration: it is registered under another one, "
    "it seems. {results}"
)


def try_another(deployment: Deployment, noticed: dict[str, Any]) -> timedelta | None:
    """Take the next way if no effect was seen in good time; how long until the one after it, None: there is none.

    `noticed` is kept between calls.
    """
    ways, tried = _ways(deployment), len(_results(deployment))
    if deployment.restarted_at is None or tried >= len(ways) or noticed.get("reacted"):
        return None
    patience = timedelta(seconds=min(EFFECT_SECONDS, settings.CONFIRM_SECONDS / (len(ways) + 1)))
    due = deployment.restarted_at + patience * (tried + 1) - clock.now()
    if due > timedelta(0):
        return due
    if noticed_effect := ("away_at" in noticed or _has_reacted(deployment)):
        noticed["reacted"] = True
        return None
    if noticed_effect is not None:
        _take(deployment, ways[tried])
    return patience


def stale(deployment: Deployment) -> str:
    """What is wrong with a phone that no way had an effect on; empty when another reason is as likely."""
    results = _results(deployment)
    if not _may_be_stale(deployment) or len(results) < len(_ways(deployment)) or _has_reacted(deployment) is not False:
        return ""
    return STALE.format(results=" ".join(results)).strip()


def _remembered(deployment: Deployment) -> dict[str, Any]:
    detail: dict[str, Any] = steps_of(deployment)[DeploymentStep.Kind.RESTART].detail
    return detail


def _may_be_stale(deployment: Deployment) -> bool:
    """Whether the phone was told by a Call-ID that PJSIP may have kept: those with TCP come from a new port each time."""
    remembered = _remembered(deployment)
    place = place_of(remembered.get("contact", ""))
    return remembered.get("method") == "ami-pjsip" and place is not None and place.transport == "udp"


def _ways(deployment: Deployment) -> list[RestartStrategy]:
    if deployment.phone is None or not _may_be_stale(deployment):
        return []
    phone, remembered = deployment.phone, _remembered(deployment)
    strategy, contact = choose(phone, deployment.revision), remembered["contact"]
    mac = mac_of_call_id(remembered.get("registration", ""))
    if not (remembered.get("had_status_page") or registered_there(phone, mac, contact) or fetched_there(phone)):
        strategy = without_proof(strategy, phone, "")
    return strategy.after_no_effect(contact) if isinstance(strategy, AmiPjsip) else []


def _results(deployment: Deployment) -> list[str]:
    """What came of the ways that were tried, in their order."""
    return list(_remembered(deployment).get("other_ways", []))


def _has_reacted(deployment: Deployment) -> bool | None:
    """Whether the phone has asked for its file, unregistered, registered anew or gone away; None: nothing tells."""
    phone, remembered = deployment.phone, _remembered(deployment)
    if phone is None or FileFetch.objects.filter(mac=deployment.mac, fetched_at__gte=deployment.restarted_at).exists():
        return True
    try:
        check_address(phone)
        situation = look_at(phone, remembered["endpoint"])
        now = situation.registration or registration_of(phone, remembered["endpoint"])
    except TransportError as error:
        return True if error.code == "not-registered" else None
    if situation.in_call or now is None:
        return None
    if situation.status is None and remembered.get("had_status_page"):
        return True
    return (now.call_id, now.uri) != (remembered.get("registration"), remembered.get("contact"))


def _take(deployment: Deployment, way: RestartStrategy) -> None:
    """Send once. That it is tried is written down before, so that no worker does it again after a crash."""
    results, name = _results(deployment), way.describe().way
    _write(deployment, [*results, f"{name}: sent, the result is not known."])
    user = place_of(_remembered(deployment)["contact"])
    request = answer = ""
    try:
        sent = way.send(user=user.user if user else "", transaction=f"{deployment.uuid.hex}-{len(results)}")
        result, request, answer = sent.message, sent.exchange.request, sent.exchange.answer
    except TransportError as error:
        result, request, answer = f"{error.message}.", error.request, error.answer
    _write(deployment, [*results, f"{name}: {result}"], request, answer)


def _write(deployment: Deployment, results: list[str], request: str = "", answer: str = "") -> None:
    step = steps_of(deployment)[DeploymentStep.Kind.RESTART]
    first = step.detail.setdefault("first_result", step.message)
    note = Note(
        DeploymentStep.Kind.RESTART,
        StepState.DONE,
        " Without effect; ".join([first, *results]),
        request="\n\n".join(filter(None, (step.request, request))) if request else "",
        answer="\n\n".join(filter(None, (step.answer, answer))) if answer else "",
        detail={"other_ways": results},
    )
    if not transitions.told_again({deployment: note}):
        raise LeaseLost
