"""How it is known that a phone restarted and took its file (Cisco phones spec §2.7): pushed is never shown as applied.

In order of strength: the embedded file server saw the phone fetch the very file; Asterisk holds a new registration; the
phone's status page went away and came back. A phone that gives its file up afterwards sends no word of it: it fetches
the file again every 15 to 45 seconds and nothing else. So the first fetch confirms a deployment, and the ones that
follow may take that back.
"""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from contacts_app.core.errors import TransportError
from phones_app.boot.models import FileFetch
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.restart import registration_of
from phones_app.deployment.transitions import confirmed, rejected
from phones_app.inventory.services import phone_web
from phones_app.transports.phone_web import read_status

Evidence = dict[str, Any]
# A phone that somebody switches off and on fetches its file twice.
FETCHES = 3
LONGEST_GAP = timedelta(seconds=60)
# Later than this after the restart it is no answer to the deployment.
WINDOW = timedelta(minutes=10)

MESSAGE = (
    "The phone rejects the file: it fetched it {times} times within {seconds:.0f} s, and nothing that comes after."
)


def judge_fetch(fetch: FileFetch) -> None:
    """A phone was handed its file: this confirms the deployment that waits for it, or shows that the phone rejects it.

    A deployment whose phone has not answered to its restart yet finds the fetch a moment later (`fetched`).
    """
    waiting = Deployment.objects.select_for_update().filter(
        mac=fetch.mac, finished_at=None, state=State.RESTART_ACKNOWLEDGED, restarted_at__lte=fetch.fetched_at
    )
    deployment = waiting.filter(Q(sha256=fetch.sha256) | Q(sha256="")).first()
    if deployment is None:
        _judge_repetition(fetch)
    else:
        # A worker that checks this row right now loses it, which is what the conditions of transitions are for.
        confirmed({deployment: _as_evidence(fetch)})


def _judge_repetition(fetch: FileFetch) -> None:
    """Find the deployment whose file this fetch shows to be rejected."""
    deployment = (
        Deployment.objects.select_for_update()
        .filter(mac=fetch.mac, state=State.CONFIRMED, sha256=fetch.sha256)
        .filter(restarted_at__gte=fetch.fetched_at - WINDOW, restarted_at__lte=fetch.fetched_at)
        .order_by("-created_at")
        .first()
    )
    if deployment is None:
        return
    rows = FileFetch.objects.filter(mac=fetch.mac, protocol=fetch.protocol, fetched_at__gte=deployment.restarted_at)
    fetches = list(rows.order_by("fetched_at")[: FETCHES + 1])
    times = [row.fetched_at for row in fetches]
    if (
        len(fetches) < FETCHES
        or any(row.followed_by or row.sha256 != fetch.sha256 for row in fetches)
        or any(later - earlier > LONGEST_GAP for earlier, later in pairwise(times))
    ):
        return
    seconds = (times[-1] - times[0]).total_seconds()
    rejected({deployment: MESSAGE.format(times=len(times), seconds=seconds)})


def fetched(deployment: Deployment) -> Evidence | None:
    """The phone fetched the deployed file after the upload (for a mere restart: any file after it)."""
    since = deployment.uploaded_at or deployment.restarted_at
    fetches = FileFetch.objects.filter(mac=deployment.mac, fetched_at__gte=since)
    if deployment.sha256:
        fetches = fetches.filter(sha256=deployment.sha256)
    fetch = fetches.order_by("fetched_at").first()
    return _as_evidence(fetch) if fetch else None


def _as_evidence(fetch: FileFetch) -> Evidence:
    return {
        "kind": "file-fetched",
        "file": fetch.file_name,
        "sha256": fetch.sha256,
        "address": fetch.address,
        "protocol": fetch.protocol,
        "at": fetch.fetched_at.isoformat(),
    }


def registered_anew(deployment: Deployment, remembered: dict[str, Any]) -> Evidence | None:
    """Asterisk holds a registration with another Call-ID than the one remembered from before the restart.

    That the same one is still there proves nothing: PJSIP keeps the first of a contact (Asterisk spec §B, §D).
    """
    before = remembered.get("registration")
    phone = deployment.phone
    if not phone or not before:
        return None
    try:
        now = registration_of(phone, remembered["endpoint"])
    except TransportError:
        return None
    if now is None or now.call_id in ("", before) or now.reachable is False:
        return None
    return {"kind": "registered-anew", "call_id": now.call_id, "at": timezone.now().isoformat()}


def came_back(deployment: Deployment, noticed: dict[str, Any]) -> Evidence | None:
    """The status page, seen away since the restart, answers again. `noticed` is kept between looks."""
    phone = deployment.phone
    if phone is None or not phone.phone_ip:
        return None
    try:
        status = read_status(phone_web(phone), timeout=1.0)
    except TransportError as error:
        # Only a phone that had a page before can be said to have gone away.
        if noticed.get("had_status_page") and error.code in ("refused", "timeout"):
            noticed.setdefault("away_at", timezone.now().isoformat())
        return None
    if status.mac != phone.mac or "away_at" not in noticed:
        return None
    return {"kind": "came-back", "away_at": noticed["away_at"], "load": status.load, "at": timezone.now().isoformat()}


def look_pause(since: datetime, *, told: bool) -> timedelta:
    """When to look again: often at first, when phones reboot, then ever less.

    Seldom where we are `told` of fetches, which confirm by themselves (`judge_fetch`); all that is missed there is one
    that was written down at the moment of the phone's answer.
    """
    age = timezone.now() - since
    pause = min(max(age, timedelta(seconds=10)), timedelta(seconds=30)) if told else min(age / 4, timedelta(seconds=10))
    left = timedelta(seconds=settings.CONFIRM_SECONDS) - age
    return max(min(pause, left), timedelta(seconds=1))
