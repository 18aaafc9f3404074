"""docs/evidence.md, row by row: what was seen is made to happen, then the state and the words on the page are those."""

import re
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from phones_app.boot.fetches import Fetch
from phones_app.boot.models import FileFetch
from phones_app.boot.recording import record_fetch
from phones_app.deployment import transitions
from phones_app.deployment.models import CALL_TO_END, Deployment, State
from phones_app.deployment.request import deploy
from phones_app.inventory.models import Phone, Presence
from phones_app.servers.models import CallManager
from phones_app.simulator.state import Fault
from tests.admin_people import at_desk
from tests.peers.asterisk import Asterisk, Contact
from tests.peers.asterisk_pjsip import Pjsip
from tests.peers.phone_web import DEVICE_8841, PhoneWebServer
from tests.peers.sip_udp import sip_phone
from tests.phones_app.site import ACTOR, Site, sip_file
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)
NEW = sip_file("1002")
TABLE = Path(__file__).resolve().parents[3] / "docs/evidence.md"
ROWS = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)


class Desk:
    """What can be made to happen to one deployment."""

    def __init__(self, site: Site, finish, in_vain, other) -> None:
        self.site, self.finish, self.in_vain, self.other = site, finish, in_vain, other

    def deployed(self, answer: int | None = 200, **fields) -> Deployment:
        """To a phone without a status page that answers its NOTIFY so; None: nobody hears it."""
        phone = self.site.phone(**{"web_port": free_port(), "line_user": "1001"} | fields)
        return self.carried_out(phone, answer)

    def carried_out(self, phone: Phone, answer: int | None = 200) -> Deployment:
        with sip_phone(answer or 0) as agent:
            phone.sip_port = agent.port if answer is not None else free_port()
            phone.save()
            deployment = deploy(phone=phone, profile=self.site.profile(content=NEW), actor=ACTOR)
            self.finish(deployment, until=lambda row: row.finished_at or row.waiting_for)
        return deployment

    def fetch(
        self, deployment: Deployment, content: str = NEW, times: int = 1, before: str = "", after: str = ""
    ) -> None:
        for _ in range(times):
            self.ask_for(before)
            fetch = Fetch(f"SEP{deployment.mac}.cnf.xml", "127.0.0.1", "http", complete=True)
            fetch.sent(content.encode())
            record_fetch(fetch)
            self.ask_for(after)
        self.finish(deployment, until=lambda row: row.finished_at and not row.waiting_for)

    @staticmethod
    def ask_for(name: str) -> None:
        if name:
            record_fetch(Fetch(name, "127.0.0.1", "http", missing=True))

    @contextmanager
    def at_asterisk(self):
        """A phone without a status page that is registered by UDP, at a port where nobody answers us."""
        phone = self.site.phone(web_port=free_port(), line_user="1001")
        call_id = f"{phone.mac[:8]}-{phone.mac[8:]}0001-00000001@127.0.0.1".lower()
        pbx = Asterisk(pjsip=Pjsip([Contact("1001", call_id, ip="127.0.0.1", port=free_port())]))
        with pbx.running():
            account = {"username": pbx.username, "password": pbx.secret, "host": "127.0.0.1", "port": pbx.port}
            phone.call_manager = CallManager.objects.create(name="PBX", kind="ami", **account)
            phone.save()
            yield phone, pbx

    @contextmanager
    def alive(self, fault: str):
        phone = self.site.phone()
        with self.site.alive(phone) as fleet:
            fleet[phone.mac].fault = fault
            if fault == Fault.POWERED_OFF:
                assert fleet.wait_until(lambda: not fleet[phone.mac].is_up)
            yield phone


Scenario = Callable[[Desk], Deployment]
SCENARIOS: dict[str, Scenario] = {}


def seen(what: str) -> Callable[[Scenario], Scenario]:
    def keep(scenario: Scenario) -> Scenario:
        SCENARIOS[what] = scenario
        return scenario

    return keep


@seen("the phone fetched exactly this file after its upload")
def _fetched(desk: Desk) -> Deployment:
    deployment = desk.deployed()
    desk.fetch(deployment)
    return deployment


@seen("the same, after a restart that the phone had refused")
def _refused_and_fetched(desk: Desk) -> Deployment:
    # It is told again until nothing is waited for any more, which a busy machine would come to.
    with override_settings(CONFIRM_SECONDS=60):
        deployment = desk.deployed(404)
    assert deployment.state == State.RESTARTING
    desk.fetch(deployment)
    return deployment


@seen("the same, after a deployment that had failed for want of an answer")
def _failed_and_fetched(desk: Desk) -> Deployment:
    deployment = desk.finish(desk.deployed(None))
    assert deployment.state == State.FAILED
    desk.fetch(deployment)
    return deployment


@seen("the same, of a phone that started by itself while its restart waited for a call to end")
def _started_by_itself(desk: Desk) -> Deployment:
    with desk.alive(Fault.IN_CALL) as phone:
        deployment = deploy(phone=phone, profile=desk.site.profile(content=NEW), actor=ACTOR)
        desk.finish(deployment, until=lambda row: row.waiting_for == CALL_TO_END)
    desk.fetch(deployment)
    return deployment


@seen("fetches are not seen; Asterisk holds another registration than before the restart")
def _registered(desk: Desk) -> Deployment:
    deployment = desk.deployed()
    transitions.confirmed({deployment: {"kind": "registered-anew", "call_id": "after@phone"}})
    return deployment


@seen("fetches are not seen; the status page went away after the restart and came back")
def _came_back(desk: Desk) -> Deployment:
    deployment = desk.deployed()
    transitions.confirmed({deployment: {"kind": "came-back"}})
    return deployment


@seen("the same file fetched three times within minutes, and another file asked for after it")
def _accepted(desk: Desk) -> Deployment:
    deployment = desk.deployed()
    desk.fetch(deployment, times=3, after="g3-tones.xml")
    return deployment


@seen("the same file fetched three times, with more than a minute in between")
def _switched_off_and_on(desk: Desk) -> Deployment:
    deployment = desk.deployed()
    for _ in range(3):
        began = timezone.now() - timedelta(seconds=200)
        Deployment.objects.update(uploaded_at=began, restarted_at=began)
        for fetch in FileFetch.objects.filter(sha256=deployment.sha256):
            fetch.fetched_at -= timedelta(seconds=61)
            fetch.save()
        desk.fetch(deployment)
    return deployment


@seen("the same file fetched three times within minutes, and nothing else")
def _rejected(desk: Desk) -> Deployment:
    deployment = desk.deployed()
    desk.fetch(deployment, times=3)
    return deployment


@seen("the same file fetched three times within minutes, and trust lists before each")
def _rejected_with_trust_lists(desk: Desk) -> Deployment:
    deployment = desk.deployed()
    desk.fetch(deployment, times=3, before="ITLFile.tlv")
    return deployment


@seen("the restart was accepted or sent, and nothing since")
def _acknowledged(desk: Desk) -> Deployment:
    return desk.finish(desk.deployed())


@seen("Asterisk sent it by the Call-ID that it tells, the phone went on as before, and no other way had an effect")
def _stale(desk: Desk) -> Deployment:
    with desk.at_asterisk() as (phone, _):
        return desk.in_vain(deploy(phone=phone, profile=desk.site.profile(content=NEW), actor=ACTOR), 1)


@seen("the phone answered 404 to the restart, and did not fetch its file")
def _refused(desk: Desk) -> Deployment:
    return desk.finish(desk.deployed(404))


@seen("the phone fetched another file than this one")
def _fetched_another(desk: Desk) -> Deployment:
    deployment = desk.finish(desk.deployed(404))
    desk.fetch(deployment, sip_file("1009"))
    return deployment


@seen("no status page, no fetch and no registration show whose phone is at the address")
def _unproven(desk: Desk) -> Deployment:
    phone = desk.site.phone(web_port=free_port(), line_user="1001")
    FileFetch.objects.all().delete()
    return desk.carried_out(phone)


@seen("the status page shows the MAC address of another phone")
def _another(desk: Desk) -> Deployment:
    with desk.alive(Fault.WRONG_MAC) as phone:
        return desk.finish(deploy(phone=phone, profile=desk.site.profile(content=NEW), actor=ACTOR))


@seen("a phone of another account has the address, and was seen there")
def _taken(desk: Desk) -> Deployment:
    phone = desk.site.phone(web_port=free_port(), line_user="1001")
    Phone.objects.create(
        mac="0600000000AA",
        account=desk.other,
        phone_ip="127.0.0.1",
        web_port=phone.web_port,
        presence=Presence.REACHABLE,
    )
    FileFetch.objects.all().delete()
    return desk.carried_out(phone)


@seen("the status page shows a call")
def _in_call(desk: Desk) -> Deployment:
    with desk.alive(Fault.IN_CALL) as phone:
        deployment = deploy(phone=phone, profile=desk.site.profile(content=NEW), actor=ACTOR)
        return desk.finish(deployment, until=lambda row: row.waiting_for)


@seen("the status page does not answer, and Asterisk tells of a call")
def _in_call_at_asterisk(desk: Desk) -> Deployment:
    with desk.at_asterisk() as (phone, pbx):
        pbx.pjsip.talking = {"1001"}
        deployment = deploy(phone=phone, profile=desk.site.profile(content=NEW), actor=ACTOR)
        return desk.finish(deployment, until=lambda row: row.waiting_for)


@seen("the status page says nothing of calls, and Asterisk tells of one")
def _in_call_beside_the_page(desk: Desk) -> Deployment:
    with desk.at_asterisk() as (phone, pbx):
        pbx.pjsip.talking = {"1001"}
        page = DEVICE_8841.replace(b"001122334455", phone.mac.encode())
        with PhoneWebServer(pages={"/DeviceInformationX": page}).running() as web:
            phone.web_port = web.port
            phone.save()
            deployment = deploy(phone=phone, profile=desk.site.profile(content=NEW), actor=ACTOR)
            return desk.finish(deployment, until=lambda row: row.waiting_for)


@seen("the phone has no line yet, and nothing else restarts it")
def _without_a_line(desk: Desk) -> Deployment:
    phone = desk.site.phone(web_port=free_port())
    (desk.site.folder / f"SEP{phone.mac}.cnf.xml").unlink()
    return desk.finish(desk.carried_out(phone, 404))


@seen("the phone was never seen, neither there nor anywhere")
def _never_seen(desk: Desk) -> Deployment:
    phone = desk.site.phone(web_port=free_port())
    (desk.site.folder / f"SEP{phone.mac}.cnf.xml").unlink()
    FileFetch.objects.all().delete()
    return desk.carried_out(phone)


@seen("the phone reads a text file, and no NOTIFY is known that restarts it")
def _text_file(desk: Desk) -> Deployment:
    phone = desk.site.phone(model="7960", web_port=free_port())
    profile = desk.site.profile(content="line1_name: 1001\nproxy1_address: 192.0.2.10\n")
    return desk.finish(deploy(phone=phone, profile=profile, actor=ACTOR))


def test_each_row_has_its_scenario():
    assert len(ROWS) > 15
    assert [what for _, what, _ in ROWS] == list(SCENARIOS)


@pytest.mark.parametrize(("state", "what", "shown"), ROWS, ids=[what for _, what, _ in ROWS])
def test_what_was_seen_is_what_is_shown(site, finish, in_vain, other, root, settings, state, what, shown):
    settings.CONFIRM_SECONDS = 0.5
    deployment = SCENARIOS[what](Desk(site, finish, in_vain, other))
    deployment.refresh_from_db()
    assert deployment.state == state, deployment.error
    page = at_desk(root).get(reverse("admin:phones_app_deployment_change", args=[deployment.pk])).content.decode()
    assert shown in page
    assert deployment.get_state_display() in page
