"""The people, profiles and phones of demo.toml, and SEP files filled in from the templates beside this file.

Other simulated phones boot from such files too.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any
from xml.sax.saxutils import escape

from contacts_app.core.tables import table
from profiles_app.phone.models import Source

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
    """A phone profile; `owner` is the key of a person. The lines of one that is made from data are rows."""

    name: str
    owner: str
    description: str
    models: tuple[str, ...] = ()
    software_type: str = ""
    lines: tuple[DemoLine, ...] = ()
    source: Source = Source.FILE
    template: str = ""


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
    # Of its own, where its file is made from data.
    lines: tuple[DemoLine, ...] = ()
    # The load that it runs, "" for the usual one.
    runs: str = ""
    # Whether people log in on it; the profile comes back when they log out.
    anybody: bool = False
    # Prepared, without a file: somebody enrols it with an activation code.
    is_new: bool = False


@dataclass(frozen=True)
class DemoTemplate:
    """A template of the account; its text is the file of this name."""

    name: str
    description: str
    file: str

    @property
    def text(self) -> str:
        return Path(__file__).with_name(self.file).read_text(encoding="utf-8")


@dataclass(frozen=True)
class DemoKeyLayout:
    """Keys as `KeyLayout` has them."""

    name: str
    description: str
    keys: tuple[Mapping[str, object], ...]


@dataclass(frozen=True)
class DemoLayer:
    """A layer; `name` is that of a location or a model."""

    kind: str
    name: str = ""
    profile: str = ""
    key_layout: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    locks: tuple[str, ...] = ()


def _with_lines(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "lines": tuple(DemoLine(**line) for line in row.get("lines", ()))}


_TABLES = table(__file__, "demo.toml")

PEOPLE = tuple(DemoPerson(**row) for row in _TABLES["person"])
PHONES = tuple(DemoPhone(**_with_lines(row)) for row in _TABLES["phone"])
PROFILES = tuple(
    DemoProfile(
        **_with_lines(row) | {"models": tuple(row.get("models", ())), "source": Source(row.get("source", Source.FILE))}
    )
    for row in _TABLES["profile"]
)
TEMPLATES = tuple(DemoTemplate(**row) for row in _TABLES["template"])
KEY_LAYOUTS = tuple(DemoKeyLayout(**row | {"keys": tuple(row["keys"])}) for row in _TABLES["key_layout"])
LAYERS = tuple(DemoLayer(**row | {"locks": tuple(row.get("locks", ()))}) for row in _TABLES["layer"])
