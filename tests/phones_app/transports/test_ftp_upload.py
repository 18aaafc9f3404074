"""Uploading to real servers: pyftpdlib, vsftpd and proftpd, in clear and encrypted, passive and active."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import Networks
from phones_app.transports.ftp.login import FtpTarget
from phones_app.transports.ftp.session import FtpSession
from tests.peers import ftp as peers

NAME = "SEP001122334455.cnf.xml"
OLD = b"<device>old</device>\r\n"
NEW = "<device>\tn\u00e9w</device>".encode() * 3000


@dataclass
class Folder:
    """A folder of a server's own, and how to get there."""

    path: Path
    target: FtpTarget

    @property
    def files(self) -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in self.path.iterdir()}

    @property
    def backups(self) -> list[bytes]:
        return [content for name, content in sorted(self.files.items()) if name.endswith(".bak")]


def _tls(protocol: str, require: bool) -> AbstractContextManager[peers.Server]:
    return peers.proftpd(tls=True, tls_protocol=protocol, require_session_reuse=require)


SERVERS: dict[str, tuple[Any, dict[str, Any], list[pytest.MarkDecorator]]] = {
    "pyftpdlib": (peers.pyftpd, {}, []),
    "vsftpd": (peers.vsftpd, {}, [peers.needs_vsftpd]),
    "vsftpd-active": (peers.vsftpd, {"passive": False}, [peers.needs_vsftpd]),
    "proftpd": (peers.proftpd, {}, [peers.needs_proftpd]),
    "proftpd-tls": (lambda: _tls("TLSv1.2 TLSv1.3", False), {"tls": True}, [peers.needs_proftpd_tls]),
    "proftpd-reuse-1.2-active": (
        lambda: _tls("TLSv1.2", True),
        {"tls": True, "passive": False},
        [peers.needs_proftpd_tls],
    ),
    "proftpd-reuse-1.3": (lambda: _tls("TLSv1.3", True), {"tls": True}, [peers.needs_proftpd_tls]),
}


@pytest.fixture(scope="module", params=[pytest.param(name, id=name, marks=rest[2]) for name, rest in SERVERS.items()])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[peers.Server, dict[str, Any]]]:
    start, options, _ = SERVERS[request.param]
    arguments = [tmp_path_factory.mktemp("ftp")] if start is peers.pyftpd else []
    with start(*arguments) as running:
        yield running, options


@pytest.fixture
def folder(server: tuple[peers.Server, dict[str, Any]], request: pytest.FixtureRequest) -> Folder:
    running, options = server
    path = running.root / re.sub(r"\W", "-", request.node.name)
    path.mkdir()
    path.chmod(0o777)
    target = FtpTarget(
        running.host,
        running.port,
        running.username,
        running.password,
        path.name,
        timeout=60,
        deadline=15,
        networks=Networks.parse("127.0.0.0/8"),
        **options,
    )
    return Folder(path, target)


def test_a_new_file_arrives_byte_for_byte(folder: Folder) -> None:
    with FtpSession(folder.target) as session:
        upload = session.upload(NAME, NEW)
    assert folder.files == {NAME: NEW}
    assert (upload.path, upload.size) == (f"{folder.path.name}/{NAME}", len(NEW))
    assert upload.sha256 == hashlib.sha256(NEW).hexdigest()
    assert (upload.unchanged, upload.backup, upload.read_back) == (False, None, False)


def test_a_stored_file_may_be_read_by_other_programs(folder: Folder) -> None:
    with FtpSession(folder.target) as session:
        session.upload(NAME, NEW)
    assert (folder.path / NAME).stat().st_mode & 0o444 == 0o444


def test_the_old_file_is_kept_as_a_backup(folder: Folder) -> None:
    (folder.path / NAME).write_bytes(OLD)
    with FtpSession(folder.target) as session:
        upload = session.upload(NAME, NEW, read_back=True)
    assert upload.read_back
    assert upload.backup is not None
    assert re.fullmatch(re.escape(NAME) + r"\.\d{8}T\d{6}Z\.bak", upload.backup)
    assert folder.files == {NAME: NEW, upload.backup: OLD}


def test_the_same_content_is_not_stored_again(folder: Folder) -> None:
    with FtpSession(folder.target) as session:
        session.upload(NAME, NEW)
        before = (folder.path / NAME).stat()
        upload = session.upload(NAME, NEW)
    assert upload.unchanged
    assert "STOR" not in upload.exchange.request
    assert (folder.path / NAME).stat().st_ino == before.st_ino


def test_other_content_of_the_same_size_is_stored(folder: Folder) -> None:
    (folder.path / NAME).write_bytes(NEW.swapcase())
    with FtpSession(folder.target) as session:
        assert not session.upload(NAME, NEW, keep_backups=0).unchanged
    assert folder.files == {NAME: NEW}


def test_the_newest_backups_stay_even_within_one_second(folder: Folder) -> None:
    with FtpSession(folder.target) as session:
        for number in range(7):
            session.upload(NAME, b"version %d" % number, keep_backups=3)
    assert (folder.path / NAME).read_bytes() == b"version 6"
    assert sorted(folder.backups) == [b"version 3", b"version 4", b"version 5"]


def test_backups_made_by_two_connections_within_one_second_both_stay(folder: Folder) -> None:
    (folder.path / NAME).write_bytes(b"one")
    with FtpSession(folder.target) as first, FtpSession(folder.target) as second:
        first.upload(NAME, b"two")
        second.upload(NAME, b"three")
    assert set(folder.backups) == {b"one", b"two"}


def test_what_comes_next_is_looked_at_before_it_comes(folder: Folder) -> None:
    """Uploads one after the other, each announced by the one before; what is announced and does not come harms none."""
    first, second, third = (f"SEP00112233445{number}.cnf.xml" for number in range(3))
    (folder.path / second).write_bytes(OLD)
    with FtpSession(folder.target) as session:
        session.upload(first, NEW, keep_backups=0, next_name=second)
        replaced = session.upload(second, NEW, keep_backups=0, next_name=NAME)
        assert session.read(first) == NEW
        session.upload(third, OLD, keep_backups=0, next_name=second)
        unchanged = session.upload(second, NEW, keep_backups=0, next_name="SEP001122334459.cnf.xml")
    assert replaced.exchange.request.count("SIZE") == 2
    assert unchanged.unchanged
    assert folder.files == {first: NEW, second: NEW, third: OLD}


def test_no_backup_is_made_or_deleted_if_none_is_to_be_kept(folder: Folder) -> None:
    with FtpSession(folder.target) as session:
        for content in (b"one", b"two"):
            session.upload(NAME, content)
        session.upload(NAME, b"three", keep_backups=0)
    assert folder.backups == [b"one"]


def test_what_killed_uploads_left_is_removed(folder: Folder) -> None:
    stays = {f".SEP00000000000A.cnf.xml.{'0' * 12}.part": b"", f".{NAME}.part": b"", f"{NAME}.sgn": b""}
    for name in (f".{NAME}.0123456789ab.part", f".{NAME}.0123456789ab.old", *stays):
        (folder.path / name).write_bytes(b"")
        (folder.path / name).chmod(0o666)
    with FtpSession(folder.target) as session:
        session.upload(NAME, NEW)
    assert folder.files == {NAME: NEW, **stays}


def test_the_file_is_never_missing_or_half(folder: Folder) -> None:
    first, second = b"a" * 200_000, b"b" * 200_000
    (folder.path / NAME).write_bytes(first)
    done = threading.Event()
    seen: set[bytes] = set()

    def fetch_like_a_phone() -> None:
        while not done.is_set():
            seen.add((folder.path / NAME).read_bytes())

    phone = threading.Thread(target=fetch_like_a_phone)
    phone.start()
    try:
        with FtpSession(folder.target) as session:
            for _ in range(5):
                session.upload(NAME, second, keep_backups=1)
                session.upload(NAME, first, keep_backups=0)
    finally:
        done.set()
        phone.join()
    assert seen == {first, second}


def test_reading_gives_the_content_or_none(folder: Folder) -> None:
    (folder.path / NAME).write_bytes(OLD)
    with FtpSession(folder.target) as session:
        assert session.read(NAME) == OLD
        assert session.read("SEP000000000000.cnf.xml") is None


def test_a_server_test_shows_what_was_said_and_leaves_nothing(folder: Folder) -> None:
    exchange = FtpSession(folder.target).test()
    for command in ("USER", f"CWD {folder.path.name}", "STOR", "RNTO", "DELE"):
        assert command in exchange.request
    assert "250" in exchange.answer
    assert folder.files == {}


def test_the_evidence_holds_neither_password_nor_content(folder: Folder) -> None:
    with FtpSession(folder.target) as session:
        exchange = session.upload(NAME, b"<authPassword>cisco</authPassword>").exchange
    if folder.target.password:
        assert "PASS ********" in exchange.request
        assert folder.target.password not in exchange.request + exchange.answer + repr(folder.target)
    assert f"RNTO {NAME}" in exchange.request
    assert "cisco" not in exchange.request + exchange.answer


def test_a_missing_folder_is_named(folder: Folder) -> None:
    with pytest.raises(TransportError, match="no-such-folder") as failure:
        FtpSession(replace(folder.target, directory="no-such-folder")).upload(NAME, NEW)
    assert (failure.value.code, failure.value.permanent) == ("directory", True)
    assert "CWD no-such-folder" in failure.value.request


def test_an_absolute_folder_is_found(folder: Folder) -> None:
    # pyftpdlib shows its users the folder it serves as the root of everything.
    served_as_root = folder.path.parent.name != "root"
    absolute = f"/{folder.path.name}" if served_as_root else str(folder.path)
    with FtpSession(replace(folder.target, directory=absolute)) as session:
        assert session.upload(NAME, NEW).path == f"{absolute}/{NAME}"
    assert folder.files == {NAME: NEW}


@pytest.mark.parametrize("name", ["", "..", "../x", "/etc/x", "a\r\nDELE b", "a\\b", "nul\0"])
def test_a_name_that_is_none_is_refused_before_anything_is_sent(name: str) -> None:
    with pytest.raises(TransportError) as failure:
        FtpSession(FtpTarget("host.invalid")).upload(name, NEW)
    assert (failure.value.code, failure.value.permanent) == ("bad-value", True)
