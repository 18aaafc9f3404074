"""Connections kept for the next upload, counted at the server."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pyftpdlib.handlers import FTPHandler

from contacts_app.core.errors import TransportError
from phones_app.transports.ftp import pool as ftp_pool
from phones_app.transports.ftp import session as ftp
from phones_app.transports.ftp.login import FtpTarget
from phones_app.transports.ftp.pool import FtpPool
from tests.peers import ftp as peers


@dataclass
class Counted:
    """A server that counts its connections and can turn silent to some commands while it runs."""

    open: int = 0
    most: int = 0
    opened: int = 0
    silent_to: set[str] = field(default_factory=set)
    target: FtpTarget = field(default_factory=lambda: FtpTarget(""))


@contextmanager
def _counting(root: Path, port: int = 0) -> Iterator[Counted]:
    counted = Counted()

    class Counting(FTPHandler):
        def on_connect(self) -> None:
            counted.open += 1
            counted.opened += 1
            counted.most = max(counted.most, counted.open)

        def on_disconnect(self) -> None:
            counted.open -= 1

        def pre_process_command(self, line: str, cmd: str, arg: str) -> Any:
            return None if cmd in counted.silent_to else super().pre_process_command(line, cmd, arg)

    with peers.pyftpd(root, port=port, handler=Counting) as server:
        counted.target = FtpTarget(server.host, server.port, server.username, server.password, timeout=60)
        yield counted


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    with _counting(tmp_path) as server:
        yield server


@pytest.fixture
def pool() -> Iterator[FtpPool]:
    pool = FtpPool(max_per_server=2)
    yield pool
    pool.close()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def _upload(pool: FtpPool, target: FtpTarget, name: str = "SEP1.cnf.xml", content: bytes = b"x") -> None:
    with pool.session(target) as session:
        session.upload(name, content)


def test_one_login_serves_many_uploads(counted: Counted, pool: FtpPool) -> None:
    for number in range(10):
        _upload(pool, counted.target, f"SEP{number}.cnf.xml")
    assert counted.opened == 1


def test_many_threads_share_two_connections(counted: Counted, pool: FtpPool, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        for number in range(40):
            threads.submit(_upload, pool, counted.target, f"SEP{number}.cnf.xml", b"%d" % number)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {
        f"SEP{number}.cnf.xml": b"%d" % number for number in range(40)
    }
    assert (counted.most, counted.opened) == (2, 2)


def test_the_limit_is_one_server_s_whatever_the_folder(counted: Counted, pool: FtpPool, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        _upload(pool, replace(counted.target, directory=name))
        assert (tmp_path / name / "SEP1.cnf.xml").exists()
    _until(lambda: counted.open == 2)


def test_who_waits_too_long_for_a_connection_is_told(counted: Counted) -> None:
    pool = FtpPool(max_per_server=1)
    impatient = replace(counted.target, deadline=0.1)
    with pool.session(counted.target), pytest.raises(TransportError) as failure, pool.session(impatient):
        pass
    assert (failure.value.code, failure.value.permanent) == ("busy", False)
    _upload(pool, counted.target)
    pool.close()


def test_who_waits_gets_the_connection_when_it_is_free(counted: Counted) -> None:
    pool = FtpPool(max_per_server=1)
    waiting = threading.Thread(target=_upload, args=(pool, counted.target, "SEP2.cnf.xml"))
    with pool.session(counted.target) as session:
        waiting.start()
        session.upload("SEP1.cnf.xml", b"x")
    waiting.join(180)
    assert counted.opened == 1
    pool.close()


def test_a_failed_session_is_not_lent_again(counted: Counted, pool: FtpPool) -> None:
    target = replace(counted.target, timeout=2.0)
    with pool.session(target) as session:
        session.upload("SEP1.cnf.xml", b"x")
        counted.silent_to = {"STOR"}
        with pytest.raises(TransportError):
            session.upload("SEP2.cnf.xml", b"x")
    counted.silent_to = set()
    _upload(pool, target)
    assert counted.opened == 2


def test_an_exception_in_the_block_closes_the_connection(counted: Counted, pool: FtpPool) -> None:
    text: Any = "not bytes"
    with pytest.raises(TypeError), pool.session(counted.target) as session:
        session.upload("SEP1.cnf.xml", text)
    _until(lambda: counted.open == 0)
    _upload(pool, counted.target)


def test_a_connection_that_died_meanwhile_is_replaced_unnoticed(tmp_path: Path, pool: FtpPool) -> None:
    with _counting(tmp_path) as server:
        _upload(pool, server.target)
    with _counting(tmp_path, port=server.target.port) as restarted:
        with pool.session(server.target) as session:
            upload = session.upload("SEP1.cnf.xml", b"new")
            assert session.read("SEP1.cnf.xml") == b"new"
        assert restarted.opened == 1
    assert upload.backup


def test_a_server_that_stays_away_is_told_at_the_second_try(tmp_path: Path, pool: FtpPool) -> None:
    with _counting(tmp_path) as server:
        _upload(pool, server.target)
    with pytest.raises(TransportError) as failure:
        _upload(pool, server.target)
    assert failure.value.code == "refused"


def test_a_connection_idle_for_long_is_asked_whether_it_lives(
    counted: Counted, pool: FtpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ftp_pool, "TRUSTED_SECONDS", 0.0)
    monkeypatch.setattr(ftp, "NOOP_SECONDS", 2.0)
    _upload(pool, counted.target)
    _upload(pool, counted.target)
    assert counted.opened == 1
    counted.silent_to = {"NOOP"}
    _upload(pool, counted.target)
    assert counted.opened == 2


def test_idle_connections_are_closed_though_nobody_asks(counted: Counted) -> None:
    pool = FtpPool(idle_seconds=1.0)
    _upload(pool, counted.target)
    assert counted.opened == 1
    _until(lambda: counted.open == 0)
    _upload(pool, counted.target)
    assert counted.opened == 2
    _until(lambda: counted.open == 0)


def test_a_closed_pool_keeps_no_connection(counted: Counted) -> None:
    pool = FtpPool()
    _upload(pool, counted.target)
    with pool.session(counted.target) as session:
        session.upload("SEP2.cnf.xml", b"x")
        pool.close()
    _until(lambda: counted.open == 0)
