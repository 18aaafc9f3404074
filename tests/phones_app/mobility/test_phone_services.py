"""What phones ask for by themselves: whether to obey a push, and the directories on their screens."""

import pytest
from django.test import Client
from lxml import etree

from contacts_app.accounts.models import Extension
from contacts_app.people.models import User
from phones_app.inventory.models import ServiceSession

pytestmark = pytest.mark.django_db
MAC = "AABBCCDDEE01"


@pytest.fixture
def screen(phone):
    """The phone, which is at 127.0.0.1, looking at a page."""

    def ask(service: str, address: str = "127.0.0.1", method: str = "get", model: str = "", **query: str):
        headers = {"x-CiscoIPPhoneModelName": model} if model else {}
        client = Client(REMOTE_ADDR=address, headers=headers, raise_request_exception=False)
        return getattr(client, method)(f"/cisco/services/{service}", query)

    return ask


@pytest.fixture
def person(alice):
    alice.phone = "+351 555 0100"
    alice.set_pin("1234")
    alice.save()
    return alice


def xml(response):
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/xml; charset=")
    return etree.fromstring(response.content)


def log_in(screen, user="alice@acme.example", pin="1234", **more):
    return screen("pdir", mac=MAC, user=user, pin=pin, **more)


@pytest.fixture
def push(screen, phone):
    phone.web_username, phone.web_password = "portal", "push sécret"
    phone.save()

    def ask(address="127.0.0.1", **change):
        query = {"UserID": "portal", "Password": "push sécret", "devicename": f"SEP{MAC}"} | change
        return screen("authenticate", address, **query)

    return ask


def test_a_push_with_the_right_credentials_is_authorised(push):
    response = push()
    assert response.status_code == 200
    assert response.content == b"AUTHORIZED"
    assert {name.lower() for name in response.headers} <= {"content-type", "content-length"}
    assert response["Content-Type"] == "text/plain"
    assert not response.cookies


@pytest.mark.parametrize(
    "change",
    [
        {"Password": "push"},
        {"Password": ""},
        {"UserID": "admin"},
        {"devicename": "SEPAABBCCDDEE02"},
        {"devicename": "../etc"},
        {"devicename": ""},
        {"address": "10.9.9.9"},
        {"address": "198.51.100.7"},
        {"address": ""},
    ],
)
def test_any_other_push_is_not_authorised(push, change):
    response = push(**change)
    assert response.content == b"UNAUTHORIZED"
    assert response.status_code == 200


def test_a_phone_without_a_push_password_obeys_nobody(screen, phone):
    assert screen("authenticate", UserID="", Password="", devicename=MAC).content == b"UNAUTHORIZED"


def test_phones_are_not_sent_to_https(push, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert push().content == b"AUTHORIZED"


def test_a_phone_outside_the_networks_may_ask_from_where_it_is_known_to_be(screen, phone):
    phone.phone_ip = "198.51.100.7"
    phone.save()
    assert screen("dir", "198.51.100.7", mac=MAC).status_code == 200
    assert screen("dir", "198.51.100.8", mac=MAC).status_code == 403
    assert screen("cdir", "198.51.100.8").status_code == 403


@pytest.mark.parametrize("parameter", ["name", "device", "devicename"])
def test_firmware_names_the_phone_by_its_device_name(screen, person, parameter):
    menu = xml(screen("dir", locale="English_United_Kingdom", **{parameter: f"SEP{MAC}"}))
    assert menu.tag == "CiscoIPPhoneMenu"


def test_the_menu(screen, person):
    menu = xml(screen("dir", mac=f"SEP{MAC}"))
    assert menu.tag == "CiscoIPPhoneMenu"
    assert menu.xpath("MenuItem/Name/text()") == ["Personal directory", "Company directory"]
    assert menu.xpath("MenuItem/URL/text()")[0] == f"http://testserver/cisco/services/pdir?mac={MAC}"
    log_in(screen)
    menu = xml(screen("dir", mac=MAC))
    assert menu.xpath("MenuItem/Name/text()")[-1] == "Log out"
    assert menu.findtext("Prompt") == "Alice Archer"


@pytest.mark.parametrize("mac", ["", "zz", "AABBCCDDEE99", "\x00"])
@pytest.mark.parametrize("page", ["dir", "pdir", "logout"])
def test_an_unknown_phone_is_told_so(screen, page, mac):
    assert xml(screen(page, mac=mac)).tag == "CiscoIPPhoneText"


def test_the_login_form_hides_the_pin(screen):
    form = xml(screen("pdir", mac=MAC))
    assert form.tag == "CiscoIPPhoneInput"
    assert form.findtext("URL") == f"http://testserver/cisco/services/pdir?mac={MAC}"
    assert form.xpath("InputItem/QueryStringParam/text()") == ["user", "pin"]
    assert form.xpath("InputItem/InputFlags/text()") == ["A", "NP"]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ["alice@acme.example", "archer"])
def test_name_and_pin_open_the_personal_directory(screen, person, method, name):
    User.objects.update(username="archer")
    Extension.objects.create(account=person.account, number=101, name="Reception")
    directory = xml(log_in(screen, user=name, method=method))
    assert directory.tag == "CiscoIPPhoneDirectory"
    assert directory.xpath("DirectoryEntry/Name/text()") == ["Alice Archer", "Reception"]
    assert directory.xpath("DirectoryEntry/Telephone/text()") == ["+351 555 0100", "101"]
    assert xml(screen("pdir", mac=MAC)).tag == "CiscoIPPhoneDirectory"


@pytest.mark.parametrize(
    ("user", "pin"), [("alice@acme.example", "9999"), ("nobody", "1234"), ("charlie@other.example", "1234")]
)
def test_a_wrong_name_or_pin_shows_the_form_again(screen, person, charlie, user, pin):
    charlie.set_pin("1234")
    charlie.save()
    form = xml(log_in(screen, user=user, pin=pin))
    assert form.tag == "CiscoIPPhoneInput"
    assert form.findtext("Prompt") == "Login failed (201)"
    assert not ServiceSession.objects.exists()


def test_a_session_is_good_only_from_the_address_that_opened_it(screen, person):
    log_in(screen)
    assert xml(screen("pdir", "127.0.0.2", mac=MAC)).tag == "CiscoIPPhoneInput"
    screen("logout", "127.0.0.2", mac=MAC)
    assert xml(screen("pdir", mac=MAC)).tag == "CiscoIPPhoneDirectory"


def test_logout_ends_the_session(screen, person):
    log_in(screen)
    assert xml(screen("logout", mac=MAC)).tag == "CiscoIPPhoneText"
    assert xml(screen("pdir", mac=MAC)).tag == "CiscoIPPhoneInput"


def test_the_company_directory_is_that_of_the_phones_account(screen, acme, other):
    Extension.objects.create(account=acme, number=101, name="Acme's")
    Extension.objects.create(account=other, number=101, name="Other's")
    for query in ({"mac": MAC}, {}):
        assert xml(screen("cdir", **query)).xpath("DirectoryEntry/Name/text()") == ["Acme's"]
    assert xml(screen("cdir", "127.0.0.2")).tag == "CiscoIPPhoneText"


def test_a_directory_has_pages_of_32(screen, acme):
    Extension.objects.bulk_create(Extension(account=acme, number=100 + n, name=f"Desk {n:02}") for n in range(40))
    first = xml(screen("cdir", mac=MAC))
    assert len(first.findall("DirectoryEntry")) == 32
    following = first.xpath("SoftKeyItem[Name='Next']/URL/text()")[0]
    second = xml(Client().get(following))
    assert second.xpath("DirectoryEntry/Name/text()")[0] == "Desk 32"
    assert second.xpath("SoftKeyItem/Name/text()") == ["Dial", "EditDial", "Exit"]
    assert xml(screen("cdir", mac=MAC, page="9" * 30)).findtext("Prompt") == "1-32 of 40"


@pytest.mark.parametrize(("model", "encoding"), [("CP-7960G", "ISO-8859-1"), ("CP-8845", "UTF-8")])
def test_the_encoding_is_one_that_the_model_reads(screen, acme, model, encoding):
    Extension.objects.create(account=acme, number=101, name="Küche \x01 厨房 & <b>" + "x" * 100)
    response = screen("cdir", mac=MAC, model=model)
    assert response["Content-Type"] == f"text/xml; charset={encoding}"
    assert f"encoding='{encoding}'".encode() in response.content.splitlines()[0]
    name = xml(response).xpath("DirectoryEntry/Name/text()")[0]
    assert name.startswith("Küche  厨房 & <b>xx")
    assert len(name) == 64


def test_other_methods_are_refused(screen):
    assert screen("pdir", method="put", mac=MAC).status_code == 405
    assert screen("authenticate", method="post").status_code == 405
