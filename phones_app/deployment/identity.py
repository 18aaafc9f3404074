"""Whose phone is it? What has to say that a phone is at its address before anything is sent there.

Anybody who may edit a row can write any address into it, and addresses change hands. So no phone of another account may
have the address, and one of three has to say that this phone is there: its status page, a fetch of its own file from this
address, or its registration, which strategies find by its MAC address. A status page that does not answer says nothing.
"""

from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

from contacts_app.core.errors import TransportError
from contacts_app.core.work import clock
from phones_app.boot.models import FileFetch
from phones_app.deployment.restart import Situation
from phones_app.inventory.models import Phone
from phones_app.inventory.services import TAKEN, address_taken
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
