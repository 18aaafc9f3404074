"""Ways in which connecting, encrypting and logging in fail, and what is told then."""

import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import Networks
from phones_app.transports.ftp.login import FtpTarget
from phones_app.transports.ftp.session import FtpSession
from tests.peers import ftp as peers
from tests.peers.ftp_misbehaving import misbehaving
from tests.servers import free_port


def test_a_server_that_accepts_and_says_nothing_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silence:
        target = FtpTarget("127.0.0.1", silence.getsockname()[1], timeout=0.3)
        with pytest.raises(TransportError) as failure:
            FtpSession(target).test()
    assert (failure.value.code, failure.value.permanent) == ("timeout", False)


def test_a_closed_port_is_a_refusal() -> None:
    with pytest.raises(TransportError) as failure:
        FtpSession(FtpTarget("127.0.0.1", free_port())).test()
    assert (failure.value.code, failure.value.permanent) == ("refused", False)


def test_an_address_outside_the_networks_is_not_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        target = FtpTarget("localhost", server.getsockname()[1], networks=Networks.parse("10.0.0.0/8"))
        with pytest.raises(TransportError) as failure:
            FtpSession(target).test()
        assert failure.value.code == "outside-networks"
        with pytest.raises(TimeoutError):
            server.accept()


def test_an_endless_greeting_is_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = FtpTarget("127.0.0.1", server.getsockname()[1])
        script = (
            "import socket, sys\n"
            "connection = socket.socket(fileno=int(sys.argv[1])).accept()[0]\n"
            "while True: connection.sendall(b'220-and another line\\r\\n' * 100)"
        )
        descriptor = server.fileno()
        with subprocess.Popen(
            [sys.executable, "-c", script, str(descriptor)], pass_fds=[descriptor], stderr=subprocess.DEVNULL
        ) as talker:
            with pytest.raises(TransportError) as failure:
                FtpSession(target).test()
            talker.kill()
    assert failure.value.code == "protocol"
    assert len(failure.value.answer) < 64_000


def test_a_password_that_the_server_echoes_is_masked(tmp_path: Path) -> None:
    echo = misbehaving(PASS=lambda handler, argument, _: handler.respond(f"530 {argument!r} is wrong."))
    with peers.pyftpd(tmp_path, handler=echo) as server, pytest.raises(TransportError) as failure:
        FtpSession(FtpTarget(server.host, server.port, server.username, server.password)).test()
    said = failure.value.request + failure.value.answer + failure.value.message
    assert server.password not in said


@peers.needs_proftpd
def test_a_wrong_password_is_a_permanent_failure() -> None:
    with peers.proftpd() as server, pytest.raises(TransportError, match="530 Login incorrect") as failure:
        FtpSession(FtpTarget(server.host, server.port, server.username, "not-it")).test()
    assert (failure.value.code, failure.value.permanent) == ("login", True)


@peers.needs_proftpd
def test_a_server_without_encryption_is_told_apart() -> None:
    with peers.proftpd() as server, pytest.raises(TransportError) as failure:
        FtpSession(FtpTarget(server.host, server.port, server.username, server.password, tls=True)).test()
    assert (failure.value.code, failure.value.permanent) == ("tls-unavailable", True)
    assert "PASS" not in failure.value.request


@peers.needs_proftpd_tls
def test_an_untrusted_certificate_is_refused_where_it_is_to_be_verified() -> None:
    with peers.proftpd(tls=True) as server:
        target = FtpTarget(server.host, server.port, server.username, tls=True, verify_certificate=True)
        with pytest.raises(TransportError) as failure:
            FtpSession(target).test()
    assert (failure.value.code, failure.value.permanent) == ("certificate", True)


@peers.needs_proftpd_tls
@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
def test_a_session_that_is_not_resumed_gets_a_telling_refusal(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    # As if this Python could not resume sessions: the server's refusal is the real one.
    monkeypatch.setattr(ssl.SSLSocket, "session", property(lambda _: None, lambda *_: None))
    with peers.proftpd(tls=True, require_session_reuse=True, tls_protocol=protocol) as server:
        target = FtpTarget(server.host, server.port, server.username, server.password, tls=True)
        with pytest.raises(TransportError, match="resume the TLS session") as failure:
            FtpSession(target).upload("SEP001122334455.cnf.xml", b"new")
        assert list(server.root.iterdir()) == []
    assert (failure.value.code, failure.value.permanent) == ("tls-session-reuse", True)
