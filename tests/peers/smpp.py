"""A short message centre on loopback: SMPP 3.4 by threads, which remembers what was submitted and delivers what waits."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from smpplib import consts, smpp


class _Numbers:
    """Sequence numbers of what the centre sends by itself."""

    def __init__(self) -> None:
        self.sequence = 0

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence


@dataclass
class MessageCentre:
    """`statuses` answer the next submissions; `silent`: none is answered; `waiting` is delivered to who is bound."""

    password: str = "s3cret"
    statuses: list[int] = field(default_factory=list)
    silent: bool = False
    submitted: list[Any] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    binds: list[str] = field(default_factory=list)
    port: int = 0

    @contextlib.contextmanager
    def running(self) -> Iterator["MessageCentre"]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    def receipt(self, reference: str, word: str, **more: Any) -> None:
        """Have a receipt wait, in the form of appendix B."""
        text = f"id:{reference} sub:001 dlvrd:001 submit date:2611290000 done date:2611290001 stat:{word} err:000 text:"
        self.waiting.append({"short_message": text.encode(), "esm_class": 0x04, **more})

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        numbers = _Numbers()
        with peer, contextlib.suppress(OSError, struct.error):
            while pdu := _read(peer, numbers):
                if not self._answer(peer, numbers, pdu):
                    return

    def _answer(self, peer: socket.socket, numbers: _Numbers, pdu: Any) -> bool:
        if pdu.command == "deliver_sm_resp":
            self.acknowledged.append(pdu.status)
            return True
        if pdu.command.startswith("bind_"):
            self.binds.append(pdu.command)
            good = pdu.password.decode().rstrip("\0") == self.password
            status = 0 if good else consts.SMPP_ESME_RINVPASWD
            _send(peer, numbers, f"{pdu.command}_resp", pdu, status, system_id="centre")
            return good
        while self.waiting:
            one = {"source_addr": "15550001", "destination_addr": "15550002"} | self.waiting.pop(0)
            _send(peer, numbers, "deliver_sm", None, 0, **one)
        if pdu.command == "submit_sm":
            self.submitted.append(pdu)
            if self.silent:
                return True
            status = self.statuses.pop(0) if self.statuses else 0
            _send(peer, numbers, "submit_sm_resp", pdu, status, message_id=f"c{len(self.submitted)}")
        if pdu.command in ("enquire_link", "unbind"):
            _send(peer, numbers, f"{pdu.command}_resp", pdu, 0)
        return bool(pdu.command != "unbind")


def _read(peer: socket.socket, numbers: _Numbers) -> Any:
    head = _exactly(peer, 4)
    return smpp.parse_pdu(
        head + _exactly(peer, struct.unpack(">L", head)[0] - 4), client=numbers, allow_unknown_opt_params=True
    )


def _exactly(peer: socket.socket, length: int) -> bytes:
    octets = b""
    while len(octets) < length:
        more = peer.recv(length - len(octets))
        if not more:
            raise ConnectionResetError
        octets += more
    return octets


def _send(peer: socket.socket, numbers: _Numbers, command: str, to: Any, status: int, **fields: Any) -> None:
    pdu = smpp.make_pdu(command, client=numbers, status=status, **fields)
    pdu.sequence = to.sequence if to else numbers.next_sequence()
    peer.sendall(pdu.generate())
