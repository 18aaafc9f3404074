"""What an unknown phone gets from the embedded file server: a file without lines, whose services open the page on which
it is enrolled (mobility spec §6). Off unless `ENROLMENT_NETWORKS` names networks.
"""

import threading
import time
import uuid
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from string import Template
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.core.net.wire import Network
from phones_app.boot.fetches import Fetch
from phones_app.inventory.models import Phone
from profiles_app.phone.sep import catalogue, default_file
from profiles_app.phone.sep.catalogue import mac_of_file_name

log = structlog.get_logger(__name__)
HOUR = 3600.0
# What a phone asks for that has no file yet (Cisco phones spec §3.3).
OF_NEW_PHONES = rf"SEP[0-9A-F]{{12}}\.cnf\.xml|{default_file.PATTERN}"


class Enrols(NamedTuple):
    """A network in which phones may enrol, and whose they become: the account with this number, or the only one."""

    network: Network
    account: int | None


@lru_cache(maxsize=4)
def parse_networks(text: str) -> tuple[Enrols, ...]:
    """`10.1.0.0/16=1000001, 10.2.0.0/16`. Raises ValueError, which names what cannot be read."""
    found = []
    for item in filter(None, map(str.strip, text.split(","))):
        network, is_named, number = (part.strip() for part in item.partition("="))
        found.append(Enrols(ip_network(network), int(number) if is_named else None))
    return tuple(found)


def enrols_at(address: str) -> Enrols | None:
    """The network that lets phones at this address enrol."""
    try:
        ip = ip_address(address)
    except ValueError:
        return None
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return next((one for one in parse_networks(settings.ENROLMENT_NETWORKS) if ip in one.network), None)


def account_at(address: str) -> Account | None:
    """Whose phones enrol at this address: as its network says, else the only active account."""
    network = enrols_at(address)
    if network is None:
        return None
    accounts = Account.objects.filter(is_active=True)
    if network.account is not None:
        return accounts.filter(voip_id=network.account).first()
    found = list(accounts[:2])
    return found[0] if len(found) == 1 else None


def may_enrol(macs: Iterable[str]) -> bool:
    """Whether a phone with this MAC address is one to be enrolled: not known, retired, or prepared with a code.

    `macs` is one or none: the file for all phones names none.
    """
    prepared = Q(enrolment_codes__used_at=None, enrolment_codes__expires_at__gt=timezone.now(), file=None)
    known = Phone.objects.filter(mac__in=list(macs), replaced_by=None)
    return not known.exclude(pk__in=Phone.objects.filter(prepared).values("pk")).exists()


class Admitted:
    """How many phones were given the file within an hour: MAC addresses can be made up without end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}

    def admits(self, who: str, most: int) -> bool:
        now = time.monotonic()
        with self._lock:
            self._last = {one: at for one, at in self._last.items() if at > now - HOUR}
            if who not in self._last and len(self._last) >= most:
                return False
            self._last.setdefault(who, now)
            return True


_admitted = Admitted()


def for_unknown(fetch: Fetch) -> bytes | None:
    """The file for a phone that asks for one and has none; None where it is not to be enrolled."""
    if enrols_at(fetch.address) is None:
        return None
    mac = mac_of_file_name(fetch.file_name)
    if mac is not None and not may_enrol([mac]):
        return None
    if not _admitted.admits(mac or fetch.address, settings.ENROLMENT_PER_HOUR):
        log.warning("too many phones ask to be enrolled", address=fetch.address, file=fetch.file_name)
        return None
    return enrolment_file(fetch.agent)


def enrolment_file(model: str = "") -> bytes:
    """The file for this model, also as the header of a request names it; one that every model takes where it names none.

    Same values, same bytes.
    """
    device = catalogue.find(model) if model else None
    portal = settings.PHONE_SERVICES_URL
    enrol = f"{portal}/cisco/services/enrol?device=#DEVICENAME#"
    values = {
        "portal": portal,
        "enrol": enrol,
        "host": urlsplit(portal).hostname or "",
        "stamp": f"{{{uuid.uuid5(uuid.NAMESPACE_URL, enrol)}}}".upper(),
    }
    has_key = device is not None and bool(device.line_keys) and "SIP" in device.protocols and not device.plain_text_sip
    # A phone that can be of either software reads what is for its own: SCCP has its keys from the call manager.
    keys = _filled("enrolment_keys.xml", values) if has_key else ""
    return _filled("enrolment.cnf.xml", values, keys=keys).encode()


def _filled(name: str, values: dict[str, str], **markup: str) -> str:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return Template(text).substitute({key: escape(value) for key, value in values.items()} | markup)
