"""Which phone is there? What has to say that a phone is at its address before anything is sent there, and as which users
it is registered before it reads its new file: whom a restart is sent to.

Anybody who may edit a row can write any address into it, and addresses change hands. So no phone of another account may
have the address, and one of three has to say that this phone is there: its status page, a fetch of its own file from this
address, or its registration, which strategies find by its MAC address. A status page that does not answer says nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from contacts_app.core.errors import TransportError
from contacts_app.core.lists.statement import Instances, Slot, Statement
from contacts_app.core.work import clock
from phones_app.boot.models import FileFetch
from phones_app.deployment.models import Deployment, DeploymentStep, State
from phones_app.deployment.restart import Situation
from phones_app.inventory.models import Phone
from phones_app.inventory.services import TAKEN, address_taken
from phones_app.servers.models import CallManager
from phones_app.transports.restart.asterisk import place_of
from phones_app.transports.restart.strategies import (
    AmiChanSip,
    AmiPjsip,
    AmiSccp,
    CannotRestart,
    FirstContact,
    RestartStrategy,
)

# A phone fetches its file when it starts, and may run for weeks.
LATELY = timedelta(days=30)
UNPROVEN = "unproven"
_CREATED = Deployment._meta.get_field("created_at")
_EVER = datetime.min.replace(tzinfo=UTC)


def check_address(phone: Phone) -> None:
    """Raises TransportError when the address is another account's, as far as is known."""
    if address_taken(phone) and not fetched_there(phone):
        raise TransportError(TAKEN.format(address=phone.phone_ip), permanent=True, code="address-taken")


def fetched_there(phone: Phone) -> bool:
    """Whether the last that is known of the phone's address is that this phone fetched its own file from there."""
    if not phone.phone_ip:
        return False
    own = FileFetch.objects.filter(mac=phone.mac, fetched_at__gt=clock.now() - LATELY).order_by("-fetched_at").first()
    if own is None or _plain(own.address) != _plain(phone.phone_ip):
        return False
    if _plain(phone.phone_ip).is_loopback:
        return True  # where all simulated phones are
    later = FileFetch.objects.filter(address=own.address, fetched_at__gt=own.fetched_at)
    return not later.exclude(mac=phone.mac).exists()


def is_shown(phone: Phone, situation: Situation) -> bool:
    """Whether its status page, its registration under its MAC or a fetch says that the phone is at its address."""
    status, registration = situation.status, situation.registration
    return (
        (status is not None and status.mac == phone.mac)
        or (registration is not None and registered_there(phone, registration.mac, registration.uri))
        or fetched_there(phone)
    )


def registered_there(phone: Phone, mac: str, contact: str) -> bool:
    """Whether a registration of this MAC address at this contact is the phone's at its address.

    Only a shared call manager says so: one of an account's own may tell that its phone is where another account's is.
    """
    place, manager = place_of(contact), phone.call_manager
    is_shared = manager is not None and manager.account_id is None
    return is_shared and mac == phone.mac and place is not None and place.host == phone.phone_ip


def without_proof(strategy: RestartStrategy, phone: Phone, note: str) -> RestartStrategy:
    """What may be sent although nothing says that the phone is at its address: what finds it by its MAC address alone."""
    refused = CannotRestart(strategy.describe().way, UNPROVEN, _unproven(phone, note))
    match strategy:
        case CannotRestart():
            return strategy
        case AmiPjsip():
            return replace(strategy, ip="", keys=None)
        case AmiChanSip():
            return replace(strategy, ip="")
        case AmiSccp():
            return replace(strategy, otherwise=refused)
        case FirstContact():
            return without_proof(strategy.first, phone, note)
    return refused


def _unproven(phone: Phone, note: str) -> str:
    if not phone.phone_ip:
        return "Nothing shows which phone this is: its IP address is not known. Nothing was sent."
    return (
        f"Nothing shows that the phone at {phone.phone_ip} is this one. {note} "
        "It has not fetched its file from there lately either, so nothing was sent."
    )


def _plain(address: str) -> IPv4Address | IPv6Address:
    """An address as it is compared: a server that listens for both families sees IPv4 as a part of IPv6."""
    parsed = ip_address(address)
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


def line_user(deployment: Deployment, phone: Phone, steps: Mapping[str, DeploymentStep]) -> str:
    """The user of the phone's SIP contact, as which it is registered *now*, before it reads the new file.

    What is known, else line 1 of the new file, else its device name. The phone answers 404 to a wrong one.
    """
    return next(iter(known_lines(deployment, phone, steps)), "") or new_line(deployment) or f"SEP{phone.mac}"


def new_line(deployment: Deployment) -> str:
    return str((deployment.revision.facts if deployment.revision else {}).get("registration_user") or "")


def known_lines(deployment: Deployment, phone: Phone, steps: Mapping[str, DeploymentStep]) -> list[str]:
    """The users of the phone's SIP contact, the likeliest first; none where nothing tells one, as of a new phone.

    As recorded; line 1 of the file that it fetched last, where that is seen, else of what it was last confirmed to run;
    what its status page says; line 1 of the file that the upload replaced.
    """
    if phone.line_user:
        return [phone.line_user]
    before = _lines_before(deployment, phone)
    seen = {kind: step.detail for kind, step in steps.items()}
    candidates = [
        before.fetched,
        before.running,
        seen.get(DeploymentStep.Kind.RESTART, {}).get("directory_number"),
        seen.get(DeploymentStep.Kind.UPLOAD, {}).get("replaced_user"),
        before.confirmed,
    ]
    return list(dict.fromkeys(str(user) for user in candidates if user))


class _LinesBefore(NamedTuple):
    """Line 1 of the files that the phone fetched last, that it runs, and that it was confirmed with."""

    fetched: str
    running: str
    confirmed: str


def _lines_before(deployment: Deployment, phone: Phone) -> _LinesBefore:
    """By the deployments before and the phone's fetches: read once while a worker has the deployment."""
    found: _LinesBefore | None = vars(deployment).get("lines_before")
    if found is None:
        of_phone = (phone.pk, phone.mac, deployment.created_at)
        running = _former(is_running=True).first(*of_phone)
        since = running.uploaded_at if running is not None and running.uploaded_at is not None else _EVER
        last = _digest_fetched().row(phone.mac, since)
        sha256 = last[0] if last is not None else ""
        is_outdated = bool(sha256) and running is not None and running.sha256 != sha256
        is_other = bool(sha256) and (running is None or is_outdated)
        fetched = _former(has_digest=True).first(*of_phone, sha256) if is_other else None
        confirmed = new_line(running) if running is not None else ""
        found = _LinesBefore(new_line(fetched) if fetched else "", "" if is_outdated else confirmed, confirmed)
        vars(deployment)["lines_before"] = found
    return found


@cache
def _former(*, is_running: bool = False, has_digest: bool = False) -> Instances:
    """The deployments to a phone, with its MAC address, that were asked for before a moment, the latest first."""
    # What a handset ran that was replaced says nothing of this one.
    rows = Deployment.objects.filter(phone=Slot()()).filter(mac=Slot()()).filter(created_at__lt=Slot(_CREATED)())
    rows = rows.exclude(revision=None)
    if is_running:
        rows = rows.filter(state__in=(State.CONFIRMED, State.RESTART_ACKNOWLEDGED))
    if has_digest:
        rows = rows.filter(sha256=Slot()())
    rows = rows.select_related("revision").order_by("-created_at")
    return Instances(rows.only("uploaded_at", "sha256", "revision", "revision__facts")[:1])


@cache
def _digest_fetched() -> Statement:
    """Of the file that the phone fetched last, after a moment."""
    rows = FileFetch.objects.filter(mac=Slot()()).filter(fetched_at__gt=Slot(_CREATED)())
    return Statement(rows.order_by("-fetched_at").values_list("sha256")[:1])


def other_lines(deployment: Deployment, phone: Phone, steps: Mapping[str, DeploymentStep], refused: str) -> list[str]:
    """Whom else to address where the phone has no line `refused`: a request that reaches this phone and no other.

    A registrar forwards a NOTIFY to the phone that is registered with this line now, which may be another one.
    """
    if phone.line_user or (phone.call_manager and phone.call_manager.kind == CallManager.Kind.SIP):
        return []
    vars(deployment).pop("lines_before", None)  # it may have fetched another file while it was asked
    lines = [*known_lines(deployment, phone, steps), new_line(deployment)]
    return [user for user in dict.fromkeys(lines) if user and user != refused]
