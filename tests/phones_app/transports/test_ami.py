"""Restarting phones through a PBX that speaks the manager interface."""

import socket
import threading
import time
from dataclasses import replace

import pytest

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import Networks
from phones_app.transports.restart.ami import AmiSession, AmiTarget
from phones_app.transports.restart.asterisk import (
    pjsip_contacts,
    pjsip_registration,
    restart_chan_sip,
    restart_pjsip,
    restart_sccp,
)
from tests.peers.asterisk import Asterisk, Registration

CALL_ID = "001122334455-0002a3f4-1b2c3d4e-5f607182@192.0.2.10"
OTHER_CALL_ID = "00aabbccddee-0001b2c3-4d5e6f70-8192a3b4@192.0.2.11"
MINE = Registration("1001", CALL_ID)
OTHER = Registration("1001", OTHER_CALL_ID, ip="192.0.2.11")


def target(pbx: Asterisk, **changes: object) -> AmiTarget:
    fields = {"port": pbx.port, "username": pbx.username, "secret": pbx.secret, "timeout": 2.0}
    return AmiTarget("127.0.0.1", **{**fields, **changes})


def variables(pairs: list[tuple[str, str]]) -> list[str]:
    return [value for key, value in pairs if key == "Variable"]


def test_contacts_are_listed_in_the_spelling_of_every_version() -> None:
    for old_spelling in (False, True):
        with (
            Asterisk(registrations=[MINE, OTHER], old_spelling=old_spelling).running() as pbx,
            AmiSession(target(pbx)) as session,
        ):
            first, second = pjsip_contacts(session)
        assert (first.aor, first.endpoint, first.call_id, first.status) == ("1001", "1001", CALL_ID, "Reachable")
        assert first.uri in ("sip:1001@192.0.2.10:5060", "sip:1001@192.0.2.10:5060;transport=tcp")
        assert (first.mac, first.addresses) == ("001122334455", {"192.0.2.10"})
        assert second.mac == "00AABBCCDDEE"


def test_no_registration_at_all_is_an_empty_list() -> None:
    with Asterisk().running() as pbx, AmiSession(target(pbx)) as session:
        assert pjsip_contacts(session) == []
        assert pjsip_registration(session, endpoint="1001") is None


def test_pjsip_restarts_the_only_phone_of_an_endpoint() -> None:
    with Asterisk(registrations=[MINE]).running() as pbx, AmiSession(target(pbx)) as session:
        exchange = restart_pjsip(session, endpoint="1001", mac="001122334455")
        (notify,) = pbx.asked("PJSIPNotify")
    assert ("Endpoint", "1001") in notify
    assert variables(notify) == [
        "Event=service-control",
        "Subscription-State=active",
        "Content-Type=text/plain",
        "Content=action=restart",
        f"Content=RegisterCallId={{{CALL_ID}}}",
        "Content=ConfigVersionStamp={00000000-0000-0000-0000-000000000000}",
        "Content=DialplanVersionStamp={00000000-0000-0000-0000-000000000000}",
        "Content=SoftkeyVersionStamp={00000000-0000-0000-0000-000000000000}",
        "Content=",
    ]
    assert exchange.request.startswith("Action: PJSIPNotify\r\n")
    assert "Message: NOTIFY sent" in exchange.answer


@pytest.mark.parametrize("who", [{"mac": "001122334455"}, {"ip": "192.0.2.10"}])
def test_pjsip_finds_the_phone_among_others_on_its_endpoint(who: dict[str, str]) -> None:
    with Asterisk(registrations=[OTHER, MINE]).running() as pbx, AmiSession(target(pbx)) as session:
        restart_pjsip(session, endpoint="1001", **who)
        (notify,) = pbx.asked("PJSIPNotify")
        assert pjsip_registration(session, endpoint="1001", **who) == CALL_ID
    assert f"Content=RegisterCallId={{{CALL_ID}}}" in variables(notify)
    assert dict(notify)["URI"] == "sip:1001@192.0.2.10:5060;transport=tcp"


@pytest.mark.parametrize(
    ("registrations", "who", "code"),
    [
        ([MINE, OTHER], {}, "ambiguous-contact"),
        ([MINE, OTHER], {"ip": "192.0.2.99"}, "ambiguous-contact"),
        ([OTHER], {"mac": "001122334455"}, "not-registered"),
        ([OTHER], {"mac": "001122334455", "ip": "192.0.2.11"}, "not-registered"),
        ([replace(MINE, endpoint="1002")], {}, "not-registered"),
        ([replace(MINE, status="Removed")], {}, "not-registered"),
    ],
)
def test_pjsip_never_restarts_another_phone(registrations: list[Registration], who: dict[str, str], code: str) -> None:
    with Asterisk(registrations=registrations).running() as pbx, AmiSession(target(pbx)) as session:
        with pytest.raises(TransportError) as caught:
            restart_pjsip(session, endpoint="1001", **who)
        assert pbx.asked("PJSIPNotify") == []
    assert caught.value.code == code


def test_a_new_registration_shows_that_the_phone_restarted() -> None:
    def register_again(name: str) -> None:
        pbx.registrations = [replace(MINE, call_id=CALL_ID.replace("0002a3f4", "0002a3f5"))]

    with Asterisk(registrations=[MINE], on_restart=register_again).running() as pbx, AmiSession(target(pbx)) as session:
        before = pjsip_registration(session, endpoint="1001", mac="001122334455")
        restart_pjsip(session, endpoint="1001", mac="001122334455")
        after = pjsip_registration(session, endpoint="1001", mac="001122334455")
    assert before == CALL_ID != after
    assert after is not None


def test_chan_sip_with_the_patch_tells_the_call_id() -> None:
    with Asterisk(chan_sip_call_ids={"1001": CALL_ID}).running() as pbx, AmiSession(target(pbx)) as session:
        restart_chan_sip(session, peer="1001", action="reset")
        (notify,) = pbx.asked("SIPnotify")
    assert {("Channel", "SIP/1001"), ("Peer", "1001")} <= set(notify)
    assert "Content=action=reset" in variables(notify)
    assert f"Content=RegisterCallId={{{CALL_ID}}}" in variables(notify)


@pytest.mark.parametrize("old_spelling", [False, True])
def test_stock_chan_sip_is_asked_by_command(old_spelling: bool) -> None:
    with Asterisk(old_spelling=old_spelling).running() as pbx, AmiSession(target(pbx)) as session:
        exchange = restart_chan_sip(session, peer="1001")
        assert "Sending NOTIFY of type 'cisco-restart'" in exchange.answer
        with pytest.raises(TransportError, match="Unable to find notify type"):
            restart_chan_sip(session, peer="1001", action="reset")


@pytest.mark.parametrize("peer", ["1001\r\nAction: Originate", "1001 1002", "", "1001)"])
def test_chan_sip_takes_only_the_name_of_a_peer(peer: str) -> None:
    with Asterisk().running() as pbx, AmiSession(target(pbx)) as session, pytest.raises(TransportError) as caught:
        restart_chan_sip(session, peer=peer)
    assert caught.value.code == "invalid-value"


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
        (Asterisk(channels=("pjsip",)), "unknown-action", True),
        (Asterisk(forbidden=("SCCPDeviceRestart",)), "permission-denied", True),
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
        Asterisk(drip=0.02).running() as pbx,
        pytest.raises(TransportError) as caught,
        AmiSession(target(pbx, timeout=0.3)),
    ):
        pass
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < 1


def test_an_action_without_an_answer_ends_in_time() -> None:
    with (
        Asterisk(mute_on="SCCPDeviceRestart").running() as pbx,
        AmiSession(target(pbx, timeout=0.3)) as session,
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
        Asterisk(registrations=[MINE] * 100).running() as pbx,
        AmiSession(target(pbx)) as session,
        pytest.raises(TransportError, match="after 50 messages"),
    ):
        pjsip_contacts(session)


def test_a_long_list_is_kept_short_as_evidence() -> None:
    with Asterisk(registrations=[MINE] * 500).running() as pbx, AmiSession(target(pbx)) as session:
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
