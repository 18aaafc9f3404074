"""Nobody restarts another tenant's phone by writing its address into a row of their own, whichever way restarts go."""

import pytest
from django.utils import timezone

from contacts_app.core.errors import Refusal
from phones_app.boot.models import FileFetch
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import deploy, restart_many
from phones_app.inventory.models import Phone
from phones_app.inventory.status_check import StatusChecks, check_now
from phones_app.servers.models import CallManager
from phones_app.simulator.state import Fault
from profiles_app.phone.services import create_profile
from tests.peers.asterisk import Asterisk, Contact
from tests.peers.asterisk_chan_sip import Peer
from tests.peers.phone_web import PhoneWebServer
from tests.peers.sip_udp import sip_phone
from tests.phones_app.site import ACTOR, sccp_file, sip_file
from tests.servers import free_port, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

WAYS = ["directly", "registrar", "pjsip", "chan_sip", "chan_sip without Call-ID", "keys", "sccp", "sccp without module"]
SCCP = ("keys", "sccp", "sccp without module")


def call_manager_of(way: str, pbx: Asterisk, sip_port: int) -> CallManager | None:
    """A shared one, which every tenant's phones may name."""
    if way in ("directly", "keys"):
        return None
    if way == "registrar":
        return CallManager.objects.create(name="Proxy", kind="sip", host="127.0.0.1", port=sip_port)
    channel = "chan_sip" if way.startswith("chan_sip") else "pjsip"
    account = {"username": pbx.username, "password": pbx.secret, "host": "127.0.0.1", "port": pbx.port}
    return CallManager.objects.create(name="PBX", kind="ami", channel=channel, **account)


@pytest.fixture
def pbx():
    """The victim's Asterisk, on which its phone is registered."""
    victim = "020000000001"
    call_id = f"{victim[:8].lower()}-{victim[8:].lower()}0002-00000001-00000001@127.0.0.1"
    with Asterisk(sccp_devices={f"SEP{victim}": True}).running() as pbx:
        pbx.pjsip.register(Contact("1001", call_id, ip="127.0.0.1"))
        pbx.chan_sip.peers = [Peer("1001", call_id, ip="127.0.0.1", device=f"SEP{victim}")]
        yield pbx


def told(pbx: Asterisk) -> list:
    return [name for name in ("PJSIPNotify", "SIPnotify", "Command") if pbx.asked(name)]


@pytest.mark.parametrize("recorded", ["its address is recorded", "its address is not recorded"])
@pytest.mark.parametrize("way", WAYS)
def test_another_tenants_phone_is_not_restarted(site, pbx, other, charlie, finish, settings, way, recorded):
    settings.CONFIRM_SECONDS = 0.5
    software = "SCCP" if way in SCCP else "SIP"
    victim = site.phone(model="7962", software_type=software)
    with site.alive(victim) as fleet:
        if way == "sccp without module":
            pbx.modules = ("pjsip", "chan_sip")
        if way == "chan_sip without Call-ID":
            pbx.chan_sip.patched = False
        manager = call_manager_of(way, pbx, victim.sip_port)
        attacker = Phone.objects.create(
            mac="0600000000AA",
            account=other,
            model="7962",
            software_type=software,
            phone_ip="127.0.0.1",
            sip_port=victim.sip_port,
            # For key presses the port has to be the phone's; for all else it is one where nothing answers.
            web_port=victim.web_port if way in ("keys", "sccp without module") else free_port(),
            line_user="1001",
            call_manager=manager,
        )
        if recorded == "its address is recorded":
            content = (sccp_file() if software == "SCCP" else sip_file()).encode()
            profile = create_profile(actor=ACTOR, user=charlie, name="Mine", content=content, software_type=software)
            deployment = deploy(phone=attacker, profile=profile, actor=ACTOR)
        else:
            Phone.objects.filter(pk=victim.pk).update(phone_ip=None)
            [deployment] = restart_many(phones=[attacker], actor=ACTOR).deployments
        finish(deployment)
        phone = fleet[victim.mac]
        assert (phone.restarts, phone.notifies, phone.executes) == (0, 0, 0)
    assert told(pbx) == []
    assert deployment.state == State.FAILED
    codes = ("address-taken", "unproven", "another-phone", "not-registered", "device-not-found")
    assert deployment.error_code in codes, deployment.error


def test_without_an_address_the_line_alone_restarts_nobody(site, pbx, other, finish):
    for channel in ("pjsip", "chan_sip"):
        manager = call_manager_of(channel, pbx, 0)
        phone = Phone.objects.create(
            mac=f"0600000000{len(channel):02X}", account=other, software_type="SIP", line_user="1001"
        )
        Phone.objects.update(call_manager=manager)
        [deployment] = restart_many(phones=[Phone.objects.get(pk=phone.pk)], actor=ACTOR).deployments
        assert finish(deployment).state == State.FAILED
    assert told(pbx) == []


@pytest.mark.parametrize("line", ["1001", ""])
def test_an_accounts_own_asterisk_does_not_say_where_its_phones_are(site, other, in_vain, line):
    """It may tell of any address. It is asked to send the NOTIFY, and nothing is sent to the address itself."""
    mac, victim, liar = "0600000000AA", site.phone(), Asterisk()
    with site.alive(victim) as fleet, liar.running():
        Phone.objects.update(phone_ip=None)
        account = {"username": liar.username, "password": liar.secret, "host": "127.0.0.1", "port": liar.port}
        row = Phone.objects.create(
            mac=mac,
            account=other,
            software_type="SIP",
            phone_ip="127.0.0.1",
            sip_port=victim.sip_port,
            web_port=free_port(),
            line_user=line,
            call_manager=CallManager.objects.create(account=other, name="Own", kind="ami", **account),
        )
        call_id = f"{mac[:8]}-{mac[8:]}0001-00000001@127.0.0.1".lower()
        liar.pjsip.register(Contact(line or f"SEP{mac}", call_id, ip="127.0.0.1", port=victim.sip_port))
        [deployment] = restart_many(phones=[row], actor=ACTOR).deployments
        in_vain(deployment, 0)
        assert len(liar.asked("PJSIPNotify")) == 1
        assert fleet[victim.mac].notifies == fleet[victim.mac].executes == 0
    assert deployment.error_code == "stale-call-id"


def test_the_phone_itself_is_restarted_whatever_others_wrote(site, other, finish):
    """Who was there first does not lose its phone to a row of somebody else."""
    phone = site.phone()
    with site.alive(phone) as fleet:
        Phone.objects.create(mac="0600000000AA", account=other, phone_ip="127.0.0.1", sip_port=phone.sip_port)
        finish(deploy(phone=phone, profile=site.profile(content=sip_file("1002")), actor=ACTOR))
        assert fleet[phone.mac].restarts == 1
    assert Deployment.objects.get().state == State.CONFIRMED


@pytest.mark.parametrize(
    ("proof", "code"),
    [("fetch", ""), ("fetch from elsewhere", "unproven"), ("old fetch", "unproven"), ("", "unproven")],
)
def test_a_page_that_does_not_answer_skips_nothing(site, finish, settings, proof, code):
    settings.CONFIRM_SECONDS = 5
    phone = site.phone(web_port=free_port(), line_user="1001")
    fetches = FileFetch.objects.filter(mac=phone.mac)
    if proof == "fetch from elsewhere":
        fetches.update(address="192.0.2.7")
    elif proof == "old fetch":
        fetches.update(fetched_at=timezone.now() - timezone.timedelta(days=40))
    elif not proof:
        fetches.delete()
    with sip_phone() as agent:
        Phone.objects.update(sip_port=agent.port)
        [deployment] = restart_many(phones=[Phone.objects.get()], actor=ACTOR).deployments
        finish(deployment, until=lambda row: row.finished_at or row.state == State.RESTART_ACKNOWLEDGED)
        assert bool(agent.notifies) == (not code)
    assert deployment.error_code == code
    if code:
        assert "nothing was sent" in deployment.error
        assert "The status page does not answer" in deployment.error


def test_an_address_where_another_phone_fetched_its_file_since_is_not_this_ones(site, finish, settings):
    """As after DHCP gave the address to another phone."""
    settings.CONFIRM_SECONDS = 1
    phone = site.phone(web_port=free_port(), line_user="1001")
    Phone.objects.update(phone_ip="127.0.0.1")
    with site.alive(phone, web_access=False) as fleet:
        # That of this start; what shows it is written down in a thread of its own.
        wait_for(lambda: FileFetch.objects.filter(mac=phone.mac).exclude(sha256="").exists())
        FileFetch.objects.filter(mac=phone.mac).update(address="127.0.0.9")
        [deployment] = restart_many(phones=[phone], actor=ACTOR).deployments
        finish(deployment)
        assert fleet[phone.mac].notifies == 0
    assert deployment.error_code == "unproven"


def test_a_status_page_is_not_read_for_a_row_that_names_anothers_address(site, other):
    with PhoneWebServer().running() as web:
        site.phone(web_port=web.port)
        row = Phone.objects.create(mac="0600000000AA", account=other, phone_ip="127.0.0.1", web_port=web.port)
        with pytest.raises(Refusal, match="another account"):
            check_now(row)
        StatusChecks("worker").do([row.pk])
        assert web.requests == []
    row.refresh_from_db()
    assert "another account" in row.look_error
    assert row.presence == "never"


def test_the_one_that_was_seen_at_an_address_keeps_being_looked_at(site, other):
    phone = site.phone()
    with site.alive(phone) as fleet:
        check_now(phone)
        Phone.objects.create(mac="0600000000AA", account=other, phone_ip="127.0.0.1", web_port=phone.web_port)
        phone.refresh_from_db()
        assert check_now(phone).status is not None
        fleet[phone.mac].fault = Fault.NONE
