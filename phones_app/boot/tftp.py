"""The read-only TFTP side of the file server: what older phones ask, and the others when HTTP does not answer
(Cisco phones spec §3.2). RFC 1350 with the options of RFC 2347 to 2349.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from io import FileIO

from contacts_app.core.net import tftp as wire
from phones_app.boot.fetches import Fetch, FetchReporter
from phones_app.boot.lookup import FileLookup

MAX_TRANSFERS = 1024
MAX_OF_ADDRESS = 768
TRIES = 5
Address = tuple[str, int]


class FileTftp:
    """Answers read requests on one port; each transfer has a port of its own, as the protocol wants it."""

    def __init__(self, files: FileLookup, reporter: FetchReporter) -> None:
        self._files = files
        self._reporter = reporter
        self._host = ""
        self._listener: asyncio.DatagramTransport | None = None
        self._transfers: dict[Address, asyncio.Task[None]] = {}

    async def open(self, host: str, port: int) -> int:
        """Start to listen and return the port, which is a free one when `port` is 0."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Requests(self), local_addr=(host, port))
        self._host, self._listener = host, transport
        return int(transport.get_extra_info("sockname")[1])

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.abort()
            self._listener = None
        for transfer in self._transfers.values():
            transfer.cancel()
        await asyncio.gather(*self._transfers.values(), return_exceptions=True)

    def requested(self, packet: bytes, peer: Address) -> None:
        """One packet that came to the well-known port."""
        # A request that is repeated while its transfer runs was answered already: the data will be repeated.
        if peer in self._transfers or len(self._transfers) >= MAX_TRANSFERS:
            return
        if sum(address == peer[0] for address, _ in self._transfers) >= MAX_OF_ADDRESS:
            return
        try:
            fetch, request = self._judge(packet, peer)
        except PermissionError as refusal:
            self._refuse(peer, *refusal.args)
            return
        except wire.NotTftpError:
            self._refuse(peer, wire.ILLEGAL, "not a request")
            return
        transfer = asyncio.create_task(self._answer(fetch, request, peer))
        self._transfers[peer] = transfer
        transfer.add_done_callback(lambda _: self._transfers.pop(peer, None))

    def _judge(self, packet: bytes, peer: Address) -> tuple[Fetch, wire.ReadRequest]:
        """Return what is asked for; PermissionError with a TFTP error and its words."""
        kind = wire.kind_of(packet)
        if kind == wire.WRQ:
            raise PermissionError(wire.ACCESS_VIOLATION, "read only")
        if kind != wire.RRQ:
            raise wire.NotTftpError("not a request")
        request = wire.read_request(packet)
        if request.mode != "octet":
            raise PermissionError(wire.NOT_DEFINED, "only octet mode")
        return Fetch(request.name.removeprefix("/"), peer[0], "tftp"), request

    async def _answer(self, fetch: Fetch, request: wire.ReadRequest, peer: Address) -> None:
        file = await self._files.open(fetch)
        if file is None:
            fetch.missing = True
            self._reporter.report(fetch)
            self._refuse(peer, wire.NOT_FOUND, "file not found")
            return
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        await self._transfer(fetch, wire.agree(request.options, size), file, peer)

    def _refuse(self, peer: Address, number: int, text: str) -> None:
        if self._listener is not None:
            self._listener.sendto(wire.error(number, text), peer)

    async def _transfer(self, fetch: Fetch, terms: wire.Terms, file: FileIO, peer: Address) -> None:
        with file:
            try:
                async with _Conversation.open(self._host, peer, terms.seconds) as conversation:
                    if terms.confirmed:
                        await conversation.exchange(wire.confirmation(terms), 0)
                    block, content = 0, b"."
                    while not block or len(content) == terms.block_bytes:
                        block += 1
                        content = file.read(terms.block_bytes)
                        await conversation.exchange(wire.data(block, content), block)
                        fetch.sent(content)
                    fetch.complete = True
            except OSError:
                pass  # the client went away, gave up, or never was at that address
            finally:
                self._reporter.report(fetch)


class _Requests(asyncio.DatagramProtocol):
    def __init__(self, server: FileTftp) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._server.requested(data, addr[:2])


class _Conversation(asyncio.DatagramProtocol):
    """One transfer's packets to and from one client; the kernel keeps those of others away."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._received: asyncio.Queue[bytes | Exception] = asyncio.Queue(maxsize=16)
        self._transport: asyncio.DatagramTransport | None = None

    @staticmethod
    @contextlib.asynccontextmanager
    async def open(host: str, peer: Address, seconds: float) -> AsyncIterator["_Conversation"]:
        transport, conversation = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Conversation(seconds), local_addr=(host, 0), remote_addr=peer
        )
        conversation._transport = transport
        try:
            yield conversation
        finally:
            transport.close()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._received.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._received.put_nowait(exc)

    async def exchange(self, packet: bytes, block: int) -> None:
        """Send until this block is acknowledged; OSError when it is not, or the client reports an error.

        Only silence makes a packet go out again: answering old acknowledgements would double every packet
        of the rest of the transfer (RFC 1123 §4.2.3.1).
        """
        assert self._transport is not None  # noqa: S101 (there is one since the conversation was opened)
        for _ in range(TRIES):
            self._transport.sendto(packet)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._acknowledged(block)
                    return
        raise TimeoutError("the client does not acknowledge")

    async def _acknowledged(self, block: int) -> None:
        while True:
            answer = await self._received.get()
            if isinstance(answer, Exception):
                raise ConnectionResetError(str(answer))
            if wire.kind_of(answer) == wire.ERROR:
                raise ConnectionAbortedError("the client broke off")
            if wire.kind_of(answer) == wire.ACK and wire.number_of(answer) == block % wire.BLOCKS:
                return
