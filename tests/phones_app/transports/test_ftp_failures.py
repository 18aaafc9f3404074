"""Servers that are silent, slow, full, refusing, lying or dying: errors in time, the old file intact."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contacts_app.core.errors import TransportError
from phones_app.transports.ftp.login import FtpTarget
from phones_app.transports.ftp.session import FtpSession
from tests.peers import ftp as peers
from tests.peers.ftp_misbehaving import (
    ClosesInTheMiddle,
    Corrupts,
    FullDisk,
    LosesTheEnd,
    LosesWhatComesEarly,
    SlowData,
    SlowMotion,
    answers,
    answers_if,
    does_it_and_hangs_up,
    hangs_up,
    loses_what_follows,
    misbehaving,
    renames_over_nothing,
    silent,
)

NAME = "SEP001122334455.cnf.xml"
# For servers that say nothing: long enough for one that says something on a busy machine.
SILENCE = 2.0
OLD, NEW = b"<device>old</device>", b"<device>the new one</device>"


def _target(server: peers.Server, **options: Any) -> FtpTarget:
    limits: dict[str, Any] = {"timeout": 20.0, "deadline": 60.0, **options}
    return FtpTarget(server.host, server.port, server.username, server.password, **limits)


def _is_the_real_name(path: str) -> bool:
    return os.path.basename(path) == NAME


@contextmanager
def _failing(root: Path, handler: type, **options: Any) -> Iterator[pytest.ExceptionInfo[TransportError]]:
    """Upload over an old file and expect a failure in time, with the old file in its place."""
    (root / NAME).write_bytes(OLD)
    with peers.pyftpd(root, handler=handler) as server:
        target = _target(server, **options)
        started = time.monotonic()
        session = FtpSession(target)
        with pytest.raises(TransportError) as failure:
            session.upload(NAME, NEW, read_back=True)
        assert time.monotonic() - started < target.deadline + 30
        assert not session.connected
    assert (root / NAME).read_bytes() == OLD
    yield failure


CASES = {
    "silent at login": (misbehaving(USER=silent), "timeout", False),
    "silent at SIZE": (misbehaving(SIZE=silent), "timeout", False),
    "silent at STOR": (misbehaving(STOR=silent), "timeout", False),
    "silent at RNFR": (misbehaving(RNFR=silent), "timeout", False),
    "silent at RNTO": (misbehaving(RNTO=silent), "timeout", False),
    "dies at PASV": (misbehaving(PASV=hangs_up), "disconnected", False),
    "dies at STOR": (misbehaving(STOR=hangs_up), "disconnected", False),
    "dies in the middle of STOR": (ClosesInTheMiddle, "disconnected", False),
    "dies after STOR": (misbehaving(SIZE=answers("502 No."), RETR=hangs_up), "disconnected", False),
    "dies at RNFR": (misbehaving(RNFR=hangs_up), "disconnected", False),
    "dies at RNTO": (misbehaving(RNTO=hangs_up), "disconnected", False),
    "too many users": (misbehaving(USER=answers("421 Too many connections.")), "disconnected", False),
    "wrong password": (misbehaving(PASS=answers("530 Login incorrect.")), "login", True),
    "no data connection": (misbehaving(STOR=answers("425 Cannot open.")), "data-connection", False),
    "disk full at once": (misbehaving(STOR=answers("452 Insufficient storage.")), "disk-full", False),
    "quota": (misbehaving(STOR=answers("552 Exceeded storage allocation.")), "disk-full", True),
    "disk full at the end": (misbehaving(STOR=answers("426 No space left on device.")), "disk-full", False),
    "disk full, unexplained": (FullDisk, "data-connection", False),
    "read-only": (misbehaving(STOR=answers("550 Permission denied.")), "store", True),
    "no renaming": (misbehaving(RNTO=answers("550 Permission denied.")), "rename", True),
    "no renaming to it": (
        misbehaving(RNTO=answers_if(_is_the_real_name, "553 File name not allowed.")),
        "rename",
        True,
    ),
    "loses the end": (LosesTheEnd, "size-mismatch", False),
    "corrupts": (Corrupts, "digest-mismatch", False),
    "no such port": (misbehaving(PASV=answers("227 Passive (127,0,0,1,999,1).")), "protocol", False),
    "not FTP": (misbehaving(TYPE=answers("hello")), "protocol", False),
}


@pytest.mark.parametrize(("handler", "code", "permanent"), CASES.values(), ids=CASES.keys())
def test_a_failure_is_told_and_the_old_file_stays(tmp_path: Path, handler: type, code: str, permanent: bool) -> None:
    impatient = {"timeout": 2.0, "deadline": 20.0} if code == "timeout" else {}
    with _failing(tmp_path, handler, **impatient) as failure:
        assert (failure.value.code, failure.value.permanent) == (code, permanent)
        assert failure.value.request.startswith("USER")
        assert all(each.name == NAME or each.suffix in (".part", ".bak") for each in tmp_path.iterdir())


@pytest.mark.parametrize(
    "case", ["disk full, unexplained", "no renaming", "no renaming to it", "loses the end", "corrupts"]
)
def test_a_failed_upload_takes_its_temporary_file_away(tmp_path: Path, case: str) -> None:
    with _failing(tmp_path, CASES[case][0]):
        assert [each.name for each in tmp_path.iterdir() if each.suffix == ".part"] == []


def test_a_dripping_server_is_left_at_the_deadline(tmp_path: Path) -> None:
    with _failing(tmp_path, SlowMotion, timeout=60.0, deadline=1.0) as failure:
        assert failure.value.code == "timeout"


def test_an_answer_that_drips_is_left_after_the_time_for_one_command(tmp_path: Path) -> None:
    with _failing(tmp_path, SlowMotion, timeout=0.3, deadline=30.0) as failure:
        assert failure.value.code == "timeout"


def test_data_that_drips_is_left_at_the_deadline(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"x" * 1000)
    with peers.pyftpd(tmp_path, handler=SlowData) as server:
        session = FtpSession(_target(server, timeout=60.0, deadline=1.0))
        started = time.monotonic()
        with pytest.raises(TransportError, match="did not answer in time"):
            session.read(NAME)
        assert time.monotonic() - started < 40


def test_data_that_is_taken_in_drips_is_left_at_the_deadline(tmp_path: Path) -> None:
    with peers.pyftpd(tmp_path, handler=SlowData) as server:
        session = FtpSession(_target(server, timeout=60.0, deadline=1.0))
        started = time.monotonic()
        with pytest.raises(TransportError, match="did not answer in time"):
            session.upload(NAME, b"x" * 16_000_000)
        assert time.monotonic() - started < 40
    assert not (tmp_path / NAME).exists()


def test_a_server_that_renames_over_nothing_gets_the_old_file_out_of_the_way(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(OLD)
    with peers.pyftpd(tmp_path, handler=misbehaving(RNTO=renames_over_nothing)) as server:
        upload = FtpSession(_target(server)).upload(NAME, NEW)
    assert upload.backup
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {NAME: NEW, upload.backup: OLD}


def test_an_old_file_that_may_not_be_read_is_renamed_into_the_backup(tmp_path: Path) -> None:
    unreadable = misbehaving(RETR=answers_if(_is_the_real_name, "550 Permission denied."))
    (tmp_path / NAME).write_bytes(OLD)
    with peers.pyftpd(tmp_path, handler=unreadable) as server:
        upload = FtpSession(_target(server)).upload(NAME, NEW)
    assert upload.backup
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {NAME: NEW, upload.backup: OLD}


def test_the_old_file_comes_back_if_the_server_dies_between_two_renames(tmp_path: Path) -> None:
    def dies_once(handler: Any, path: str, proceed: Any) -> Any:
        if not _is_the_real_name(path):
            return proceed()
        if os.path.lexists(path):
            return handler.respond("553 File exists.")
        if deaths:
            return proceed()
        deaths.append(path)
        return handler.close()

    deaths: list[str] = []
    with _failing(tmp_path, misbehaving(RNTO=dies_once)) as failure:
        assert deaths
        assert failure.value.code == "disconnected"
        assert [each for each in tmp_path.iterdir() if each.suffix == ".old"] == []


def test_where_the_old_file_is_now_is_told_if_it_cannot_come_back(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(OLD)
    never = answers_if(_is_the_real_name, "550 Permission denied.")
    with peers.pyftpd(tmp_path, handler=misbehaving(RNTO=never, STOR=never)) as server:
        session = FtpSession(_target(server))
        with pytest.raises(TransportError) as failure:
            session.upload(NAME, NEW, keep_backups=0)
    (aside,) = [each for each in tmp_path.iterdir() if each.suffix == ".old"]
    assert aside.read_bytes() == OLD
    assert aside.name in failure.value.message


def test_a_server_that_loses_commands_is_asked_one_thing_at_a_time(tmp_path: Path) -> None:
    with peers.pyftpd(tmp_path, handler=LosesWhatComesEarly) as server:
        first = FtpSession(_target(server, timeout=SILENCE)).upload(NAME, OLD)
        second = FtpSession(_target(server, timeout=SILENCE)).upload(NAME, NEW)
    assert first.seconds > SILENCE > second.seconds
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {NAME: NEW, second.backup: OLD}


@pytest.mark.parametrize("kept", [False, True])
def test_a_server_may_lose_what_announces_the_next_upload(tmp_path: Path, kept: bool) -> None:
    names = [f"SEP00112233445{number}.cnf.xml" for number in range(3)]
    with peers.pyftpd(tmp_path, handler=misbehaving(RNTO=loses_what_follows)) as server:
        session = FtpSession(_target(server, timeout=SILENCE))
        seconds = []
        for name, following in zip(names, [*names[1:], ""], strict=True):
            session.reused = kept
            seconds.append(session.upload(name, NEW, next_name=following).seconds)
    assert seconds[1] > SILENCE > seconds[2]
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == dict.fromkeys(names, NEW)


def test_a_rename_done_but_not_answered_is_found_done_the_next_time(tmp_path: Path) -> None:
    with peers.pyftpd(tmp_path, handler=misbehaving(RNTO=does_it_and_hangs_up)) as server:
        session = FtpSession(_target(server))
        with pytest.raises(TransportError, match="closed the connection"):
            session.upload(NAME, NEW)
        assert session.upload(NAME, NEW).unchanged


@pytest.mark.parametrize("listing", [answers("502 No such command."), answers("425 No."), silent, hangs_up])
def test_listing_may_fail(tmp_path: Path, listing: Any) -> None:
    (tmp_path / NAME).write_bytes(OLD)
    with peers.pyftpd(tmp_path, handler=misbehaving(NLST=listing)) as server:
        session = FtpSession(_target(server, timeout=SILENCE))
        assert session.upload(NAME, NEW, keep_backups=1).backup
        assert session.upload(NAME, OLD, keep_backups=1).backup
    assert (tmp_path / NAME).read_bytes() == OLD


@pytest.mark.parametrize("content", [NEW, OLD])
def test_a_server_without_size_is_read_back(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(OLD)
    with peers.pyftpd(tmp_path, handler=misbehaving(SIZE=answers("502 Not implemented."))) as server:
        upload = FtpSession(_target(server)).upload(NAME, content)
    assert (upload.read_back, upload.unchanged) == (True, content == OLD)
    assert (tmp_path / NAME).read_bytes() == content


@pytest.mark.parametrize("command", ["STOR", "SIZE", "RNFR", "RNTO"])
def test_a_killed_process_leaves_the_old_file_and_the_next_upload_cleans_up(tmp_path: Path, command: str) -> None:
    (tmp_path / NAME).write_bytes(OLD)
    reached = tmp_path.with_suffix(".reached")

    def stalls(handler: Any, path: str, proceed: Any) -> Any:
        if command == "SIZE" and not path.endswith(".part"):
            return proceed()
        return reached.touch()

    script = (
        "import sys; from phones_app.transports.ftp.login import FtpTarget\n"
        "from phones_app.transports.ftp.session import FtpSession\n"
        "FtpSession(FtpTarget('127.0.0.1', int(sys.argv[1]), *sys.argv[2:4])).upload(sys.argv[4], b'half')"
    )
    with peers.pyftpd(tmp_path, handler=misbehaving(**{command: stalls})) as server:
        arguments = [str(server.port), server.username, server.password, NAME]
        with subprocess.Popen([sys.executable, "-c", script, *arguments]) as uploader:
            until = time.monotonic() + 60
            while not reached.exists() and time.monotonic() < until:
                time.sleep(0.01)
            uploader.send_signal(signal.SIGKILL)
    assert reached.exists()
    assert (tmp_path / NAME).read_bytes() == OLD
    assert {each.suffix for each in tmp_path.iterdir()} <= {".xml", ".part"}

    with peers.pyftpd(tmp_path) as server:
        upload = FtpSession(_target(server)).upload(NAME, NEW)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {NAME: NEW, upload.backup: OLD}
