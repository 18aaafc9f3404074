"""What programs that were written against CUCM's extension mobility API ask for, done here (Cisco phones spec §6.3).

Who manages the account, or has the permissions of the admin, acts for everybody; anybody else for themselves alone, as
CUCM's people without proxy rights.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db.models import Q, QuerySet

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.work import clock
from contacts_app.people.models import User
from phones_app.inventory.models import Phone
from phones_app.mobility.codes import EmCode
from phones_app.mobility.emservice import (
    EmRefused,
    EmRequest,
    devices_of_users,
    profiles_of_users,
    success,
    users_of_devices,
)
from phones_app.mobility.login import log_in, profile_named
from phones_app.mobility.logout import log_out, log_out_many, session_on, sessions
from phones_app.mobility.models import PRESENT, MobilitySession, Why
from phones_app.mobility.switch import EmRefusal
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.sep.catalogue import parse_mac

LOGS_IN, LOGS_OUT = "phones_app.add_mobilitysession", "phones_app.change_mobilitysession"
SEES = "phones_app.view_mobilitysession"
# So many log-outs are one transaction.
TOGETHER = 50


def answer(request: EmRequest, actor: Actor) -> bytes:
    """The XML of what came of it. Raises EmRefused."""
    try:
        return _ANSWERS[request.what](request, actor)
    except EmRefusal as refusal:
        raise EmRefused(refusal.number, refusal.message) from refusal
    except Refusal as refusal:
        raise EmRefused(EmCode.UNKNOWN, refusal.message) from refusal


def _login(request: EmRequest, actor: Actor) -> bytes:
    phone, user = _phone(request, actor), _person(request.users[0] if request.users else "", actor)
    if user is None:
        raise EmRefused(EmCode.NO_PERSON)
    _check(actor, LOGS_IN, user)
    present = session_on(phone)
    if present is not None and present.user_id != user.pk:
        raise EmRefused(EmCode.OTHER_USER)
    until = clock.now() + timedelta(minutes=request.minutes) if request.minutes else None
    log_in(phone, user, profile=profile_named(request.profile, user, phone), until=until, actor=actor)
    return success()


def _logout(request: EmRequest, actor: Actor) -> bytes:
    session = session_on(_phone(request, actor))
    if session is None:
        raise EmRefused(EmCode.NO_USER)
    _check(actor, LOGS_OUT, session.user)
    log_out(session, why=Why.REST, actor=actor)
    return success()


def _logout_all(request: EmRequest, actor: Actor) -> bytes:
    _check(actor, LOGS_OUT, None)
    present = sessions(actor).filter(state__in=PRESENT).order_by("phone", "pk")
    for some in _together(present):
        log_out_many(some, why=Why.REST, actor=actor)
    return success()


def _together(rows: "QuerySet[MobilitySession]") -> Iterator[list[MobilitySession]]:
    found = list(rows)
    yield from (found[start : start + TOGETHER] for start in range(0, len(found), TOGETHER))


def _device_users(request: EmRequest, actor: Actor) -> bytes:
    _check(actor, SEES, None)

    def told(device: str) -> tuple[str, str | None, str]:
        phone = _phone_named(device, actor)
        if phone is None:
            return device, None, ""
        last = MobilitySession.objects.filter(phone=phone).select_related("user").first()
        name = last.user.username if last and last.user else ""
        return device, name if last and last.is_present else "", name

    return users_of_devices(map(told, request.devices))


def _user_devices(request: EmRequest, actor: Actor) -> bytes:
    def told(name: str) -> tuple[str, list[str] | None]:
        user = _person(name, actor)
        if user is None:
            return name, None
        _check(actor, SEES, user)
        macs = (
            MobilitySession.objects.filter(user=user, state__in=PRESENT).order_by("mac").values_list("mac", flat=True)
        )
        return name, [f"SEP{mac}" for mac in macs]

    return devices_of_users(map(told, request.users))


def _user_profiles(request: EmRequest, actor: Actor) -> bytes:
    def told(name: str) -> tuple[str, list[str] | None]:
        user = _person(name, actor)
        if user is None:
            return name, None
        _check(actor, SEES, user)
        theirs = PhoneProfile.objects.filter(Q(user=user) | Q(assigned_to__user=user)).distinct()
        return name, list(theirs.order_by("name").values_list("name", flat=True))

    return profiles_of_users(map(told, request.users))


_ANSWERS: dict[str, Callable[[EmRequest, Actor], bytes]] = {
    "login": _login,
    "logout": _logout,
    "logoutAll": _logout_all,
    "deviceUserQuery": _device_users,
    "userDevicesQuery": _user_devices,
    "checkUser": _user_devices,
    "deviceProfileQuery": _user_profiles,
}


def _check(actor: Actor, permission: str, user: User | None) -> None:
    """Raises EmRefused for those who may not act for this person; None: for everybody."""
    is_oneself = user is not None and user.pk == actor.pk
    if not (is_oneself or (actor.manages and actor.may(permission))):
        raise EmRefused(EmCode.NO_PROXY_RIGHTS)


def _phone(request: EmRequest, actor: Actor) -> Phone:
    phone = _phone_named(request.devices[0] if request.devices else "", actor)
    if phone is None:
        raise EmRefused(EmCode.NO_DEVICE)
    return phone


def _phone_named(device: str, actor: Actor) -> Phone | None:
    try:
        mac = parse_mac(device)
    except ValueError:
        return None
    # People without rights see the phones of their account here, as they do when they stand before one.
    rows = Phone.objects.filter(account=actor.account) if actor.account else actor.sees(Phone.objects.all())
    return rows.select_related("account").defer("web_password").filter(mac=mac).first()


def _person(name: str, actor: Actor) -> User | None:
    rows = User.objects.filter(account=actor.account) if actor.account else actor.sees(User.objects.all())
    return rows.filter(Q(email__iexact=name) | Q(username__iexact=name)).first() if name else None
