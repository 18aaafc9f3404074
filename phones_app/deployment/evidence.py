"""How it is known that a phone restarted and took its file (Cisco phones spec §2.7): pushed is never shown as applied.

In order of strength: the embedded file server saw the phone fetch the very file; Asterisk holds a new registration; the
phone's status page went away and came back. Evidence comes in any order: a fetch of exactly this file after the upload
confirms a deployment, whatever its restart said and whether that was sent at all. docs/evidence.md is the whole table.

A phone that gives its file up afterwards sends no word of it: it fetches the file again every 15 to 45 seconds and asks
for nothing else. So the first fetch confirms a deployment, and the ones that follow may take that back.
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Q

from contacts_app.core.errors import TransportError
from contacts_app.core.lists.statement import Instances, Slot, Statement
from contacts_app.core.work import clock
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.boot.models import FileFetch
from phones_app.deployment import transitions
from phones_app.deployment.models import Deployment, DeploymentStep, State, StepState
from phones_app.deployment.record import steps_of
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.deployment.restart import registration_of
from phones_app.deployment.transitions import confirmed
from phones_app.inventory.services import address_taken, phone_web
from phones_app.transports.phone_web import read_status

Evidence = dict[str, Any]
# A phone that rejects its file fetches it so often, so soon after one another, within this time after its restart.
FETCHES = 3
LONGEST_GAP = timedelta(seconds=60)
WINDOW = timedelta(minutes=10)
# A phone says in whole seconds how long it has been running, and it fetches its file a moment after that began.
UPTIME_SLACK = timedelta(seconds=2)
# A phone takes about so long from an order to restart, or from its file, until it is registered.
STARTING = timedelta(minutes=2)
# States in which a deployment of which the file is in its place takes a fetch as evidence.
AWAITING = (
    State.UPLOADED, State.SESSION_CLEARED, State.RESTARTING, State.RESTART_ACKNOWLEDGED, State.FAILED, State.CANCELLED,
)  # fmt: skip
# The deployments that a fetch says something about.
SAYS = Q(kind=Deployment.Kind.RESTART, finished_at=None) | Q(state__in=(*AWAITING, State.REJECTED))
SAYS |= Q(state=State.CONFIRMED) & ~Q(waiting_for="")
# What a restart can answer although the phone is there and on its way to its file: it had no line yet, it was slow.
HEARD_PERHAPS = ("timeout", "not-registered", "device-not-found", "pbx-refused", "no-line")

MESSAGE = (
    "The phone rejects the file: it fetched it {times} times within {seconds:.0f} s, and asked for nothing else after."
)


def awaited(macs: Collection[str]) -> set[str]:
    """Of which of these phones a fetch says something about a deployment; of the others `judge_fetch` would say nothing.

    Those that have fetched their file again and again may reject it.
    """
    lately = clock.now() - WINDOW
    if len(macs) == 1:
        [mac] = macs
        is_often = len(_fetched_lately().rows(mac, lately)) >= FETCHES - 1
        return {mac} if _awaits(has_says=not is_often).row(mac) else set()
    again = FileFetch.objects.filter(mac__in=macs, fetched_at__gte=lately).values("mac")
    often = set(again.annotate(times=Count("pk")).filter(times__gte=FETCHES - 1).values_list("mac", flat=True))
    return set(Deployment.objects.filter(SAYS | Q(mac__in=often), mac__in=macs).values_list("mac", flat=True))


@cache
def _fetched_lately() -> Statement:
    """The fetches of a phone since a moment, as far as their number matters."""
    since = Slot(FileFetch._meta.get_field("fetched_at"))
    rows = FileFetch.objects.order_by().filter(mac=Slot()()).filter(fetched_at__gte=since())
    return Statement(rows.values_list("pk")[: FETCHES - 1])


@cache
def _awaits(*, has_says: bool) -> Statement:
    """A deployment of a phone, or one of those that a fetch says something about."""
    rows = Deployment.objects.order_by().filter(mac=Slot()())
    return Statement((rows.filter(SAYS) if has_says else rows).values_list("pk")[:1])


def judge_fetch(fetch: FileFetch) -> None:
    """A phone was handed its file, or went on to another one after it: what this says of its deployments.

    Those that a worker holds just now are left to it: it looks for fetches (`fetched`) before it gives a phone up.
    """
    keys = [key for (key,) in _newest().rows(fetch.mac, fetch.fetched_at, fetch.fetched_at)]
    # Locked in the order in which everybody locks several.
    locked = [row for key in sorted(keys) for row in _locked().all(key)]
    newest = sorted(locked, key=lambda row: keys.index(row.pk))
    took = [row for row in newest if row.kind == Deployment.Kind.RESTART and row.state in AWAITING]
    upload = next((row for row in newest if row.uploaded_at), None)
    if upload is not None and upload.sha256 == fetch.sha256:
        if upload.state in AWAITING or (upload.state == State.REJECTED and fetch.followed_by):
            took.append(upload)
        elif upload.state == State.CONFIRMED:
            _doubt(upload, fetch)
    confirmed({row: _as_evidence(fetch) for row in took if not _is_held(row)})


@cache
def _newest() -> Statement:
    """The two latest deployments to a phone that a fetch at a moment may say something of."""
    moment = Slot(FileFetch._meta.get_field("fetched_at"))
    says = Q(kind=Deployment.Kind.RESTART, finished_at=None) & Q(restarted_at__lte=moment())
    says |= Q(uploaded_at__lte=moment())
    rows = Deployment.objects.filter(mac=Slot()()).filter(says)
    return Statement(rows.order_by("-created_at", "-pk").values_list("pk")[:2])


@cache
def _locked() -> Instances:
    """A deployment with all that its event says."""
    rows = Deployment.objects.order_by().select_related("phone", "profile", "account")
    return Instances(rows.select_for_update(no_key=True, of=("self",)).filter(pk=Slot()()))


def _is_held(row: Deployment) -> bool:
    """Whether a worker is in the middle of a step; one that merely looks for evidence finds that it is over."""
    is_leased = bool(row.lease_owner and row.lease_until and row.lease_until >= clock.now())
    return is_leased and row.state != State.RESTART_ACKNOWLEDGED


def _doubt(deployment: Deployment, fetch: FileFetch) -> None:
    """Have the phone looked at that seems to reject the file; and not any more once it went on to another file."""
    if fetch.followed_by:
        if deployment.waiting_for:
            transitions.trusted([deployment])
    elif repeated_fetches(deployment):
        transitions.doubted([deployment])
        nudge_after_commit(DEPLOYMENTS)


def repeated_fetches(deployment: Deployment) -> list[FileFetch]:
    """The last fetches, the latest first, if they look like those of a phone that rejects its file; else none."""
    # Whatever restarts it, it fetches its file anew.
    asked = Deployment.objects.filter(mac=deployment.mac).aggregate(last=Max("restarted_at"))["last"]
    since = asked or deployment.uploaded_at
    if since is None or clock.now() - since > WINDOW:
        return []
    rows = list(FileFetch.objects.filter(mac=deployment.mac, fetched_at__gte=since).order_by("-fetched_at")[:FETCHES])
    gaps = [later.fetched_at - earlier.fetched_at for later, earlier in pairwise(rows)]
    alike = all(row.sha256 == deployment.sha256 and not row.followed_by for row in rows)
    return rows if len(rows) == FETCHES and alike and all(gap <= LONGEST_GAP for gap in gaps) else []


def judge_doubt(deployment: Deployment) -> None:
    """Whether the phone rejects its file, or was switched off and on: that one fetches its file at every start, too."""
    fetches = repeated_fetches(deployment)
    if not fetches or _booted_since(deployment, fetches[-1].fetched_at):
        transitions.trusted([deployment])
        return
    seconds = (fetches[0].fetched_at - fetches[-1].fetched_at).total_seconds()
    transitions.rejected({deployment: MESSAGE.format(times=len(fetches), seconds=seconds)})


def _booted_since(deployment: Deployment, moment: datetime) -> bool:
    """Whether the phone has started after this moment, by what its status page says, else whether it has registered."""
    phone = deployment.phone
    if phone is not None and phone.phone_ip and not address_taken(phone):
        with suppress(TransportError):
            status = read_status(phone_web(phone))
            if status.mac == phone.mac and status.uptime is not None:
                return clock.now() - status.uptime > moment + UPTIME_SLACK
    restart = steps_of(deployment).get(DeploymentStep.Kind.RESTART)
    return restart is not None and registered_anew(deployment, restart.detail) is not None


def fetched(deployment: Deployment) -> Evidence | None:
    """The phone fetched the deployed file after the upload (for a mere restart: any file after it)."""
    since = deployment.uploaded_at or deployment.restarted_at
    if since is None:
        return None
    digest = (deployment.sha256,) if deployment.sha256 else ()
    fetch = _fetches(has_digest=bool(digest)).first(deployment.mac, since, *digest)
    return _as_evidence(fetch) if fetch else None


@cache
def _fetches(*, has_digest: bool) -> Instances:
    """The first one of a phone since a moment, of any file or of that with a digest."""
    since = Slot(FileFetch._meta.get_field("fetched_at"))
    rows = FileFetch.objects.filter(mac=Slot()()).filter(fetched_at__gte=since())
    if has_digest:
        rows = rows.filter(sha256=Slot()())
    return Instances(rows.order_by("fetched_at")[:1])


def fetches_are_seen(deployment: Deployment) -> bool:
    """Whether the file server told us of the phone's fetch, so that none means that it was not restarted."""
    upload = steps_of(deployment).get(DeploymentStep.Kind.UPLOAD)
    return upload is not None and bool(upload.detail.get("fetches_seen"))


def confirm_if_fetched(deployment: Deployment) -> bool:
    """Whether the phone fetched the file, which is kept as evidence: then the deployment is confirmed as it stands."""
    found = fetched(deployment)
    return found is not None and bool(confirmed({deployment: found}))


def _as_evidence(fetch: FileFetch) -> Evidence:
    return {
        "kind": "file-fetched",
        "file": fetch.file_name,
        "sha256": fetch.sha256,
        "address": fetch.address,
        "protocol": fetch.protocol,
        "at": fetch.fetched_at.isoformat(),
    }


def may_have_heard(code: str) -> bool:
    """Whether a phone whose restart ended with this code may be on its way to its file all the same."""
    return code.startswith("sip-") or code in HEARD_PERHAPS


def may_be_starting(deployment: Deployment) -> bool:
    """Whether the phone has asked for a file a moment ago, or was told to restart by another deployment."""
    lately = clock.now() - STARTING
    if FileFetch.objects.filter(mac=deployment.mac, fetched_at__gte=lately).exists():
        return True
    told = DeploymentStep.objects.filter(
        kind=DeploymentStep.Kind.RESTART, state=StepState.DONE, finished_at__gte=lately
    )
    return told.filter(deployment__mac=deployment.mac).exclude(deployment=deployment).exists()


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
    return {"kind": "registered-anew", "call_id": now.call_id, "at": clock.now().isoformat()}


def came_back(deployment: Deployment, noticed: dict[str, Any]) -> Evidence | None:
    """The status page, seen away since the restart, answers again. `noticed` is kept between looks."""
    phone = deployment.phone
    if phone is None or not phone.phone_ip or address_taken(phone):
        return None
    try:
        status = read_status(phone_web(phone), timeout=1.0)
    except TransportError as error:
        # Only a phone that had a page before can be said to have gone away.
        if noticed.get("had_status_page") and error.code in ("refused", "timeout"):
            noticed.setdefault("away_at", clock.now().isoformat())
        return None
    if status.mac != phone.mac or "away_at" not in noticed:
        return None
    return {"kind": "came-back", "away_at": noticed["away_at"], "load": status.load, "at": clock.now().isoformat()}


def evidence_pause(since: datetime, *, told: bool) -> timedelta:
    """When to look again: often at first, when phones reboot, then ever less.

    Seldom where we are `told` of fetches, which confirm by themselves (`judge_fetch`); all that is missed there is one
    that was written down at the moment of the phone's answer.
    """
    age = clock.now() - since
    pause = min(max(age, timedelta(seconds=10)), timedelta(seconds=30)) if told else min(age / 4, timedelta(seconds=10))
    left = timedelta(seconds=settings.CONFIRM_SECONDS) - age
    return max(min(pause, left), timedelta(seconds=1))
