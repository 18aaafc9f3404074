"""Requests of HTTP/1.1 as they lie in a buffer of received bytes; pure, for servers that read and wait themselves."""

from functools import lru_cache
from typing import NamedTuple

HEAD_BYTES = 16 * 1024
# Up to this size what was read of the lines of a head is remembered.
USUAL_BYTES = 1024
BODY_BYTES = 128 * 1024  # a push of 40 KB (Cisco phones spec §1.1) with every byte percent-encoded
END_OF_HEAD = b"\r\n\r\n"


class BadRequestError(ValueError):
    """The client sent something that is not a request as we understand it."""


class Headers:
    """The fields of a request by their names, in whatever case. Of one that comes twice the first counts."""

    def __init__(self, lines: list[str]) -> None:
        values: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or not name or name[-1] in " \t":
                raise BadRequestError("Not an HTTP request")
            values.setdefault(name.lower(), value.strip())
        self._values = values

    def get(self, name: str, default: str = "") -> str:
        return self._values.get(name.lower(), default)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values


class _Fields:
    """What all lines of a head but the first say."""

    def __init__(self, lines: bytes) -> None:
        self.headers = Headers(lines.decode("latin-1").split("\r\n")[1:])
        self.length = int(self.headers.get("Content-Length", "0"))
        self.wish = self.headers.get("Connection").lower()


# Clients of one kind send the same lines again and again.
_read = lru_cache(maxsize=256)(_Fields)


class Request(NamedTuple):
    """A request as it came; path and query are still percent-encoded."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    peer: str
    keeps_alive: bool

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


def take_request(buffer: bytearray, peer: str) -> Request | None:
    """Take the first request out of the buffer; None: it has not come whole."""
    end = buffer.find(END_OF_HEAD)
    if end > HEAD_BYTES or (end < 0 and len(buffer) > HEAD_BYTES):
        raise BadRequestError("Head too large")
    if end < 0:
        return None
    end_of_line = buffer.find(b"\r\n", 0, end)
    lines = bytes(buffer[end_of_line:end]) if end_of_line >= 0 else b""
    try:
        method, target, version = buffer[: end - len(lines)].decode("latin-1").split(" ")
        fields = _read(lines) if len(lines) <= USUAL_BYTES else _Fields(lines)
    except ValueError as error:
        raise BadRequestError("Not an HTTP request") from error
    headers, length = fields.headers, fields.length
    if "Transfer-Encoding" in headers or not 0 <= length <= BODY_BYTES:
        raise BadRequestError("Body not acceptable")
    start = end + len(END_OF_HEAD)
    if len(buffer) < start + length:
        return None
    body = bytes(buffer[start : start + length])
    del buffer[: start + length]
    path, _, query = target.partition("?")
    keeps_alive = "close" not in fields.wish and (version == "HTTP/1.1" or "keep-alive" in fields.wish)
    return Request(method, path, query, headers, body, peer, keeps_alive)
