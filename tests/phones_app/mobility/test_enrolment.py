"""A phone out of its box gets a file without lines, a person says who they are, and soon it has its own file."""

import hashlib
import http.client
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from django.utils import timezone
from lxml import etree

from contacts_app.core.errors import Refusal
from phones_app.boot.models import FileFetch
from phones_app.deployment.models import State
from phones_app.deployment.request import deploy
from phones_app.inventory.models import Phone
from phones_app.mobility import enrolment
from phones_app.mobility.enrolment_file import Admitted, enrolment_file, parse_networks
from phones_app.mobility.models import EnrolmentCode, EnrolmentRequest, PinFailures
from phones_app.mobility.replacement import Handset
from phones_app.servers.models import FileServer, KeyMacro
from phones_app.simulator.fleet import FleetThread
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import SimulatedPhoneConfig
from profiles_app.events.models.outbox import Event
from profiles_app.phone import sep
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]
MAC, PIN = "02000000AA01", "2580"


class Screen:
    """What a person sees and does at a phone, over HTTP as phones speak: each request by itself, no cookies."""

    def __init__(self, url: str, mac: str, model: str) -> None:
        self.at, self.mac, self.model = url, mac, model

    def open(self, path: str = "/cisco/services/enrol", **values: str) -> str:
        return self.ask(f"{self.at}{path}?" + urlencode({"device": f"SEP{self.mac}"}), **values)

    def ask(self, url: str, **values: str) -> str:
        """The words of what is shown; a form's values go as this model sends them."""
        parts, sent = urlsplit(url), urlencode(values)
        path, body, kind = f"{parts.path}?{parts.query}", None, {}
        if values and self.model.startswith(("78", "88")):
            body, kind = sent, {"Content-Type": "application/x-www-form-urlencoded"}
        elif values:
            path = f"{path}&{sent}"
        phone = http.client.HTTPConnection(parts.netloc, timeout=30)
        headers = {"x-CiscoIPPhoneModelName": f"CP-{self.model}", "Accept-Charset": "utf-8"} | kind
        phone.request("POST" if body else "GET", path, body, headers)
        answer = phone.getresponse()
        self.status, self.refresh, content = answer.status, answer.getheader("Refresh"), answer.read()
        phone.close()
        if self.status != 200:
            return ""
        self.shown = etree.fromstring(content)
        self.url = self.shown.findtext("URL")
        self.items = {
            item.findtext("Name"): item.findtext("URL") for item in self.shown.iter("MenuItem", "SoftKeyItem")
        }
        return " ".join(self.shown.itertext())


@pytest.fixture
def portal(site, live_server, settings):
    """Phones on loopback may enrol, and ask this portal about pushes; nobody waits between keys."""
    settings.ENROLMENT_NETWORKS, settings.PHONE_NETWORKS = "127.0.0.0/8", "127.0.0.0/8"
    settings.PHONE_SERVICES_URL = live_server.url
    for macro in KeyMacro.objects.all():
        macro.steps = "\n".join(step for step in macro.steps.splitlines() if not step.startswith("pause"))
        macro.save()
    return live_server.url


@pytest.fixture
def new_handset(portal, site):
    """A phone that was plugged in: it runs on its enrolment file."""
    fleets = []

    def plug_in(model: str = "8845", mac: str = MAC) -> tuple[SimulatedPhone, FleetThread, Screen]:
        config = SimulatedPhoneConfig(
            mac=mac, model=model, config_url=f"http://127.0.0.1:{site.files.http_port}", boot_seconds=0.1
        )
        phone = SimulatedPhone(config)
        fleets.append(FleetThread([phone]))
        fleet = fleets[-1].__enter__()
        assert fleet.wait_until(lambda: phone.is_settled), list(phone.history)
        # The file server writes down what it has served.
        wait_for(lambda: FileFetch.objects.filter(mac=mac).exists())
        return phone, fleet, Screen(portal, mac, model)

    yield plug_in
    for fleet in fleets:
        fleet.__exit__()


@pytest.fixture
def bobs(bob, site):
    """Bob has a PIN and two profiles, the second for a model of its own; his extension is 1007."""
    bob.set_pin(PIN)
    bob.save()
    site.owner = bob
    site.profile("Bob old", sip_file("1007", "Bob"), compatible_models=["7962"])
    return site.profile("Bob", sip_file("1007", "Bob"), compatible_models=["8845"])


def arrived(request: EnrolmentRequest, phone: SimulatedPhone, fleet: FleetThread, finish) -> Phone:
    """The deployment is confirmed. Simulated phones have not the ports that real ones have."""
    Phone.objects.filter(pk=request.phone_id).update(sip_port=phone.sip_port, web_port=phone.web_port)
    deployment = finish(request.deployment)
    assert deployment.state == State.CONFIRMED, deployment.error
    assert deployment.steps.get(kind="restart").detail["method"] == "key-macro"
    assert fleet.wait_until(lambda: phone.registered)
    assert phone.config_sha256 == deployment.sha256
    return request.phone


def code_for(account, **values) -> str:
    expires = timezone.now() + timedelta(days=1)
    return enrolment.make_codes(account=account, expires_at=expires, actor=ACTOR, **values)[0][1]


def test_from_the_cable_to_confirmed_with_extension_and_pin(new_handset, bobs, acme, finish, caplog):
    began = timezone.now()
    phone, fleet, screen = new_handset()
    assert phone.config_sha256 == hashlib.sha256(enrolment_file("8845")).hexdigest(), (
        "with a key, as its model has some"
    )
    screen.open()
    assert list(screen.items)[:3] == ["Extension and PIN", "Activation code", "Replace one of my phones"]
    screen.ask(screen.items["Extension and PIN"])
    assert "Login failed" in screen.ask(screen.url, user="1007", pin="9999")
    screen.open("/cisco/services/enrol/person")
    assert "being set up" in screen.ask(screen.url, user="1007", pin=PIN)
    assert "enrol/status" in screen.refresh
    request = EnrolmentRequest.objects.get()
    row = arrived(request, phone, fleet, finish)
    assert (row.mac, row.model, row.account, row.phone_ip) == (MAC, "8845", acme, "127.0.0.1")
    assert row.name == bobs.user.get_full_name()
    assert Phone.objects.get(pk=row.pk).current_profile == bobs
    assert "enrolled" in screen.open("/cisco/services/enrol/status")
    assert timezone.now() - began < timedelta(seconds=90)
    assert "enrolled" in screen.open(), "known now, so nobody enrols it once more"
    assert ["phone", "phone-enrolled"] in [event.tags for event in Event.objects.filter(data_type="phone")]
    assert PIN not in caplog.text
    records = [str(list(record.__dict__.values())) for record in row.history.all()]
    assert records
    assert not any(PIN in record for record in records)


def test_a_code_becomes_a_phone_once(new_handset, bobs, acme, finish):
    text = code_for(acme, profile=bobs.user.phone_profiles.get(name="Bob old"), name="Lobby", location="Ground floor")
    phone, fleet, screen = new_handset("7962")
    screen.open("/cisco/services/enrol/code")
    assert "not good" in screen.ask(screen.url, code="1234567890123456")
    screen.open("/cisco/services/enrol/code")
    spelt = " ".join(text[start : start + 4] for start in range(0, 16, 4))
    assert "being set up" in screen.ask(screen.url, code=spelt)
    row = arrived(EnrolmentRequest.objects.get(), phone, fleet, finish)
    assert (row.name, row.location) == ("Lobby", "Ground floor")
    code = EnrolmentCode.objects.get()
    assert (code.state, code.used_by) == ("Used", MAC)
    _, _, other = new_handset("7962", "02000000AA02")
    other.open("/cisco/services/enrol/code")
    assert "not good" in other.ask(other.url, code=text)
    assert not Phone.objects.filter(mac="02000000AA02").exists()
    assert text not in str(list(code.history.values()))


def test_strangers_see_neither_file_nor_page(portal, site, settings):
    settings.ENROLMENT_NETWORKS = "192.0.2.0/24"
    screen = Screen(portal, MAC, "8845")
    for page in ("enrol", "enrol/person", "enrol/code", "enrol/choice", "enrol/status"):
        screen.open(f"/cisco/services/{page}")
        assert screen.status == 404
    assert status_of(site, f"SEP{MAC}.cnf.xml") == 404
    settings.ENROLMENT_NETWORKS = "127.0.0.0/8"
    assert status_of(site, f"SEP{MAC}.cnf.xml") == status_of(site, "XMLDefault.cnf.xml") == 200
    assert status_of(site, "dialplan.xml") == 404


def test_a_known_phone_without_a_file_gets_none_unless_it_is_prepared(portal, site, acme, alice, new_profile):
    row = Phone.objects.create(mac=MAC, account=acme, model="8845")
    assert status_of(site, f"SEP{MAC}.cnf.xml") == 404
    code_for(acme, phone=row, profile=new_profile())
    assert status_of(site, f"SEP{MAC}.cnf.xml") == 200


def test_a_person_enrols_the_very_phone_that_was_prepared(portal, site, acme, other, bobs, no_inline_work):
    row = Phone.objects.create(mac=MAC, account=acme, model="8845", location="Lobby")
    code_for(acme, phone=row, profile=bobs)
    request = enrolment.ask_for(Handset(MAC, "8845", "127.0.0.1"), user=bobs.user, profile=bobs)
    assert (request.phone, request.state) == (row, "done")
    assert request.phone.location == "Lobby"
    Phone.objects.create(mac="02000000AA03", account=other)
    with pytest.raises(Refusal, match="prepared for somebody else"):
        enrolment.ask_for(Handset("02000000AA03", "8845", "127.0.0.1"), user=bobs.user, profile=bobs)


def test_a_handset_that_another_account_has_retired_says_what_to_do(new_handset, bobs, acme, other, settings):
    settings.ENROLMENT_NETWORKS = f"127.0.0.0/8={acme.voip_id}"
    place = Phone.objects.create(mac="02000000AA04", account=other)
    retired = Phone.objects.create(mac=MAC, account=other, is_active=False, replaced_by=place)
    _, _, screen = new_handset()
    screen.open("/cisco/services/enrol/person")
    assert "was replaced in another account" in screen.ask(screen.url, user="1007", pin=PIN)
    retired.delete()
    screen.open("/cisco/services/enrol/person")
    assert "being set up" in screen.ask(screen.url, user="1007", pin=PIN)


def test_a_file_that_could_not_be_stored_is_not_said_to_be_there(new_handset, bobs, settings, finish):
    settings.UPLOAD_RETRY_SECONDS = 0.1
    _, _, screen = new_handset()
    FileServer.objects.update(password="another one")
    screen.open("/cisco/services/enrol/person")
    assert "being set up" in screen.ask(screen.url, user="1007", pin=PIN)
    assert finish(EnrolmentRequest.objects.get().deployment).state == State.FAILED
    assert "was not stored" in screen.open("/cisco/services/enrol/status")
    assert "was not stored" in screen.open()
    deploy(phone=Phone.objects.get(mac=MAC), profile=bobs, actor=ACTOR)
    assert "being set up" in screen.open(), "once more"


def test_a_mac_that_asked_for_no_file_is_not_believed(portal, bobs):
    screen = Screen(portal, "02000000AA09", "8845")
    assert "Restart it" in screen.open()
    assert "Restart it" in screen.ask(
        f"{portal}/cisco/services/enrol/person?device=SEP02000000AA09", user="1007", pin=PIN
    )
    assert not EnrolmentRequest.objects.exists()


def test_wrong_pins_and_codes_are_counted(new_handset, bobs, acme):
    text = code_for(acme, profile=bobs)
    _, _, screen = new_handset()
    for _ in range(10):
        screen.open("/cisco/services/enrol/code")
        screen.ask(screen.url, code="0000111122223333")
    screen.open("/cisco/services/enrol/code")
    assert "not good" in screen.ask(screen.url, code=text), "locked for the right one too"
    assert PinFailures.objects.get(mac=MAC).count == 10


def test_staff_approve_or_refuse(new_handset, bobs, settings, finish):
    settings.ENROLMENT_APPROVAL = True
    phone, fleet, screen = new_handset()
    screen.open("/cisco/services/enrol/person")
    assert "waits for the approval" in screen.ask(screen.url, user="1007", pin=PIN)
    assert screen.refresh
    assert "waits for the approval" in screen.open()
    request = EnrolmentRequest.objects.get()
    assert "enrolment-requested" in Event.objects.latest("pk").tags
    assert not Phone.objects.filter(mac=MAC).exists()
    enrolment.approve(request, actor=ACTOR)
    arrived(request, phone, fleet, finish)
    with pytest.raises(Refusal, match="decided already"):
        enrolment.refuse(request, actor=ACTOR)


def test_the_pin_that_somebody_else_has_set_is_changed_first(new_handset, bobs):
    bob = bobs.user
    bob.pin_must_change = True
    bob.save()
    _, _, screen = new_handset()
    screen.open("/cisco/services/enrol/person")
    screen.ask(screen.url, user="1007", pin=PIN)
    change = screen.url
    assert PIN not in change
    assert "sequence" in screen.ask(change, pin=PIN, new="1234", again="1234")
    assert "being set up" in screen.ask(change, pin=PIN, new="1470", again="1470")
    bob.refresh_from_db()
    assert bob.check_pin("1470")
    assert not bob.pin_must_change


def test_a_person_replaces_a_phone_at_the_new_one(new_handset, bobs, site, acme, finish):
    bobs.compatible_models = []
    bobs.save()
    old = Phone.objects.create(mac="02000000AA0B", account=acme, model="8845", name="Bob's desk", current_profile=bobs)
    phone, fleet, screen = new_handset()
    screen.open()
    screen.ask(screen.items["Replace one of my phones"])
    screen.ask(screen.url, user="1007", pin=PIN)
    assert "being set up" in screen.ask(screen.items["Bob's desk (8845)"])
    row = arrived(EnrolmentRequest.objects.get(), phone, fleet, finish)
    assert (row.pk, row.mac, row.name) == (old.pk, MAC, "Bob's desk")
    assert Phone.objects.get(mac="02000000AA0B").replaced_by == row


def test_so_many_phones_in_an_hour(bobs, acme, settings):
    settings.ENROLMENT_PER_HOUR = 1
    handset = enrolment.Handset(MAC, "8845", "127.0.0.1")
    FileFetch.objects.create(
        mac=MAC, file_name="x", size=1, address="127.0.0.1", protocol="http", fetched_at=timezone.now()
    )
    enrolment.ask_for(handset, user=bobs.user, profile=bobs)
    with pytest.raises(Refusal, match="Too many"):
        enrolment.ask_for(enrolment.Handset("02000000AA02", "8845"), user=bobs.user, profile=bobs)
    admitted = Admitted()
    assert [admitted.admits(who, 2) for who in "aabcb"] == [True, True, True, False, True]


@pytest.mark.parametrize(
    "model", ["", "8845", "7962", "Cisco-CP8851/14.2.1", "Allegro-Software-WebClient/4.34", "7920"]
)
def test_the_file_for_a_new_phone_passes_the_checker(settings, model):
    settings.PHONE_SERVICES_URL = "http://portal.example:8000"
    content = enrolment_file(model)
    found = sep.check(content, model=model if sep.catalogue.find(model) else "")
    assert [one.message for one in found if one.severity is sep.Severity.ERROR] == []
    facts = sep.facts(sep.parse(content))
    assert facts.services_url == "http://portal.example:8000/cisco/services/enrol?device=#DEVICENAME#"
    assert facts.lines == ()
    assert (b"<featureID>20<" in content) == any(number in model for number in ("88", "79")) - (model == "7920")
    assert content == enrolment_file(model)


def test_a_network_names_its_account():
    first, second = parse_networks("10.1.0.0/16=1000001, 10.2.0.0/16")
    assert (first.account, second.account) == (1000001, None)
    with pytest.raises(ValueError, match=r"10\.1"):
        parse_networks("10.1.0.0/99")


def status_of(site, name: str) -> int:
    phone = http.client.HTTPConnection("127.0.0.1", site.files.http_port, timeout=30)
    phone.request("GET", f"/{name}")
    status = phone.getresponse().status
    phone.close()
    return status
