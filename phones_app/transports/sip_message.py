"""Reads SIP responses, from a datagram or out of a TCP stream; only what the answer to one NOTIFY needs."""

import errno
import re
from dataclasses import dataclass

from contacts_app.transports.wire import evidence

_STATUS_LINE = re.compile(r"SIP/2\.0 (?P<status>[1-6]\d\d)(?: (?P<reason>.*))?")
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;,\s]+)", re.IGNORECASE)
_STREAM_LIMIT = 65536

# RFC 3261 §7.3.3: the short names that phones may use.
_COMPACT = {"v": "via", "i": "call-id", "l": "content-length"}


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
