"""The cockpit of a phone: its screen, its keys, what it says of itself, its log; for people who help from a distance.

Nothing is asked of an address before the phone there has said that it is this one, and the push account goes nowhere
else. Who did what stands in the phone's history: each key, and once an hour what was looked at.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeVar

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal, TransportError
from contacts_app.core.history.records import record_use
from contacts_app.core.tables import table
from phones_app.deployment.identity import check_address
from phones_app.inventory.models import Phone
from phones_app.inventory.services import phone_web
from phones_app.inventory.status_check import OWN_WORDS
from phones_app.transports.phone_pages import (
    LogFile,
    PhoneLog,
    Section,
    read_log,
    read_log_file,
    read_screen,
    read_sections,
)
from phones_app.transports.phone_web import PhoneWeb, read_status
from phones_app.transports.restart.cgi import execute
from profiles_app.phone.sep.catalogue import colons

SEE_SCREEN = "phones_app.see_phone_screen"
PRESS_KEYS = "phones_app.press_phone_keys"
READ_PAGES = "phones_app.read_phone_pages"
READ_LOG = "phones_app.read_phone_log"
ANY = (SEE_SCREEN, PRESS_KEYS, READ_PAGES, READ_LOG)
RECORDED_FOR = timedelta(hours=1)
T = TypeVar("T")


class PhoneKey(NamedTuple):
    label: str
    uri: str
    icon: str = ""


class KeypadPart(NamedTuple):
    name: str
    keys: tuple[PhoneKey, ...]


def keys_of(phone: Phone) -> list[KeypadPart]:
    """The keys that a phone of this model has."""
    found = re.search(r"\d{3,4}", phone.model)
    number = found[0] if found else ""
    return [
        KeypadPart(entry["name"], tuple(PhoneKey(*key) for key in entry["keys"]))
        for entry in table(__file__, "keys.toml")["group"]
        if _fits(number, entry.get("models", ["*"])) and not _fits(number, entry.get("not_models", []))
    ]


def press(phone: Phone, uri: str, *, actor: Actor) -> PhoneKey:
    """Press one of its keys, and return it. Raises Refusal when it has none of this name, is not there, or refuses."""
    key = next((key for group in keys_of(phone) for key in group.keys if key.uri == uri), None)
    if key is None:
        raise Refusal("unknown-key", "The phone has no such key.")
    web = proven_web(phone, actor=actor)
    record_use(phone, f"Pressed {key.label} ({key.uri}).")
    try:
        result = execute(web, key.uri)
    except TransportError as error:
        raise Refusal(error.code, error.message) from error
    if result.status not in ("0", ""):
        raise Refusal("item-refused", f"The phone answers {result.data or 'no'} (status {result.status}).")
    return key


def screen_of(phone: Phone, *, actor: Actor) -> bytes:
    """The screen as PNG."""
    return _look(phone, actor, "Looked at its screen.", read_screen)


def sections_of(phone: Phone, *, actor: Actor) -> list[Section]:
    return _look(phone, actor, "Read its status pages.", read_sections)


def log_of(phone: Phone, *, actor: Actor) -> PhoneLog:
    return _look(phone, actor, "Read its log.", read_log)


def log_file_of(phone: Phone, name: str, *, actor: Actor) -> LogFile:
    """A file of its console log, by the name that `log_of` lists. Raises Refusal where the phone lists none of it."""
    return _look(phone, actor, "Read its log.", lambda web: read_log_file(web, name))


def _look(phone: Phone, actor: Actor, what: str, read: Callable[[PhoneWeb], T]) -> T:
    web = proven_web(phone, actor=actor)
    record_use(phone, what, once_in=RECORDED_FOR)
    try:
        return read(web)
    except TransportError as error:
        raise Refusal(error.code, error.message) from error


def proven_web(phone: Phone, *, actor: Actor) -> PhoneWeb:
    """The phone's web server, once it has shown by its MAC address that it is this phone's. Raises Refusal."""
    web = phone_web(phone)
    try:
        check_address(phone)
        status = read_status(web)
    except TransportError as error:
        own = error.message if error.code == "address-taken" else OWN_WORDS.get(error.code, OWN_WORDS[""])
        # What else listens at an address that an account has typed is not told to it.
        raise Refusal(error.code, error.message if actor.is_staff else own) from error
    if status.mac != phone.mac:
        there = f"is {colons(status.mac)}, not this one" if status.mac else "does not say which one it is"
        raise Refusal("another-phone", f"The phone at {phone.phone_ip} {there}: nothing else was asked.")
    return web


def _fits(number: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(number, pattern) for pattern in patterns)
