"""Names of files in any case, over HTTP and TFTP: what a phone asks for is found, and nothing outside the folder."""

import http.client
import os
import subprocess
import time
from pathlib import Path

import pytest

from phones_app.boot.files import PlainFiles
from phones_app.boot.server import EmbeddedFileServer
from tests.phones_app.simulator.conftest import MAC, NAME
from tests.servers import wait_for


def ask(server: EmbeddedFileServer, name: str) -> bytes | None:
    connection = http.client.HTTPConnection(server.host, server.http_port, timeout=60)
    connection.request("GET", f"/{name}")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return body if response.status == 200 else None


def ask_tftp(server: EmbeddedFileServer, name: str) -> bytes | None:
    url = f"tftp://{server.host}:{server.tftp_port}/{name}"
    ran = subprocess.run(["curl", "-s", url], capture_output=True, timeout=60, check=False)
    return ran.stdout if ran.returncode == 0 else None


def put(root: Path, name: str, content: bytes = b"x") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)


@pytest.mark.parametrize("fetch", [ask, ask_tftp], ids=["http", "tftp"])
def test_files_are_found_in_any_case_also_in_folders(fetch, file_server: EmbeddedFileServer) -> None:
    put(file_server.root, "Ringlist.xml", b"rings")
    put(file_server.root, "United_Kingdom/g3-tones.xml", b"tones")
    put(file_server.root, "Desktops/320x212x12/List.xml", b"pictures")
    assert fetch(file_server, "ringlist.xml") == b"rings"
    assert fetch(file_server, "united_kingdom/G3-Tones.xml") == b"tones"
    assert fetch(file_server, "desktops/320x212x12/list.xml") == b"pictures"
    assert fetch(file_server, "United_Kingdom/g4-tones.xml") is None


def test_the_exact_name_comes_before_others(file_server: EmbeddedFileServer) -> None:
    for name in ("RINGLIST.DAT", "Ringlist.dat", "ringlist.dat"):
        put(file_server.root, name, name.encode())
    for name in ("RINGLIST.DAT", "Ringlist.dat", "ringlist.dat"):
        assert ask(file_server, name) == name.encode()
    assert ask(file_server, "RingList.Dat") == b"RINGLIST.DAT"


@pytest.mark.parametrize("asked", [NAME.lower(), NAME.upper(), f"ctlsep{MAC}.TLV"])
def test_files_of_single_phones_stay_exact(asked: str, file_server: EmbeddedFileServer) -> None:
    put(file_server.root, NAME)
    put(file_server.root, f"CTLSEP{MAC}.tlv")
    assert ask(file_server, asked) is None


@pytest.mark.parametrize(
    "asked",
    [
        "LINK.XML", "Folder-Link/outside.txt", "../OUTSIDE.TXT", "%2E%2E/outside.txt", "sub/%2e%2e/%2e%2e/outside.txt",
        "SUB", "sub/", "", ".HIDDEN.XML", "X.PART", "x.Bak", "//etc/passwd", "sub%00/x.xml", "X.XML%00",
    ],
)  # fmt: skip
def test_no_case_leads_outside_or_to_what_is_hidden(
    asked: str, tmp_path: Path, file_server: EmbeddedFileServer
) -> None:
    put(tmp_path, "outside.txt", b"secret")
    for name in (".hidden.xml", "x.part", "x.bak", "x.xml", "sub/x.xml"):
        put(file_server.root, name)
    (file_server.root / "link.xml").symlink_to(tmp_path / "outside.txt")
    (file_server.root / "folder-link").symlink_to(tmp_path)
    assert ask(file_server, asked) is None


def test_a_file_that_came_later_is_found_and_one_that_went_is_not(file_server: EmbeddedFileServer) -> None:
    assert ask(file_server, "DIALPLAN.XML") is None
    put(file_server.root, "dialplan.xml", b"plan")
    wait_for(lambda: ask(file_server, "DIALPLAN.XML") == b"plan")
    (file_server.root / "dialplan.xml").rename(file_server.root / "Dialplan.xml")
    wait_for(lambda: ask(file_server, "DIALPLAN.XML") == b"plan")
    (file_server.root / "Dialplan.xml").unlink()
    assert ask(file_server, "DIALPLAN.XML") is None


def test_thousands_of_misses_read_the_folder_a_few_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads, scandir = [], os.scandir
    for number in range(2000):
        put(tmp_path, f"SEP0200{number:08X}.cnf.xml")
        put(tmp_path, f"picture{number}.png")
    # Older than any uncertainty about its time.
    os.utime(tmp_path, ns=(0, time.time_ns() - 10**9))
    monkeypatch.setattr(os, "scandir", lambda folder: reads.append(folder) or scandir(folder))
    files = PlainFiles(tmp_path)
    for number in range(5000):
        assert files.open(f"Missing{number}.xml") is None
        assert files.open(f"CTLSEP0200{number:08X}.tlv") is None
    assert len(reads) == 1
    # In a folder that changes with each request, as in a rollout, the reads take a small part of the time.
    for number in range(200):
        put(tmp_path, f"SEP0300{number:08X}.cnf.xml")
        assert files.open("Missing.xml") is None
    assert len(reads) < 100
