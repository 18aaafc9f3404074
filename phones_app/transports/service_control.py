"""The `service-control` event that tells Cisco's enterprise firmware to restart: its actions and its body.

Pure text. How it reaches the phone is the business of `sip_notify` (directly) and `asterisk` (through a PBX).
Source: Cisco phones spec §2.1.
"""

import re
from collections.abc import Iterable

from contacts_app.transports.errors import TransportError

Stamps = Iterable[tuple[str, str]]

# `apply-config` is missing on purpose: without the result and load keys that only a call manager knows it
# means nothing.
ACTIONS = ("restart", "reset", "check-version", "call-preservation", "prt-report")
# The problem report takes no version stamps.
_STAMPLESS = {"prt-report"}

# All-zero differs from whatever the phone holds and so makes it read everything again.
# FeatureControlVersionStamp is left out: an 8861 with 14.1.1 answered 400 until it was removed.
_ZERO = "00000000-0000-0000-0000-000000000000"
DEFAULT_STAMPS: tuple[tuple[str, str], ...] = (
    ("ConfigVersionStamp", _ZERO),
    ("DialplanVersionStamp", _ZERO),
    ("SoftkeyVersionStamp", _ZERO),
)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
# The characters of a Call-ID (RFC 3261 §25.1, `word` and "@") without the braces that delimit it here, and
# without the quote and backslash that Asterisk takes away from a manager variable; it knows no comma, at
# which Asterisk would split the variable.
_VALUE = re.compile(r"[A-Za-z0-9\-.!%*_+`'~()<>:/\[\]?@]{0,255}")


def body_lines(action: str, register_call_id: str = "", stamps: Stamps = DEFAULT_STAMPS) -> list[str]:
    """Return the lines of the body, without line ends; values with line ends or braces are refused.

    `register_call_id` is the Call-ID of the phone's present registration; a registered phone answers 400 to
    any other.
    """
    if action not in ACTIONS:
        raise TransportError(
            f"{action!r} is none of the actions {', '.join(ACTIONS)}", permanent=True, code="invalid-value"
        )
    fields = [("RegisterCallId", register_call_id)]
    if action not in _STAMPLESS:
        fields.extend(stamps)
    return [f"action={action}", *(_field(name, value) for name, value in fields)]


def parse_stamps(text: str) -> tuple[tuple[str, str], ...]:
    """Read stamps as people write them, `Name={value}` a line; ValueError says which line is none."""
    stamps = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, separator, value = line.strip().partition("=")
        value = value.removeprefix("{").removesuffix("}")
        if not separator or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"line {number}: {line.strip()!r} is not of the form Name={{value}}")
        stamps.append((name, value))
    return tuple(stamps)


def _field(name: str, value: str) -> str:
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        fault = f"{name!r}={value!r} cannot be sent in a NOTIFY"
        raise TransportError(fault, permanent=True, code="invalid-value")
    return f"{name}={{{value}}}"
