"""Reads SIP requests as a phone gets them and writes its answers: text in, text out, no sockets."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

# RFC 3261 §7.3.3 and RFC 6665 §8.2: header names that may be shortened.
_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "o": "event",
}
_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+) SIP/2\.0")
_URI = re.compile(r"sips?:(?:([^@;?>]*)@)?(\[[^\]]*\]|[^:;?>\s]+)(?::\d+)?", re.IGNORECASE)
_VIA = re.compile(r"SIP\s*/\s*2\.0\s*/\s*\S+\s+(?P<host>\[[^\]]*\]|[^\s:;]+)(?::(?P<port>\d+))?", re.IGNORECASE)
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;,\s]+)", re.IGNORECASE)
_RPORT = re.compile(r";\s*rport(?=\s*(;|$))", re.IGNORECASE)


@dataclass(frozen=True)
class SipRequest:
    """One request; header names are in full and lower case, each with all its values."""

    method: str
    user: str
    host: str
    headers: dict[str, list[str]]
    body: bytes
    complete: bool

    def header(self, name: str) -> str:
        return self.headers.get(name, [""])[0]

    @property
    def transaction(self) -> tuple[str, str, str]:
        """What a retransmission repeats: branch, Call-ID and CSeq."""
        branch = _BRANCH.search(self.header("via"))
        return (branch[1] if branch else "", self.header("call-id"), self.header("cseq"))

    @property
    def from_user(self) -> str:
        uri = _URI.search(self.header("from"))
        return (uri[1] or "") if uri else ""

    @property
    def in_dialog(self) -> bool:
        return ";tag=" in self.header("to").replace(" ", "").lower()

    def reply_address(self, source: tuple[str, int]) -> tuple[str, int]:
        """Where an answer over UDP goes: the sender's port if it asks for that (RFC 3581), else the Via's."""
        via = self.header("via")
        if _RPORT.search(via):
            return source
        sent_by = _VIA.match(via)
        return (source[0], int(sent_by["port"] or 5060) if sent_by else source[1])

    def fields(self) -> dict[str, str]:
        """Return the body's `name=value` lines, names in lower case, values without their braces."""
        lines = self.body.decode("utf-8", "replace").split("\r\n")
        pairs = (line.partition("=") for line in lines)
        return {name.strip().lower(): value.strip().strip("{}") for name, equals, value in pairs if equals}


def parse_request(message: bytes, *, length_required: bool = False) -> SipRequest | None:
    """Return the request in a message, or None if it is none that could be answered.

    A datagram ends its message, so the length may be missing; in a stream it may not (RFC 3261 §18.3).
    """
    head, end, body = message.lstrip(b"\r\n").partition(b"\r\n\r\n")
    line, *lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
    request_line = _REQUEST_LINE.fullmatch(line)
    headers = parse_headers(lines)
    if not end or request_line is None or "via" not in headers:
        return None
    uri = _URI.match(request_line[2])
    declared = headers.get("content-length", ["" if length_required else str(len(body))])[0]
    length = int(declared) if declared.isdecimal() else -1
    return SipRequest(
        method=request_line[1],
        user=unquote(uri[1] or "") if uri else "",
        host=uri[2].lower() if uri else "",
        headers=headers,
        body=body[: max(length, 0)],
        complete=0 <= length <= len(body),
    )


def parse_headers(lines: list[str]) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.setdefault(_COMPACT.get(name, name), []).append(value.strip())
    return headers


def write_answer(request: SipRequest, status: int, reason: str, source: tuple[str, int], tag: str, agent: str) -> bytes:
    """Return an answer with the headers that RFC 3261 §8.2.6 wants repeated."""
    top, *others = request.headers["via"]
    top = _RPORT.sub(f";rport={source[1]};received={source[0]}", top, count=1)
    to = request.header("to")
    lines = [
        f"SIP/2.0 {status} {reason}",
        *(f"Via: {via}" for via in (top, *others)),
        f"From: {request.header('from')}",
        f"To: {to}" if request.in_dialog else f"To: {to};tag={tag}",
        f"Call-ID: {request.header('call-id')}",
        f"CSeq: {request.header('cseq')}",
        *(["Allow: NOTIFY, OPTIONS"] if status in (200, 405) else []),
        f"Server: {agent}",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()
