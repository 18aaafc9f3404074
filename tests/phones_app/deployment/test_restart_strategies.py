"""What preview and dry run promise of a restart is what happens, fall-backs included; each way against its real peer."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils.html import escape

from phones_app.deployment.models import Deployment, State
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, KeyMacro
from tests.admin_people import at_desk, clerk
from tests.commands import run
from tests.peers.asterisk import Asterisk, Registration
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
def restarted(finish) -> Callable[[Phone], Deployment]:
    """The restart, carried out until it was accepted or has failed."""

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
    """The registrar is one that hears on another address of the same phone."""
    phone = site.phone()
    with site.alive(phone) as fleet:
        port, phone.sip_port = phone.sip_port, 5060
        phone.call_manager = CallManager.objects.create(name="Proxy", kind="sip", host="127.0.0.1", port=port)
        phone.save()
        assert promised(phone) == "SIP NOTIFY to Proxy"
        deployment = restarted(phone)
        assert fleet[phone.mac].notifies == 1
    assert "@127.0.0.1:5060 SIP/2.0" in deployment.steps.get(kind="restart").request


def test_a_sip_phone_is_told_through_pjsip(site, promised, restarted):
    phone = site.phone(line_user="1001")
    pbx = Asterisk(registrations=[Registration("1001", "before@phone", ip="127.0.0.1")])
    with pbx.running(), site.alive(phone) as fleet:
        at_asterisk(site, phone, pbx)
        assert promised(phone) == "NOTIFY through PBX (Asterisk, PJSIP)"
        assert method_of(restarted(phone)) == "ami-pjsip"
        assert len(pbx.asked("PJSIPNotify")) == 1
        assert fleet[phone.mac].notifies == 0


@pytest.mark.parametrize(
    ("call_ids", "action"), [({"1001": "now@phone"}, "SIPnotify"), ({}, "Command")], ids=["Call-ID", "none"]
)
def test_a_sip_phone_is_told_through_chan_sip_with_or_without_its_call_id(site, promised, restarted, call_ids, action):
    phone = site.phone(line_user="1001")
    pbx = Asterisk(chan_sip_call_ids=call_ids)
    with pbx.running(), site.alive(phone):
        at_asterisk(site, phone, pbx, channel="chan_sip")
        assert promised(phone) == (
            "NOTIFY through PBX (Asterisk, chan_sip); if that does not know the Call-ID of the registration, "
            "its own NOTIFY “cisco-restart” of sip_notify.conf"
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
    ("channels", "method", "restarts"),
    [(("sccp",), "ami-sccp", 0), (("pjsip",), "key-macro", 1)],
    ids=["with chan-sccp-b", "without"],
)
def test_an_sccp_phone_at_an_asterisk_falls_back_to_keys_as_promised(
    site, promised, restarted, channels, method, restarts
):
    phone = site.phone(model="7962", software_type="SCCP")
    pbx = Asterisk(sccp_devices={f"SEP{phone.mac}": True}, channels=channels)
    with pbx.running(), site.alive(phone) as fleet:
        at_asterisk(site, phone, pbx)
        assert promised(phone) == f"SCCPDeviceRestart through PBX; if that has no chan-sccp-b: {KEYS}"
        assert method_of(restarted(phone)) == method
        assert len(pbx.asked("SCCPDeviceRestart")) == 1
        assert fleet.wait_until(lambda: fleet[phone.mac].restarts == restarts)


def test_a_fall_back_that_cannot_work_is_promised_as_such(site, promised, restarted):
    KeyMacro.objects.all().delete()
    phone = site.phone(model="7962", software_type="SCCP")
    with Asterisk(channels=("pjsip",)).running() as pbx, site.alive(phone):
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
