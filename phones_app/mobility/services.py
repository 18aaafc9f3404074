"""What phones ask for: log-in with a PIN on the service menu, for 24 idle hours (phone profiles spec §5), whether a push
is authorised, and the directories on their screens.

The MAC address in a phone's request is not authenticated, so addresses and throttles do what they can
(Cisco phones spec §1.5, §1.6).
"""

import functools
import hmac
from ipaddress import ip_address
from typing import NamedTuple

from django.db.models import Exists, OuterRef
from django.utils import timezone

from contacts_app.accounts.models import Extension
from contacts_app.core.lists.statement import Slot, Statement
from contacts_app.people.models import User
from phones_app.inventory.models import Phone, ServiceSession
from phones_app.mobility.authentication import PinMustChange, person_by_pin
from phones_app.mobility.models import PRESENT, MobilitySession
from phones_app.servers.services import phone_networks
from profiles_app.phone.models import Line


class Caller(NamedTuple):
    """Of a phone what its own requests are answered by."""

    mac: str
    account_id: int
    phone_ip: str | None
    model: str
    base_profile_id: int | None
    # So that nothing more is asked for phones at which nobody is logged in, as most are.
    has_service_session: bool
    has_mobility_session: bool


class Pushed(NamedTuple):
    """What a phone that is pushed to knows of those who may."""

    phone_ip: str | None
    web_username: str
    web_password: str


@functools.cache
def _phone_statement(*columns: str) -> Statement:
    phones = Phone.objects.order_by().filter(mac=Slot()(), account__is_active=True)
    mobile = MobilitySession.objects.filter(mac=OuterRef("mac"), account=OuterRef("account"), state__in=PRESENT)
    phones = phones.annotate(
        has_service_session=Exists(ServiceSession.objects.filter(mac=OuterRef("mac"))),
        has_mobility_session=Exists(mobile),
    )
    return Statement(phones.values_list(*columns))


@functools.cache
def _extension_statement() -> Statement:
    extensions = Extension.objects.order_by().filter(account_id=Slot()())
    return Statement(extensions.values_list("name", "number"))


@functools.cache
def _line_statement() -> Statement:
    """Without passwords, which would have to be deciphered."""
    lines = Line.objects.order_by().filter(account_id=Slot()())
    return Statement(lines.values_list("label", "display_name", "extension"))


def caller(mac: str) -> Caller | None:
    """The phone with this MAC address, if its account is active."""
    row = _phone_statement(*Caller._fields).row(mac)
    return Caller(*row) if row else None


def pushed_phone(mac: str) -> Pushed | None:
    row = _phone_statement(*Pushed._fields).row(mac)
    return Pushed(*row) if row else None


def open_service_session(*, phone: Caller | Phone, user: User, address: str) -> ServiceSession:
    """Log a person in on a phone; the person who was logged in there before is logged out."""
    session, _ = ServiceSession.objects.update_or_create(
        mac=phone.mac, defaults={"user": user, "address": address, "last_used_at": timezone.now()}
    )
    return session


def live_service_session(phone: Caller, address: str) -> ServiceSession | None:
    """The session on this phone, its idle time begun anew; None when there is none or another address asks.

    The MAC in a phone's request is not authenticated, so a session is good only from the address that opened it
    (Cisco phones spec §1.6).
    """
    if not phone.has_service_session:
        return None
    session = ServiceSession.objects.select_related("user").filter(mac=phone.mac).first()
    if session is None or not session.is_live or session.address != address or not session.user.is_active:
        return None
    ServiceSession.objects.filter(pk=session.pk).update(last_used_at=timezone.now())
    return session


def is_phone_address(address: str, phone: Caller | Pushed | None) -> bool:
    """Inside the networks that ops named for phones, or where this very phone is known to be."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if phone is not None and phone.phone_ip == str(ip):
        return True
    return any(ip in network for network in phone_networks().networks)


def is_push_authorised(phone: Pushed | None, *, username: str, password: str, address: str) -> bool:
    """The answer to a phone that asks whether to obey a push (Cisco phones spec §1.5)."""
    if not is_phone_address(address, phone):
        return False
    known = phone is not None and bool(phone.web_password)
    expected = (phone.web_username, phone.web_password) if phone is not None else ("", "")
    # Both are compared whatever the first yields, so that the time taken tells nothing.
    right = [
        hmac.compare_digest(given.encode(), wanted.encode())
        for given, wanted in zip((username, password), expected, strict=True)
    ]
    return known and all(right)


def log_in_on_phone(*, phone: Caller, name: str, pin: str, address: str) -> ServiceSession:
    """Open the service session of a person of the phone's account. Raises LoginRefused, PinMustChange."""
    user = person_by_pin(account=phone.account_id, mac=phone.mac, name=name, pin=pin)
    if user.pin_must_change:
        raise PinMustChange(user)
    return open_service_session(phone=phone, user=user, address=address)


class DirectoryLine(NamedTuple):
    name: str
    number: str


def company_directory(account: int) -> list[DirectoryLine]:
    """The account's extensions and lines, for everybody at one of its phones: each number once, by its best name."""
    names = {str(number): name for name, number in _extension_statement().rows(account)}
    for label, display_name, extension in _line_statement().rows(account):
        # The display name is the person's; beside a key there is less room.
        names[extension] = names.get(extension) or display_name or label
    return sorted(DirectoryLine(name or number, number) for number, name in names.items())


def personal_directory(user: User) -> list[DirectoryLine]:
    """A person's own entries in their order, then the company: extensions, and people who have a phone number."""
    own = [DirectoryLine(*row) for row in user.directory_entries.values_list("name", "number")]
    if user.account_id is None:
        return own
    people = User.objects.filter(account=user.account_id, is_active=True).exclude(phone=None).exclude(phone="")
    entries = [DirectoryLine(person.get_full_name(), str(person.phone)) for person in people]
    return own + sorted(entries + company_directory(user.account_id))
