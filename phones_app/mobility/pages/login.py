"""`/cisco/services/em…`: people log in on a phone and out again, on its screen (mobility spec §5.2)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import path

from contacts_app.core.errors import Refusal
from contacts_app.people.zones import zone_of_account
from phones_app.deployment.models import CALL_TO_END
from phones_app.mobility import screens
from phones_app.mobility.authentication import EXTENSION, USER, LoginRefused, PinMustChange
from phones_app.mobility.models import MobilitySession, SessionState
from phones_app.mobility.pages import pin
from phones_app.mobility.pages.frame import UNKNOWN, Ask, for_phones
from phones_app.mobility.phone_login import (
    NO_TICKET,
    LoginResult,
    extend,
    log_in_with_pin,
    log_in_with_ticket,
    log_out_here,
    newest_session,
    proposed_name,
    session_at,
)
from phones_app.mobility.screens import FormField, Key, Refresh
from phones_app.mobility.switch import EmRefusal

TITLE = "Extension mobility"
# Whatever was wrong; 201 is what CUCM says.
FAILED = "Login failed (201)"
EXIT = Key("exit", "Init:Services")
UNDER_WAY, SOON = 5, 3
NO_ONE = "No one is logged in on this phone."
# What the status page says of a session in each state.
WORDS = {
    SessionState.LOGGING_IN: "Logging in as {name}. The phone restarts{when}.",
    SessionState.AT_RESTART: "{name} is logged in at the next restart of this phone. {note}",
    SessionState.LOGGED_IN: "{name} is logged in since {since}{until}.",
    SessionState.LOGGING_OUT: "Logging out {name}. The phone restarts{when}. {note}",
    SessionState.OUT_AT_RESTART: "{name} is logged out at the next restart of this phone. {note}",
    SessionState.LOGGED_OUT: NO_ONE,
    SessionState.ABANDONED: NO_ONE,
    SessionState.FAILED: "The log-in of {name} failed. {note}",
}


@for_phones
def entry(ask: Ask) -> screens.Screen:
    return entry_screen(ask)


@for_phones
def login(ask: Ask) -> screens.Screen:
    """The form, and what comes of it. Who logs in over somebody else needs their own PIN, never the other's."""
    return login_screen(ask)


@for_phones
def choose(ask: Ask) -> screens.Screen:
    """The chosen one of several device profiles; the PIN is behind the ticket."""
    number = ask.sent("profile")
    try:
        if not (number.isascii() and number.isdecimal() and len(number) < 19):
            raise LoginRefused
        return _welcome(ask, log_in_with_ticket(ask.phone, ask.sent("ticket"), int(number), address=ask.address))
    except LoginRefused:
        return _again(ask, NO_TICKET)
    except Refusal as refusal:
        return _again(ask, words_of(refusal))


@for_phones
def status(ask: Ask) -> screens.Screen:
    if ask.phone is None:
        return UNKNOWN
    session = newest_session(ask.phone)
    return status_screen(ask, session) if session else screens.text(TITLE, NO_ONE, keys=[_login_key(ask), EXIT])


@for_phones
def logout(ask: Ask) -> screens.Screen:
    return logout_screen(ask)


@for_phones
def longer(ask: Ask) -> screens.Screen:
    """Begin the time of the log-in anew."""
    if ask.phone is None:
        return UNKNOWN
    session, may_act = session_at(ask.phone, ask.address)
    if session is None or not may_act:
        return screens.text(TITLE, NO_ONE, keys=[_login_key(ask), EXIT])
    return status_screen(ask, extend(session))


def entry_screen(ask: Ask) -> screens.Screen:
    """The log-in form; for who is logged in here, a menu."""
    session, may_act = session_at(ask.phone, ask.address) if ask.phone else (None, False)
    if session is None or not may_act:
        return form_screen(ask)
    items = [(f"Log out {session.person_name}", ask.url("em-logout")), ("Status", ask.url("em-status"))]
    if session.until:
        items.append(("Extend time", ask.url("em-extend")))
    items += [
        ("Log in as somebody else", ask.url("em-login")),
        ("Change PIN", ask.url("pin")),
        ("Directories", ask.url("dir")),
    ]
    return screens.menu(TITLE, session.person_name, items, keys=[Key("select"), EXIT])


def form_screen(ask: Ask) -> screens.Screen:
    """An unknown phone gets the same form, and the same failure after it."""
    if way_of(ask) == EXTENSION:
        name, url = FormField("Extension", "user", "T"), ask.url("em-login", loginType="DN")
    else:
        name, url = FormField("User name", "user", "A", proposed_name(ask.phone)), ask.url("em-login")
    fields = [name, FormField("PIN", "pin", "NP")]
    return screens.form(TITLE, "Log in", url, fields, keys=[Key("submit"), Key("erase"), EXIT])


def login_screen(ask: Ask) -> screens.Screen:
    """By our own names of the fields, and by CUCM's."""
    name, typed = ask.sent("user", "userid").strip(), ask.sent("pin", "seq")
    if not name or not typed:
        return form_screen(ask)
    try:
        result = log_in_with_pin(ask.phone, name, typed, by=way_of(ask), address=ask.address, mac=ask.mac)
    except PinMustChange as due:
        return pin.demanded(ask, due.user)
    except LoginRefused:
        return _again(ask, FAILED)
    except Refusal as refusal:
        return _again(ask, words_of(refusal))
    if result.session is not None:
        return _welcome(ask, result)
    items = [(each.name, ask.url("em-profile", ticket=result.ticket, profile=str(each.pk))) for each in result.choices]
    return screens.menu(TITLE, "Which profile?", items, keys=[Key("select"), EXIT])


def logout_screen(ask: Ask) -> screens.Screen:
    if ask.phone is None:
        return UNKNOWN
    session, may_act = session_at(ask.phone, ask.address)
    if session is None or not may_act:
        return screens.text(TITLE, NO_ONE, keys=[_login_key(ask), EXIT])
    return status_screen(ask, log_out_here(session))


def status_screen(ask: Ask, session: MobilitySession, *, seconds: int = UNDER_WAY) -> screens.Screen:
    """How the session stands; loaded anew while something is under way."""
    state = SessionState(session.state)
    deployment = session.login if state == SessionState.LOGGING_IN else session.logout
    waits = deployment is not None and deployment.waiting_for == CALL_TO_END
    zone = zone_of_account(session.account)
    words = WORDS[state].format(
        name=session.person_name,
        note=session.note,
        since=_clock(session.since, zone),
        until=f", until {_clock(session.until, zone)}" if session.until else "",
        when=" when the call has ended" if waits else "",
    )
    is_under_way = state in (SessionState.LOGGING_IN, SessionState.LOGGING_OUT)
    refresh = Refresh(seconds, ask.url("em-status")) if is_under_way else None
    is_over = session.ended_at is not None
    keys = [_login_key(ask), EXIT] if is_over else [Key("refresh", ask.url("em-status"), "Update"), EXIT]
    return screens.text(TITLE, words.strip(), keys=keys, refresh=refresh)


def words_of(refusal: Refusal) -> str:
    """What a person is told whose PIN was right."""
    number = f" ({refusal.number.value})" if isinstance(refusal, EmRefusal) else ""
    return f"Login failed{number}: {refusal.message}"


def way_of(ask: Ask) -> str:
    return EXTENSION if ask.sent("loginType").upper() == "DN" else USER


def _welcome(ask: Ask, result: LoginResult) -> screens.Screen:
    assert result.session is not None, "a log-in has a session"  # noqa: S101
    return status_screen(ask, result.session, seconds=SOON)


def _again(ask: Ask, words: str) -> screens.Screen:
    return screens.text(TITLE, words, keys=[_login_key(ask), EXIT])


def _login_key(ask: Ask) -> Key:
    parameters = {"loginType": "DN"} if way_of(ask) == EXTENSION else {}
    return Key("submit", ask.url("em-login", **parameters), "Log in")


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M")


urlpatterns = [
    path("em", entry, name="phone-services-em"),
    path("em/login", login, name="phone-services-em-login"),
    path("em/profile", choose, name="phone-services-em-profile"),
    path("em/status", status, name="phone-services-em-status"),
    path("em/logout", logout, name="phone-services-em-logout"),
    path("em/extend", longer, name="phone-services-em-extend"),
]
