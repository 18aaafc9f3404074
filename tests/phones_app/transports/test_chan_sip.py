"""Restarting phones through chan_sip, as in Asterisk 18 and 22, with the usecallmanager patch and without it."""

from dataclasses import replace

import pytest

from contacts_app.core.errors import TransportError
from phones_app.transports.restart.ami import AmiSession
from phones_app.transports.restart.chan_sip import chan_sip_registration, restart_chan_sip
from tests.peers.asterisk import Asterisk
from tests.peers.asterisk_chan_sip import ChanSip, Peer
from tests.phones_app.transports.test_ami import target, variables

MAC, OTHER_MAC = "001122334455", "00AABBCCDDEE"
CALL_ID = "00112233-44550002-1b2c3d4e-5f607182@192.0.2.10"
ME = {"mac": MAC, "ip": "192.0.2.10"}
FIRST = Peer("5001", CALL_ID, device=f"SEP{MAC}", lines=("5002",))
SECOND = Peer("5002", CALL_ID.replace("0002-", "0001-"), device=f"SEP{MAC}", line=2)
OTHER = Peer("5003", "00aabbcc-ddee0001-4d5e6f70-8192a3b4@h", ip="192.0.2.11", device=f"SEP{OTHER_MAC}")
GONE = Peer("5006")


@pytest.fixture(params=[18, 22])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def with_peers(version: int, *peers: Peer, **changes: object) -> Asterisk:
    return Asterisk(chan_sip=ChanSip(version=version, peers=list(peers), **changes))


def test_the_registration_tells_call_id_place_and_whether_a_call_is_up(version: int) -> None:
    """Asterisk spec §I.1, §I.2 and §I.4."""
    talking = replace(FIRST, device_state="INUSE", status="OK (1 ms)")
    with with_peers(version, talking).running() as pbx, AmiSession(target(pbx)) as session:
        found = chan_sip_registration(session, peer="5001", **ME)
    assert (found.name, found.call_id, found.addresses) == ("5001", CALL_ID, {"192.0.2.10"})
    assert (found.in_call, found.reachable) == (True, True)
    assert found.expires > 0
    assert found.software == "sip88xx.14-2-1-0001-14"


def test_the_notify_carries_the_call_id_and_no_subscription_state(version: int) -> None:
    with with_peers(version, FIRST).running() as pbx, AmiSession(target(pbx)) as session:
        registration, _ = restart_chan_sip(session, peer="5001", action="reset", **ME)
        (notify,) = pbx.asked("SIPnotify")
        assert pbx.asked("Command") == []
    assert {("Channel", "SIP/5001"), ("Peer", "5001")} <= set(notify)
    assert variables(notify)[:4] == [
        "Event=service-control",
        "Content-Type=text/plain",
        "Content=action=reset",
        f"Content=RegisterCallId={{{CALL_ID}}}",
    ]
    assert registration.call_id == CALL_ID


def test_system_and_call_are_rights_enough(version: int) -> None:
    pbx = with_peers(version, FIRST)
    pbx.rights = ("system", "call")
    with pbx.running(), AmiSession(target(pbx)) as session:
        restart_chan_sip(session, peer="5001", **ME)
        assert pbx.asked("SIPnotify")


@pytest.mark.parametrize("user", ["5003", "5999", "5006"], ids=["of another phone", "unknown", "not registered"])
def test_a_wrong_line_user_leads_to_the_peer_of_this_phone(version: int, user: str) -> None:
    """Asterisk spec §I.2."""
    restarted: list[str] = []
    pbx = with_peers(version, OTHER, GONE, FIRST)
    pbx.on_restart = restarted.append
    with pbx.running(), AmiSession(target(pbx)) as session:
        registration, _ = restart_chan_sip(session, peer=user, **ME)
    assert restarted == ["5001"]
    assert registration.name == "5001"


@pytest.mark.parametrize(
    ("user", "who", "code"),
    [
        ("5003", ME, "not-registered"),
        # The address in the record is the other phone's, whose device name says who it is.
        ("5003", {"mac": MAC, "ip": OTHER.ip}, "not-registered"),
        ("5006", ME, "not-registered"),
        ("5999", ME, "device-not-found"),
    ],
)
def test_another_phone_is_never_restarted(version: int, user: str, who: dict[str, str], code: str) -> None:
    with with_peers(version, OTHER, GONE).running() as pbx, AmiSession(target(pbx)) as session:
        with pytest.raises(TransportError) as caught:
            restart_chan_sip(session, peer=user, **who)
        assert pbx.asked("SIPnotify") == pbx.asked("Command") == []
    assert caught.value.code == code


def test_the_first_line_is_addressed_whichever_line_is_named(version: int) -> None:
    """Asterisk spec §I.3: the second line keeps an old Call-ID."""
    restarted: list[str] = []
    pbx = with_peers(version, SECOND, OTHER, FIRST)
    pbx.on_restart = restarted.append
    with pbx.running(), AmiSession(target(pbx)) as session:
        registration, _ = restart_chan_sip(session, peer="5002", **ME)
        (notify,) = pbx.asked("SIPnotify")
    assert restarted == ["5001"]
    assert registration.call_id == CALL_ID
    assert f"Content=RegisterCallId={{{CALL_ID}}}" in variables(notify)


def test_a_phone_that_does_not_answer_the_pbx_is_not_sent_anything(version: int) -> None:
    with with_peers(version, replace(FIRST, status="UNREACHABLE")).running() as pbx:
        with AmiSession(target(pbx)) as session, pytest.raises(TransportError) as caught:
            restart_chan_sip(session, peer="5001", **ME)
        assert pbx.asked("SIPnotify") == []
    assert caught.value.code == "unreachable"


def test_without_the_patch_the_pbx_sends_what_its_own_file_says(version: int) -> None:
    with with_peers(version, FIRST, patched=False).running() as pbx, AmiSession(target(pbx)) as session:
        _, exchange = restart_chan_sip(session, peer="5001", **ME)
        assert pbx.asked("SIPnotify") == []
    assert "Command: sip notify cisco-restart 5001" in exchange.request


@pytest.mark.parametrize("changes", [{"notify_types": ()}, {"rights": ("system", "call")}], ids=["no section", "right"])
def test_without_a_section_or_the_right_for_it_the_notify_has_no_call_id(version: int, changes: dict) -> None:
    """`sip notify` needs `command`, SIPnotify only `system` (Asterisk spec §I.4)."""
    pbx = with_peers(version, FIRST, patched=False)
    pbx.rights = changes.get("rights", pbx.rights)
    pbx.chan_sip.notify_types = changes.get("notify_types", pbx.chan_sip.notify_types)
    with pbx.running(), AmiSession(target(pbx)) as session:
        restart_chan_sip(session, peer="5001", **ME)
        (notify,) = pbx.asked("SIPnotify")
    assert "Content=RegisterCallId={}" in variables(notify)


def test_without_the_patch_the_address_tells_whose_peer_it_is(version: int) -> None:
    with with_peers(version, FIRST, patched=False).running() as pbx:
        with AmiSession(target(pbx)) as session, pytest.raises(TransportError) as caught:
            restart_chan_sip(session, peer="5001", mac=MAC, ip="192.0.2.99")
        assert pbx.asked("SIPnotify") == pbx.asked("Command") == []
    assert caught.value.code == "not-registered"


def test_an_empty_line_inside_an_event_does_not_end_a_list(version: int) -> None:
    with with_peers(version, FIRST, SECOND).running() as pbx, AmiSession(target(pbx)) as session:
        reply = session.action("ExtensionStateList")
        assert [event.get("Exten") for event in reply.events] == ["5001", "5002", ""]
        assert session.action("Ping").succeeded


@pytest.mark.parametrize("peer", ["1001\r\nAction: Originate", "1001 1002", "", "1001)"])
def test_chan_sip_takes_only_the_name_of_a_peer(peer: str) -> None:
    with Asterisk().running() as pbx, AmiSession(target(pbx)) as session, pytest.raises(TransportError) as caught:
        restart_chan_sip(session, peer=peer)
    assert caught.value.code == "invalid-value"
