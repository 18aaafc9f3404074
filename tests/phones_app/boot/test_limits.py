"""Clients that hold connections and ask for nothing: they keep nobody of another address waiting."""

import ftplib
import http.client
import io
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from phones_app.boot import ftp as ftp_side
from phones_app.boot import http as http_side
from phones_app.boot import tftp as tftp_side
from phones_app.boot.protection import REFUSED, Protection
from phones_app.boot.server import EmbeddedFileServer
from tests.phones_app.simulator.conftest import NAME, PASSWORD, USERNAME
from tests.servers import free_port

GREEDY, OTHER = "127.0.0.5", "127.0.0.1"
PATIENCE = 60.0


@pytest.fixture
def many_files() -> Iterator[None]:
    """Clients and server are one process here: room for both ends of a thousand connections."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 4096:
        pytest.skip("too few files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 4096), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def hold() -> Iterator[Callable[..., list[socket.socket]]]:
    """Opens connections from the greedy address, says a little on each, and keeps them."""
    with ExitStack() as stack:

        def hold(port: int, number: int, said: bytes = b"") -> list[socket.socket]:
            opened = []
            for _ in range(number):
                client = socket.create_connection(("127.0.0.1", port), 60, source_address=(GREEDY, 0))
                opened.append(stack.enter_context(client))
                client.sendall(said)
            return opened

        yield hold


def upload(server: EmbeddedFileServer) -> None:
    with ftplib.FTP(timeout=PATIENCE, source_address=(OTHER, 0)) as client:
        client.connect("127.0.0.1", server.ftp_port)
        client.login(USERNAME, PASSWORD)
        client.storbinary(f"STOR {NAME}", io.BytesIO(b"<device/>"))


def fetch(server: EmbeddedFileServer, address: str) -> bytes:
    client = http.client.HTTPConnection("127.0.0.1", server.http_port, PATIENCE, source_address=(address, 0))
    client.request("GET", f"/{NAME}")
    return client.getresponse().read()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No one is disconnected for being slow, so that nobody is served only because others were."""
    monkeypatch.setattr(ftp_side, "LOG_IN_SECONDS", 20 * PATIENCE)
    monkeypatch.setattr(http_side, "HEAD_SECONDS", 20 * PATIENCE)


def test_idle_ftp_connections_of_one_address_keep_no_one_else_waiting(patient, file_server, hold):
    held = hold(file_server.ftp_port, 64)
    started = time.monotonic()
    upload(file_server)
    assert time.monotonic() - started < PATIENCE
    assert (file_server.root / NAME).read_bytes() == b"<device/>"
    answers = [client.recv(100) for client in held]
    assert [answer[:3] for answer in answers].count(b"220") == Protection().ftp_log_ins_of_address
    assert answers[-1] == b"421 Too many connections from the same IP address that have not logged in.\r\n"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ftp_side, "LOG_IN_SECONDS", 2.0)


def test_who_does_not_log_in_soon_is_disconnected_whatever_it_says_meanwhile(hurried, file_server, hold):
    [silent, talking] = hold(file_server.ftp_port, 2)
    talking.settimeout(0.05)
    started, said = time.monotonic(), b""
    while time.monotonic() - started < PATIENCE and b"421" not in said:
        try:
            said += talking.recv(1000)
        except TimeoutError:
            talking.sendall(b"NOOP\r\n")
    assert b"421" in said
    assert b"421" in b"".join(iter(lambda: silent.recv(1000), b""))


def test_who_has_logged_in_may_be_idle_for_longer(hurried, file_server):
    with ftplib.FTP(timeout=60) as client:
        client.connect("127.0.0.1", file_server.ftp_port)
        client.login(USERNAME, PASSWORD)
        time.sleep(2.5)
        assert client.voidcmd("NOOP").startswith("200")


def test_idle_uploads_and_half_open_requests_of_one_address_keep_no_one_waiting(many_files, patient, file_server, hold):
    """Boot server spec §7, case 7; its two seconds are those of a processor that has nothing else to do."""
    hold(file_server.ftp_port, 64)
    held = hold(file_server.http_port, 1000, b"GET /x HTTP/1.1\r\n")
    for ask in (upload, lambda server: fetch(server, OTHER), lambda server: ask_by_tftp(server, OTHER),
                lambda server: fetch(server, GREEDY)):  # fmt: skip
        started, worked = time.monotonic(), time.process_time()
        assert ask(file_server) in (None, b"<device/>", b"\0\3\0\1<device/>")
        assert time.monotonic() - started < PATIENCE
        assert time.process_time() - worked < 2
    for client in held:
        client.setblocking(False)
        with pytest.raises(BlockingIOError):  # it is neither answered nor closed
            client.recv(1)


def listens(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def test_uploads_and_phones_have_addresses_of_their_own(tmp_path: Path):
    account = {"username": USERNAME, "password": PASSWORD}
    hosts = {"host": "127.0.0.6", "ftp_host": "127.0.0.1", "tftp_host": "127.0.0.7"}
    # Such as nobody else has at the other address.
    ports = {"ftp_port": free_port(), "http_port": free_port(), "tftp_port": 0}
    with EmbeddedFileServer(tmp_path, **ports, **account, **hosts) as server:
        assert listens("127.0.0.1", server.ftp_port)
        assert listens("127.0.0.6", server.http_port)
        assert not listens("127.0.0.6", server.ftp_port)
        assert not listens("127.0.0.1", server.http_port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.sendto(b"\x00\x01missing.xml\x00octet\x00", ("127.0.0.7", server.tftp_port))
            assert client.recvfrom(100)[0][:4] == b"\x00\x05\x00\x01"


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[EmbeddedFileServer]:
    """A server that gives an address ten requests, and then one in a hundred seconds."""
    strict = Protection(rate_of_address=0.01, burst_of_address=10)
    with EmbeddedFileServer(tmp_path, "127.0.0.1", 0, 0, tftp_port=0, username=USERNAME, password=PASSWORD,
                            protection=strict) as server:  # fmt: skip
        (tmp_path / NAME).write_bytes(b"<device/>")
        yield server


def ask_by_tftp(server: EmbeddedFileServer, address: str) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.bind((address, 0))
        client.sendto(f"\0\1{NAME}\0octet\0".encode(), (server.host, server.tftp_port))
        return client.recv(1000)


def test_who_asks_too_often_is_refused_until_later_by_http_and_tftp(strict: EmbeddedFileServer):
    refused = REFUSED.metric().labels("rate")._value.get()
    answers = [status_of(strict, GREEDY) for _ in range(12)]
    assert answers == [(200, None)] * 10 + [(503, "2")] * 2
    assert ask_by_tftp(strict, GREEDY) == b"\0\5\0\0too many requests\0"
    assert fetch(strict, OTHER) == b"<device/>"
    assert ask_by_tftp(strict, OTHER) == b"\0\3\0\1<device/>"
    assert REFUSED.metric().labels("rate")._value.get() - refused == 3


def status_of(server: EmbeddedFileServer, address: str) -> tuple[int, str | None]:
    client = http.client.HTTPConnection("127.0.0.1", server.http_port, PATIENCE, source_address=(address, 0))
    client.request("GET", f"/{NAME}")
    response = client.getresponse()
    response.read()
    client.close()
    return response.status, response.getheader("Retry-After")


def test_transfers_that_no_client_acknowledges_give_their_place_to_others(file_server, monkeypatch):
    monkeypatch.setattr(tftp_side, "MAX_TRANSFERS", 20)
    (file_server.root / NAME).write_bytes(b"<device/>")
    with ExitStack() as stack:
        for _ in range(40):
            silent = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            silent.bind((GREEDY, 0))
            silent.sendto(f"\0\1{NAME}\0octet\0timeout\00030\0".encode(), (file_server.host, file_server.tftp_port))
        assert ask_by_tftp(file_server, OTHER) == b"\0\3\0\1<device/>"
