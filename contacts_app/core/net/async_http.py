"""Small HTTP/1.1 servers on asyncio, one request on a connection, and a loop in a thread for callers without asyncio.

Nothing here knows what is asked or answered. Connections, header sizes and waiting times are bounded, because
one process may hold a thousand such servers and any of them may meet a client that never finishes its request.
"""

import asyncio
import contextlib
import http.client
import io
import resource
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import Any, TypeVar

T = TypeVar("T")

HEAD_BYTES = 16 * 1024
BODY_BYTES = 128 * 1024  # a push of 40 KB (Cisco phones spec §1.1) with every byte percent-encoded
SEND_SECONDS = 15.0
LINGER_SECONDS = 2.0


def allow_files(number: int) -> None:
    """Raise the soft limit of open files to this if it is lower: the usual one is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= number:
        return
    if hard != resource.RLIM_INFINITY and hard < number:
        # Only a privileged process can have more than the hard limit.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))
            return
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class LoopThread:
    """Starts with the first `call`, ends with `stop`; in between the loop serves what was started on it."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and return what it returns, or raise what it raises."""
        if not self._thread.is_alive():
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        """Cancel what is left on the loop, then end the thread; harmless when it never started."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(_cancel_others())
            self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class BadRequestError(ValueError):
    """The client sent something that is not a request as we understand it."""


@dataclass(frozen=True)
class Request:
    """A request as it came; path and query are still percent-encoded."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes
    peer: str


class HttpExchange:
    """One request together with the means to answer it."""

    def __init__(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self._reader = reader
        self._writer = writer
        self._whole: bool | None = None
        # Without a buffer `send` returns only when the kernel has everything: a stalled reader is noticed.
        writer.transport.set_write_buffer_limits(high=0)

    async def reply(
        self,
        status: HTTPStatus,
        body: bytes = b"",
        content_type: str = "text/plain",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send a whole answer; the body stays away when only the head was asked for."""
        length = {"Content-Type": content_type, "Content-Length": str(len(body))}
        await self.send_head(status, {**length, **(headers or {})})
        if body and self.request.method != "HEAD":
            await self.send(body)

    async def send_head(self, status: HTTPStatus, headers: Mapping[str, str]) -> None:
        lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{n}: {v}" for n, v in headers.items())]
        await self.send("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(SEND_SECONDS):
            await self._writer.drain()

    async def finish(self) -> bool:
        """End our side, wait a moment for the client to end its own; False if it broke off instead."""
        if self._whole is None:
            self._whole = await self._linger()
        return self._whole

    async def _linger(self) -> bool:
        try:
            self._writer.write_eof()
            async with asyncio.timeout(LINGER_SECONDS):
                while await self._reader.read(4096):
                    pass
        except TimeoutError:
            return True  # it has everything and merely keeps the connection open
        except OSError:
            return False
        return True


Answer = Callable[[HttpExchange], Awaitable[None]]


class HttpListener:
    """A listening port whose requests go to one coroutine.

    Where there is no room for a connection, it gets that of the one which has been silent for longest: so those that
    open connections and ask for nothing only take places from each other.
    """

    def __init__(
        self, answer: Answer, *, max_connections: int, max_of_address: int = 0, request_seconds: float = 10.0
    ) -> None:
        self._answer = answer
        self._max_connections = max_connections
        self._max_of_address = max_of_address or max_connections
        self._request_seconds = request_seconds
        self._server: asyncio.Server | None = None
        # With their addresses, the oldest first: all that are open, and those of them that have not asked yet.
        self._writers: dict[asyncio.StreamWriter, str] = {}
        self._silent: dict[asyncio.StreamWriter, str] = {}
        self._of_address: Counter[str] = Counter()

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self, host: str, port: int, backlog: int = 100) -> int:
        """Start to listen and return the port, which is a free one when `port` is 0."""
        self._server = await asyncio.start_server(
            self._serve, host, port, limit=HEAD_BYTES, backlog=backlog, reuse_address=True
        )
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop at once, as if the plug were pulled: running exchanges are broken off."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")[0]
        if self._server is None or not self._has_room(peer):
            writer.transport.abort()
            return
        self._writers[writer] = self._silent[writer] = peer
        self._of_address[peer] += 1
        try:
            async with asyncio.timeout(self._request_seconds):
                request = await _read_request(reader, peer)
            self._silent.pop(writer, None)
            exchange = HttpExchange(request, reader, writer)
            await self._answer(exchange)
            await exchange.finish()
        except BadRequestError as error:
            writer.write(f"HTTP/1.1 400 {error}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away or was too slow: no answer reaches it
        finally:
            self._forget(writer)
            writer.close()

    def _has_room(self, peer: str) -> bool:
        """Whether a connection from this address can be taken, maybe after one that has not asked is broken off."""
        if self._of_address[peer] >= self._max_of_address:
            silent = next((writer for writer, address in self._silent.items() if address == peer), None)
        elif len(self._writers) >= self._max_connections:
            silent = next(iter(self._silent), None)
        else:
            return True
        if silent is None:
            return False
        self._forget(silent)
        silent.transport.abort()
        return True

    def _forget(self, writer: asyncio.StreamWriter) -> None:
        self._silent.pop(writer, None)
        if (peer := self._writers.pop(writer, None)) is not None:
            self._of_address[peer] -= 1
            if not self._of_address[peer]:
                del self._of_address[peer]


async def _read_request(reader: asyncio.StreamReader, peer: str) -> Request:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        method, target, _ = line.decode("latin-1").split(" ")
        headers = http.client.parse_headers(io.BytesIO(fields))
        length = int(headers.get("Content-Length", "0"))
        path, _, query = target.partition("?")
    except asyncio.LimitOverrunError as error:
        raise BadRequestError("Head too large") from error
    except (ValueError, http.client.HTTPException) as error:
        raise BadRequestError("Not an HTTP request") from error
    if "Transfer-Encoding" in headers or not 0 <= length <= BODY_BYTES:
        raise BadRequestError("Body not acceptable")
    return Request(method, path, query, headers, await reader.readexactly(length), peer)
