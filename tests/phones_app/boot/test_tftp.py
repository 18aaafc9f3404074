"""TFTP as its clients see it: raw packets of RFC 1350 and 2347 to 2349, curl, and phones that boot by it."""

import hashlib
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator

import pytest

from contacts_app.core.net import tftp
from phones_app.boot.server import EmbeddedFileServer
from tests.phones_app.simulator.conftest import NAME, PASSWORD, USERNAME, FetchLog, PlacePhone, device_file

RRQ, WRQ, DATA, ACK, ERROR, OACK = range(1, 7)


class Client:
    """One socket; `ask` sends a request, `receive` returns a packet and remembers whom to answer."""

    def __init__(self, server: EmbeddedFileServer) -> None:
        self.server = (server.host, server.tftp_port)
        self.peer: tuple[str, int] = ("", 0)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(60)

    def ask(self, *words: str, kind: int = RRQ) -> tuple[int, int, bytes]:
        self.socket.sendto(struct.pack("!H", kind) + b"".join(w.encode() + b"\0" for w in words), self.server)
        return self.receive()

    def receive(self) -> tuple[int, int, bytes]:
        packet, self.peer = self.socket.recvfrom(70_000)
        kind, number = struct.unpack("!HH", packet[:4])
        return (kind, 0, packet[2:]) if kind == OACK else (kind, number, packet[4:])

    def acknowledge(self, block: int) -> None:
        self.socket.sendto(struct.pack("!HH", ACK, block), self.peer)

    def read(self, first: tuple[int, int, bytes], block_bytes: int) -> bytes:
        received, packet, expected = b"", first, 1
        while True:
            kind, block, content = packet
            assert (kind, block) == (DATA, expected % 65536)
            received += content
            self.acknowledge(block)
            if len(content) < block_bytes:
                return received
            packet, expected = self.receive(), expected + 1


@pytest.fixture
def client(file_server: EmbeddedFileServer) -> Iterator[Client]:
    client = Client(file_server)
    yield client
    client.socket.close()


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 10_000])
def test_a_file_comes_whole_and_the_fetch_is_told(
    size: int, client: Client, file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    content = bytes(range(256)) * 40
    (file_server.root / NAME).write_bytes(content[:size])
    assert client.read(client.ask(NAME, "octet"), 512) == content[:size]
    [fetch] = fetch_log.wait_for(bool)
    assert (fetch.file_name, fetch.protocol, fetch.address, fetch.size) == (NAME, "tftp", "127.0.0.1", size)
    assert fetch.sha256 == hashlib.sha256(content[:size]).hexdigest()


@pytest.mark.parametrize(
    ("asked", "confirmed", "block_bytes"),
    [
        (("blksize", "1000"), b"blksize\x001000\x00", 1000),
        (("BLKSIZE", "65464"), b"blksize\x001428\x00", 1428),
        (("tsize", "0"), b"tsize\x005000\x00", 512),
        (("blksize", "8", "tsize", "0", "timeout", "3"), b"blksize\x008\x00timeout\x003\x00tsize\x005000\x00", 8),
        (("timeout", "1", "windowsize", "1"), b"timeout\x001\x00windowsize\x001\x00", 512),
    ],
)
def test_options_are_agreed_on(
    asked: tuple[str, ...], confirmed: bytes, block_bytes: int, client: Client, file_server: EmbeddedFileServer
) -> None:
    (file_server.root / NAME).write_bytes(b"x" * 5000)
    assert client.ask(NAME, "octet", *asked) == (OACK, 0, confirmed)
    client.acknowledge(0)
    assert client.read(client.receive(), block_bytes) == b"x" * 5000


OUT_OF_RANGE = [("blksize", "7"), ("blksize", "many"), ("windowsize", "0"), ("timeout", "0"), ("timeout", "200")]


@pytest.mark.parametrize("options", OUT_OF_RANGE)
def test_options_that_are_not_taken_are_left_out(
    options: tuple[str, ...], client: Client, file_server: EmbeddedFileServer
) -> None:
    (file_server.root / NAME).write_bytes(b"x" * 600)
    assert client.read(client.ask(NAME, "octet", *options), 512) == b"x" * 600


@pytest.mark.parametrize(
    ("words", "kind", "number"),
    [
        (("missing.xml", "octet"), RRQ, 1),
        ((NAME.lower(), "octet"), RRQ, 1),
        (("../outside.txt", "octet"), RRQ, 1),
        (("/etc/passwd", "octet"), RRQ, 1),
        ((".hidden", "octet"), RRQ, 1),
        ((f"{NAME}.20240101T000000Z.bak", "octet"), RRQ, 1),
        ((NAME, "netascii"), RRQ, 0),
        ((NAME, "octet"), WRQ, 2),
        ((NAME,), RRQ, 4),
        (("x",), 9, 4),
    ],
)
def test_what_is_refused_is_told_by_number(
    words: tuple[str, ...], kind: int, number: int, client: Client, file_server: EmbeddedFileServer
) -> None:
    for name in (NAME, ".hidden", f"{NAME}.20240101T000000Z.bak", "../outside.txt"):
        (file_server.root / name).write_bytes(b"secret")
    assert client.ask(*words, kind=kind)[:2] == (ERROR, number)


def test_a_lost_acknowledgement_brings_the_block_again_and_an_old_one_does_not(
    client: Client, file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    (file_server.root / NAME).write_bytes(b"a" * 512 + b"b" * 512 + b"c")
    first = client.ask(NAME, "octet")
    assert client.receive() == first  # silence
    client.acknowledge(1)
    second = client.receive()
    client.acknowledge(1)  # a repeated one, as the repeated block had caused it
    client.acknowledge(2)
    assert (second[1], client.receive()) == (2, (DATA, 3, b"c"))
    client.acknowledge(3)
    assert fetch_log.wait_for(bool)[0].size == 1025


def test_a_client_that_breaks_off_is_not_told(
    client: Client, file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    (file_server.root / NAME).write_bytes(b"x" * 2000)
    client.ask(NAME, "octet")
    client.socket.sendto(struct.pack("!HH", ERROR, 3) + b"full\0", client.peer)
    other = Client(file_server)
    other.read(other.ask(NAME, "octet"), 512)
    other.socket.close()
    assert len(fetch_log.wait_for(bool)) == 1


def test_a_stranger_cannot_acknowledge(client: Client, file_server: EmbeddedFileServer) -> None:
    (file_server.root / NAME).write_bytes(b"x" * 513)
    first = client.ask(NAME, "octet")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(struct.pack("!HH", ACK, 1), client.peer)
    assert client.receive() == first


def test_curl_reads_a_file(file_server: EmbeddedFileServer, fetch_log: FetchLog) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    content = b"0123456789abcdef" * 2_000
    (file_server.root / "load.sbn").write_bytes(content)
    url = f"tftp://{file_server.host}:{file_server.tftp_port}/load.sbn"
    read = subprocess.run(["curl", "-s", "--tftp-blksize", "100", url], capture_output=True, timeout=60)
    assert (read.returncode, read.stdout == content) == (0, True)
    assert fetch_log.wait_for(bool)[0].size == len(content)


def test_block_numbers_start_over_at_zero(
    place_phone: PlacePhone, file_server: EmbeddedFileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 65,536 real blocks would take ten seconds, so both ends count to 256 here.
    monkeypatch.setattr(tftp, "BLOCKS", 256)
    content = device_file().ljust(1428 * 260)
    desk = place_phone(content, config_url=f"tftp://127.0.0.1:{file_server.tftp_port}")
    assert desk.phone.config_sha256 == hashlib.sha256(content).hexdigest()


def test_hundreds_of_files_a_second(file_server: EmbeddedFileServer, fetch_log: FetchLog) -> None:
    (file_server.root / NAME).write_bytes(b"x" * 10_000)
    started = time.process_time()
    for _ in range(200):
        client = Client(file_server)
        assert client.ask(NAME, "octet", "blksize", "1428")[0] == OACK
        client.acknowledge(0)
        assert len(client.read(client.receive(), 1428)) == 10_000
        client.socket.close()
    # Of the processor's time, which others that keep it busy do not make longer.
    assert time.process_time() - started < 4
    fetch_log.wait_for(lambda fetches: len(fetches) == 200)


@pytest.mark.parametrize("size", [600, 1428, 20_000])
@pytest.mark.parametrize("scheme", ["tftp", "ftp"])
def test_a_phone_boots_by_it(
    scheme: str, size: int, place_phone: PlacePhone, file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    urls = {
        "tftp": f"tftp://localhost:{file_server.tftp_port}",
        "ftp": f"ftp://{USERNAME}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{file_server.ftp_port}",
    }
    content = device_file().ljust(size)
    desk = place_phone(content, config_url=urls[scheme])
    assert desk.phone.config_sha256 == hashlib.sha256(content).hexdigest()
    if scheme == "tftp":
        assert fetch_log.wait_for(bool)[0].protocol == "tftp"
    else:
        # Reads by FTP are no evidence: Patchbay itself reads files back that way.
        assert not fetch_log.fetches


@pytest.mark.parametrize(("scheme", "answer"), [("tftp", "1 file not found"), ("ftp", "550")])
def test_a_phone_without_a_file_asks_again(
    scheme: str, answer: str, place_phone: PlacePhone, file_server: EmbeddedFileServer
) -> None:
    urls = {
        "tftp": f"tftp://127.0.0.1:{file_server.tftp_port}",
        "ftp": f"ftp://{USERNAME}:pass%20word@127.0.0.1:{file_server.ftp_port}",
    }
    desk = place_phone(None, config_url=urls[scheme])
    desk.wait_until(lambda phone: sum(line.startswith(f"cannot get {NAME}: {answer}") for line in phone.history) >= 2)
    desk.put_file(device_file())
    desk.wait_until(lambda phone: phone.registered)
