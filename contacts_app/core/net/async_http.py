"""Small HTTP/1.1 servers on asyncio.

Nothing here knows what is asked or answered. Connections, header sizes and waiting times are bounded, because
one process may hold a thousand such servers and any of them may meet a client that never finishes its request.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from contacts_app.core.net.http_connection import HttpConnection, HttpExchange
from contacts_app.core.net.limits import RequestLimits

# So many clients that were refused are given a moment to read that; others are broken off.
REFUSED = 256
LOOK_SECONDS = 0.5
# Answers at once, or returns what is to be waited for.
Answer = Callable[[HttpExchange], Awaitable[None] | None]


class HttpListener:
    """A listening port whose requests go to one function.

    Where there is no room for a connection, it gets that of the one which has been silent for longest: so those that
    open connections and ask for nothing only take places from each other. Where none is silent, it is refused.
    """

    def __init__(
        self,
        answer: Answer,
        *,
        max_connections: int,
        max_of_address: int = 0,
        request_seconds: float = 10.0,
        keep_alive_seconds: float = 0.0,
        limits: RequestLimits | None = None,
    ) -> None:
        self._answer = answer
        self._max_connections = max_connections
        self._max_of_address = max_of_address or max_connections
        self.request_seconds = request_seconds
        # 0: each connection is closed after its first answer.
        self.keep_alive_seconds = keep_alive_seconds
        self._limits = limits or RequestLimits()
        self._server: asyncio.Server | None = None
        # While there are connections: a process that plays thousands of phones has as many listeners without any.
        self._next_look: asyncio.TimerHandle | None = None
        # All that are open; those of them that ask for nothing, the longest first; and those that were refused.
        self._connections: dict[HttpConnection, None] = {}
        self._silent: dict[HttpConnection, None] = {}
        self._refused: dict[HttpConnection, None] = {}
        self._of_address: Counter[str] = Counter()

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self, host: str, port: int, backlog: int = 100) -> int:
        """Start to listen and return the port, which is a free one when `port` is 0."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: HttpConnection(self), host, port, backlog=backlog, reuse_address=True
        )
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop at once, as if the plug were pulled: running exchanges are broken off."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        for connection in (*self._connections, *self._refused):
            connection.transport.abort()

    # --- What connections call ----------------------------------------------------------------------------------------
    def admits(self, connection: HttpConnection) -> bool:
        """Whether it can be taken, maybe after one that has not asked is broken off."""
        if self._server is None:
            connection.transport.abort()
            return False
        if self._next_look is None:
            self._look_later()
        peer = connection.peer
        if not self._has_room(peer):
            self._limits.refuse_connection(peer)
            if len(self._refused) >= REFUSED:
                connection.transport.abort()
            else:
                self._refused[connection] = None
            return False
        self._connections[connection] = self._silent[connection] = None
        self._of_address[peer] += 1
        return True

    def asks(self, connection: HttpConnection) -> None:
        self._silent.pop(connection, None)

    def rests(self, connection: HttpConnection) -> None:
        if connection in self._connections:
            self._silent[connection] = None

    def gone(self, connection: HttpConnection) -> None:
        self._refused.pop(connection, None)
        self._silent.pop(connection, None)
        if connection in self._connections:
            del self._connections[connection]
            self._of_address[connection.peer] -= 1
            if not self._of_address[connection.peer]:
                del self._of_address[connection.peer]

    def answer(self, exchange: HttpExchange) -> Awaitable[None] | None:
        peer = exchange.request.peer
        if not self._limits.begin(peer):
            exchange.keeps_alive = False
            exchange.write(HTTPStatus.SERVICE_UNAVAILABLE, "Retry-After: 2\r\nContent-Length: 0\r\n")
            return None
        waiting = None
        try:
            waiting = self._answer(exchange)
        finally:
            if waiting is None:
                self._limits.end(peer)
        return None if waiting is None else self._until_answered(waiting, peer)

    async def _until_answered(self, waiting: Awaitable[None], peer: str) -> None:
        try:
            await waiting
        finally:
            self._limits.end(peer)

    # --- Our own ------------------------------------------------------------------------------------------------------
    def _has_room(self, peer: str) -> bool:
        if self._of_address[peer] >= self._max_of_address:
            silent = next((connection for connection in self._silent if connection.peer == peer), None)
        elif len(self._connections) >= self._max_connections:
            silent = next(iter(self._silent), None)
        else:
            return True
        if silent is None:
            return False
        self.gone(silent)
        silent.transport.abort()
        return True

    def _look_later(self) -> None:
        seconds = min(LOOK_SECONDS, self.request_seconds / 4)
        self._next_look = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self._next_look = None
        now = asyncio.get_running_loop().time()
        for connection in (*self._connections, *self._refused):
            connection.look(now)
        if self._connections or self._refused:
            self._look_later()
