"""The phone's SIP side: judges a NOTIFY, answers it, then has the phone act (Cisco phones spec §2)."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable

from phones_app.simulator.sip_request import SipRequest, parse_headers, parse_request, write_answer
from phones_app.simulator.state import Order, PhoneState

# RFC 3261 §17.2.2, timer J: how long an answer is kept for retransmissions of its request.
REMEMBER_SECONDS = 32.0
# A client that keeps a TCP connection to a phone open without a word.
IDLE_SECONDS = 60.0
MAX_MESSAGE_BYTES = 64 * 1024
# A port that is free for UDP may be in use for TCP.
_FREE_PORT_ATTEMPTS = 20

_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    481: "Call Leg/Transaction Does Not Exist",
    483: "Too Many Hops",
}
# What each action makes the phone do; None is accepted and changes nothing that can be seen from here.
_ACTIONS: dict[str, Order | None] = {
    "restart": Order.RESTART,
    "reset": Order.RESET,
    "check-version": Order.RESTART,
    "apply-config": Order.RESTART,
    "call-preservation": None,
    "prt-report": None,
}
# Accepted without effect: enterprise firmware answers 200 to check-sync and does nothing (Cisco phones spec §2.2).
_IDLE_EVENTS = ("check-sync", "message-summary")

Send = Callable[[bytes], None]
Verdict = tuple[int, Order | None]


class SipAgent:
    """Listens on one port, UDP and TCP, for one phone."""

    def __init__(self, phone: PhoneState) -> None:
        self._phone = phone
        self._tag = secrets.token_hex(8)
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        # None as an answer: the request is known and its answer still to come.
        self._answers: dict[tuple[str, str, str], tuple[float, bytes | None]] = {}

    async def open(self, host: str, port: int) -> int:
        """Start to listen and return the port, which is free for both protocols when `port` is 0."""
        self._answers.clear()  # a phone that was without power remembers nothing
        attempts = 1 if port else _FREE_PORT_ATTEMPTS
        while True:
            attempts -= 1
            try:
                return await self._open_both(host, port)
            except OSError:
                self.close()
                if not attempts:
                    raise

    async def _open_both(self, host: str, port: int) -> int:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=(host, port))
        self._udp = transport
        bound = int(transport.get_extra_info("sockname")[1])
        self._tcp = await asyncio.start_server(
            self._serve_stream, host, bound, limit=MAX_MESSAGE_BYTES, reuse_address=True
        )
        return bound

    def close(self) -> None:
        if self._udp is not None:
            self._udp.abort()
            self._udp = None
        if self._tcp is not None:
            self._tcp.close()
            self._tcp = None
        for writer in self._writers:
            writer.transport.abort()

    def datagram(self, message: bytes, source: tuple[str, int]) -> None:
        request = parse_request(message)
        if request is not None:
            address = request.reply_address(source)
            self._receive(request, source, lambda answer: self._send_datagram(answer, address))

    def _send_datagram(self, answer: bytes, address: tuple[str, int]) -> None:
        if self._udp is not None:
            self._udp.sendto(answer, address)

    def _receive(self, request: SipRequest, source: tuple[str, int], send: Send) -> None:
        if request.method == "ACK":
            return
        loop = asyncio.get_running_loop()
        self._forget(loop.time())
        known = self._answers.get(request.transaction)
        if known is not None:
            if known[1] is not None:
                send(known[1])
            return
        if request.method == "NOTIFY":
            self._phone.notifies += 1
        status, order = self._judge(request)
        answer = write_answer(request, status, _REASONS[status], source, self._tag, self._phone.user_agent)
        self._answers[request.transaction] = (loop.time() + REMEMBER_SECONDS, None)
        self._phone.record(f"{request.method} {request.header('event')} answered {status}".replace("  ", " "))

        def deliver() -> None:
            self._answers[request.transaction] = (loop.time() + REMEMBER_SECONDS, answer)
            send(answer)
            if order is not None:
                self._phone.take(order)

        delay = self._phone.answer_delay
        if delay:
            loop.call_later(delay, deliver)
        else:
            deliver()

    def _forget(self, now: float) -> None:
        """Drop what is too old; entries are in the order of their age."""
        while self._answers and next(iter(self._answers.values()))[0] < now:
            del self._answers[next(iter(self._answers))]

    def _judge(self, request: SipRequest) -> Verdict:
        """Return the answer, and what the phone does after it; the order of the checks is our own choice."""
        users = self._phone.line_users
        refusals = (
            (400, not all(request.headers.get(name) for name in ("from", "to", "call-id", "cseq"))),
            (400, request.header("cseq").split()[-1:] != [request.method]),
            (483, request.header("max-forwards") == "0"),
            (481, request.in_dialog or request.method == "INFO"),
            (405, request.method not in ("NOTIFY", "OPTIONS")),
            (400, not request.user or not request.complete),
            (400, request.host != self._phone.config.host),
            (404, request.user not in users),
        )
        status = next((status for status, applies in refusals if applies), 200)
        if status != 200 or request.method == "OPTIONS":
            return status, None
        return self._judge_notify(request)

    def _judge_notify(self, request: SipRequest) -> Verdict:
        event = request.header("event").partition(";")[0].strip().lower()
        if event in _IDLE_EVENTS:
            return 200, None
        fields = request.fields()
        action = fields.get("action", "").lower()
        if event != "service-control" or request.from_user or action not in _ACTIONS:
            return 400, None
        named = fields.get("registercallid", "")
        if named != self._phone.call_id and (named or self._phone.config.strict_call_id):
            return 400, None
        if action == "check-version" and not self._differs(fields):
            return 200, None
        if action == "apply-config" and fields.get("cucmresult", "").lower() != "reregister_needed":
            return 200, None
        return 200, _ACTIONS[action]

    def _differs(self, fields: dict[str, str]) -> bool:
        stamp = fields.get("configversionstamp")
        return stamp is not None and stamp != self._phone.version_stamp

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        source = writer.get_extra_info("peername")[:2]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                async with asyncio.timeout(IDLE_SECONDS):
                    message = await _read_message(reader)
                request = parse_request(message, length_required=True)
                if request is None:
                    break
                self._receive(request, source, writer.write)
                if not request.complete:
                    break  # without a length the next message has no known beginning (RFC 3261 §18.3)
        self._writers.discard(writer)
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, agent: SipAgent) -> None:
        self._agent = agent

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._agent.datagram(data, addr[:2])


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    """Read one message, only its head if that tells no length; OSError when it is too long."""
    head = b""
    while not head.strip():  # empty lines between messages keep the connection alive (RFC 5626 §3.5.1)
        head = await reader.readuntil(b"\r\n\r\n")
    headers = parse_headers(head.decode("utf-8", "replace").lstrip("\r\n").split("\r\n")[1:])
    declared = headers.get("content-length", [""])[0]
    length = int(declared) if declared.isdecimal() else 0
    if length > MAX_MESSAGE_BYTES:
        raise OSError("the message is too long")
    return head + await reader.readexactly(length)
