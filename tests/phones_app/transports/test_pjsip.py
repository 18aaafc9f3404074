"""Restarting phones through a PBX with PJSIP, where it is right to think twice about whose registration it is."""

import time
from dataclasses import replace

import pytest

from contacts_app.core.errors import TransportError
from phones_app.transports.restart.ami import AmiSession
from phones_app.transports.restart.asterisk import mac_of_call_id
from phones_app.transports.restart.pjsip import pjsip_registration, restart_pjsip
from tests.peers.asterisk import Asterisk, Contact
from tests.peers.asterisk_pjsip import Pjsip
from tests.peers.sip_udp import sip_phone
from tests.phones_app.transports.test_ami import target, variables

MAC, OTHER_MAC = "001122334455", "00AABBCCDDEE"
CALL_ID = "00112233-44550002-1b2c3d4e-5f607182@192.0.2.10"
OTHER_CALL_ID = "00aabbcc-ddee0001-4d5e6f70-8192a3b4@192.0.2.11"
MINE = Contact("1001", CALL_ID, expires_at=time.time() + 86_400)
OTHER = Contact("1001", OTHER_CALL_ID, ip="192.0.2.11")
# Of a phone that is not Cisco's, say, and so does not tell its MAC.
NAMELESS = Contact("1001", "Zm9vYmFy@192.0.2.12", ip="192.0.2.12")
ME = {"mac": MAC, "ip": "192.0.2.10"}


def with_contacts(*contacts: Contact, **changes: object) -> Asterisk:
    return Asterisk(pjsip=Pjsip(contacts=list(contacts), **changes))


@pytest.mark.parametrize(
    ("call_id", "mac"),
    [
        ("9c57ad12-a4e00002-77aa0b1c-1f2e3d4c@192.0.2.10", "9C57AD12A4E0"),
        ("0024142d-df24000a-5e6f7081-92a3b4c5@192.0.2.10", "0024142DDF24"),
        ("001122334455-0002a3f4-1b2c3d4e-5f607182@192.0.2.10", "001122334455"),
        ("550e8400-e29b-41d4-a716-446655440000", ""),
        ("9c57ad12-a4e00002", ""),
        ("Zm9vYmFy@192.0.2.12", ""),
        ("", ""),
    ],
)
def test_both_forms_of_a_mac_in_a_call_id_are_read(call_id: str, mac: str) -> None:
    """Asterisk spec §A."""
    assert mac_of_call_id(call_id) == mac


def test_one_endpoint_is_asked_for_and_tells_all_about_the_phone() -> None:
    """Asterisk spec §E."""
    pbx = with_contacts(MINE, Contact("1002", OTHER_CALL_ID))
    with pbx.running(), AmiSession(target(pbx)) as session:
        found = pjsip_registration(session, endpoint="1001", **ME)
        assert pbx.asked("PJSIPShowContacts") == []
        (asked,) = pbx.asked("PJSIPShowEndpoint")
    assert ("Endpoint", "1001") in asked
    assert (found.name, found.call_id, found.mac) == ("1001", CALL_ID, MAC)
    assert (found.uri, found.addresses) == ("sip:1001@192.0.2.10:5060;transport=udp", {"192.0.2.10"})
    assert (found.reachable, found.in_call) == (None, False)
    assert found.software == "Cisco-CP8851/14.2.1"
    assert found.expires == pytest.approx(MINE.expires_at, abs=1)


def test_a_phone_with_ipv6_is_found_by_its_address() -> None:
    pbx = with_contacts(replace(NAMELESS, ip="2001:db8::5"))
    with pbx.running(), AmiSession(target(pbx)) as session:
        assert pjsip_registration(session, endpoint="1001", mac=MAC, ip="2001:db8::5").call_id == NAMELESS.call_id


def test_a_call_is_seen_at_the_endpoint() -> None:
    with with_contacts(MINE, talking={"1001"}).running() as pbx, AmiSession(target(pbx)) as session:
        assert pjsip_registration(session, endpoint="1001", **ME).in_call is True


def test_the_notify_goes_to_the_endpoint_with_the_call_id_and_one_subscription_state() -> None:
    """Asterisk adds a Subscription-State itself (Asterisk spec §F.5)."""
    with with_contacts(MINE).running() as pbx, AmiSession(target(pbx)) as session:
        registration, exchange = restart_pjsip(session, endpoint="1001", **ME)
        (notify,) = pbx.asked("PJSIPNotify")
    assert ("Endpoint", "1001") in notify
    assert variables(notify) == [
        "Event=service-control",
        "Content-Type=text/plain",
        "Content=action=restart",
        f"Content=RegisterCallId={{{CALL_ID}}}",
        "Content=ConfigVersionStamp={00000000-0000-0000-0000-000000000000}",
        "Content=DialplanVersionStamp={00000000-0000-0000-0000-000000000000}",
        "Content=SoftkeyVersionStamp={00000000-0000-0000-0000-000000000000}",
        "Content=",
    ]
    assert registration.call_id == CALL_ID
    assert exchange.request.startswith("Action: PJSIPNotify\r\n")
    assert "Message: NOTIFY sent" in exchange.answer


def test_of_several_phones_on_an_endpoint_all_hear_and_one_is_meant() -> None:
    """Asterisk spec §C: with `URI` Asterisk says the same and sends nothing."""
    with sip_phone(400) as first, sip_phone(200) as mine, sip_phone(400) as third:
        pbx = with_contacts(delivers=True)
        for call_id, phone in ((OTHER_CALL_ID, first), (CALL_ID, mine), (NAMELESS.call_id, third)):
            pbx.pjsip.register(Contact("1001", call_id, ip="127.0.0.1", port=phone.port))
        with pbx.running(), AmiSession(target(pbx)) as session:
            restart_pjsip(session, endpoint="1001", mac=MAC, ip="192.0.2.10")
            assert answered(pbx, 3) == [200, 400, 400]
            session.action("PJSIPNotify", (("URI", "sip:1001@127.0.0.1"), ("Variable", "Event=service-control")))
        assert len(pbx.pjsip.answers) == 3
        for phone in (first, mine, third):
            [notify] = phone.notifies
            assert f"RegisterCallId={{{CALL_ID}}}" in notify
            assert notify.count("Subscription-State:") == 1


def answered(pbx: Asterisk, times: int) -> list[int]:
    with pbx.pjsip.changed:
        assert pbx.pjsip.changed.wait_for(lambda: len(pbx.pjsip.answers) >= times, 60)
    return sorted(status for _, status in pbx.pjsip.answers)


def test_of_two_contacts_of_one_phone_the_newer_is_present() -> None:
    older = replace(MINE, call_id=CALL_ID.replace("0002-", "0001-"), port=40001, expires_at=MINE.expires_at - 900)
    for contacts in ([older, MINE], [MINE, older]):
        with with_contacts(*contacts).running() as pbx, AmiSession(target(pbx)) as session:
            assert pjsip_registration(session, endpoint="1001", **ME).call_id == CALL_ID


@pytest.mark.parametrize(
    ("contacts", "who", "code"),
    [
        ([MINE, OTHER], {}, "ambiguous-contact"),
        ([MINE, OTHER], {"ip": "192.0.2.99"}, "ambiguous-contact"),
        ([OTHER], ME, "not-registered"),
        ([OTHER], {"mac": MAC, "ip": "192.0.2.11"}, "not-registered"),
        # A lone contact that is neither by its Call-ID nor by its address.
        ([NAMELESS], ME, "ambiguous-contact"),
        ([NAMELESS, replace(NAMELESS, port=5062)], {"mac": MAC, "ip": "192.0.2.12"}, "ambiguous-contact"),
        ([replace(MINE, endpoint="1002")], ME, "device-not-found"),
        ([replace(MINE, status="Removed")], ME, "not-registered"),
        ([replace(MINE, expires_at=time.time() - 1)], ME, "not-registered"),
        ([replace(MINE, status="Unreachable")], ME, "unreachable"),
    ],
)
def test_no_other_phone_is_restarted_and_none_that_cannot_hear(
    contacts: list[Contact], who: dict[str, str], code: str
) -> None:
    with with_contacts(*contacts).running() as pbx, AmiSession(target(pbx)) as session:
        with pytest.raises(TransportError) as caught:
            restart_pjsip(session, endpoint="1001", **who)
        assert pbx.asked("PJSIPNotify") == []
    assert caught.value.code == code


def test_an_endpoint_without_contacts_is_not_registered_although_asterisk_would_say_sent() -> None:
    with with_contacts(endpoints={"1001"}).running() as pbx, AmiSession(target(pbx)) as session:
        assert session.action("PJSIPNotify", Endpoint="1001").message == "NOTIFY sent"
        with pytest.raises(TransportError) as caught:
            restart_pjsip(session, endpoint="1001", **ME)
    assert caught.value.code == "not-registered"


def test_contacts_expire_by_the_clock_of_the_pbx() -> None:
    hour_behind = with_contacts(replace(MINE, expires_at=time.time() - 1800))
    hour_behind.clock = lambda: time.time() - 3600
    with hour_behind.running() as pbx, AmiSession(target(pbx)) as session:
        assert pjsip_registration(session, endpoint="1001", **ME).call_id == CALL_ID


def test_a_contact_that_registers_again_keeps_its_first_call_id() -> None:
    """Asterisk spec §B: only the expiry grows, and a phone that unregistered before is known anew."""
    pbx = with_contacts(replace(MINE))
    with pbx.running(), AmiSession(target(pbx)) as session:
        new = replace(MINE, call_id=CALL_ID.replace("0002-", "0003-"), expires_at=MINE.expires_at + 60)
        pbx.pjsip.register(new)
        found = pjsip_registration(session, endpoint="1001", **ME)
        assert (found.call_id, found.expires) == (CALL_ID, int(new.expires_at + 0.5))
        pbx.pjsip.unregister(MINE)
        pbx.pjsip.register(new)
        assert pjsip_registration(session, endpoint="1001", **ME).call_id == new.call_id
