"""The text of a NOTIFY that restarts a phone, and of the responses to it; no sockets.

The body is that of the `service-control` event, which tells Cisco's enterprise firmware to restart (Cisco phones spec
§2.1). It reaches the phone by `sip_notify`, directly, or by `asterisk`, through a PBX.
"""

import errno
import re
from collections.abc import Iterable
from dataclasses import dataclass

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import evidence
from contacts_app.core.tables import table

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

_STATUS_LINE = re.compile(r"SIP/2\.0 (?P<status>[1-6]\d\d)(?: (?P<reason>.*))?")
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;,\s]+)", re.IGNORECASE)
_STREAM_LIMIT = 65536

# RFC 3261 §7.3.3: the short names that phones may use.
_COMPACT = {"v": "via", "i": "call-id", "l": "content-length"}

_MEANINGS: dict[int, str] = {int(code): text for code, text in table(__file__, "answers.toml")["notify"].items()}


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


@dataclass(frozen=True)
class SipResponse:
    """One response; `text` is what arrived, fit to be kept as evidence."""

    status: int
    reason: str
    branch: str
    call_id: str
    method: str
    text: str

    def belongs_to(self, branch: str, call_id: str) -> bool:
        """Match as RFC 3261 §17.1.3 does, and by Call-ID, whose part before "@" is the given one."""
        return self.branch == branch and self.call_id.partition("@")[0] == call_id and self.method == "NOTIFY"


def parse_response(data: bytes) -> SipResponse | None:
    """Return the response in `data`, or None when it is anything else, such as a request of the phone."""
    head = data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    first, *lines = head.lstrip("\r\n").split("\r\n")
    status_line = _STATUS_LINE.fullmatch(first)
    if status_line is None:
        return None
    headers = _headers(lines)
    branch = _BRANCH.search(headers.get("via", ""))
    return SipResponse(
        status=int(status_line["status"]),
        reason=(status_line["reason"] or "").strip(),
        branch=branch[1] if branch else "",
        call_id=headers.get("call-id", ""),
        method=headers.get("cseq", "").rpartition(" ")[2].upper(),
        text=evidence(data),
    )


def explain(status: int) -> str:
    """Say for people what a final answer means (Cisco phones spec §2.2)."""
    if status in _MEANINGS:
        return _MEANINGS[status]
    if 200 <= status < 300:
        return _MEANINGS[200]
    if 300 <= status < 400:
        return "The receiver points to another address; such pointers are not followed."
    return f"The receiver answered {status}, which phones are not known to send."


class StreamFramer:
    """Cuts a TCP stream into messages by Content-Length, which RFC 3261 §18.3 demands there."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the messages completed by `chunk`; OSError when one grows beyond all measure."""
        self._buffer += chunk
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        if len(self._buffer) > _STREAM_LIMIT:
            raise OSError(errno.EMSGSIZE, "the answer is far too long for SIP")
        return messages

    def _next(self) -> bytes | None:
        self._buffer = self._buffer.lstrip(b"\r\n")  # keep-alives (RFC 5626 §3.5.1)
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        length = _headers(head.decode("utf-8", "replace").split("\r\n")[1:]).get("content-length", "")
        size = int(length) if length.isdecimal() and len(length) < 8 else 0
        if len(rest) < size:
            return None
        self._buffer = rest[size:]
        return head + end + rest[:size]


def host_text(host: str) -> str:
    """Write a host as it stands in a SIP address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _headers(lines: list[str]) -> dict[str, str]:
    """Return the first value of every header under its full name in lower case; the top Via is the first."""
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.setdefault(_COMPACT.get(name, name), value.strip())
    return headers


def _field(name: str, value: str) -> str:
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        fault = f"{name!r}={value!r} cannot be sent in a NOTIFY"
        raise TransportError(fault, permanent=True, code="invalid-value")
    return f"{name}={{{value}}}"
