"""The demo's people, profiles and phones as tables, and SEP files filled in from the templates beside this file.

Names and numbers are made up: 555-01xx is kept free for fiction, the MAC addresses are those for documentation
(RFC 7042 §2.1.2). Other simulated phones boot from such files too.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from xml.sax.saxutils import escape

# Addresses for documentation (RFC 5737): there is no call manager behind the demo.
CALL_MANAGER, TIME_SERVER = "192.0.2.10", "192.0.2.11"
LABEL_LENGTH = 12  # of phoneLabel; 79xx take no spaces in it (Cisco phones spec §4.4)


@dataclass(frozen=True)
class DemoLine:
    """A line key: the number it registers as and what stands beside the key."""

    number: str
    label: str


def sep_file(*, name: str, software_type: str, lines: Sequence[DemoLine], portal: str) -> bytes:
    """The file of a phone at this portal (its URL). Same values, same bytes; SCCP files hold no lines."""
    content = f"{portal} {name} {software_type} {lines}"
    values = {
        "label": name.replace(" ", "")[:LABEL_LENGTH],
        "lines": "".join(_line(button, line) for button, line in enumerate(lines, start=1)).rstrip("\n"),
        "call_manager": CALL_MANAGER,
        "time_server": TIME_SERVER,
        "portal": portal.rstrip("/"),
        # A stamp that changes with the content and with nothing else.
        "stamp": f"{{{uuid.uuid5(uuid.NAMESPACE_URL, content)}}}".upper(),
    }
    return _fill("sccp.cnf.xml" if software_type == "SCCP" else "sip.cnf.xml", values).encode()


def _line(button: int, line: DemoLine) -> str:
    password = f"not-secret-{line.number}"
    values = {"button": str(button), "number": line.number, "label": line.label, "password": password}
    return _fill("sip_line.xml", values)


def _fill(template: str, values: dict[str, str]) -> str:
    text = Path(__file__).with_name(template).read_text(encoding="utf-8")
    lines = values.get("lines", "")  # XML already
    return Template(text).substitute({key: escape(text) for key, text in values.items()} | {"lines": lines})


@dataclass(frozen=True)
class DemoPerson:
    """A user of the account; `key` is the name in the email address."""

    key: str
    first_name: str
    last_name: str
    phone: str
    pin: str
    location: str
    level: int = 1


@dataclass(frozen=True)
class DemoProfile:
    """A phone profile; `owner` is the key of a person."""

    name: str
    owner: str
    models: tuple[str, ...]
    software_type: str
    lines: tuple[DemoLine, ...]
    description: str


@dataclass(frozen=True)
class DemoPhone:
    """A phone that already runs the profile named."""

    mac: str
    model: str
    software_type: str
    name: str
    location: str
    vlan: str
    profile: str


PEOPLE = (
    DemoPerson("dana", "Dana", "Dockside", "+1 202 555 0100", "4100", "Office", level=0),
    DemoPerson("felix", "Felix", "Fairway", "+1 202 555 0101", "4101", "Front desk"),
    DemoPerson("ida", "Ida", "Inlet", "+1 202 555 0102", "4102", "Concierge"),
    DemoPerson("nora", "Nora", "Northpier", "+1 202 555 0103", "4103", "Restaurant"),
    DemoPerson("tom", "Tom", "Tidewater", "+1 202 555 0104", "4104", "Technical services"),
)

_MODERN = ("8841", "8845", "8851", "8861", "8865")

PROFILES = (
    DemoProfile(
        "Front desk day",
        "felix",
        ("8841", "8851"),
        "SIP",
        (DemoLine("101", "Front desk"), DemoLine("100", "Reception")),
        "Reception from 7 to 23 h, with the main number.",
    ),
    DemoProfile(
        "Front desk night",
        "felix",
        ("8841", "8851"),
        "SIP",
        (DemoLine("101", "Front desk"), DemoLine("119", "Night bell")),
        "23 to 7 h: the night bell instead of the main number.",
    ),
    DemoProfile(
        "Concierge",
        "ida",
        _MODERN,
        "SIP",
        (DemoLine("120", "Concierge"),),
        "The concierge, on any of the newer phones.",
    ),
    DemoProfile(
        "Manager",
        "dana",
        ("8845", "8865"),
        "SIP",
        (DemoLine("110", "D. Dockside"), DemoLine("111", "Assistant")),
        "The manager's phone with camera.",
    ),
    DemoProfile(
        "Conference room",
        "dana",
        ("8865",),
        "SIPE",
        (DemoLine("150", "Harbour room"),),
        "The meeting room on the first floor.",
    ),
    DemoProfile(
        "Restaurant", "nora", ("7942", "7962"), "SIP", (DemoLine("130", "Restaurant"),), "Reservations."
    ),
    DemoProfile(
        "Room service",
        "nora",
        ("7821", "7841"),
        "SIP",
        (DemoLine("131", "Room service"),),
        "The pantry on each floor.",
    ),
    DemoProfile(
        "Housekeeping", "tom", ("7962", "7975"), "SCCP", (), "SCCP: its lines are at the call manager."
    ),
    DemoProfile("Workshop", "tom", ("7962", "7975"), "SCCP", (), "SCCP: its lines are at the call manager."),
)

PHONES = (
    DemoPhone("00005E005301", "8851", "SIP", "Front desk 1", "Lobby", "20", "Front desk day"),
    DemoPhone("00005E005302", "8841", "SIP", "Concierge", "Lobby", "20", "Concierge"),
    DemoPhone("00005E005303", "8845", "SIP", "Manager", "Office, first floor", "20", "Manager"),
    DemoPhone(
        "00005E005304", "8865", "SIPE", "Harbour room", "Meeting room, first floor", "20", "Conference room"
    ),
    DemoPhone("00005E005305", "7942", "SIP", "Restaurant", "Restaurant", "21", "Restaurant"),
    DemoPhone("00005E005306", "7821", "SIP", "Pantry 2", "Second floor", "21", "Room service"),
    DemoPhone("00005E005307", "7962", "SCCP", "Housekeeping", "Basement", "21", "Housekeeping"),
    DemoPhone("00005E005308", "7975", "SCCP", "Workshop", "Basement", "21", "Workshop"),
)
