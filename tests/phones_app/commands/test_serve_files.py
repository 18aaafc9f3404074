"""serve_files as a process: takes files in, hands them out, writes down who fetched them, and goes when it is told."""

import fcntl
import ftplib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import termios
import threading
import urllib.request
from pathlib import Path

import pytest
from django.db import connection

from phones_app.boot.fetches import Fetch
from phones_app.boot.models import FileFetch, RequestedFile
from phones_app.boot.recording import fetch_recorder
from phones_app.servers.models import FileServer
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
MAC = "02AA00000001"
NAME = f"SEP{MAC}.cnf.xml"


@pytest.fixture
def serving(start):
    command = start("serve_files", "--json")
    command.says("}")
    return command


def address(serving) -> dict[str, str]:
    return json.loads(serving.printed.splitlines()[0])


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def store(name: str, content: bytes) -> None:
    server = FileServer.objects.get()
    with ftplib.FTP() as ftp:
        ftp.connect(server.host, server.port, timeout=60)
        ftp.login(server.username, server.password)
        ftp.storbinary(f"STOR {name}", io.BytesIO(content))


def test_row_leads_uploads_to_it(serving, environment):
    server = FileServer.objects.get()
    assert server.is_embedded
    assert server.is_default
    assert (server.host, server.port) == ("127.0.0.1", int(environment["FILE_SERVER_FTP_PORT"]))
    assert address(serving)["http"] == f"http://127.0.0.1:{environment['FILE_SERVER_HTTP_PORT']}"

    store(NAME, b"<device/>")
    assert get(f"{address(serving)['http']}/{NAME}") == b"<device/>"


def test_only_fetches_by_phones_of_their_own_file_are_evidence(serving):
    for name in (NAME, "dialplan.xml"):
        store(name, b"<device/>")
    with ftplib.FTP() as ftp:
        server = FileServer.objects.get()
        ftp.connect(server.host, server.port, timeout=60)
        ftp.login(server.username, server.password)
        ftp.retrbinary(f"RETR {NAME}", lambda _: None)
    get(f"{address(serving)['http']}/dialplan.xml")
    get(f"{address(serving)['http']}/{NAME}")
    subprocess.run(["curl", "-s", f"{address(serving)['tftp']}/{NAME}"], check=True, timeout=60)

    wait_for(lambda: FileFetch.objects.count() == 2)
    serving.stop()
    for protocol in ("http", "tftp"):
        fetch = FileFetch.objects.get(protocol=protocol)
        assert (fetch.mac, fetch.file_name, fetch.address) == (MAC, NAME, "127.0.0.1")


def writer_of(serving) -> int:
    [child] = Path(f"/proc/{serving.process.pid}/task/{serving.process.pid}/children").read_text().split()
    return int(child)


def test_what_was_handed_on_is_written_though_the_server_is_killed(serving):
    store(NAME, b"<device/>")
    writer = writer_of(serving)
    os.kill(writer, signal.SIGSTOP)
    get(f"{address(serving)['http']}/{NAME}")
    pipe = rf"/proc/{writer}/fd"
    wait_for(lambda: any(waiting_in(f"{pipe}/{one}") for one in os.listdir(pipe)))
    os.kill(serving.process.pid, signal.SIGKILL)
    os.kill(writer, signal.SIGCONT)
    wait_for(lambda: FileFetch.objects.filter(mac=MAC).exists())
    wait_for(lambda: not Path(f"/proc/{writer}").exists())
    assert RequestedFile.objects.get().given == 1


def waiting_in(descriptor: str) -> int:
    """Bytes that wait to be read there, of a pipe or a pair of sockets."""
    if not os.readlink(descriptor).startswith("pipe:"):
        return 0
    with open(descriptor, "rb", buffering=0) as pipe:
        answer = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
    return int.from_bytes(answer, sys.byteorder)


def test_a_server_that_cannot_write_any_more_ends_so_that_it_is_started_again(serving):
    os.kill(writer_of(serving), signal.SIGKILL)
    assert serving.process.wait(180) == 1
    assert serving.printed.splitlines()[-1] == "CommandError: The process that writes down what phones fetch has died."


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_leaves_nothing(serving, environment, number):
    store(NAME, b"<device/>")
    assert serving.stop(number) == 0

    assert "Traceback" not in serving.printed
    assert os.listdir(Path(environment["DATA_DIR"], "phones")) == [NAME]
    # The folder of static files is made by the settings of every process.
    assert set(os.listdir(environment["DATA_DIR"])) <= {"phones", "static"}
    for port in ("FILE_SERVER_FTP_PORT", "FILE_SERVER_HTTP_PORT"):
        with socket.create_server(("127.0.0.1", int(environment[port]))):
            pass


def test_password_outlives_a_restart(serving, start):
    password = FileServer.objects.get().password
    serving.stop()
    start("serve_files").says("files ")
    server = FileServer.objects.get()
    assert len(password) >= 24
    assert (server.username, server.password) == ("patchbay", password)


@pytest.mark.parametrize("taken", ["FILE_SERVER_FTP_PORT", "FILE_SERVER_HTTP_PORT"])
def test_taken_port_is_replaced_and_the_row_knows(start, environment, taken):
    with socket.create_server(("127.0.0.1", int(environment[taken]))):
        serving = start("serve_files", "--json")
        serving.says("}")
        there = address(serving)
        ports = {"FILE_SERVER_FTP_PORT": there["ftp"], "FILE_SERVER_HTTP_PORT": there["http"]}
        for name, url in ports.items():
            assert url.endswith(f":{environment[name]}") == (name != taken)
        store(NAME, b"<device/>")
        assert get(f"{there['http']}/{NAME}") == b"<device/>"


def test_uploads_stay_on_this_machine_when_phones_come_from_the_network(start, environment):
    serving = start("serve_files", "--json", FILE_SERVER_HOST="127.0.0.6")
    serving.says("}")
    there = address(serving)
    assert there["ftp"] == f"ftp://127.0.0.1:{environment['FILE_SERVER_FTP_PORT']}"
    assert {there[kind].rpartition(":")[0] for kind in ("http", "tftp")} == {"http://127.0.0.6", "tftp://127.0.0.6"}
    store(NAME, b"<device/>")
    assert get(f"{there['http']}/{NAME}") == b"<device/>"


def test_address_that_is_not_of_this_machine_fails_in_one_line(start):
    command = start("serve_files", FILE_SERVER_HOST="192.0.2.1")
    assert command.process.wait(180) == 1
    assert command.printed.splitlines()[-1].startswith("CommandError: Cannot listen on 192.0.2.1")


def test_other_default_server_stays_the_default(start):
    FileServer.objects.create(name="Ours", host="192.0.2.1", is_default=True)
    start("serve_files").says("files ")
    assert FileServer.objects.get(is_default=True).name == "Ours"


FETCH = Fetch(NAME, "127.0.0.1", "http", size=9, complete=True)


def rename_table(old: str, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")


def test_fetch_outlives_a_database_that_is_away_for_a_moment():
    table = FileFetch._meta.db_table
    note = fetch_recorder(threading.Event())
    rename_table(table, "away")
    try:
        thread = threading.Thread(target=lambda: (note([FETCH]), connection.close()))
        thread.start()
        thread.join(0.4)
        assert thread.is_alive()
    finally:
        rename_table("away", table)
    thread.join(180)
    assert FileFetch.objects.get().mac == MAC


def test_database_that_stays_away_does_not_keep_the_server_from_stopping():
    table = FileFetch._meta.db_table
    stopping = threading.Event()
    stopping.set()
    rename_table(table, "away")
    try:
        fetch_recorder(stopping)([FETCH])
    finally:
        rename_table("away", table)
    assert not FileFetch.objects.exists()
