"""How a phone gets a file: by HTTP, TFTP or FTP, whichever its configuration server's address says."""

import asyncio
import contextlib
import ftplib
import socket
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import httpcore

from contacts_app.core.net import tftp as wire
from contacts_app.core.net.http import HTTP_FAILURES

SECONDS = 10.0
# A packet that stays without an answer is sent again after this time.
RESEND_SECONDS = 1.0
FTP_PORT, TFTP_PORT = 21, 69
# The limit on a HTTP answer bounds memory; a file that is a little too large is for the phone itself to reject.
HEADROOM = 16 * 1024
Address = tuple[str, int]


class NotGivenError(OSError):
    """The server answered, and did not give the file."""


class Download:
    """A file as it comes: its size, and as much of its beginning as is kept. OSError when it is larger than `limit`."""

    def __init__(self, limit: int, keep: int | None = None) -> None:
        self.size, self._head = 0, bytearray()
        self._limit, self._keep = limit, limit + HEADROOM if keep is None else keep

    @property
    def head(self) -> bytes:
        return bytes(self._head)

    def take(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._head += chunk[: max(self._keep - len(self._head), 0)]
        if self.size > self._limit + HEADROOM:
            raise OSError(f"larger than {self._limit} bytes")


async def download(
    url: str, *, source: str, limit: int, keep: int | None = None, seconds: float = SECONDS, agent: str = ""
) -> Download:
    """Return the file at `url`, asked for from the address `source`; OSError with what the server said.

    `agent`: what the phone calls itself, where the protocol has a place for it. `keep`: hold no more than so many bytes
    of the beginning. A transfer may take as long as it goes on: `seconds` are for a pause in it.
    """
    scheme, file = urlsplit(url).scheme, Download(limit, keep)
    if scheme == "tftp":
        await _by_tftp(url, source, file, seconds)
    elif scheme == "ftp":
        await asyncio.to_thread(_by_ftp, url, source, file, seconds)
    else:
        await _by_http(url, source, file, seconds, agent)
    return file


async def _by_http(url: str, source: str, file: Download, seconds: float, agent: str) -> None:
    headers: dict[bytes | str, bytes | str] = {"Connection": "close"}
    if agent:
        headers["User-Agent"] = agent
    pool = httpcore.AsyncConnectionPool(local_address=source or None)
    timeouts = {"timeout": dict.fromkeys(("connect", "read", "write"), seconds)}
    try:
        async with pool, pool.stream("GET", url, headers=headers, extensions=timeouts) as response:
            if response.status != HTTPStatus.OK:
                raise NotGivenError(str(response.status))
            async for chunk in response.aiter_stream():
                file.take(chunk)
    except HTTP_FAILURES as error:
        raise OSError(f"{url} did not answer in HTTP: {error!r}") from error


class HttpAnswer(NamedTuple):
    """`headers` by their names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


async def get(url: str, *, source: str = "", seconds: float = SECONDS, limit: int) -> tuple[int, bytes]:
    """GET a http URL from the address `source`; OSError without an answer, or if it is much larger than `limit` bytes."""
    answer = await ask(url, source=source, seconds=seconds, limit=limit)
    return answer.status, answer.body


async def ask(
    url: str,
    *,
    source: str = "",
    seconds: float = SECONDS,
    limit: int,
    headers: Mapping[str, str] | None = None,
    form: bytes | None = None,
) -> HttpAnswer:
    """GET a http URL, or POST a form to it, each time on a new connection; OSError as for `get`."""
    if urlsplit(url).scheme != "http":
        raise OSError(f"{url} is not a http address")
    body = bytearray()
    sent: dict[bytes | str, bytes | str] = {"Connection": "close"}
    sent.update(headers or {})
    if form is not None:
        sent |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(form))}
    pool = httpcore.AsyncConnectionPool(local_address=source or None)
    method = "GET" if form is None else "POST"
    try:
        async with asyncio.timeout(seconds), pool, pool.stream(method, url, headers=sent, content=form) as response:
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > limit + HEADROOM:
                    raise OSError(f"{url} is larger than {limit} bytes")
    except HTTP_FAILURES as error:
        raise OSError(f"{url} did not answer in HTTP: {error!r}") from error
    told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    return HttpAnswer(response.status, told, bytes(body))


def _by_ftp(url: str, source: str, file: Download, seconds: float) -> None:
    """No phone of this kind is known to do it; sites that hand files out by FTP alone can be played this way."""
    parts = urlsplit(url)
    try:
        with ftplib.FTP(timeout=seconds, source_address=(source, 0)) as ftp:  # noqa: S321 (it is what is played)
            ftp.connect(parts.hostname or "", parts.port or FTP_PORT)
            ftp.login(unquote(parts.username or ""), unquote(parts.password or ""))
            ftp.retrbinary(f"RETR {unquote(parts.path).removeprefix('/')}", file.take)
    except ftplib.error_perm as error:
        raise NotGivenError(str(error)) from error
    except (ftplib.Error, EOFError) as error:
        raise OSError(str(error)) from error


async def _by_tftp(url: str, source: str, file: Download, seconds: float) -> None:
    parts, loop = urlsplit(url), asyncio.get_running_loop()
    port, family = parts.port or TFTP_PORT, socket.AF_INET6 if ":" in source else socket.AF_INET
    found = await loop.getaddrinfo(parts.hostname or "", port, family=family, type=socket.SOCK_DGRAM)
    # Answers come from an address, whatever name was asked.
    server = (str(found[0][4][0]), port)
    transport, client = await loop.create_datagram_endpoint(
        lambda: _TftpClient(server[0], file, seconds), local_addr=(source, 0)
    )
    client.transport = transport
    try:
        name = unquote(parts.path).removeprefix("/")
        options = {"blksize": str(wire.LARGEST_BLOCK), "tsize": "0"}
        client.send(wire.write_request(name, options), server)
        await client.received
    finally:
        client.quiet()
        transport.close()


class _TftpClient(asyncio.DatagramProtocol):
    """Collects one file, block by block; `received` ends with it or with an OSError."""

    def __init__(self, host: str, file: Download, seconds: float) -> None:
        self.received: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._host, self._file, self._tries = host, file, max(1, round(seconds / RESEND_SECONDS))
        self._server: Address | None = None  # the port of this transfer is known with the first answer
        self._block_bytes, self._blocks = wire.BLOCK_BYTES, 0
        self.transport: asyncio.DatagramTransport | None = None
        self._again: asyncio.TimerHandle | None = None

    def send(self, packet: bytes, to: Address, tries: int = 0) -> None:
        """Send now, and again until something else is sent or nobody has answered for long."""
        self.quiet()
        if tries == self._tries:
            self._end(TimeoutError("no answer"))
            return
        assert self.transport is not None  # noqa: S101 (set by who opened it)
        self.transport.sendto(packet, to)
        self._again = asyncio.get_running_loop().call_later(RESEND_SECONDS, self.send, packet, to, tries + 1)

    def quiet(self) -> None:
        if self._again is not None:
            self._again.cancel()

    def error_received(self, exc: Exception) -> None:
        self._end(OSError(str(exc)))

    def datagram_received(self, data: bytes, addr: Address) -> None:
        server = addr[:2]
        if self.received.done() or addr[0] != self._host or self._server not in (None, server):
            return
        kind = wire.kind_of(data)
        if kind == wire.ERROR:
            self._end(NotGivenError(f"{wire.number_of(data)} {data[4:].rstrip(bytes(1)).decode(errors='replace')}"))
        elif kind == wire.OACK and not self._blocks:
            self._server, self._block_bytes = server, wire.confirmed_block_bytes(data)
            self.send(wire.acknowledgement(0), server)
        elif kind == wire.DATA and wire.number_of(data) == (self._blocks + 1) % wire.BLOCKS:
            self._server = server
            self._take(data[4:], server)

    def _take(self, block: bytes, server: Address) -> None:
        self._blocks += 1
        self.send(wire.acknowledgement(self._blocks), server)
        try:
            self._file.take(block)
        except OSError as error:
            self._end(error)
        if len(block) < self._block_bytes:
            self._end(None)

    def _end(self, error: OSError | None) -> None:
        self.quiet()
        with contextlib.suppress(asyncio.InvalidStateError):
            if error is None:
                self.received.set_result(None)
            else:
                self.received.set_exception(error)
