"""Log-in and log-out as people do it on the screen of a phone, with a name and a PIN (mobility spec §5.2)."""

from typing import NamedTuple

from contacts_app.core.work import clock
from contacts_app.people.models import User
from phones_app.boot.models import FileFetch
from phones_app.inventory.models import Phone
from phones_app.mobility.authentication import USER, LoginRefused, PinMustChange, person_by_pin
from phones_app.mobility.codes import EmCode
from phones_app.mobility.login import log_in
from phones_app.mobility.logout import TOLD_WITH, log_out
from phones_app.mobility.models import PRESENT, MobilitySession, Why
from phones_app.mobility.policy import limited, longest_login, mobility_of, policy_of, profiles_for
from phones_app.mobility.services import Caller
from phones_app.mobility.switch import EmRefusal
from phones_app.mobility.tickets import Purpose, person_of, ticket_for
from phones_app.mobility.use import note_use
from profiles_app.phone.models import PhoneProfile

CHANNEL = "phone"
NO_TICKET = "The choice took too long. Please log in again."


class LoginResult(NamedTuple):
    """Either the session, or the profiles of which the person has to choose one, with the ticket for that."""

    user: User
    session: MobilitySession | None
    choices: tuple[PhoneProfile, ...] = ()
    ticket: str = ""


def log_in_with_pin(
    caller: Caller | None, name: str, pin: str, *, by: str = USER, address: str, mac: str = ""
) -> LoginResult:
    """Raises LoginRefused, which says nothing; PinMustChange, EmRefusal or Refusal to a person whose PIN was right."""
    account = caller.account_id if caller else None
    mac = caller.mac if caller else mac
    user = person_by_pin(account=account, mac=mac, name=name, pin=pin, by=by, mobile=True)
    if user.pin_must_change:
        raise PinMustChange(user)
    phone = _phone(mac)
    choices = tuple(profiles_for(user, phone)) if phone.base_profile_id else ()
    if len(choices) > 1:
        return LoginResult(user, None, choices, ticket_for(user, Purpose.LOG_IN, mac=mac, address=address))
    return LoginResult(user, _log_in(phone, user, None, address))


def log_in_with_ticket(caller: Caller | None, ticket: str, profile: int, *, address: str) -> LoginResult:
    """The choice after `log_in_with_pin`, on the same phone. Raises LoginRefused, EmRefusal, Refusal."""
    user = person_of(ticket, Purpose.LOG_IN, mac=caller.mac, address=address) if caller else None
    if caller is None or user is None or not mobility_of(user).is_allowed:
        raise LoginRefused(NO_TICKET)
    phone = _phone(caller.mac)
    chosen = next((each for each in profiles_for(user, phone) if each.pk == profile), None)
    if chosen is None:
        raise EmRefusal(EmCode.NO_PROFILE, "no-profile", "The profile is not there any more.")
    return LoginResult(user, _log_in(phone, user, chosen, address))


def session_at(caller: Caller, address: str) -> tuple[MobilitySession | None, bool]:
    """Who is logged in on this phone, and whether this address may act for them.

    The MAC address in a phone's request is not authenticated: it has to come from where the person logged in, or from
    where the phone is known to be (Cisco phones spec §1.6).
    """
    if not caller.has_mobility_session:
        return None, False
    rows = MobilitySession.objects.filter(mac=caller.mac, account=caller.account_id, state__in=PRESENT)
    session = rows.select_related(*TOLD_WITH, "login").first()
    if session is None:
        return None, False
    may_act = address in (session.address, caller.phone_ip)
    if not may_act:
        fetches = FileFetch.objects.filter(mac=caller.mac).order_by("-fetched_at").values_list("address", flat=True)
        may_act = fetches.first() == address
    if may_act:
        note_use(session)
    return session, may_act


def newest_session(caller: Caller) -> MobilitySession | None:
    """The last one on this phone, also when it has ended."""
    rows = MobilitySession.objects.filter(mac=caller.mac, account=caller.account_id)
    return rows.select_related("login", "logout", *TOLD_WITH).first()


def log_out_here(session: MobilitySession) -> MobilitySession:
    """By the person at the phone."""
    assert session.user is not None, "whoever is present is there"  # noqa: S101
    return log_out(session, why=Why.PERSON, actor=session.user.as_actor(CHANNEL), answer_first=True)


def extend(session: MobilitySession) -> MobilitySession:
    """Begin the time of a log-in anew, as its policy has it."""
    if session.phone is not None and session.user is not None:
        longest = longest_login(policy_of(session.phone), mobility_of(session.user))
        session.until = limited(None, longest, clock.now())
        MobilitySession.objects.filter(pk=session.pk, state__in=PRESENT).update(
            until=session.until, next_attempt_at=clock.now()
        )
    return session


def proposed_name(caller: Caller | None) -> str:
    """The name that the log-in form of this phone proposes: who logged in there last, where the policy has it."""
    phone = Phone.objects.select_related("account").filter(mac=caller.mac).first() if caller else None
    if phone is None or not policy_of(phone).remember_last_user:
        return ""
    last = MobilitySession.objects.filter(phone=phone, user__is_active=True).select_related("user").first()
    return last.user.username if last and last.user else ""


def takes_part(caller: Caller) -> bool:
    """Whether people can log in on this phone."""
    return caller.base_profile_id is not None


def _phone(mac: str) -> Phone:
    phone = Phone.objects.select_related("account").defer("web_password").filter(mac=mac).first()
    if phone is None:
        raise EmRefusal(EmCode.NO_DEVICE, "no-phone", "The phone was deleted meanwhile.")
    return phone


def _log_in(phone: Phone, user: User, profile: PhoneProfile | None, address: str) -> MobilitySession:
    actor = user.as_actor(CHANNEL)
    return log_in(phone, user, profile=profile, actor=actor, address=address, answer_first=True)
