"""HTTP as phones and their loads use it: one connection for many files, parts of a file, large files of flat memory."""

import hashlib
import http.client
import logging
import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from phones_app.boot.server import EmbeddedFileServer
from tests.phones_app.boot.test_tftp import ACK, DATA, Client
from tests.phones_app.simulator.conftest import NAME, FetchLog
from tests.servers import wait_for

CONTENT = bytes(range(256)) * 40
LOAD, LOAD_BYTES = "load.sbn", 60_000_000
MORE_MEMORY = 24_000_000


@pytest.fixture
def phone(file_server: EmbeddedFileServer) -> Iterator[http.client.HTTPConnection]:
    """One connection, which is kept."""
    (file_server.root / NAME).write_bytes(CONTENT)
    (file_server.root / "tones.xml").write_bytes(b"<tones/>")
    connection = http.client.HTTPConnection(file_server.host, file_server.http_port, timeout=60)
    yield connection
    connection.close()


def get(phone: http.client.HTTPConnection, name: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    phone.request(method, f"/{name}", headers={key.replace("_", "-"): value for key, value in headers.items()})
    response = phone.getresponse()
    return response.status, response.read()


def test_one_connection_brings_many_files_and_each_is_told(
    phone: http.client.HTTPConnection, fetch_log: FetchLog
) -> None:
    assert [get(phone, name)[0] for name in ("missing.xml", NAME, "tones.xml", "missing.xml")] == [404, 200, 200, 404]
    # What was sent before is known to have come when the phone asks for the next.
    told = [(fetch.file_name, fetch.complete) for fetch in fetch_log.wait_for(lambda fetches: len(fetches) == 4)]
    assert sorted(told) == [(NAME, True), ("missing.xml", False), ("missing.xml", False), ("tones.xml", True)]


def test_the_last_file_of_a_connection_that_stays_open_is_told(
    phone: http.client.HTTPConnection, fetch_log: FetchLog
) -> None:
    get(phone, NAME)
    [fetch] = fetch_log.wait_for(bool)
    assert (fetch.complete, fetch.sha256) == (True, hashlib.sha256(CONTENT).hexdigest())


def test_requests_that_come_together_are_answered_in_their_order(
    phone: http.client.HTTPConnection, file_server: EmbeddedFileServer
) -> None:
    with socket.create_connection((file_server.host, file_server.http_port), 10) as client:
        ask = b"GET /%b HTTP/1.1\r\n\r\n"
        client.sendall(ask % b"tones.xml" + ask % b"missing" + b"GET /tones.xml HTTP/1.0\r\n\r\n")
        answers = b"".join(iter(lambda: client.recv(65536), b""))
    assert [part.split(b" ")[1] for part in answers.split(b"HTTP/1.1")[1:]] == [b"200", b"404", b"200"]
    assert answers.endswith(b"Connection: close\r\n\r\n<tones/>")


@pytest.mark.parametrize(
    ("asked", "status", "part", "told"),
    [
        ("bytes=0-9", 206, CONTENT[:10], "bytes 0-9/10240"),
        ("bytes=10000-", 206, CONTENT[10_000:], "bytes 10000-10239/10240"),
        ("bytes=-40", 206, CONTENT[-40:], "bytes 10200-10239/10240"),
        ("bytes=10000-99999", 206, CONTENT[10_000:], "bytes 10000-10239/10240"),
        ("bytes=10240-", 416, b"", "bytes */10240"),
        ("bytes=-0", 416, b"", "bytes */10240"),
        ("bytes=0-1,5-6", 200, CONTENT, None),
        ("bytes=9-0", 200, CONTENT, None),
        ("lines=0-1", 200, CONTENT, None),
        ("bytes=-", 200, CONTENT, None),
    ],
)
def test_a_part_of_a_file(
    asked: str, status: int, part: bytes, told: str | None, phone: http.client.HTTPConnection
) -> None:
    phone.request("GET", f"/{NAME}", headers={"Range": asked})
    response = phone.getresponse()
    assert (response.status, response.read(), response.getheader("Content-Range")) == (status, part, told)
    assert get(phone, NAME, "HEAD", Range=asked) == (200, b"")


def test_parts_of_two_versions_are_not_put_together(
    phone: http.client.HTTPConnection, file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    phone.request("GET", f"/{NAME}", headers={"Range": "bytes=0-4999"})
    first = phone.getresponse()
    version = first.getheader("ETag") or ""
    assert first.read() == CONTENT[:5000]
    (file_server.root / ".new").write_bytes(CONTENT[::-1])
    (file_server.root / ".new").replace(file_server.root / NAME)
    # With If-Range the phone gets all of the new version; without, a part that makes nothing whole.
    assert get(phone, NAME, Range="bytes=5000-") == (206, CONTENT[::-1][5000:])
    assert get(phone, "missing.xml")[0] == 404
    assert [fetch.file_name for fetch in fetch_log.wait_for(bool)] == ["missing.xml"]
    assert get(phone, NAME, Range="bytes=5000-", If_Range=version) == (200, CONTENT[::-1])
    fetches = fetch_log.wait_for(lambda fetches: len(fetches) == 2)
    assert fetches[1].sha256 == hashlib.sha256(CONTENT[::-1]).hexdigest()


def test_all_parts_of_a_version_are_the_file(phone: http.client.HTTPConnection, fetch_log: FetchLog) -> None:
    for part in ("bytes=0-4999", "bytes=8000-", "bytes=4000-8999"):
        assert get(phone, NAME, Range=part)[0] == 206
    [fetch] = fetch_log.wait_for(bool)
    assert (fetch.complete, fetch.size, fetch.sha256) == (True, 10_240, hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def load(file_server: EmbeddedFileServer) -> str:
    """A large load, most of it a hole; the digest of it."""
    path = file_server.root / LOAD
    with path.open("wb") as file:
        for offset in range(0, LOAD_BYTES, 3_000_000):
            file.seek(offset)
            file.write(offset.to_bytes(8, "big"))
        file.truncate(LOAD_BYTES)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture
def flat_memory() -> Iterator[None]:
    """Clients and server are this process: it takes no more than before, but for some buffers."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _most_memory()
    yield
    assert _most_memory() - before < MORE_MEMORY


def _most_memory() -> int:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def test_a_large_load_by_parts(
    load: str, flat_memory: None, phone: http.client.HTTPConnection, fetch_log: FetchLog
) -> None:
    digest, half = hashlib.sha256(), LOAD_BYTES // 2
    for part in (f"bytes=0-{half - 1}", f"bytes={half}-"):
        phone.request("GET", f"/{LOAD}", headers={"Range": part})
        response = phone.getresponse()
        assert response.status == 206
        while chunk := response.read(65536):
            digest.update(chunk)
    assert digest.hexdigest() == load
    [fetch] = fetch_log.wait_for(bool)
    assert (fetch.file_name, fetch.size, fetch.complete) == (LOAD, LOAD_BYTES, True)


@pytest.mark.parametrize("range_", ["", "Range: bytes=1000-\r\n"])
def test_a_client_that_is_killed_in_the_middle_has_no_file(
    range_: str, load: str, file_server: EmbeddedFileServer, fetch_log: FetchLog, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with socket.create_connection((file_server.host, file_server.http_port), 10) as client:
        client.sendall(f"GET /{LOAD} HTTP/1.1\r\n{range_}\r\n".encode())
        for _ in range(100):
            assert client.recv(65536)
    wait_for(lambda: f"127.0.0.1 broke off reading {LOAD}" in caplog.text)
    assert not fetch_log.fetches


@pytest.fixture
def tftp(file_server: EmbeddedFileServer) -> Iterator[Client]:
    client = Client(file_server)
    yield client
    client.socket.close()


def windows(client: Client, block_bytes: int, window: int, blocks: int) -> Iterator[bytes]:
    """The blocks of a load, acknowledged a window at a time."""
    client.ask(LOAD, "octet", "blksize", str(block_bytes), "windowsize", str(window))
    client.acknowledge(0)
    client.socket.connect(client.peer if client.peer[1] else client.receive())
    for block in range(1, blocks + 1):
        packet = client.socket.recv(2000)
        assert struct.unpack("!HH", packet[:4]) == (DATA, block % 65536)
        if block % window == 0 or block == blocks:
            client.socket.send(struct.pack("!HH", ACK, block % 65536))
        yield packet[4:]


@pytest.mark.parametrize(("block_bytes", "window"), [(512, 64), (1428, 16)])
def test_a_large_load_by_tftp(
    block_bytes: int, window: int, load: str, flat_memory: None, tftp: Client, fetch_log: FetchLog
) -> None:
    digest, started = hashlib.sha256(), time.process_time()
    for content in windows(tftp, block_bytes, window, LOAD_BYTES // block_bytes + 1):
        digest.update(content)
    assert digest.hexdigest() == load
    assert time.process_time() - started < 30
    [fetch] = fetch_log.wait_for(bool)
    assert (fetch.file_name, fetch.size, fetch.complete) == (LOAD, LOAD_BYTES, True)


def test_a_tftp_client_that_is_killed_in_the_middle_has_no_file(
    load: str, tftp: Client, fetch_log: FetchLog, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in windows(tftp, 1428, 16, 1600):
        pass
    tftp.socket.close()
    wait_for(lambda: f"127.0.0.1 broke off reading {LOAD}" in caplog.text)
    assert not fetch_log.fetches


def test_a_lost_block_of_a_window_comes_again(
    file_server: EmbeddedFileServer, tftp: Client, fetch_log: FetchLog
) -> None:
    content = os.urandom(512 * 6 + 1)
    (file_server.root / NAME).write_bytes(content)
    tftp.ask(NAME, "octet", "windowsize", "4")
    tftp.acknowledge(0)
    assert [tftp.receive()[1] for _ in range(4)] == [1, 2, 3, 4]
    tftp.acknowledge(2)  # the third was lost
    assert [tftp.receive()[1] for _ in range(4)] == [3, 4, 5, 6]
    tftp.acknowledge(2)  # and once more
    assert [tftp.receive()[1] for _ in range(4)] == [3, 4, 5, 6]
    tftp.acknowledge(6)
    assert tftp.receive()[1:] == (7, content[-1:])
    tftp.acknowledge(7)
    assert fetch_log.wait_for(bool)[0].sha256 == hashlib.sha256(content).hexdigest()
