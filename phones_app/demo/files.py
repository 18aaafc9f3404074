"""The people, profiles and phones of demo.toml, and SEP files filled in from the templates beside this file.

Other simulated phones boot from such files too.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from xml.sax.saxutils import escape

from contacts_app.core.tables import table

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
    """A phone that already runs the profile named, or is to."""

    mac: str
    model: str
    software_type: str
    name: str
    location: str
    vlan: str
    profile: str
    # Whether people log in on it; the profile comes back when they log out.
    anybody: bool = False
    # Prepared, without a file: somebody enrols it with an activation code.
    is_new: bool = False


_TABLES = table(__file__, "demo.toml")

PEOPLE = tuple(DemoPerson(**row) for row in _TABLES["person"])
PHONES = tuple(DemoPhone(**row) for row in _TABLES["phone"])
PROFILES = tuple(
    DemoProfile(**row | {"models": tuple(row["models"]), "lines": tuple(DemoLine(**line) for line in row["lines"])})
    for row in _TABLES["profile"]
)
