"""The client of the manager interface: log-in, framing, limits, kept sessions; and SCCP, which is one action."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import Networks
from phones_app.transports.restart import ami_sessions
from phones_app.transports.restart.ami import AmiSession, AmiTarget
from phones_app.transports.restart.ami_sessions import AmiSessions
from phones_app.transports.restart.asterisk import restart_sccp
from tests.peers.asterisk import Asterisk, Contact
from tests.peers.asterisk_pjsip import Pjsip
from tests.servers import wait_for

LIST = [Contact("1001", "00112233-44550002-1b2c3d4e-5f607182@192.0.2.10")]


def target(pbx: Asterisk, **changes: object) -> AmiTarget:
    fields = {"port": pbx.port, "username": pbx.username, "secret": pbx.secret, "timeout": 20.0}
    return AmiTarget("127.0.0.1", **{**fields, **changes})


def variables(pairs: list[tuple[str, str]]) -> list[str]:
    return [value for key, value in pairs if key == "Variable"]


def test_sccp_restarts_a_registered_phone() -> None:
    with Asterisk(sccp_devices={"SEP001122334455": True}).running() as pbx:
        with AmiSession(target(pbx)) as session:
            exchange = restart_sccp(session, device_name="SEP001122334455", type="reset")
        (restart,) = pbx.asked("SCCPDeviceRestart")
    assert {("Devicename", "SEP001122334455"), ("Type", "reset")} <= set(restart)
    assert "Device restarted" in exchange.answer


@pytest.mark.parametrize(
    ("pbx", "code", "permanent"),
    [
        (Asterisk(), "device-not-found", True),
        (Asterisk(sccp_devices={"SEP001122334455": False}), "not-registered", False),
        (Asterisk(modules=("pjsip",)), "unknown-action", True),
        (Asterisk(rights=("call",)), "permission-denied", True),
    ],
)
def test_sccp_refusals_are_told_apart(pbx: Asterisk, code: str, permanent: bool) -> None:
    with pbx.running(), AmiSession(target(pbx)) as session, pytest.raises(TransportError) as caught:
        restart_sccp(session, device_name="SEP001122334455")
    assert (caught.value.code, caught.value.permanent) == (code, permanent)
    assert "Devicename: SEP001122334455" in caught.value.request
    assert "Response: Error" in caught.value.answer


def test_a_wrong_secret_is_refused_and_shown_nowhere() -> None:
    with Asterisk().running() as pbx:
        with pytest.raises(TransportError) as caught, AmiSession(target(pbx, secret="hunter2")):
            pass
        (login,) = pbx.asked("Login")
    error = caught.value
    assert (error.code, error.permanent) == ("authentication", True)
    assert "Key: ***" in error.request
    shown = error.request + error.answer + error.message + repr(target(pbx, secret="hunter2")) + repr(pbx.actions)
    assert "hunter2" not in shown
    assert dict(login)["Key"] not in error.request


def test_what_is_no_manager_interface_is_named_so() -> None:
    with (
        Asterisk(greeting=b"SSH-2.0-OpenSSH_9.2\r\n").running() as pbx,
        pytest.raises(TransportError) as caught,
        AmiSession(target(pbx)),
    ):
        pass
    assert caught.value.code == "not-ami"


def test_a_closed_port_is_known_at_once() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(TransportError) as caught, AmiSession(AmiTarget("127.0.0.1", sock.getsockname()[1])):
            pass
    assert caught.value.code == "refused"


def test_a_pbx_that_drips_does_not_hold_us_up() -> None:
    started = time.monotonic()
    with (
        Asterisk(drip=0.5).running() as pbx,
        pytest.raises(TransportError) as caught,
        AmiSession(target(pbx, timeout=0.3)),
    ):
        pass
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < 10


def test_an_action_without_an_answer_ends_in_time() -> None:
    with (
        Asterisk(mute_on="SCCPDeviceRestart").running() as pbx,
        AmiSession(target(pbx, timeout=3.0)) as session,
        pytest.raises(TransportError) as caught,
    ):
        restart_sccp(session, device_name="SEP001122334455")
    assert caught.value.code == "timeout"
    assert "SCCPDeviceRestart" in caught.value.request


def test_an_endless_line_is_cut_off() -> None:
    with (
        Asterisk(greeting=b"x" * 100_000).running() as pbx,
        pytest.raises(TransportError, match="line without end"),
        AmiSession(target(pbx)),
    ):
        pass


def test_an_endless_list_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phones_app.transports.restart.ami._MAX_MESSAGES", 50)
    with (
        Asterisk(pjsip=Pjsip(LIST * 100)).running() as pbx,
        AmiSession(target(pbx)) as session,
        pytest.raises(TransportError, match="after 50 messages"),
    ):
        session.action("PJSIPShowContacts")


def test_a_long_list_is_kept_short_as_evidence() -> None:
    with Asterisk(pjsip=Pjsip(LIST * 500)).running() as pbx, AmiSession(target(pbx)) as session:
        reply = session.action("PJSIPShowContacts")
    assert len(reply.events) == 501
    assert len(reply.exchange.answer) < 10_000


def test_a_pbx_that_hangs_up_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        with pytest.raises(TransportError) as caught, AmiSession(AmiTarget("127.0.0.1", server.getsockname()[1])):
            pass
    assert caught.value.code == "closed"


def test_line_ends_in_values_are_refused() -> None:
    with Asterisk().running() as pbx, AmiSession(target(pbx)) as session:
        before = len(pbx.actions)
        for name, value in (("Devicename", "x\r\nAction: Originate"), ("A\r\nAction", "x")):
            with pytest.raises(TransportError) as caught:
                session.action("SCCPDeviceRestart", ((name, value),))
            assert caught.value.code == "invalid-value"
        assert len(pbx.actions) == before


def test_only_allowed_networks_are_spoken_to() -> None:
    with (
        pytest.raises(TransportError) as caught,
        AmiSession(AmiTarget("127.0.0.1", networks=Networks.parse("192.0.2.0/24"))),
    ):
        pass
    assert caught.value.code == "outside-networks"


def test_an_empty_list_with_its_extra_block_ends_and_the_next_answer_is_read() -> None:
    with Asterisk().running() as pbx, AmiSession(target(pbx)) as session:
        assert session.action("PJSIPShowContacts").message == "No Contacts found"
        assert session.action("Ping").response.get("Ping") == "Pong"


def test_a_failed_command_tells_its_reason() -> None:
    """Asterisk spec §F.6."""
    with Asterisk(modules=()).running() as pbx, AmiSession(target(pbx)) as session:
        reply = session.action("Command", Command="sip show peers")
    assert not reply.succeeded
    assert reply.refusal().message.startswith("Asterisk refuses: No such command 'sip show peers'")


def test_an_asterisk_that_has_just_started_is_asked_until_it_has_loaded_its_modules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Asterisk spec §F.4; in an older session the module is not loaded and will not be."""
    monkeypatch.setattr("phones_app.transports.restart.ami._BOOT_SECONDS", 60.0)
    pbx = Asterisk(sccp_devices={"SEP001122334455": True})
    with pbx.running(), ThreadPoolExecutor(1) as threads:
        pbx.restart(seconds=3600)
        with AmiSession(target(pbx)) as session:
            told = threads.submit(restart_sccp, session, device_name="SEP001122334455")
            wait_for(lambda: pbx.asked("SCCPDeviceRestart"))
            pbx.loaded()
            told.result()
        assert len(pbx.asked("SCCPDeviceRestart")) > 1


@pytest.fixture
def sessions():
    kept = AmiSessions()
    yield kept
    kept.close()


def test_one_log_in_serves_all_threads_and_actions(sessions: AmiSessions) -> None:
    """Asterisk spec §E."""
    with Asterisk(allow_multiple_login=False).running() as pbx:

        def ping(_: int) -> bool:
            with sessions.session(target(pbx)) as session:
                return session.action("Ping").succeeded

        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(ping, range(40)))
        assert len(pbx.asked("Login")) == 1
        assert len(pbx.asked("Ping")) == 40


def test_a_session_that_asterisk_ended_is_opened_anew(sessions: AmiSessions) -> None:
    with Asterisk().running() as pbx:
        for _ in range(2):
            with sessions.session(target(pbx)) as session:
                assert session.action("Ping").succeeded
            pbx.restart()
        assert len(pbx.asked("Login")) == 2


def test_a_session_without_an_answer_is_not_used_again(sessions: AmiSessions) -> None:
    with Asterisk(mute_on="PJSIPShowContacts").running() as pbx:
        quick = target(pbx, timeout=3.0)
        with pytest.raises(TransportError, match="did not answer in time"), sessions.session(quick) as session:
            session.action("PJSIPShowContacts")
        with sessions.session(quick) as session:
            assert session.action("Ping").succeeded
        assert len(pbx.asked("Login")) == 2


def test_another_password_is_another_log_in(sessions: AmiSessions) -> None:
    with Asterisk().running() as pbx:
        with sessions.session(target(pbx)):
            pass
        with pytest.raises(TransportError) as caught, sessions.session(target(pbx, secret="changed")):
            pass
    assert caught.value.code == "authentication"


def test_an_idle_session_is_closed_for_others(sessions: AmiSessions) -> None:
    sessions = AmiSessions(idle_seconds=0.1)
    with Asterisk(allow_multiple_login=False).running() as pbx:
        with sessions.session(target(pbx)):
            pass
        # Waits until the log-in is free again, which is a matter of a moment (Asterisk spec §F.4).
        with AmiSessions().session(target(pbx)) as session:
            assert session.action("Ping").succeeded


def test_an_account_that_is_logged_in_elsewhere_is_no_matter_of_its_password(
    sessions: AmiSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami_sessions, "LOG_IN_SECONDS", 0.1)
    with (
        Asterisk(allow_multiple_login=False).running() as pbx,
        AmiSession(target(pbx)),
        pytest.raises(TransportError) as caught,
        sessions.session(target(pbx)),
    ):
        pass
    assert (caught.value.code, caught.value.permanent) == ("login-in-use", False)


def test_threads_that_wait_for_a_dead_asterisk_wait_once(sessions: AmiSessions) -> None:
    with Asterisk(mute_on="Challenge").running() as pbx:
        started = time.monotonic()

        def failed(_: int) -> str:
            with pytest.raises(TransportError) as caught, sessions.session(target(pbx, timeout=2.0)):
                pass
            return caught.value.code

        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(failed, range(8))) == {"timeout"}
        assert time.monotonic() - started < 8 * 2.0
