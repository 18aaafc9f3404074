"""The read-only TFTP side of the file server: what older phones ask, and the others when HTTP does not answer
(Cisco phones spec §3.2). RFC 1350 with the options of RFC 2347 to 2349 and RFC 7440.
"""

import asyncio

from contacts_app.core.net import tftp as wire
from contacts_app.core.net.limits import RequestLimits
from phones_app.boot.contents import SentContent
from phones_app.boot.fetches import Fetch, FetchReporter
from phones_app.boot.lookup import FileLookup
from phones_app.boot.names import is_of_one_phone
from phones_app.boot.tftp_transfer import Transfer

MAX_TRANSFERS = 2048
Address = tuple[str, int]


class _Answering:
    """A request that is being answered; one whose client has not said anything since can be given up for others."""

    def __init__(self, task: asyncio.Task[None]) -> None:
        self.task = task
        self.transfer: Transfer | None = None

    @property
    def was_heard(self) -> bool:
        return self.transfer is not None and self.transfer.was_heard


class FileTftp:
    """Answers read requests on one port; each transfer has a port of its own, as the protocol wants it."""

    def __init__(self, files: FileLookup, reporter: FetchReporter, limits: RequestLimits) -> None:
        self._files = files
        self._reporter = reporter
        self._limits = limits
        self._host = ""
        self._listener: asyncio.DatagramTransport | None = None
        self._answering: dict[Address, _Answering] = {}

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
        tasks = [answering.task for answering in self._answering.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def requested(self, packet: bytes, peer: Address) -> None:
        """One packet that came to the well-known port."""
        # A request that is repeated while its transfer runs was answered already: the data will be repeated.
        if peer in self._answering:
            return
        try:
            fetch, request = self._judge(packet, peer)
            if not self._limits.begin(peer[0]):
                raise PermissionError(wire.NOT_DEFINED, "too many requests")
        except PermissionError as refusal:
            self._refuse(peer, *refusal.args)
            return
        except wire.NotTftpError:
            self._refuse(peer, wire.ILLEGAL, "not a request")
            return
        if not self._has_room():
            self._limits.end(peer[0])
            self._limits.refuse_connection(peer[0])
            self._refuse(peer, wire.NOT_DEFINED, "too many transfers")
            return
        task = asyncio.create_task(self._answer(fetch, request, peer))
        self._answering[peer] = _Answering(task)
        task.add_done_callback(lambda _: self._done(peer))

    def _done(self, peer: Address) -> None:
        self._answering.pop(peer, None)
        self._limits.end(peer[0])

    def _has_room(self) -> bool:
        """Whether another transfer can begin, maybe after one that no client has acknowledged yet is broken off."""
        if len(self._answering) < MAX_TRANSFERS:
            return True
        for each in self._answering.values():
            if not each.was_heard and not each.task.cancelling():
                return each.task.cancel()
        return False

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
        found = self._files.open(fetch)
        content = found if found is None or isinstance(found, SentContent) else await found
        if content is None:
            fetch.missing = True
            self._reporter.report(fetch)
            self._refuse(peer, wire.NOT_FOUND, "file not found")
            return
        with content:
            await self._transfer(fetch, request, content, peer)

    def _refuse(self, peer: Address, number: int, text: str) -> None:
        if self._listener is not None:
            self._listener.sendto(wire.error(number, text), peer)

    async def _transfer(self, fetch: Fetch, request: wire.ReadRequest, content: SentContent, peer: Address) -> None:
        terms = wire.agree(request.options, content.size)
        transfer = Transfer(content, terms, fetch, is_hashed=is_of_one_phone(fetch.file_name))
        self._answering[peer].transfer = transfer
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: transfer, local_addr=(self._host, 0), remote_addr=peer
            )
            await transfer.ended
            fetch.complete, fetch.size = True, content.size
        except OSError:
            pass  # the client went away, gave up, or never was at that address
        finally:
            transfer.stop()
        self._reporter.report(fetch)


class _Requests(asyncio.DatagramProtocol):
    def __init__(self, server: FileTftp) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._server.requested(data, addr[:2])
