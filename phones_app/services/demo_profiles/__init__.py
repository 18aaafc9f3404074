"""SEP files for the demo and for simulated phones, filled in from the templates that lie here."""

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
    values = {
        "label": name.replace(" ", "")[:LABEL_LENGTH],
        "lines": "".join(_line(button, line) for button, line in enumerate(lines, start=1)).rstrip("\n"),
        "call_manager": CALL_MANAGER,
        "time_server": TIME_SERVER,
        "portal": portal.rstrip("/"),
        # A stamp that changes with the content and with nothing else.
        "stamp": "{"
        + str(uuid.uuid5(uuid.NAMESPACE_URL, f"{portal} {name} {software_type} {lines}")).upper()
        + "}",
    }
    return _fill("sccp.cnf.xml" if software_type == "SCCP" else "sip.cnf.xml", values).encode()


def _line(button: int, line: DemoLine) -> str:
    password = f"not-secret-{line.number}"
    values = {"button": str(button), "number": line.number, "label": line.label, "password": password}
    return _fill("sip_line.xml", values)


def _fill(template: str, values: dict[str, str]) -> str:
    text = Path(__file__).with_name(template).read_text(encoding="utf-8")
    raw = {"lines"}  # XML already
    return Template(text).substitute(
        {key: text if key in raw else escape(text) for key, text in values.items()}
    )
