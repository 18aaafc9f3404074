"""What preview and dry run promise of a restart is what happens, fall-backs included; each way against its real peer."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils.html import escape

from phones_app.deployment.models import CALL_TO_END, Deployment, State
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, KeyMacro
from phones_app.servers.services import ami_target
from phones_app.transports.restart.ami import AmiSession
from tests.admin_people import at_desk, clerk
from tests.commands import run
from tests.peers.asterisk import Asterisk
from tests.peers.asterisk_chan_sip import ChanSip, Peer
from tests.peers.sip_udp import sip_phone
from tests.phones_app.rest import of
from tests.phones_app.site import Site, sccp_file

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = "Key presses “classic”"
NO_MACRO = "No key macro restarts a 7962."


@pytest.fixture
def promised(acme) -> Callable[[Phone], str]:
    """The words of the restart page, which are those of the dry run too."""
    desk = at_desk(clerk(acme))

    def ask(phone: Phone) -> str:
        page = desk.get(reverse("admin:phones_app_phone_restart"), {"phones": str(phone.pk)})
        [plan] = page.context["preview"].plans
        assert escape(plan.restart.way) in page.content.decode()
        [row] = run("restart_phones", phone.mac, "--dry-run", "--json").rows
        assert row["restart"] == str(plan.restart)
        assert not Deployment.objects.exists()
        return str(plan.restart)

    return ask


@pytest.fixture
def restarted(finish, settings) -> Callable[[Phone], Deployment]:
    """The restart, carried out until it was accepted or has failed."""
    settings.CONFIRM_SECONDS = 5

    def act(phone: Phone) -> Deployment:
        run("restart_phones", phone.mac)
        return finish(
            Deployment.objects.get(), until=lambda row: row.state == State.RESTART_ACKNOWLEDGED or row.finished_at
        )

    return act


def at_asterisk(site: Site, phone: Phone, pbx: Asterisk, **fields: Any) -> None:
    phone.call_manager = CallManager.objects.create(
        account=site.account,
        name="PBX",
        kind="ami",
        host="127.0.0.1",
        port=pbx.port,
        username=pbx.username,
        password=pbx.secret,
        **fields,
    )
    phone.save()


def method_of(deployment: Deployment) -> str:
    return str(deployment.steps.get(kind="restart").detail.get("method", ""))


def test_a_sip_phone_without_a_call_manager_is_told_directly(site, promised, restarted):
    phone = site.phone()
    with site.alive(phone) as fleet:
        assert promised(phone) == f"SIP NOTIFY to 127.0.0.1:{phone.sip_port}"
        assert method_of(restarted(phone)) == "sip-notify"
        assert fleet[phone.mac].notifies == 1


def test_a_sip_phone_is_told_through_its_registrar(site, promised, restarted):
    """The registrar knows the user and needs no address of the phone (Asterisk spec §G)."""
    phone = site.phone(line_user="3001")
    with site.alive(phone) as fleet, sip_phone() as registrar:
        phone.call_manager = CallManager.objects.create(name="Proxy", kind="sip", host="127.0.0.1", port=registrar.port)
        phone.save()
        assert promised(phone) == "SIP NOTIFY to Proxy"
        assert restarted(phone).steps.get(kind="restart").message == "Accepted (sip-notify)."
        assert fleet[phone.mac].notifies == 0
    assert registrar.notifies[0].startswith(f"NOTIFY sip:3001@127.0.0.1:{registrar.port} SIP/2.0\r\n")


def test_a_user_that_the_registrar_does_not_know_is_told_as_such(site, restarted):
    phone = site.phone(line_user="3999")
    with site.alive(phone), sip_phone(404) as registrar:
        phone.call_manager = CallManager.objects.create(name="Proxy", kind="sip", host="127.0.0.1", port=registrar.port)
        phone.save()
        deployment = restarted(phone)
    assert (deployment.state, deployment.error_code) == (State.FAILED, "sip-404")
    assert "nothing is registered under it" in deployment.error


def test_no_sip_is_sent_to_an_asterisk(site, promised, restarted):
    """Asterisk spec §I.5: some crash, and none passes it on."""
    phone = site.phone()
    with Asterisk().running() as pbx, site.alive(phone), sip_phone() as registrar:
        at_asterisk(site, phone, pbx)
        phone.call_manager = CallManager.objects.create(name="Wrong", kind="sip", host="127.0.0.1", port=registrar.port)
        phone.save()
        assert "cannot work: 127.0.0.1 is an Asterisk that is asked by AMI" in promised(phone)
        assert restarted(phone).error_code == "sip-to-asterisk"
    assert registrar.notifies == []


def test_a_sip_phone_is_told_through_pjsip(site, promised, restarted):
    """What Asterisk says is that it was sent; that the phone took it, it does not (Asterisk spec §F.1)."""
    phone, pbx = site.phone(line_user="1001"), Asterisk()
    with pbx.running(), site.alive(phone, pbx=pbx) as fleet:
        at_asterisk(site, phone, pbx)
        assert promised(phone) == (
            "NOTIFY through PBX (Asterisk, PJSIP); without effect, directly to a phone registered by UDP"
        )
        deployment = restarted(phone)
        assert method_of(deployment) == "ami-pjsip"
        assert deployment.steps.get(kind="restart").message == "Sent by Asterisk (ami-pjsip)."
        assert len(pbx.asked("PJSIPNotify")) == 1
        assert fleet[phone.mac].notifies == 0


def test_a_starting_asterisk_is_waited_for(site, restarted):
    """Asterisk spec §F.4: first it does not listen, then it knows no PJSIP."""
    phone, pbx = site.phone(line_user="1001"), Asterisk()
    with site.alive(phone, pbx=pbx), pbx.running():
        at_asterisk(site, phone, pbx)
        pbx.restart(seconds=1.0)
        assert method_of(restarted(phone)) == "ami-pjsip"
    assert len(pbx.asked("PJSIPNotify")) == 1


def test_an_account_that_is_logged_in_elsewhere_is_waited_for(site, finish):
    phone = site.phone(line_user="1001")
    pbx = Asterisk(allow_multiple_login=False)
    with site.alive(phone, pbx=pbx), pbx.running():
        at_asterisk(site, phone, pbx)
        with AmiSession(ami_target(phone.call_manager)):
            run("restart_phones", phone.mac)
            waits = finish(Deployment.objects.get(), until=lambda row: row.waiting_for)
            assert (waits.state, "Login Already In Use" in waits.waiting_for) == (State.SESSION_CLEARED, True)
        ended = finish(waits, until=lambda row: row.state == State.RESTART_ACKNOWLEDGED or row.finished_at)
    assert method_of(ended) == "ami-pjsip"
    assert len(pbx.asked("PJSIPNotify")) == 1


@pytest.mark.parametrize("channel", ["pjsip", "chan_sip"])
def test_a_call_is_seen_by_asterisk_where_the_status_page_is_away(site, finish, settings, channel):
    settings.CALL_POLL_SECONDS = 0.1
    phone = site.phone(line_user="1001", web_port=1)
    peer = Peer("1001", call_id_of(phone), ip="127.0.0.1", device=f"SEP{phone.mac}", device_state="INUSE")
    pbx = Asterisk(chan_sip=ChanSip(peers=[peer]))
    with pbx.running(), site.alive(phone, pbx=pbx, web_access=False):
        Phone.objects.update(web_port=1)
        pbx.pjsip.talking = {"1001"}
        at_asterisk(site, Phone.objects.get(), pbx, channel=channel)
        run("restart_phones", phone.mac)
        deployment = finish(Deployment.objects.get(), until=lambda row: row.waiting_for)
        assert deployment.waiting_for == CALL_TO_END
        assert pbx.asked("PJSIPNotify") == pbx.asked("SIPnotify") == []
        pbx.pjsip.talking, peer.device_state = set(), "NOT_INUSE"
        finish(deployment, until=lambda row: row.state == State.RESTART_ACKNOWLEDGED or row.finished_at)
    assert len(pbx.asked("PJSIPNotify") + pbx.asked("SIPnotify")) == 1


def call_id_of(phone: Phone) -> str:
    return f"{phone.mac[:8]}-{phone.mac[8:]}0001-1b2c3d4e-5f607182@127.0.0.1".lower()


@pytest.mark.parametrize(("patched", "action"), [(True, "SIPnotify"), (False, "Command")], ids=["Call-ID", "none"])
def test_a_sip_phone_is_told_through_chan_sip_with_or_without_its_call_id(site, promised, restarted, patched, action):
    phone = site.phone(line_user="1001")
    peer = Peer("1001", call_id_of(phone), ip="127.0.0.1", device=f"SEP{phone.mac}")
    pbx = Asterisk(chan_sip=ChanSip(patched=patched, peers=[peer]))
    with pbx.running(), site.alive(phone):
        at_asterisk(site, phone, pbx, channel="chan_sip")
        assert promised(phone) == (
            "NOTIFY through PBX (Asterisk, chan_sip); if that does not know the Call-ID of the registration, "
            "its own NOTIFY “cisco-restart” of sip_notify.conf, or one without a Call-ID"
        )
        assert method_of(restarted(phone)) == "ami-chan-sip"
    sent = [name for name in ("SIPnotify", "Command") if pbx.asked(name)]
    assert sent == [action]


def test_an_sccp_phone_without_an_asterisk_has_its_keys_pressed(site, promised, restarted):
    phone = site.phone(model="7962", software_type="SCCP")
    with site.alive(phone) as fleet:
        assert promised(phone) == KEYS
        assert method_of(restarted(phone)) == "key-macro"
        assert fleet.wait_until(lambda: fleet[phone.mac].restarts == 1)


@pytest.mark.parametrize(
    ("modules", "method", "restarts"),
    [(("sccp",), "ami-sccp", 0), (("pjsip",), "key-macro", 1)],
    ids=["with chan-sccp-b", "without"],
)
def test_an_sccp_phone_at_an_asterisk_falls_back_to_keys_as_promised(
    site, promised, restarted, modules, method, restarts
):
    phone = site.phone(model="7962", software_type="SCCP")
    pbx = Asterisk(sccp_devices={f"SEP{phone.mac}": True}, modules=modules)
    with pbx.running(), site.alive(phone) as fleet:
        at_asterisk(site, phone, pbx)
        assert promised(phone) == f"SCCPDeviceRestart through PBX; if that has no chan-sccp-b: {KEYS}"
        assert method_of(restarted(phone)) == method
        # Again and again in the first seconds, for it may have just started.
        assert pbx.asked("SCCPDeviceRestart")
        assert fleet.wait_until(lambda: fleet[phone.mac].restarts == restarts)


def test_a_fall_back_that_cannot_work_is_promised_as_such(site, promised, restarted):
    KeyMacro.objects.all().delete()
    phone = site.phone(model="7962", software_type="SCCP")
    with Asterisk(modules=("pjsip",)).running() as pbx, site.alive(phone):
        at_asterisk(site, phone, pbx)
        assert promised(phone).endswith(f"if that has no chan-sccp-b: Key presses, which cannot work: {NO_MACRO}")
        deployment = restarted(phone)
    assert (deployment.state, deployment.error_code, deployment.error) == (State.FAILED, "no-key-macro", NO_MACRO)


def test_another_refusal_of_asterisk_is_no_reason_to_press_keys(site, promised, restarted):
    phone = site.phone(model="7962", software_type="SCCP")
    with Asterisk(sccp_devices={}).running() as pbx, site.alive(phone) as fleet:
        at_asterisk(site, phone, pbx)
        deployment = restarted(phone)
        assert fleet[phone.mac].executes == 0
    assert (deployment.state, deployment.error_code) == (State.FAILED, "device-not-found")


@pytest.mark.parametrize(
    ("fields", "way"),
    [({"model": "7962", "software_type": "SCCP"}, KEYS), ({}, "SIP NOTIFY to the phone:5060")],
    ids=["keys", "NOTIFY"],
)
def test_a_phone_without_an_address_is_promised_nothing_and_sent_nothing(site, promised, restarted, fields, way):
    phone = site.phone(**fields)
    Phone.objects.update(phone_ip=None)
    assert promised(phone) == f"{way}, which cannot work: The phone's IP address is not known."
    assert restarted(phone).error_code == "no-address"


def test_the_preview_of_a_file_says_the_same_over_rest(site, alice, promised):
    """The profile speaks SCCP, and nobody knows yet what the phone runs: the file decides."""
    phone = site.phone(model="7962", first_file=sccp_file())
    Phone.objects.update(software_type=None)
    profile = site.profile(content=sccp_file(), software_type="SCCP")
    told = of(alice).get(f"phone-profiles/{profile.uuid}/preview?mac={phone.mac}").json()["data"]
    assert (told["restart"], told["restart_trouble"]) == (KEYS, "")
    [row] = run("deploy_profile", profile.uuid, phone.mac, "--dry-run", "--json").rows
    assert row["restart"] == KEYS
