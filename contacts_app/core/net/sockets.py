"""Sockets of which the operating system says how long they wait.

With a timeout of Python's, each read and each write is two calls of the system, and setting the timeout a third one. At
each of them another thread may take the processor. Here one call does.
"""

import socket
import struct
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

# A time limit that is so near to the one that the system knows is not told: this part of it more is waited at most.
NEAR = 0.05


class WaitingSocket(socket.socket):
    """Behaves as a socket with a timeout. What TLS makes of it has a timeout of Python's, as TLS needs."""

    _limit: float | None = None

    def settimeout(self, value: float | None) -> None:
        known = self._limit
        if known is not None and value is not None and known * (1 - NEAR) <= value <= known:
            return
        if not value:
            raise ValueError("only sockets that wait, and not for ever")
        super().settimeout(None)
        at_least = max(value, 0.000_001)  # nothing would be for ever
        told = struct.pack("@ll", int(at_least), int(at_least % 1 * 1_000_000))
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, told)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, told)
        self._limit = value

    def gettimeout(self) -> float | None:
        return self._limit

    def connect(self, address: Any) -> None:
        try:
            super().connect(address)
        except BlockingIOError:
            raise TimeoutError("timed out") from None

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        try:
            return super().recv(bufsize, flags)
        except BlockingIOError:
            raise TimeoutError("timed out") from None

    def sendall(self, data: Any, flags: int = 0) -> None:
        """All of it within the limit: the system's is for each part that is taken."""
        ends = monotonic() + (self._limit or 0.0)
        left = memoryview(data)
        while left:
            try:
                left = left[super().send(left, flags) :]
            except BlockingIOError:
                raise TimeoutError("timed out") from None
            if left and monotonic() >= ends:
                raise TimeoutError("timed out")


def connected(addresses: Iterable[str], port: int, left: Callable[[], float]) -> WaitingSocket:
    """To the first of the addresses that takes the connection; `left` says how many seconds each may take."""
    failure: OSError | None = None
    for address in addresses:
        [(family, kind, protocol, _, place), *_] = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
        connection = WaitingSocket(family, kind, protocol)
        try:
            connection.settimeout(left())
            connection.connect(place)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure or OSError("no address")
