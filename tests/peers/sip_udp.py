"""The least of a SIP phone: a UDP socket that keeps every NOTIFY and answers each with one status."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator

from tests.servers import free_port


class SipPhone:
    """`notifies` holds the requests as text; `status` 0 means silence, and may be changed at any time."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.notifies: list[str] = []
        self.arrived = threading.Event()
        self._caught_up = threading.Event()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # When it has gone nobody else answers there.
        self.socket.bind(("127.0.0.1", free_port()))
        self.port: int = self.socket.getsockname()[1]

    def serve(self) -> None:
        while True:
            message, sender = self.socket.recvfrom(65535)
            if message == b"stop":
                return
            if message == b"caught up?":
                self._caught_up.set()
                continue
            text = message.decode()
            self.notifies.append(text)
            self.arrived.set()
            if self.status:
                copied = re.findall(r"^(?:Via|From|To|Call-ID|CSeq):.*$", text.replace("\r", ""), re.MULTILINE)
                lines = [f"SIP/2.0 {self.status} Answer", *copied, "Content-Length: 0", "", ""]
                self.socket.sendto("\r\n".join(lines).encode(), sender)

    def heard(self) -> int:
        """How many requests have come, with those that wait in the socket."""
        self._caught_up.clear()
        self.socket.sendto(b"caught up?", ("127.0.0.1", self.port))
        assert self._caught_up.wait(180)
        return len(self.notifies)

    @property
    def transactions(self) -> set[str]:
        """The distinct requests among all datagrams: retransmissions have the same branch."""
        return {re.search(r"branch=([^;\s]+)", text)[1] for text in self.notifies}  # type: ignore[index]


@contextlib.contextmanager
def sip_phone(status: int = 200) -> Iterator[SipPhone]:
    phone = SipPhone(status)
    thread = threading.Thread(target=phone.serve, daemon=True)
    thread.start()
    try:
        yield phone
    finally:
        phone.socket.sendto(b"stop", ("127.0.0.1", phone.port))
        thread.join(180)
        phone.socket.close()
