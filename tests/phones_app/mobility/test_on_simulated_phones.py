"""A person at a phone: keys, menus and forms over HTTP, as each generation speaks it (mobility spec §1 to §4)."""

import json
from urllib.request import urlopen

import pytest

from contacts_app.accounts.models import Extension
from phones_app.inventory.models import ServiceSession
from tests.phones_app.hands import Hands
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = ("7962", "8851")


@pytest.fixture
def person(alice):
    alice.phone = "+351 555 0100"
    alice.set_pin("1234")
    alice.save()
    return alice


@pytest.fixture
def desks(site, person, live_server, settings):
    """A 7962 and an 8851 that run, and what was asked for at the portal."""
    services = f"<servicesURL>{live_server.url}/cisco/services/dir?mac=#DEVICENAME#</servicesURL></device>"
    first = sip_file().replace("</device>", services)
    phones = {model: site.phone(model=model, first_file=first) for model in MODELS}
    with site.alive(*phones.values()) as fleet:
        yield {model: Hands(fleet, fleet[phone.mac]) for model, phone in phones.items()}


@pytest.mark.parametrize("model", MODELS)
def test_a_person_logs_in_with_keys_and_dials(desks, acme, model, caplog):
    Extension.objects.bulk_create(Extension(account=acme, number=100 + n, name=f"Büro {n:02}") for n in range(40))
    desk = desks[model]
    assert desk.key("Services").title == "Directories"
    assert desk.shown.keys[3 if model == "7962" else 1][0] == "Exit"
    form = desk.choose("Personal directory")
    assert [field.name for field in form.fields] == ["user", "pin"]
    assert form.method == ("get" if model == "7962" else "post")
    desk.type(user="alice@acme.example", pin="12x34")
    directory = desk.soft_key("Submit")
    if directory.kind == "CiscoIPPhoneMenu":  # a 79xx shows a directory behind a menu
        directory = desk.choose("Personal directory")
    assert directory.choices[0] == ("Alice Archer", "+351 555 0100")
    assert ServiceSession.objects.get().mac == desk.phone.config.mac
    assert desk.soft_key("Next").choices[-1] == ("Büro 39", "139")
    assert desk.soft_key("Previous").choices == directory.choices
    desk.choose("Büro 01")
    desk.soft_key("Dial")
    assert desk.phone.history[-1] == "dials 101"
    assert desk.shown is None


def test_a_form_is_not_gone_back_to(desks, acme):
    """Its past date keeps it off the way back, where the directory after it would only lead to it again."""
    desk = desks["8851"]
    desk.key("Services")
    desk.choose("Personal directory")
    desk.type(user="alice@acme.example", pin="1234")
    assert desk.soft_key("Submit").kind == "CiscoIPPhoneDirectory"
    assert desk.soft_key("Exit").title == "Directories"
    assert desk.soft_key("Exit") is None


def test_a_phone_says_what_it_could_not_show(desks, live_server, settings):
    desk = desks["8851"]
    for url, words in (
        (f"{live_server.url}/cisco/services/none", "HTTP Error [404]!"),
        (f"{live_server.url}/healthz", "XML Error [4]: Parse Error"),
        ("http://127.0.0.1:9/", "Host Not Found"),
    ):
        desk.fleet.do(desk.phone.window.open(url))
        assert desk.shown.text == words
    desk.fleet.do(desk.phone.window.open(f"{live_server.url}/cisco/services/dir?mac=000000000000"))
    assert desk.shown.text == "This phone is not known here."


def test_the_hand_at_a_phone_presses_and_sees_what_is_shown(desks, acme):
    """Over the phone's own web server, by which the admin reaches phones that another process plays."""
    phone = desks["7962"].phone
    url = f"http://127.0.0.1:{phone.web_port}/simulated/hand"

    def press(**values: str) -> dict:
        body = "&".join(f"{name}={value}" for name, value in values.items()).encode()
        return json.load(urlopen(url, body if values else None))

    assert press()["window"] is None
    assert press(key="Services")["window"]["prompt"] == "Choose a directory"
    assert press(choice="0")["window"]["fields"][1] == {"label": "PIN", "name": "pin", "value": "", "is_hidden": True}
    press(**{"field.user": "alice@acme.example", "field.pin": "1234", "soft_key": "1"})
    assert ServiceSession.objects.get().user.email == "alice@acme.example"
