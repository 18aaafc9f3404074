"""The file server as its clients see it: ftplib uploads, http.client reads, and the log tells of it."""

import contextlib
import ftplib
import hashlib
import http.client
import io
import os
import socket
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from phones_app.boot.fetches import Fetch
from phones_app.boot.server import EmbeddedFileServer
from tests.phones_app.simulator.conftest import NAME, PASSWORD, USERNAME, FetchLog
from tests.servers import wait_for


@pytest.fixture
def ftp(file_server: EmbeddedFileServer) -> Iterator[ftplib.FTP]:
    client = ftplib.FTP(timeout=60)
    client.connect(file_server.host, file_server.ftp_port)
    client.login(USERNAME, PASSWORD)
    yield client
    client.close()


def upload(ftp: ftplib.FTP, name: str, text: bytes) -> str:
    return ftp.storbinary(f"STOR {name}", io.BytesIO(text))


def ask(server: EmbeddedFileServer, target: str, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(server.host, server.http_port, timeout=60)
    connection.putrequest(method, target)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_an_uploaded_file_is_served_and_the_fetch_is_told(
    ftp: ftplib.FTP, file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    text = b"<device>\r\n\xc3\xa9</device>"
    assert upload(ftp, NAME, text).startswith("226")
    before = time.monotonic()
    response, body = ask(file_server, f"/{NAME}")
    assert (response.status, body, response.getheader("Content-Length")) == (200, text, str(len(text)))
    [fetch] = fetch_log.wait_for(bool)
    assert fetch == Fetch(NAME, "127.0.0.1", "http", size=len(text), complete=True, mac="001122334455")
    assert fetch.sha256 == hashlib.sha256(text).hexdigest()
    assert before <= fetch.began <= time.monotonic()


@pytest.mark.parametrize("mode", ["I", "A"])
def test_a_file_is_read_by_ftp_which_is_no_fetch_of_a_phone(
    mode: str, ftp: ftplib.FTP, file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    text = b"line\nline\n" * 20_000
    upload(ftp, NAME, text)
    received: list[bytes] = []
    ftp.voidcmd(f"TYPE {mode}")
    with ftp.transfercmd(f"RETR {NAME}") as data:
        while chunk := data.recv(65536):
            received.append(chunk)
    ftp.voidresp()
    assert b"".join(received).replace(b"\r\n", b"\n") == text
    ask(file_server, f"/{NAME}")
    assert [fetch.protocol for fetch in fetch_log.wait_for(bool)] == ["http"]


def test_a_broken_off_or_partial_transfer_is_not_told(file_server: EmbeddedFileServer, fetch_log: FetchLog) -> None:
    large = os.urandom(30_000_000)
    (file_server.root / "firmware.sbn").write_bytes(large)
    with socket.create_connection((file_server.host, file_server.http_port)) as client:
        client.sendall(b"GET /firmware.sbn HTTP/1.1\r\n\r\n")
        assert client.recv(1000)
    ask(file_server, "/firmware.sbn", "HEAD")
    ask(file_server, "/firmware.sbn")
    fetches = fetch_log.wait_for(bool)
    assert [fetch.size for fetch in fetches] == [len(large)]


def test_renaming_over_an_existing_name_replaces_it(ftp: ftplib.FTP, file_server: EmbeddedFileServer) -> None:
    upload(ftp, NAME, b"old")
    upload(ftp, ".new.part", b"new")
    ftp.rename(".new.part", NAME)
    ftp.voidcmd("TYPE I")
    assert (ftp.size(NAME), (file_server.root / NAME).read_bytes()) == (3, b"new")
    assert os.listdir(file_server.root) == [NAME]


def test_what_a_client_did_not_live_to_name_is_deleted(ftp: ftplib.FTP, file_server: EmbeddedFileServer) -> None:
    upload(ftp, NAME, b"old")
    unnamed = f".{NAME}.0123456789ab.part"
    upload(ftp, unnamed, b"whole, and nobody's")
    assert sorted(os.listdir(file_server.root)) == [unnamed, NAME]
    assert ftp.sock is not None
    ftp.sock.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: os.listdir(file_server.root) == [NAME])
    assert (file_server.root / NAME).read_bytes() == b"old"


def test_files_are_world_readable_whatever_the_umask(ftp: ftplib.FTP, file_server: EmbeddedFileServer) -> None:
    previous = os.umask(0o077)
    try:
        upload(ftp, NAME, b"x")
    finally:
        os.umask(previous)
    assert stat.S_IMODE((file_server.root / NAME).stat().st_mode) == 0o644


def test_an_aborted_upload_leaves_the_old_file(ftp: ftplib.FTP, file_server: EmbeddedFileServer) -> None:
    upload(ftp, NAME, b"old")
    data = ftp.transfercmd(f"STOR {NAME}")
    data.sendall(b"half")
    with contextlib.suppress(ftplib.error_temp):  # 426, but 225 when the server has not read the half yet
        ftp.sendcmd("ABOR")
    data.close()
    assert (file_server.root / NAME).read_bytes() == b"old"
    assert os.listdir(file_server.root) == [NAME]


@pytest.mark.parametrize(("name", "password"), [("anonymous", "a@b"), (USERNAME, "wrong"), ("nobody", "")])
def test_only_the_account_may_log_in(name: str, password: str, file_server: EmbeddedFileServer) -> None:
    with ftplib.FTP(timeout=60) as client:
        client.connect(file_server.host, file_server.ftp_port)
        with pytest.raises(ftplib.error_perm, match="530"):
            client.login(name, password)


@pytest.mark.parametrize("path", ["../outside.txt", "/../outside.txt", "link", "folder-link/outside.txt"])
def test_nothing_outside_the_folder_can_be_reached(
    path: str, tmp_path: Path, ftp: ftplib.FTP, file_server: EmbeddedFileServer
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_bytes(b"secret")
    (file_server.root / "link").symlink_to(outside)
    (file_server.root / "folder-link").symlink_to(tmp_path)
    with pytest.raises(ftplib.error_perm):
        ftp.retrbinary(f"RETR {path}", lambda _: None)
    if "link" in path:
        with pytest.raises(ftplib.error_perm):
            upload(ftp, path, b"overwritten")
    assert ask(file_server, f"/{path}")[0].status == 404
    assert outside.read_bytes() == b"secret"


@pytest.mark.parametrize("command", ["APPE x", "SITE CHMOD 777 x", "STOU"])
def test_what_whole_files_do_not_need_is_refused(command: str, ftp: ftplib.FTP) -> None:
    with pytest.raises(ftplib.error_perm):
        ftp.sendcmd(command)


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/sub/.hidden.xml",
        "/sub/../x.xml",
        "/sub//file.xml",
        "/a/b/c/file.xml",
        "/%2e%2e/x",
        "/.hidden.xml",
        "/a.part",
        f"/{NAME}.20240101T000000Z.bak",
        "/sub",
        "/fifo",
        "/sep001122334455.cnf.xml",
        "/missing.xml",
        "/a%00b",
    ],
)
def test_http_finds_only_plain_files_of_the_folder(
    target: str, file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    (file_server.root / "sub").mkdir()
    (file_server.root / "a/b/c").mkdir(parents=True)
    os.mkfifo(file_server.root / "fifo")
    hidden = (".hidden.xml", "a.part", f"{NAME}.20240101T000000Z.bak", "sub/.hidden.xml", "a/b/c/file.xml")
    for name in (*hidden, "sub/file.xml", NAME):
        (file_server.root / name).write_bytes(b"x")
    assert ask(file_server, target)[0].status == 404
    assert not any(fetch.complete for fetch in fetch_log.fetches)


def test_a_locale_is_uploaded_into_its_folder_and_served_from_there(
    ftp: ftplib.FTP, file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    ftp.mkd("United_Kingdom")
    upload(ftp, "United_Kingdom/g4-tones.xml", b"<tones/>")
    assert ask(file_server, "/United_Kingdom/g4-tones.xml")[1] == b"<tones/>"
    assert fetch_log.wait_for(bool)[0].file_name == "United_Kingdom/g4-tones.xml"


def test_head_tells_the_size_and_other_methods_are_refused(file_server: EmbeddedFileServer) -> None:
    (file_server.root / NAME).write_bytes(b"12345")
    response, body = ask(file_server, f"/{NAME}", "HEAD")
    assert (response.status, response.getheader("Content-Length"), body) == (200, "5", b"")
    assert ask(file_server, f"/{NAME}", "PUT")[0].status == 405


def test_a_failing_callback_does_not_break_the_transfer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / NAME).write_bytes(b"x")

    def fail(_fetches: list[Fetch]) -> None:
        raise RuntimeError("the database is away")

    server = EmbeddedFileServer(
        tmp_path, ftp_port=0, http_port=0, username=USERNAME, password=PASSWORD, on_fetches=fail
    )
    with server:
        assert [ask(server, f"/{NAME}")[1] for _ in range(2)] == [b"x", b"x"]
    assert "RuntimeError: the database is away" in caplog.text


def test_every_answer_is_one_whole_version_while_the_file_is_being_replaced(
    ftp: ftplib.FTP, file_server: EmbeddedFileServer
) -> None:
    versions = [bytes([letter]) * 200_000 for letter in b"abc"]
    upload(ftp, NAME, versions[0])
    with ThreadPoolExecutor(4) as readers:
        answers = [readers.submit(ask, file_server, f"/{NAME}") for _ in range(150)]
        while not all(answer.done() for answer in answers):
            for version in versions:
                upload(ftp, NAME, version)
    assert {answer.result()[1] for answer in answers} <= set(versions)


def test_hundreds_of_requests_a_second(file_server: EmbeddedFileServer, fetch_log: FetchLog) -> None:
    (file_server.root / NAME).write_bytes(b"x" * 10_000)
    started = time.process_time()
    with ThreadPoolExecutor(8) as readers:
        assert all(body for _, body in readers.map(lambda _: ask(file_server, f"/{NAME}"), range(400)))
    assert time.process_time() - started < 4
    fetch_log.wait_for(lambda fetches: len(fetches) == 400)


def test_nonsense_is_answered_and_a_taken_port_is_an_error(file_server: EmbeddedFileServer) -> None:
    with socket.create_connection((file_server.host, file_server.http_port), timeout=60) as client:
        client.sendall(b"nonsense\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")
    taken = EmbeddedFileServer(
        file_server.root, ftp_port=0, http_port=file_server.http_port, username=USERNAME, password=PASSWORD
    )
    with pytest.raises(OSError, match="in use"):
        taken.start()
