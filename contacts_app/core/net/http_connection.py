"""One connection of a small HTTP/1.1 server on asyncio: requests one after the other, and what became of the answers.

Requests that come together are answered in their order. Whether an answer was taken is known when the client's system has
confirmed its last byte, and the client then asks for something else, ends its side, or stays silent for a moment.
"""

import asyncio
import contextlib
import fcntl
import logging
import socket
import sys
import termios
import threading
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import IO, Protocol, cast

from contacts_app.core.net.http_request import BODY_BYTES, HEAD_BYTES, BadRequestError, Request, take_request

logger = logging.getLogger(__name__)

SEND_SECONDS = 15.0
# A piece of a file, for which the client has this time.
PIECE_BYTES, PIECE_SECONDS = 256 * 1024, 60.0
LINGER_SECONDS = 2.0
RECEIVED_BYTES = 16 * 1024
_STATUS = {status: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_CLOSE = {False: "Connection: close\r\n\r\n", True: "\r\n"}
_FOUR_BYTES = bytes(4)
Taken = Callable[[bool], None]


class Keeper(Protocol):
    """Who has the connections: admits them, ends what takes too long, and answers."""

    request_seconds: float
    keep_alive_seconds: float

    def admits(self, connection: "HttpConnection") -> bool: ...
    def asks(self, connection: "HttpConnection") -> None: ...
    def rests(self, connection: "HttpConnection") -> None: ...
    def gone(self, connection: "HttpConnection") -> None: ...
    def answer(self, exchange: "HttpExchange") -> Awaitable[None] | None: ...


class _Received(threading.local):
    """Where requests are read to, of all connections of a loop: a large piece of memory for each is slow to come by."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(RECEIVED_BYTES))


_received = _Received()


class HttpExchange:
    """One request together with the means to answer it."""

    __slots__ = ("_connection", "keeps_alive", "request")

    def __init__(self, request: Request, connection: "HttpConnection", keeps_alive: bool) -> None:
        self.request = request
        self.keeps_alive = keeps_alive
        self._connection = connection

    def write(self, status: HTTPStatus, fields: str = "Content-Length: 0\r\n", body: bytes = b"") -> None:
        """Send an answer without waiting for it, as one does that is small; `fields` are whole lines of the head."""
        head = f"{_STATUS[status]}{fields}{_CLOSE[self.keeps_alive]}".encode("latin-1")
        self._connection.write(head if self.request.method == "HEAD" else head + body)

    async def reply(
        self,
        status: HTTPStatus,
        body: bytes = b"",
        content_type: str = "text/plain",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send a whole answer; the body stays away when only the head was asked for."""
        head = self._head(status, {"Content-Type": content_type, "Content-Length": len(body), **(headers or {})})
        await self.send(head if self.request.method == "HEAD" else head + body)

    async def send_head(self, status: HTTPStatus, headers: Mapping[str, object]) -> None:
        await self.send(self._head(status, headers))

    def _head(self, status: HTTPStatus, headers: Mapping[str, object]) -> bytes:
        fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        return f"{_STATUS[status]}{fields}{_CLOSE[self.keeps_alive]}".encode("latin-1")

    async def send(self, data: bytes) -> None:
        """Return when the kernel has everything: so a stalled reader is noticed."""
        await self._connection.send(data)

    async def send_file(self, file: IO[bytes], offset: int, count: int) -> None:
        """Send a part of a file without reading it."""
        await self._connection.send_file(file, offset, count)

    def when_taken(self, taken: Taken) -> None:
        """Have `taken` called once: whether the client has received all that was sent until now."""
        self._connection.pending.append(taken)


class HttpConnection(asyncio.BufferedProtocol):
    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._loop = asyncio.get_running_loop()
        self._received = _received.buffer
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._is_full = self._is_ending = self._has_ended = False
        self.pending: list[Taken] = []
        self.peer = ""
        self.deadline = 0.0
        self.rests_since = 0.0

    # --- What the loop calls ------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=0)
        self._socket: socket.socket = transport.get_extra_info("socket")
        self.peer = transport.get_extra_info("peername")[0]
        self.rests_since = self._loop.time()
        self.deadline = self.rests_since + self._keeper.request_seconds
        if not self._keeper.admits(self):
            self.end(HTTPStatus.SERVICE_UNAVAILABLE)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._received

    def buffer_updated(self, nbytes: int) -> None:
        if self._is_ending:
            return
        if not self._buffer and self._task is None:
            self.deadline = self._loop.time() + self._keeper.request_seconds
        self._buffer += self._received[:nbytes]
        if self.pending:
            self._settle()
        if self._task is None:
            try:
                self._answer_on()
            except Exception as error:
                self._broke_off(error)
        elif len(self._buffer) > HEAD_BYTES + BODY_BYTES:
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        self._has_ended = True
        self._settle()
        return self._task is not None or bool(self.pending)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None:
            self._settle()
        if self._drained is not None and not self._drained.done():
            self._drained.set_exception(ConnectionResetError("the client went away"))
        self._tell(False)
        self._keeper.gone(self)

    # --- What the keeper calls ----------------------------------------------------------------------------------------
    def look(self, now: float) -> None:
        """End what has taken too long. A request that is being answered has a time limit for each piece sent."""
        if self._task is not None:
            return
        if self.pending and now >= self.rests_since + LINGER_SECONDS:
            self._settle()
        if now >= self.deadline:
            self.transport.abort()

    def end(self, status: HTTPStatus | None = None, reason: str = "") -> None:
        """Say why, if it is to be said, end our side, and wait a moment for the client to end its own."""
        if status is not None and not self.transport.is_closing():
            retry = "Retry-After: 2\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
            head = f"HTTP/1.1 {status.value} {reason or status.phrase}\r\n{retry}Content-Length: 0\r\n{_CLOSE[False]}"
            self.transport.write(head.encode("latin-1"))
        self._is_ending = True
        self._buffer.clear()
        self._rest(LINGER_SECONDS)
        self._settle()
        if self._has_ended and not self.pending:
            self.transport.close()
        elif not self.transport.is_closing():
            with contextlib.suppress(OSError):
                self.transport.write_eof()

    # --- Answering ----------------------------------------------------------------------------------------------------
    def write(self, data: bytes) -> None:
        if self.transport.is_closing():
            raise ConnectionResetError("the client went away")
        self.transport.write(data)

    async def send(self, data: bytes) -> None:
        self.write(data)
        await self._drain()

    async def _drain(self) -> None:
        if self._is_full:
            self._drained = self._loop.create_future()
            async with asyncio.timeout(SEND_SECONDS):
                await self._drained

    async def send_file(self, file: IO[bytes], offset: int, count: int) -> None:
        end = offset + count
        while offset < end:
            if self.transport.is_closing():
                raise ConnectionResetError("the client went away")
            async with asyncio.timeout(PIECE_SECONDS):
                sent = await self._loop.sendfile(self.transport, file, offset, min(PIECE_BYTES, end - offset))
            if not sent:
                raise OSError("the file became shorter")
            offset += sent

    def _answer_on(self, *, has_answered: bool = False) -> None:
        """Answer what has come whole, one request after the other, until an answer takes its time."""
        while (request := self._next()) is not None:
            self._keeper.asks(self)
            exchange = HttpExchange(request, self, request.keeps_alive and self._keeper.keep_alive_seconds > 0)
            waiting = self._keeper.answer(exchange)
            if waiting is not None or self._is_full:
                self._task = self._loop.create_task(self._wait_for(waiting, exchange))
                return
            if not exchange.keeps_alive:
                self.end()
                return
            has_answered = True
        if has_answered and not self._is_ending:
            self._rest(self._keeper.keep_alive_seconds)
            if self._has_ended:
                self.end()

    async def _wait_for(self, waiting: Awaitable[None] | None, exchange: HttpExchange) -> None:
        try:
            if waiting is not None:
                await waiting
            await self._drain()
            self._task = None
            if not exchange.keeps_alive:
                self.end()
                return
            self.transport.resume_reading()
            self._answer_on(has_answered=True)
        except Exception as error:
            self._broke_off(error)

    def _broke_off(self, error: Exception) -> None:
        self._task = None
        # Of a client that went away or was too slow there is nothing to say: no answer reaches it.
        if not isinstance(error, OSError):
            logger.error("A request of %s could not be answered", self.peer, exc_info=error)
        self.transport.abort()

    def _next(self) -> Request | None:
        if not self._buffer:
            return None
        try:
            return take_request(self._buffer, self.peer)
        except BadRequestError as error:
            self.end(HTTPStatus.BAD_REQUEST, str(error))
            return None

    def _rest(self, seconds: float) -> None:
        self.rests_since = self._loop.time()
        self.deadline = self.rests_since + (self._keeper.request_seconds if self._buffer else seconds)
        self._keeper.rests(self)

    def _settle(self) -> None:
        if self.pending and not self.transport.get_write_buffer_size() and not _unconfirmed(self._socket):
            self._tell(True)

    def _tell(self, taken: bool) -> None:
        pending, self.pending = self.pending, []
        for tell in pending:
            tell(taken)


def _unconfirmed(socket: socket.socket) -> int:
    """How many bytes the client's system has not confirmed yet."""
    try:
        answer = fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, _FOUR_BYTES)
    except (OSError, ValueError):
        return 1
    return 0 if answer == _FOUR_BYTES else int.from_bytes(answer, sys.byteorder)
