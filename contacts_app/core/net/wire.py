"""What all transports over a socket share: checked addresses, deadlines, socket errors as codes, evidence.

Nothing about a protocol belongs here.
"""

import errno
import time
from dataclasses import dataclass

from contacts_app.core.errors import TransportError
from contacts_app.core.net.networks import Networks, resolve_all

EVIDENCE_LIMIT = 8192

_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}


@dataclass
class Deadline:
    """A moment on the monotonic clock that a whole conversation respects, however many reads it takes."""

    moment: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def renew(self, seconds: float) -> None:
        """Begin the next conversation on the same connection."""
        self.moment = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.0, self.moment - time.monotonic())

    def remaining(self) -> float:
        """Return the seconds left; TimeoutError when there are none, so that no read can start late."""
        if not (left := self.left()):
            raise TimeoutError
        return left


def checked_address(networks: Networks | None, host: str, port: int) -> str:
    """Return the one address of `host` to talk to; without networks the caller vouches for the host."""
    return networks.resolve(host, port) if networks is not None else resolve_all(host, port)[0]


def connection_error(error: OSError, peer: str, *, request: str = "", answer: str = "") -> TransportError:
    """Turn what the socket said about `peer` into the family's error; all of these may pass by themselves."""
    if isinstance(error, ConnectionRefusedError):
        code, message = "refused", f"{peer} refuses the connection: nothing listens there"
    elif isinstance(error, TimeoutError):
        code, message = "timeout", f"{peer} did not answer in time"
    elif error.errno in _UNREACHABLE:
        code, message = "unreachable", f"There is no way to {peer}: {error.strerror}"
    elif isinstance(error, ConnectionError):
        code, message = "closed", f"{peer} closed the connection"
    else:
        code, message = "network", f"Talking to {peer} failed: {error}"
    return TransportError(message, code=code, request=evidence(request), answer=evidence(answer))


def evidence(text: str | bytes, limit: int = EVIDENCE_LIMIT) -> str:
    """Return wire text fit to be stored: decoded, without NUL (PostgreSQL takes none), of bounded length."""
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    decoded = decoded.replace("\x00", "\ufffd")
    if len(decoded) <= limit:
        return decoded
    return f"{decoded[:limit]}\n… ({len(decoded) - limit} more characters)"
