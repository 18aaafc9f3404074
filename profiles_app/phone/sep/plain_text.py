"""SIP<MAC>.cnf, the text file of 7940 and 7960 with SIP firmware: what it says, and what is wrong with it.

Lines `key: value`; the value may stand in double quotes, a comment begins with # at the beginning of a line, or with ;.
What a phone's file does not say, SIPDefault.cnf says for all of them (boot server spec §10).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from contacts_app.core.tables import table
from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.catalogue import SIP_TEXT
from profiles_app.phone.sep.compatibility import misfit, spoken_software
from profiles_app.phone.sep.device_facts import Facts, LineFacts, Server
from profiles_app.phone.sep.document import MAX_BYTES, Refused, decode, integer
from profiles_app.phone.sep.elements import SHOWN, Finding, Severity, host_in, is_unfilled

DEFAULT_FILE = "SIPDefault.cnf"
_TABLE = table(__file__, "plain_text.toml")
# No others: what is a line here is one for who masks passwords (`comparison`).
_LINE_ENDS = re.compile(r"\r\n?|\n")
# No two parts in a row match the same letters, so that a line takes no longer than it is long.
_LINE = re.compile(r'\s*(?P<key>[A-Za-z][\w.-]*)\s*:(?:\s*"(?P<quoted>[^"]*)"\s*(?:;.*)?|(?P<bare>[^;]*)(?:;.*)?)')
_PLAIN_NAME = re.compile(r"[\w-][\w.-]*", re.ASCII)
# Of so many keys it is said what else may be meant.
_HINTED = 500
Remark = tuple[str, Severity, str, "TextLine | None"]


def _named(names: list[str]) -> frozenset[str]:
    numbers = range(1, _TABLE["lines"] + 1)
    return frozenset(name.format(n=number) for name in names for number in (numbers if "{n}" in name else [0]))


_KEYS, _ADDRESSES, _PORTS = (_named(_TABLE[name]) for name in ("keys", "addresses", "ports"))


@dataclass(frozen=True)
class TextLine:
    """One setting; `number` counts from 1."""

    number: int
    key: str
    value: str


@dataclass(frozen=True)
class PlainText:
    """A text file: its settings in order, and the numbers of lines that are none."""

    content: bytes
    lines: tuple[TextLine, ...]
    strange: tuple[int, ...]

    @cached_property
    def by_key(self) -> dict[str, TextLine]:
        """The last of each key."""
        return {line.key: line for line in self.lines}

    def value(self, key: str) -> str:
        """ "" where the file says nothing, or says that there is nothing."""
        line = self.by_key.get(key)
        return line.value if line and line.value not in _TABLE["nothing"] else ""


def read(content: bytes) -> PlainText:
    """Raises Refused where it is no such text."""
    if len(content) > MAX_BYTES:
        raise Refused("too-large", f"the file has {len(content):,} bytes; the limit is {MAX_BYTES:,}")
    found, strange = [], []
    for number, text in enumerate(_LINE_ENDS.split(decode(content).removeprefix("\ufeff")), start=1):
        if not text.strip() or text.lstrip().startswith(("#", ";")):
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            strange.append(number)
            continue
        value = match["bare"] if match["quoted"] is None else match["quoted"]
        found.append(TextLine(number, match["key"], value.strip()))
    return PlainText(content, tuple(found), tuple(strange))


def facts(text: PlainText) -> Facts:
    """The same facts as of an XML file. Of the servers that SIPDefault.cnf names nothing is known."""
    load, template = text.value("image_version"), text.value("dial_template")
    lines = tuple(_lines(text))
    return Facts(
        protocol="SIP",
        protocol_source="",
        bootstrap=False,
        lines=lines,
        servers=tuple(_servers(text)),
        transport="udp",
        load=load,
        load_software=catalogue.software_of_load(load) or "",
        load_models=tuple(sorted(catalogue.models_of_load(load))),
        web_access="",
        version_stamp=text.value("sync"),
        authentication_url="",
        services_url=text.value("services_url"),
        registration_user=lines[0].name if lines else "",
        files=(f"{template}.xml",) if _PLAIN_NAME.fullmatch(template) else (),
        format=SIP_TEXT,
    )


def _lines(text: PlainText) -> Iterator[LineFacts]:
    for number in range(1, _TABLE["lines"] + 1):
        if name := text.value(f"line{number}_name"):
            label, shown = text.value(f"line{number}_shortname"), text.value(f"line{number}_displayname")
            yield LineFacts(number, name, "", label, shown, text.by_key[f"line{number}_name"].number)


def _servers(text: PlainText) -> Iterator[Server]:
    for number in range(1, _TABLE["lines"] + 1):
        if host := text.value(f"proxy{number}_address"):
            port = integer(text.value(f"proxy{number}_port"))
            yield Server(host, None, port, None, None, text.by_key[f"proxy{number}_address"].number)


def check(content: bytes, *, model: str = "", software_type: str | None = None, for_all: bool = False) -> list[Finding]:
    """What is wrong with a text file, errors first. `for_all`: it is SIPDefault.cnf, which need not name a line."""
    try:
        text = read(content)
    except Refused as refused:
        return [Finding(refused.code, Severity.ERROR, refused.message, refused.line, refused.column)]
    remarks = [
        *_structure(text),
        *_values(text),
        *(_of_all(text) if for_all else _of_phone(text, model, software_type)),
    ]
    found = [
        Finding(code, severity, message, line.number if line else None, 1 if line else None)
        for code, severity, message, line in remarks
    ]
    return sorted(found, key=lambda finding: (finding.severity != Severity.ERROR, finding.line or 0))


def _structure(text: PlainText) -> Iterator[Remark]:
    for number in text.strange:
        message = "this is no line of the form key: value; the phone ignores it"
        yield "not-a-setting", Severity.WARNING, message, TextLine(number, "", "")
    seen: set[str] = set()
    for line in text.lines:
        if line.key in seen:
            yield "repeated", Severity.WARNING, f"{line.key} stands in the file more than once", line
        seen.add(line.key)
        if line.key not in _KEYS:
            near = get_close_matches(line.key.lower(), _KEYS, n=1, cutoff=0.8) if len(seen) <= _HINTED else []
            hint = f"; perhaps {near[0]} is meant" if near else ""
            yield "spelling", Severity.WARNING, f"no setting {line.key[:SHOWN]} is known{hint}", line
    if not text.content.isascii():
        yield (
            "not-ascii",
            Severity.WARNING,
            "there are letters beyond ASCII; it is not known how phones show them",
            None,
        )


def _values(text: PlainText) -> Iterator[Remark]:
    for line in text.by_key.values():
        is_host = line.key in _ADDRESSES
        if is_unfilled("processNodeName" if is_host else line.key, "callManager" if is_host else "", line.value):
            yield "placeholder", Severity.WARNING, f"{line.key} seems to hold an unfilled placeholder", line
        elif is_host and text.value(line.key) and host_in(line.value) != line.value:
            yield "address", Severity.WARNING, f"{line.key}: phones take a host only, not “{line.value[:SHOWN]}”", line
        elif line.key in _PORTS and text.value(line.key) and not _is_port(line.value):
            yield "port", Severity.WARNING, f"{line.key}: “{line.value[:SHOWN]}” is no port", line
    load = text.by_key.get("image_version")
    if load and (ending := catalogue.file_ending_of(load.value)):
        yield "load-name", Severity.WARNING, f"image_version takes the load without its ending {ending}", load


def _is_port(text: str) -> bool:
    """Of some, 0 means that there is none."""
    number = integer(text)
    return number is not None and number <= 65_535


def _of_all(text: PlainText) -> Iterator[Remark]:
    if not text.value("image_version"):
        yield "no-load", Severity.WARNING, "it names no load (image_version); phones keep the one that they have", None
    for line in _lines(text):
        message = f"line {line.button} is that of one phone, and this file is for all of them"
        yield "line-for-all", Severity.WARNING, message, text.by_key[f"line{line.button}_name"]


def _of_phone(text: PlainText, model: str, software_type: str | None) -> Iterator[Remark]:
    software, said = spoken_software(software_type), facts(text)
    if not said.lines:
        yield "no-line", Severity.ERROR, "a SIP phone needs a line (line1_name)", None
    if not said.servers:
        message = f"no proxy1_address is named: {DEFAULT_FILE} has to name one, or the phone registers nowhere"
        yield "no-server", Severity.WARNING, message, None
    wrong = misfit("SIP", bootstrap=False, model=model, software_type=software, file_format=SIP_TEXT)
    if wrong:
        yield wrong.code, Severity.ERROR, wrong.message, None
    load = text.by_key.get("image_version")
    if said.load_software and said.load_software != "SIP":
        message = f"the load {said.load} is {said.load_software} firmware, but the file is for SIP"
        yield "load-protocol", Severity.ERROR, message, load
    elif model and said.load_models and catalogue.normalise_model(model) not in said.load_models:
        message = f"the load {said.load} is made for {', '.join(said.load_models)}, not for {model}"
        yield "load-model", Severity.WARNING, message, load
    device = catalogue.find(model) if model else None
    for line in said.lines:
        if device and device.line_keys is not None and (line.button or 0) > device.line_keys:
            place = text.by_key[f"line{line.button}_name"]
            yield "line-keys", Severity.WARNING, f"line {line.button}: the {device.model} has {device.keys}", place
        if text.value(f"line{line.button}_password") and not text.value(f"line{line.button}_authname"):
            place = text.by_key[f"line{line.button}_password"]
            yield "auth-name", Severity.WARNING, f"line {line.button} has a password and no authname", place
