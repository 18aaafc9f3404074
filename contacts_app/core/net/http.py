"""Where httpcore, the engine of httpx, is held to a checked address and to one deadline for all of it.

httpx itself cannot be given the socket. httpcore follows no redirects, keeps no cookies and knows no proxies.
What is asked of whom is the business of those who use this.
"""

import contextlib
import re
import ssl
from base64 import b64encode
from collections.abc import Iterable
from functools import cache

import httpcore
import httpx

from contacts_app.core.errors import NO_EXCHANGE, Exchange, TransportError
from contacts_app.core.net.wire import Deadline, connection_error

# What httpcore raises when a connection cannot be made, breaks, or carries no HTTP.
HTTP_FAILURES = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


def basic_token(user: str, password: str) -> str:
    """What stands behind `Basic` in the header Authorization (RFC 7617 §2)."""
    return b64encode(f"{user}:{password}".encode()).decode()


# A request up to this is one packet or a few (bytes).
SENT_TOGETHER = 16 * 1024

# How httpcore words the end of a connection before the end of an answer.
_HUNG_UP = re.compile("disconnected|closed connection")


class CheckedBackend(httpcore.NetworkBackend):
    """Connects to the address that was checked, whatever name the request bears."""

    def __init__(self, address: str, deadline: Deadline) -> None:
        self._address = address
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        stream = httpcore.SyncBackend().connect_tcp(self._address, port, timeout=_left(self._deadline))
        return _BoundedStream(stream, self._deadline)


class _BoundedStream(httpcore.NetworkStream):
    """A connection on which no read or write may last beyond the deadline, however often it is called.

    httpcore writes the head of a request and its body one after the other: small ones leave together, when the answer
    is waited for. Each write costs a tenth of a millisecond, and wakes the other side.
    """

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline
        self._unsent = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # Who takes no more of a request may have answered it: httpcore reads then, too.
        with contextlib.suppress(httpcore.WriteError):
            self._flush()
        return self._stream.read(max_bytes, timeout=_left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._unsent += buffer
        if len(self._unsent) >= SENT_TOGETHER:
            self._flush()

    def _flush(self) -> None:
        if self._unsent:
            unsent, self._unsent = self._unsent, b""
            self._stream.write(unsent, timeout=_left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout=_left(self._deadline))
        return _BoundedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def http_failure(error: Exception, peer: str, exchange: Exchange = NO_EXCHANGE) -> TransportError:
    """Say in the family's words what went wrong below HTTP or in it."""
    # httpcore drops the chain of causes but keeps the original as its argument.
    cause: object = error.args[0] if error.args else None
    if isinstance(error, httpcore.TimeoutException):
        cause = TimeoutError()
    elif isinstance(error, httpcore.ReadError | httpcore.WriteError) or _HUNG_UP.search(str(error)):
        cause = ConnectionResetError()
    if isinstance(cause, OSError):
        return connection_error(cause, peer, exchange)
    return TransportError(
        f"{peer} does not answer as a web server: {error}", code="unexpected-answer", exchange=exchange
    )


def _left(deadline: Deadline) -> float:
    if not (left := deadline.left()):
        raise httpcore.ReadTimeout
    return left


@cache
def trusted_authorities() -> ssl.SSLContext:
    """Who vouches for servers; reading them takes longer than most requests."""
    return httpx.create_ssl_context()
