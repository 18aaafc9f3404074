"""Sends one SIP NOTIFY to a phone, or through a call manager to it, and waits for the final answer.

UDP and TCP. TLS is not offered: a phone registered by TCP or TLS takes requests only on the connection that
it opened itself to its call manager (Cisco phones spec §2.3), so a connection of ours would not reach it
however well encrypted; ask the call manager instead (`asterisk`). TCP is for call managers and for phones
that listen.
"""

import hashlib
import re
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from contacts_app.core.errors import Exchange, TransportError
from contacts_app.core.net.wire import Deadline, Networks, checked_address, connection_error, evidence
from phones_app.transports.restart.sip_message import (
    DEFAULT_STAMPS,
    SipResponse,
    Stamps,
    StreamFramer,
    body_lines,
    host_text,
    parse_response,
)

# Waits before the next try; their sum is when to give up. RFC 3261's timer F (32 s) is too long for a person
# at a screen (Cisco phones spec §2.2).
RETRANSMIT: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
_PATIENCE = sum(RETRANSMIT)

_USUAL_PORT = 5060
# Source ports for repeatable transactions lie above Linux's range of ephemeral ports.
_REPEATABLE_PORTS = range(61000, 65536)
# Linux lets an unconnected UDP socket hear of ICMP errors (ip(7), ipv6(7)); Python has no names for it.
_RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}

_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%]{1,128}")
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}|\[?[0-9A-Fa-f:.]{2,45}\]?")


@dataclass(frozen=True)
class NotifyTarget:
    """Where to send to (`host`, `port`), and for which `user` there.

    A phone is addressed by the contact that it registered. A registrar is addressed by the address of record that it
    serves, and finds the phone itself (Asterisk spec §G).
    """

    host: str
    port: int = 5060
    transport: str = "udp"
    user: str = ""
    to_registrar: bool = False
    networks: Networks | None = None

    @property
    def uri(self) -> str:
        usual = self.to_registrar and self.port == _USUAL_PORT
        return f"sip:{self.user}@{host_text(self.host)}" + ("" if usual else f":{self.port}")


@dataclass(frozen=True)
class SipAnswer:
    """The final answer. `attempts` counts how often the request went out; `exchange` has the exact texts."""

    status: int
    reason: str
    exchange: Exchange
    attempts: int


@dataclass(frozen=True)
class _Transaction:
    """The identifiers of one NOTIFY, and the source port when it has to be found again."""

    branch: str
    tag: str
    call_id: str
    port: int

    @classmethod
    def from_seed(cls, seed: str) -> "_Transaction":
        digest = hashlib.sha256((seed or secrets.token_hex(16)).encode()).hexdigest()
        port = _REPEATABLE_PORTS[int(digest[48:56], 16) % len(_REPEATABLE_PORTS)] if seed else 0
        return cls(f"z9hG4bK{digest[:16]}", digest[16:32], digest[32:48], port)


def send_notify(
    target: NotifyTarget,
    *,
    action: str = "restart",
    register_call_id: str = "",
    stamps: Stamps = DEFAULT_STAMPS,
    transaction: str = "",
    timeout: float = _PATIENCE,
) -> SipAnswer:
    """Send the NOTIFY and return whatever final answer comes; TransportError when none does.

    `transaction` is a seed for branch, tag, Call-ID and source port. Sent again with the same seed, after a
    crash of the sender, the request is a retransmission to the phone and not a second restart (RFC 3261
    §17.2.3: the branch and the sent-by of the top Via count). That holds as long as the phone remembers,
    32 s over UDP, and if the port is free; over TCP there are no retransmissions and a phone may act twice.
    """
    _check(target)
    lines = body_lines(action, register_call_id, stamps)
    address = checked_address(target.networks, target.host, target.port)
    identity = _Transaction.from_seed(transaction)
    conversation = _Conversation(target, address, identity, lines, Deadline.after(timeout))
    send = _over_tcp if target.transport == "tcp" else _over_udp
    try:
        final = send(conversation)
    except OSError as error:
        raise connection_error(error, conversation.peer, conversation.exchange) from error
    if final is None:
        raise TransportError(
            f"{conversation.peer} gave no answer to {conversation.attempts} tries: it is off, registered by "
            "TCP, or does not take requests from this server",
            code="timeout",
            exchange=conversation.exchange,
        )
    return SipAnswer(final.status, final.reason, conversation.exchange, conversation.attempts)


def _check(target: NotifyTarget) -> None:
    """Refuse what would end a header or a line: these values come from a database that people fill."""
    if target.transport not in ("udp", "tcp"):
        fault = f"A NOTIFY is sent by udp or tcp, not by {target.transport!r}"
    elif not _USER.fullmatch(target.user):
        fault = f"{target.user!r} cannot be the user of a SIP address"
    elif not _HOST.fullmatch(target.host):
        fault = f"{target.host!r} is not a host"
    else:
        return
    raise TransportError(fault, permanent=True, code="invalid-value")


@dataclass
class _Conversation:
    """One NOTIFY on its way: what it is made of, and what has gone out and come in so far."""

    target: NotifyTarget
    address: str
    identity: _Transaction
    lines: list[str]
    deadline: Deadline
    request: bytes = b""
    heard: list[str] = field(default_factory=list)
    attempts: int = 0

    @property
    def peer(self) -> str:
        return f"{self.target.host}:{self.target.port}/{self.target.transport}"

    @property
    def exchange(self) -> Exchange:
        return Exchange(evidence(self.request), evidence("\n".join(self.heard)))

    def write_from(self, local: str, port: int) -> None:
        """Write the request. From has no user part: with one, several firmwares answer 400 (Cisco phones spec §2.1)."""
        here = f"{host_text(local)}:{port}"
        # A registrar may be an Asterisk that crashes at a bare rport (Asterisk spec §I.5); it answers to the port above.
        rport = "" if self.target.to_registrar else ";rport"
        body = "".join(f"{line}\r\n" for line in self.lines).encode("ascii")
        head = (
            f"NOTIFY {self.target.uri} SIP/2.0",
            f"Via: SIP/2.0/{self.target.transport.upper()} {here};branch={self.identity.branch}{rport}",
            "Max-Forwards: 70",
            f"From: <sip:{host_text(local)}>;tag={self.identity.tag}",
            f"To: <{self.target.uri}>",
            f"Call-ID: {self.identity.call_id}@{local}",
            "CSeq: 1 NOTIFY",
            f"Contact: <sip:{here}>",
            "Event: service-control",
            "Subscription-State: active",
            "Content-Type: text/plain",
            f"Content-Length: {len(body)}",
        )
        self.request = "".join(f"{line}\r\n" for line in head).encode("ascii") + b"\r\n" + body

    def hear(self, message: bytes) -> SipResponse | None:
        """Note a message if it answers our request, and return it if it is the final answer."""
        response = parse_response(message)
        if response is None or not response.belongs_to(self.identity.branch, self.identity.call_id):
            return None
        self.heard.append(response.text)
        return response if response.status >= 200 else None


def _over_udp(conversation: _Conversation) -> SipResponse | None:
    address, port = conversation.address, conversation.target.port
    with _datagram_socket(address, port, conversation.identity.port) as sock:
        conversation.write_from(*sock.getsockname()[:2])
        waits = RETRANSMIT
        while waits and conversation.deadline.left():
            sock.sendto(conversation.request, (address, port))
            conversation.attempts += 1
            if final := _listen(sock, conversation, min(waits[0], conversation.deadline.left())):
                return final
            waits = waits[1:]
            if conversation.heard:
                # The phone is at work: only the longest wait remains (RFC 3261 §17.1.2.2, timer E at T2).
                waits = waits[-1:]
    return None


def _listen(sock: socket.socket, conversation: _Conversation, seconds: float) -> SipResponse | None:
    until = Deadline.after(seconds)
    while left := until.left():
        sock.settimeout(left)
        try:
            datagram, source = sock.recvfrom(65535)
        except TimeoutError:
            break
        # The host is compared and the port is not: many phones send from another port than they listen on.
        if source[0] == conversation.address and (final := conversation.hear(datagram)):
            return final
    return None


def _over_tcp(conversation: _Conversation) -> SipResponse | None:
    deadline = conversation.deadline
    place = (conversation.address, conversation.target.port)
    with socket.create_connection(place, timeout=deadline.remaining()) as sock:
        conversation.write_from(*sock.getsockname()[:2])
        conversation.attempts = 1
        sock.sendall(conversation.request)
        framer = StreamFramer()
        while left := deadline.left():
            sock.settimeout(left)
            try:
                chunk = sock.recv(65536)
            except TimeoutError:
                break
            if not chunk:
                raise ConnectionResetError  # closed before the final answer
            for message in framer.feed(chunk):
                if final := conversation.hear(message):
                    return final
    return None


@contextmanager
def _datagram_socket(address: str, port: int, wanted: int) -> Iterator[socket.socket]:
    """Open a UDP socket on the local address that leads to the phone.

    It is not connected, because a connected one would drop answers from another port of the phone.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((address, port))  # sends nothing; asks the routing table
        local = probe.getsockname()[0]
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if sys.platform == "linux":
            sock.setsockopt(*_RECVERR[family], 1)
        try:
            sock.bind((local, wanted))
        except OSError:  # that port is taken: better a fresh transaction than no restart
            sock.bind((local, 0))
        yield sock
