"""One file on its way to one TFTP client: blocks, acknowledgements, and what is sent again (RFC 1350, RFC 7440).

Only silence makes a packet go out again: answering old acknowledgements would double every packet of the rest of the
transfer (RFC 1123 §4.2.3.1). With windows, an acknowledgement that comes twice tells of a lost block; it is answered
once.
"""

import asyncio
from typing import cast

from contacts_app.core.net import tftp as wire
from phones_app.boot.contents import SentContent
from phones_app.boot.fetches import Fetch

TRIES = 5


class Transfer(asyncio.DatagramProtocol):
    """Ends its future when all blocks were acknowledged, or with OSError. The kernel keeps packets of others away."""

    def __init__(self, content: SentContent, terms: wire.Terms, fetch: Fetch, *, is_hashed: bool) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.was_heard = False
        self._loop = asyncio.get_running_loop()
        self._content, self._terms, self._fetch, self._is_hashed = content, terms, fetch, is_hashed
        self._last = content.size // terms.block_bytes + 1
        # Blocks counted from 1, whatever their numbers on the wire; -1: the options are not acknowledged yet.
        self._acknowledged = -1 if terms.confirmed else 0
        self._sent = self._hashed = 0
        self._repeated_after = -1
        self._tries = 1
        self._again_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self._send()
        self._watch()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.was_heard = True
        kind = wire.kind_of(data)
        if kind == wire.ERROR:
            self._end(ConnectionAbortedError("the client broke off"))
        if kind != wire.ACK or self.ended.done():
            return
        number = wire.number_of(data)
        if self._acknowledged < 0:
            if number == 0:
                self._goes_on(0)
            return
        further = (number - self._acknowledged) % wire.BLOCKS
        if 0 < further <= self._sent - self._acknowledged:
            self._goes_on(self._acknowledged + further)
        elif further == 0 and self._terms.window > 1 and self._repeated_after != self._acknowledged:
            self._repeated_after = self._acknowledged
            self._send()

    def error_received(self, exc: Exception) -> None:
        self._end(ConnectionResetError(str(exc)))

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()

    def _goes_on(self, acknowledged: int) -> None:
        self._acknowledged, self._tries = acknowledged, 1
        if acknowledged == self._last:
            self._end(None)
        else:
            self._send()

    def _send(self) -> None:
        """The packets that the client is to acknowledge next."""
        assert self._transport is not None  # noqa: S101 (it is sent to since the transport is there)
        self._again_at = self._loop.time() + self._terms.seconds
        if self._acknowledged < 0:
            self._transport.sendto(wire.confirmation(self._terms))
            return
        size = self._terms.block_bytes
        first = self._acknowledged + 1
        self._sent = min(self._acknowledged + self._terms.window, self._last)
        for block in range(first, self._sent + 1):
            data = self._content.read((block - 1) * size, size)
            if len(data) != size and block != self._last:
                self._end(OSError("the file became shorter"))
                return
            if self._is_hashed and block > self._hashed:
                self._hashed = block
                self._fetch.sent(data)
            self._transport.sendto(wire.data(block, data))

    def _watch(self) -> None:
        """One timer that is set anew when it goes off, because acknowledgements come by thousands a second."""
        now = self._loop.time()
        if now >= self._again_at:
            if self._tries >= TRIES:
                self._end(TimeoutError("the client does not acknowledge"))
                return
            self._tries += 1
            self._repeated_after = -1
            self._send()
        if not self.ended.done():
            self._timer = self._loop.call_later(max(0.01, self._again_at - now), self._watch)

    def _end(self, error: OSError | None) -> None:
        if self.ended.done():
            return
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)
