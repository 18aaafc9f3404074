"""Which phones are meant (by MAC addresses, by a list in a file, by a saved group), and what each of them depends on."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Any

from django.db.models import Count, Q, QuerySet

from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import Changed
from contacts_app.core.lists.among import among
from contacts_app.core.lists.statement import Slot, Statement
from phones_app.inventory.models import Phone, PhoneGroup, Presence, ServiceSession
from phones_app.servers.models import FileServer
from phones_app.servers.services import default_server, phone_networks
from phones_app.transports.phone_web import PhoneWeb
from profiles_app.phone.sep.catalogue import parse_mac

HEADINGS = ("mac", "mac address", "mac_address")
MOST_ERRORS = 20


@dataclass(frozen=True)
class Selection:
    """The phones, and the MAC addresses asked for that belong to none of those that may be seen."""

    phones: "QuerySet[Phone]"
    unknown: tuple[str, ...] = ()


def phones_by_mac(rows: "QuerySet[Phone]", macs: Iterable[str]) -> Selection:
    wanted = list(dict.fromkeys(macs))
    keys = dict(rows.filter(mac__in=among(wanted)).order_by().values_list("mac", "pk"))
    # Looked up once: there may be a hundred thousand, and who is given them asks for them again and again.
    found = rows.filter(pk__in=among(list(keys.values())))
    return Selection(found, tuple(mac for mac in wanted if mac not in keys))


def read_macs(text: str) -> list[str]:
    """The MAC addresses in the first column of a CSV file, or in the one headed `mac`. Raises Refusal with all errors."""
    rows = [row for row in csv.reader(io.StringIO(text.lstrip("\ufeff"))) if any(map(str.strip, row))]
    if not rows:
        raise Refusal("no-phones", "The file names no phone.")
    headings = [cell.strip().lower() for cell in rows[0]]
    column = next((headings.index(name) for name in HEADINGS if name in headings), None)
    macs, errors = [], []
    for number, row in enumerate(rows, 1):
        if number == 1 and column is not None:
            continue
        cell = row[column or 0].strip() if len(row) > (column or 0) else ""
        try:
            macs.append(parse_mac(cell))
        except ValueError as error:
            errors.append(f"row {number}: {error}")
    if errors:
        more = f"; and {len(errors) - MOST_ERRORS} more" if len(errors) > MOST_ERRORS else ""
        raise Refusal("bad-list", "; ".join(errors[:MOST_ERRORS]) + more)
    if not macs:
        raise Refusal("no-phones", "The file names no phone.")
    return macs


def phones_of_group(rows: "QuerySet[Phone]", group: PhoneGroup) -> Selection:
    return Selection(rows.filter(groups=group))


def file_server_of(phone: Phone) -> FileServer:
    """The phone's own file server, else its account's default, else the shared default, else the embedded one."""
    if phone.file_server is not None:
        return phone.file_server
    return default_server(phone.account_id)


class FileServerLookup:
    """`file_server_of` for many phones: a server is read once for all phones that use it."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int | None], FileServer] = {}

    def of(self, phone: Phone) -> FileServer:
        key = (phone.account_id, phone.file_server_id)
        if key not in self._known:
            self._known[key] = file_server_of(phone)
        return self._known[key]


def phone_web(phone: Phone) -> PhoneWeb:
    """The phone's web server. Raises Refusal when its address is not known."""
    if not phone.phone_ip:
        raise Refusal("no-address", "The phone's IP address is not known.")
    return PhoneWeb(
        host=phone.phone_ip,
        port=phone.web_port,
        username=phone.web_username,
        password=phone.web_password,
        networks=phone_networks(),
    )


# Said where nothing is sent to an address, to the one of two accounts that has less to show for it.
TAKEN = (
    "The address {address} is that of a phone of another account as well, and nothing shows that this phone is there: "
    "nothing was sent."
)


Changes = Mapping[str, Any]
# Where a phone is, which phone it is, and where its file lies.
PLACE = ("phone_ip", "mac", "file_server")
_identity_listeners: list[Callable[[Phone, Changes], None]] = []


def register_identity(listener: Callable[[Phone, Changes], None]) -> None:
    """Have `listener` called when a row becomes about another phone, or about another place of its file."""
    _identity_listeners.append(listener)


def moved(changed: Changed) -> None:
    """Called when one of `PLACE` of phones was changed, with all phones that one statement changed."""
    if elsewhere := [phone.pk for phone, changes in changed if "phone_ip" in changes]:
        # At another address they were not seen yet.
        Phone.objects.filter(pk__in=among(elsewhere)).update(presence=Presence.NEVER, presence_since=None)
    for phone, changes in changed:
        if {"mac", "file_server"} & changes.keys():
            for listener in _identity_listeners:
                listener(phone, changes)


def address_taken(phone: Phone) -> bool:
    """Whether a phone of another account has this address, unless only this one was seen there."""
    if not phone.phone_ip:
        return False
    # Where simulated phones are, an address is one of them only with its port.
    ports = (phone.sip_port, phone.web_port) if ip_address(phone.phone_ip).is_loopback else ()
    presences = {row[0] for row in _others(with_ports=bool(ports)).rows(phone.phone_ip, phone.account_id, *ports)}
    only_seen = phone.presence == Presence.REACHABLE and Presence.REACHABLE not in presences
    return bool(presences) and not only_seen


@cache
def _others(*, with_ports: bool) -> Statement:
    """The presences of phones at an address that are of another account than this one."""
    address = Slot(Phone._meta.get_field("phone_ip"))
    others = Phone.objects.order_by().filter(phone_ip=address()).exclude(account=Slot()())
    if with_ports:
        others = others.filter(Q(sip_port=Slot()()) | Q(web_port=Slot()()))
    return Statement(others.values_list("presence"))


def taken_addresses(phones: Sequence[Phone]) -> set[int]:
    """The keys of those phones whose addresses are taken."""
    here = {phone.phone_ip for phone in phones if phone.phone_ip}
    shared = Phone.objects.filter(phone_ip__in=here).order_by().values("phone_ip")
    shared = shared.annotate(accounts=Count("account", distinct=True)).filter(accounts__gt=1)
    doubtful = set(shared.values_list("phone_ip", flat=True)) if here else set()
    return {phone.pk for phone in phones if phone.phone_ip in doubtful and address_taken(phone)}


def clear_service_sessions(macs: Iterable[str]) -> set[str]:
    """End the sessions on these phones; the phones that had one. None is no error."""
    found = set(ServiceSession.objects.filter(mac__in=among(list(macs))).values_list("mac", flat=True))
    if found:
        ServiceSession.objects.filter(mac__in=found).delete()
    return found
