"""What the elements of a SEP file hold, each by itself: unfilled texts, names, values, ports, addresses, lengths, counts.

What they may hold is in elements.toml. What a check reads and reports is here too, as every check begins with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address

from contacts_app.core.tables import table
from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.comparison import is_secret
from profiles_app.phone.sep.device_facts import Facts
from profiles_app.phone.sep.document import Document, Element, integer, integer_of, value_of

TABLES = table(__file__, "elements.toml")
# The longest part of a text that a message repeats, and the longest text that can be a placeholder as a whole.
SHOWN, LINE = 50, 200


class Severity(StrEnum):
    ERROR = "error"  # blocks saving and deploying
    WARNING = "warning"  # shown, and left to the administrator


@dataclass(frozen=True)
class Finding:
    """One remark about a file. `line` and `column` count from 1 and are None for the file as a whole."""

    code: str
    severity: Severity
    message: str
    line: int | None = None
    column: int | None = None

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "severity": self.severity.value}


@dataclass(frozen=True)
class Subject:
    """The file under judgement and what is known about the phone it is for."""

    document: Document
    facts: Facts
    model: str
    software: str  # SIP, SCCP or "" for any

    @cached_property
    def device(self) -> catalogue.DeviceModel | None:
        return catalogue.find(self.model)

    @cached_property
    def devices(self) -> tuple[catalogue.DeviceModel, ...]:
        """The phones that it may be for, by its model, else by the load that the file asks for; none: not known."""
        models = (self.model,) if self.model else self.facts.load_models
        return tuple(device for model in models if (device := catalogue.find(model)))

    @cached_property
    def unfilled(self) -> frozenset[Element]:
        """The elements whose text nobody filled in; to say more about such a text would say nothing."""
        # The tree holds no comments, so that what is commented out does not count.
        texts = ((each, "" if len(each) else value_of(each)) for each in self.document.elements)
        return frozenset(each for each, text in texts if is_unfilled(each.tag, each.within, text))

    def filled(self, names: Iterable[str]) -> Iterator[tuple[Element, str]]:
        """The elements of these names with their texts, without those which are empty or not filled in."""
        for element in self.document.named(names):
            value = value_of(element)
            if value and element not in self.unfilled:
                yield element, value


Remark = tuple[str, Element | None]

_PLACEHOLDERS = TABLES["placeholders"]
_ANYWHERE = re.compile("|".join(_PLACEHOLDERS["anywhere"]))
_WHOLE = re.compile("|".join(_PLACEHOLDERS["whole"]))
_UNLESS_SECRET = re.compile("|".join(_PLACEHOLDERS["unless_secret"]))
_IN_ADDRESS = re.compile(_PLACEHOLDERS["address"])
_HOST = re.compile("|".join(_PLACEHOLDERS["host"]))
_FREE = frozenset(_PLACEHOLDERS["free"])
_HOST_ENDS = tuple(_PLACEHOLDERS["host_ends"])


def _words() -> re.Pattern[str]:
    """Some words of templates, one of the slots among them. Possessive, so that no text takes quadratic time."""
    slots, every = (
        "|".join(sorted(words, key=len, reverse=True))
        for words in (_PLACEHOLDERS["slots"], _PLACEHOLDERS["slots"] + _PLACEHOLDERS["fillers"])
    )
    fillers = "|".join(_PLACEHOLDERS["fillers"])
    return re.compile(rf"(?:(?>{fillers})[ _.-]?)*+(?>{slots})(?:[ _.-]?(?>{every}))*+\W*+")


_WORDS = _words()
_ADDRESSES = TABLES["addresses"]
_HOSTS = frozenset(_ADDRESSES["hosts"] + _ADDRESSES["with_port"])
_URLS = frozenset(_ADDRESSES["urls"])
_URL = re.compile(r"https?://(?:[^@/\s]*@)?(?P<host>\[[^\]]*\]|[^/?#:]*)(?::(?P<port>[^/?#]*))?", re.IGNORECASE)


def is_unfilled(tag: str, within: str, text: str) -> bool:
    if not text:
        return False
    if _ANYWHERE.search(text):
        return True
    names = {tag, f"{within}/{tag}"}
    if names & _FREE or len(text) > LINE:
        return False
    if _IN_ADDRESS.search(text) or _WHOLE.fullmatch(text) or _WORDS.fullmatch(text):
        return True
    if url := _URL.match(text):
        return _is_slot_of_host(url["host"])
    if names & _HOSTS:
        return _is_slot_of_host(text)
    return bool(not is_secret(tag) and _UNLESS_SECRET.fullmatch(text))


def _is_slot_of_host(text: str) -> bool:
    upper = text.upper()
    in_small_letters = _WORDS.fullmatch(upper) and upper.endswith(_HOST_ENDS)
    return bool(in_small_letters or any(each.fullmatch(text) for each in (_WHOLE, _WORDS, _HOST, _UNLESS_SECRET)))


def unfilled_texts(subject: Subject) -> Iterator[Remark]:
    for element in subject.document.elements:
        texts = (element.tail, *element.attrib.values(), element.text if len(element) else "")
        loose = any(text and not text.isspace() and _ANYWHERE.search(text) for text in texts)
        if loose or element in subject.unfilled:
            yield f"{element.tag} seems to hold an unfilled placeholder", element


def _spellings() -> dict[str, str]:
    """How each element is spelt that the tables know, by its small letters."""
    rows: list[str] = [*TABLES["spelling"]["elements"], *TABLES["repeated"]["elements"], *_HOSTS, *_URLS]
    rows += [*TABLES["ports"]["elements"], *TABLES["ports"]["or_none"]]
    rows += [name for row in TABLES["values"] for name in row["elements"]]
    return {name.lower(): name for name in (row.rpartition("/")[2] for row in rows)}


_SPELLINGS = _spellings()
_SPELT = frozenset([*_SPELLINGS.values(), *TABLES["spelling"]["also"]])


def misspelt(subject: Subject) -> Iterator[Remark]:
    for tag in subject.document.by_tag.keys() - _SPELT:
        if right := _SPELLINGS.get(tag.lower()):
            for element in subject.document.by_tag[tag]:
                yield f"phones ignore the element {tag}; it is spelt {right}", element


_REPEATED = frozenset(TABLES["repeated"]["elements"])


def repeated(subject: Subject) -> Iterator[Remark]:
    for parent in subject.document.elements:
        if len(parent) < 2:
            continue
        for tag, number in Counter(child.tag for child in parent).items():
            if number > 1 and tag not in _REPEATED:
                again = [child for child in parent.findall(tag) if isinstance(child, Element)][1]
                yield (
                    f"{tag} stands {'twice' if number == 2 else f'{number} times'} in {parent.tag}; phones take one "
                    "of them, and some firmware reads no further",
                    again,
                )


def unknown_values(subject: Subject) -> Iterator[Remark]:
    for row in TABLES["values"]:
        allowed, on = row["allowed"], row.get("on", "")
        for element, text in subject.filled(row["elements"]):
            if text.lower() not in map(str.lower, allowed):
                words = f"{', '.join(allowed[:-1])} or {allowed[-1]}" + (f" ({on} is on)" if on else "")
                yield f"{element.tag} takes {words}, not “{text[:SHOWN]}”", element


def wrong_ports(subject: Subject) -> Iterator[Remark]:
    for lowest, names in ((1, TABLES["ports"]["elements"]), (0, TABLES["ports"]["or_none"])):
        for element, text in subject.filled(names):
            if not _is_port(text, lowest):
                yield f"{element.tag}: “{text[:SHOWN]}” is no port, which is a number from 1 to 65535", element
    start, stop = (subject.document.find(f"sipProfile/{name}") for name in ("startMediaPort", "stopMediaPort"))
    first, last = integer_of(start), integer_of(stop)
    if first is not None and last is not None and first >= last:
        yield f"the media ports end (stopMediaPort {last}) before they begin (startMediaPort {first})", start


def _is_port(text: str, lowest: int = 1) -> bool:
    number = integer(text)
    return number is not None and lowest <= number <= 65_535


_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[\w-]*\w)?(?:\.[A-Za-z0-9_](?:[\w-]*\w)?)*\.?", re.ASCII)
_DECORATED = re.compile(
    r"(?P<scheme>(?:sips?|https?|t?ftp|udp|tcp|tls):(?://)?)?(?P<user>[^@/\s]*@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/:@\[\],;]+)(?::(?P<port>\d*))?(?P<path>/\S*)?",
    re.IGNORECASE,
)


def is_host(text: str) -> bool:
    """Whether it is the name or the address of a host; 0.0.0.0 and its like are the address of none."""
    if re.fullmatch(r"[\d.]+", text):
        text = re.sub(r"\b0+(?=\d)", "", text)
    elif ":" not in text:
        return bool(_HOST_NAME.fullmatch(text))
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not address.is_unspecified and not address.is_multicast and str(address) != "255.255.255.255"


def host_in(text: str) -> str:
    """The host in a text that says more than a phone wants to know, such as a port; "" when there is none."""
    if is_host(text):
        return text
    match = _DECORATED.fullmatch(text)
    host = match["host"].strip("[]") if match else ""
    return host if is_host(host) else ""


def wrong_addresses(subject: Subject) -> Iterator[Remark]:
    for names, may_have_port in ((_ADDRESSES["hosts"], False), (_ADDRESSES["with_port"], True)):
        for element, text in subject.filled(names):
            if message := _address_fault(text, may_have_port):
                yield f"{element.tag}: {message}", element
    for element, text in subject.filled(_ADDRESSES["urls"]):
        url = _URL.match(text)
        if url and not (is_host(url["host"].strip("[]")) and (url["port"] is None or _is_port(url["port"]))):
            yield f"{element.tag} is no URL: “{url[0][:SHOWN]}” names no host", element


def _address_fault(text: str, may_have_port: bool) -> str:
    if is_host(text):
        leading = re.fullmatch(r"[\d.]+", text) and re.search(r"\b0\d", text)
        return f"“{text[:SHOWN]}” is written with leading zeros, which some firmware reads as octal" if leading else ""
    match = _DECORATED.fullmatch(text)
    if match is None or not host_in(text):
        return f"“{text[:SHOWN]}” is no address of a host"
    port = match["port"]
    if may_have_port and (port is None or _is_port(port)) and not (match["scheme"] or match["user"] or match["path"]):
        return ""
    where = "; the port goes to ports/sipPort" if port else ""
    return f"phones take a host only, not “{text[:SHOWN]}”{where}"


_ZONES = TABLES["time_zones"]
_ZONE_OF_PLACE = {place.lower(): zone for zone, places in _ZONES.items() for place in places}
_ENDING = re.compile(r"\s*\b(standard|daylight|time|/|\s)*$", re.IGNORECASE)
# They differ in their first words; all end alike.
_ZONE_OF_START = {_ENDING.sub("", zone).lower(): zone for zone in _ZONES}


def unknown_time_zones(subject: Subject) -> Iterator[Remark]:
    for element, text in subject.filled(["timeZone"]):
        if text not in _ZONES:
            close = get_close_matches(_ENDING.sub("", text[:SHOWN]).lower(), _ZONE_OF_START, 1)
            meant = _ZONE_OF_PLACE.get(text.lower()) or (_ZONE_OF_START[close[0]] if close else "")
            hint = f"; did you mean “{meant}”?" if meant else ""
            yield f"“{text[:SHOWN]}” is none of the time zones that phones know{hint}", element


def too_long(subject: Subject) -> Iterator[Remark]:
    """Yield the texts which a phone would cut or refuse; without the texts, as some are secret."""
    for path, limits in TABLES["lengths"].items():
        for element in subject.document.find_all(path):
            limit = limits.get(element.tag)
            length = len(value_of(element)) if limit and element not in subject.unfilled else 0
            if limit and length > limit:
                yield f"{element.tag} has {length} characters; phones take {limit}", element


def too_many(subject: Subject) -> Iterator[Remark]:
    """Yield what there is more of than a phone takes."""
    for path, (prefix, limit) in TABLES["counts"].items():
        for parent in subject.document.find_all(path):
            count = sum(child.tag.startswith(prefix) for child in parent)
            if count > limit:
                yield f"{parent.tag} has {count} entries; phones take {limit}", parent
    if subject.device is None or subject.device.max_calls is None:
        return
    for element in subject.document.find_all("sipProfile/sipLines/line/maxNumCalls"):
        calls = integer_of(element)
        if calls is not None and calls > subject.device.max_calls:
            yield f"maxNumCalls is {calls}; this model takes {subject.device.max_calls}", element
