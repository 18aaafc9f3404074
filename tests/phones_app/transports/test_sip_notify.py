"""A NOTIFY as real SIP stacks see it: sipp for the dialogue, raw sockets for the bytes."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import Networks
from phones_app.transports.restart.sip_message import DEFAULT_STAMPS, explain, parse_stamps
from phones_app.transports.restart.sip_notify import NotifyTarget, send_notify
from tests.peers.sipp import TAKE_NOTIFY, answer, needs_sipp, silence, sipp_phone
from tests.servers import free_port

CALL_ID = "001122334455-0002a3f4-1b2c3d4e-5f607182@192.0.2.10"


@contextlib.contextmanager
def bound(kind: socket.SocketKind, host: str = "127.0.0.1") -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind((host, 0))
        sock.settimeout(60)
        yield sock


@pytest.fixture
def phone() -> Iterator[socket.socket]:
    """A phone that does nothing by itself: a bare UDP socket."""
    with bound(socket.SOCK_DGRAM) as sock:
        yield sock


def target(phone: socket.socket | int, transport: str = "udp") -> NotifyTarget:
    port = phone if isinstance(phone, int) else phone.getsockname()[1]
    return NotifyTarget("127.0.0.1", port, transport, user="1001")


def reply(request: bytes, status: str = "200 OK", **changed: str) -> bytes:
    """Answer a request as a phone does: with its own headers, some of them changed."""
    headers = dict(line.split(": ", 1) for line in request.decode().split("\r\n\r\n")[0].split("\r\n")[1:])
    kept = {name: changed.get(name.replace("-", "_"), headers[name]) for name in ("Via", "From", "To", "Call-ID")}
    lines = [f"SIP/2.0 {status}", *(f"{name}: {value}" for name, value in kept.items()), "CSeq: 1 NOTIFY"]
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()


class Answers(threading.Thread):
    """A phone that gives these answers, one to each request; None lets a request pass unanswered."""

    def __init__(self, phone: socket.socket, *answers: str | None) -> None:
        super().__init__(daemon=True)
        self.phone, self.answers, self.requests = phone, answers, []
        self.start()

    def run(self) -> None:
        for status in self.answers:
            request, source = self.phone.recvfrom(65535)
            self.requests.append(request)
            if status:
                self.phone.sendto(reply(request, status), source)


@needs_sipp
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_phone_accepts_the_restart(tmp_path: Path, transport: str) -> None:
    with sipp_phone(tmp_path, TAKE_NOTIFY, answer(200, "OK"), transport=transport) as phone:
        result = send_notify(target(phone.port, transport), register_call_id=CALL_ID)
        assert (result.status, result.reason) == (200, "OK")
        assert phone.verdict() == ""
    assert result.exchange.answer.startswith("SIP/2.0 200 OK\r\n")


@needs_sipp
def test_a_phone_that_knows_another_registration_refuses(tmp_path: Path) -> None:
    with sipp_phone(tmp_path, TAKE_NOTIFY, answer(400, "Bad Request")) as phone:
        result = send_notify(target(phone.port), register_call_id=CALL_ID)
        assert phone.verdict() == ""
    assert result.status == 400
    assert "registration" in explain(result.status)


@needs_sipp
def test_a_phone_objects_to_another_action(tmp_path: Path) -> None:
    """The check of the peer itself: it would not accept just anything."""
    with sipp_phone(tmp_path, TAKE_NOTIFY, answer(200, "OK")) as phone:
        send_notify(target(phone.port), register_call_id=CALL_ID, action="reset", timeout=0.5)
        assert "sipp exit 1" in phone.verdict()


@needs_sipp
def test_a_phone_that_is_slow_gets_the_request_again(tmp_path: Path) -> None:
    with sipp_phone(tmp_path, TAKE_NOTIFY, silence(700), answer(200, "OK")) as phone:
        result = send_notify(target(phone.port), register_call_id=CALL_ID)
        assert result.status == 200
        assert result.attempts >= 2
        assert phone.verdict() == ""


@needs_sipp
def test_a_provisional_answer_is_not_the_end(tmp_path: Path) -> None:
    steps = (TAKE_NOTIFY, answer(100, "Trying"), silence(100), answer(200, "OK"))
    with sipp_phone(tmp_path, *steps) as phone:
        result = send_notify(target(phone.port), register_call_id=CALL_ID)
        assert result.status == 200
    assert "SIP/2.0 100 Trying" in result.exchange.answer


def test_a_phone_may_hear_only_the_second_request(phone: socket.socket) -> None:
    peer = Answers(phone, None, "200 OK")
    result = send_notify(target(phone))
    assert result.status == 200
    assert result.attempts >= 2
    assert peer.requests[0] == peer.requests[1]


def test_after_a_provisional_answer_the_phone_is_left_in_peace(phone: socket.socket) -> None:
    peer = Answers(phone, "100 Trying", None)
    with pytest.raises(TransportError):
        send_notify(target(phone), timeout=3.0)
    assert len(peer.requests) == 2  # without the provisional answer there would have been three


def test_the_bytes_are_those_of_the_specification(phone: socket.socket) -> None:
    peer = Answers(phone, "200 OK")
    result = send_notify(target(phone), register_call_id=CALL_ID)
    (request,) = peer.requests
    assert result.exchange.request.encode() == request
    head, body = request.split(b"\r\n\r\n")
    assert b"\n" not in request.replace(b"\r\n", b"")
    assert body == (
        b"action=restart\r\n"
        b"RegisterCallId={001122334455-0002a3f4-1b2c3d4e-5f607182@192.0.2.10}\r\n"
        b"ConfigVersionStamp={00000000-0000-0000-0000-000000000000}\r\n"
        b"DialplanVersionStamp={00000000-0000-0000-0000-000000000000}\r\n"
        b"SoftkeyVersionStamp={00000000-0000-0000-0000-000000000000}\r\n"
    )
    port = phone.getsockname()[1]
    pattern = rf"""NOTIFY sip:1001@127\.0\.0\.1:{port} SIP/2\.0
Via: SIP/2\.0/UDP 127\.0\.0\.1:\d+;branch=z9hG4bK[0-9a-f]{{16}};rport
Max-Forwards: 70
From: <sip:127\.0\.0\.1>;tag=[0-9a-f]{{16}}
To: <sip:1001@127\.0\.0\.1:{port}>
Call-ID: [0-9a-f]{{16}}@127\.0\.0\.1
CSeq: 1 NOTIFY
Contact: <sip:127\.0\.0\.1:\d+>
Event: service-control
Subscription-State: active
Content-Type: text/plain
Content-Length: 265"""
    assert re.fullmatch(pattern.replace("\n", "\r\n"), head.decode())


def test_a_registrar_is_asked_for_the_address_of_record_without_a_bare_rport(phone: socket.socket) -> None:
    """Asterisk spec §G, §I.5."""
    peer = Answers(phone, "200 OK")
    port = phone.getsockname()[1]
    assert send_notify(NotifyTarget("127.0.0.1", port, user="3001", to_registrar=True)).status == 200
    [request] = peer.requests
    assert request.startswith(f"NOTIFY sip:3001@127.0.0.1:{port} SIP/2.0\r\n".encode())
    assert f"\r\nTo: <sip:3001@127.0.0.1:{port}>\r\n".encode() in request
    assert b"rport" not in request


@pytest.mark.parametrize(("port", "uri"), [(5060, "sip:3001@sip.example"), (5080, "sip:3001@sip.example:5080")])
def test_the_usual_port_is_no_part_of_an_address_of_record(port: int, uri: str) -> None:
    assert NotifyTarget("sip.example", port, user="3001", to_registrar=True).uri == uri
    assert NotifyTarget("192.0.2.10", port, user="3001").uri == f"sip:3001@192.0.2.10:{port}"


def test_a_problem_report_carries_no_stamps(phone: socket.socket) -> None:
    peer = Answers(phone, "200 OK")
    send_notify(target(phone), register_call_id=CALL_ID, action="prt-report")
    body = peer.requests[0].split(b"\r\n\r\n")[1]
    assert body == f"action=prt-report\r\nRegisterCallId={{{CALL_ID}}}\r\n".encode()


def test_a_repeated_transaction_is_the_same_request(phone: socket.socket) -> None:
    peer = Answers(phone, "200 OK", "200 OK", "200 OK")
    for seed in ("deployment-7", "deployment-7", "deployment-8"):
        send_notify(target(phone), transaction=seed)
    first, again, other = peer.requests
    assert first == again != other


def test_without_a_seed_every_request_is_a_new_one(phone: socket.socket) -> None:
    peer = Answers(phone, "200 OK", "200 OK")
    send_notify(target(phone))
    send_notify(target(phone))
    assert peer.requests[0] != peer.requests[1]


def test_answers_to_somebody_else_are_not_taken(phone: socket.socket) -> None:
    def answer_wrongly() -> None:
        request, source = phone.recvfrom(65535)
        phone.sendto(b"\x00\xff not SIP", source)
        phone.sendto(b"OPTIONS sip:x SIP/2.0\r\n\r\n", source)
        phone.sendto(reply(request, Via="SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKother"), source)
        phone.sendto(reply(request, Call_ID="other@127.0.0.1"), source)
        with bound(socket.SOCK_DGRAM, "127.0.0.2") as stranger:
            stranger.sendto(reply(request), source)

    threading.Thread(target=answer_wrongly, daemon=True).start()
    with pytest.raises(TransportError) as caught:
        send_notify(target(phone), timeout=0.4)
    assert (caught.value.code, caught.value.answer) == ("timeout", "")


def test_a_phone_may_answer_from_another_port(phone: socket.socket) -> None:
    def answer_from_elsewhere() -> None:
        request, source = phone.recvfrom(65535)
        with bound(socket.SOCK_DGRAM) as other:
            other.sendto(reply(request), source)

    threading.Thread(target=answer_from_elsewhere, daemon=True).start()
    assert send_notify(target(phone), timeout=20).status == 200


def test_short_header_names_are_understood(phone: socket.socket) -> None:
    def answer_shortly() -> None:
        request, source = phone.recvfrom(65535)
        short = reply(request).replace(b"Via:", b"v:").replace(b"Call-ID:", b"i:")
        phone.sendto(short, source)

    threading.Thread(target=answer_shortly, daemon=True).start()
    assert send_notify(target(phone), timeout=20).status == 200


def test_silence_ends_with_the_request_as_evidence(phone: socket.socket) -> None:
    with pytest.raises(TransportError) as caught:
        send_notify(target(phone), timeout=0.2)
    assert (caught.value.code, caught.value.permanent) == ("timeout", False)
    assert "action=restart" in caught.value.request


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_closed_port_is_known_at_once(transport: str) -> None:
    port = free_port()
    started = time.monotonic()
    with pytest.raises(TransportError) as caught:
        send_notify(target(port, transport), timeout=120)
    assert caught.value.code == "refused"
    assert time.monotonic() - started < 60


def over_tcp(*chunks: str) -> tuple[NotifyTarget, threading.Thread, list[bytes]]:
    """A TCP peer that answers in these pieces; "{reply}" stands for an answer to the request."""
    server = socket.create_server(("127.0.0.1", 0))
    requests: list[bytes] = []

    def serve() -> None:
        with server, server.accept()[0] as connection:
            requests.append(connection.recv(65536))
            for chunk in chunks:
                connection.sendall(chunk.replace("{reply}", reply(requests[0]).decode()).encode())
                time.sleep(0.01)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return target(server.getsockname()[1], "tcp"), thread, requests


def test_over_tcp_the_answer_is_found_in_the_stream() -> None:
    noise = "\r\n\r\nOPTIONS sip:us SIP/2.0\r\nContent-Length: 4\r\n\r\nSIP/"
    notify, _, requests = over_tcp(noise[:30], noise[30:] + "{reply}")
    result = send_notify(notify, timeout=20)
    assert (result.status, result.attempts, len(requests)) == (200, 1, 1)
    assert requests[0].splitlines()[1].startswith(b"Via: SIP/2.0/TCP ")


def test_over_tcp_a_phone_that_hangs_up_is_an_error() -> None:
    notify, _, _ = over_tcp("SIP/2.0 100")
    with pytest.raises(TransportError) as caught:
        send_notify(notify, timeout=20)
    assert caught.value.code == "closed"


def test_over_tcp_an_endless_answer_is_cut_off() -> None:
    notify, _, _ = over_tcp("x" * 200_000)
    with pytest.raises(TransportError, match="too long"):
        send_notify(notify, timeout=20)


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": "1001\r\nX: 1"},
        {"user": ""},
        {"user": "1001>"},
        {"host": "127.0.0.1\r\n"},
        {"transport": "tls"},
        {"action": "explode"},
        {"register_call_id": "a\r\naction=reset"},
        {"register_call_id": "a}"},
        {"stamps": [("ConfigVersionStamp", "0\r\n")]},
        {"stamps": [("Config\nVersionStamp", "0")]},
    ],
)
def test_nothing_can_be_smuggled_into_the_message(phone: socket.socket, wrong: dict[str, object]) -> None:
    fields = {"host": "127.0.0.1", "port": phone.getsockname()[1], "user": "1001"}
    options = {}
    for name, value in wrong.items():
        (fields if name in NotifyTarget.__dataclass_fields__ else options)[name] = value
    with pytest.raises(TransportError) as caught:
        send_notify(NotifyTarget(**fields), timeout=0.1, **options)
    assert (caught.value.code, caught.value.permanent) == ("invalid-value", True)
    phone.setblocking(False)
    with pytest.raises(BlockingIOError):
        phone.recv(1)


def test_only_allowed_networks_are_spoken_to() -> None:
    with pytest.raises(TransportError) as caught:
        send_notify(NotifyTarget("127.0.0.1", 9, user="1001", networks=Networks.parse("192.0.2.0/24")))
    assert caught.value.code == "outside-networks"


def test_stamps_are_read_as_people_write_them() -> None:
    text = "".join(f"{name}={{{value}}}\n" for name, value in DEFAULT_STAMPS)
    assert parse_stamps(text + "\nHeadsetVersionStamp={0-0000000000}") == (
        *DEFAULT_STAMPS,
        ("HeadsetVersionStamp", "0-0000000000"),
    )
    with pytest.raises(ValueError, match="line 2"):
        parse_stamps("A={1}\nnonsense")


@pytest.mark.parametrize("status", [200, 202, 302, 400, 404, 481, 489, 503])
def test_every_answer_has_a_meaning(status: int) -> None:
    assert explain(status).endswith(".")
