"""What phones ask for by themselves: whether to obey a push, and the directories on their screens."""

from email.utils import parsedate_to_datetime

import pytest
from django.test import Client
from lxml import etree

from contacts_app.accounts.models import Extension
from contacts_app.people.models import User
from phones_app.inventory.models import ServiceSession
from phones_app.mobility.pages import directories

pytestmark = pytest.mark.django_db
MAC = "AABBCCDDEE01"


@pytest.fixture
def screen(phone):
    """The phone, which is at 127.0.0.1, looking at a page."""

    def ask(
        service: str, address: str = "127.0.0.1", method: str = "get", model: str = "", accept_charset="", **query: str
    ):
        headers = {"x-CiscoIPPhoneModelName": model, "Accept-Charset": accept_charset}
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


@pytest.mark.parametrize("parameter", ["mac", "name", "device", "devicename"])
@pytest.mark.parametrize(
    "name", ["SEP{}", "sep{}", "{}?locale=English_United_Kingdom", "aa:bb:cc:dd:ee:01", "AABB.CCDD.EE01"]
)
def test_firmware_names_the_phone_in_its_own_way(screen, person, parameter, name):
    menu = xml(screen("dir", locale="English_United_Kingdom", **{parameter: name.format(MAC)}))
    assert menu.tag == "CiscoIPPhoneMenu"


def test_a_form_is_kept_off_the_way_back(screen, person):
    """A past date reaches the phone, and one after 1970, which some would not take for one."""
    assert parsedate_to_datetime(screen("pdir", mac=MAC)["Expires"]).year > 1970
    assert "Expires" not in screen("dir", mac=MAC)


@pytest.mark.parametrize(("model", "method"), [("CP-7962G", None), ("CP-8851", "post"), ("CP-7832", "post")])
def test_a_form_is_asked_for_as_a_body_where_the_phone_can(screen, person, model, method):
    assert xml(screen("pdir", mac=MAC, model=model)).find("URL").get("method") == method


def test_a_failure_is_a_text(screen, phone, monkeypatch, caplog):
    """Of a 4xx or 5xx a phone shows only the number; and the PIN is in no log."""
    monkeypatch.setattr(directories, "company_directory", lambda account: 1 / 0)
    assert "again" in xml(screen("cdir", mac=MAC, pin="73519")).findtext("Text")
    assert "ZeroDivisionError" in caplog.text
    assert "73519" not in caplog.text


def test_a_site_may_say_where_a_model_has_its_keys(screen, phone, settings):
    settings.PHONE_SERIES = "8821=79xx"
    assert keys_of(xml(screen("dir", mac=MAC, model="CP-8821"))) == {"1": "Select", "3": "Exit"}
    assert keys_of(xml(screen("dir", mac=MAC, model="CP-8851"))) == {"1": "Exit", "2": "Select"}


def test_the_menu(screen, person):
    menu = xml(screen("dir", mac=f"SEP{MAC}"))
    assert menu.tag == "CiscoIPPhoneMenu"
    assert menu.xpath("MenuItem/Name/text()") == ["Personal directory", "Company directory"]
    assert menu.xpath("MenuItem/URL/text()")[0] == f"http://testserver/cisco/services/pdir?mac={MAC}&page=0"
    log_in(screen)
    menu = xml(screen("dir", mac=MAC, model="CP-7962G"))
    assert menu.xpath("MenuItem/Name/text()")[-1] == "Log out"
    assert menu.findtext("Prompt") == "Alice Archer"
    assert xml(screen("dir", mac=MAC, model="CP-8851")).find("Prompt") is None


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
def test_a_wrong_name_or_pin_is_told_by_a_text(screen, person, charlie, user, pin):
    charlie.set_pin("1234")
    charlie.save()
    told = xml(log_in(screen, user=user, pin=pin))
    assert told.tag == "CiscoIPPhoneText"
    assert told.findtext("Text") == "Login failed (201)"
    assert xml(Client().get(told.xpath("SoftKeyItem[Name='Again']/URL/text()")[0])).tag == "CiscoIPPhoneInput"
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


def keys_of(shown) -> dict[str, str]:
    return {key.findtext("Position"): key.findtext("Name") for key in shown.findall("SoftKeyItem")}


def test_a_directory_has_pages_of_32(screen, acme):
    Extension.objects.bulk_create(Extension(account=acme, number=100 + n, name=f"Desk {n:02}") for n in range(40))
    first = xml(screen("cdir", mac=MAC))
    assert len(first.findall("DirectoryEntry")) == 32
    assert keys_of(first) == {"1": "Exit", "2": "Dial", "3": "Next", "4": "EditDial"}
    second = xml(Client().get(first.xpath("SoftKeyItem[Name='Next']/URL/text()")[0]))
    assert second.xpath("DirectoryEntry/Name/text()")[0] == "Desk 32"
    assert keys_of(second) == {"1": "Exit", "2": "Dial", "3": "EditDial", "4": "Previous"}
    before = xml(Client().get(second.xpath("SoftKeyItem[Name='Previous']/URL/text()")[0]))
    assert etree.tostring(before) == etree.tostring(first)
    assert xml(screen("cdir", mac=MAC, model="CP-6921", page="9" * 30)).findtext("Prompt") == "1-32 of 40"


def test_a_79xx_shows_a_directory_behind_a_menu_of_one_item(screen, acme):
    Extension.objects.create(account=acme, number=101, name="Reception")
    menu = xml(screen("cdir", mac=MAC, model="CP-7962G"))
    assert menu.xpath("MenuItem/Name/text()") == ["Company directory"]
    assert keys_of(menu) == {"1": "Select", "3": "Exit"}
    client = Client(headers={"x-CiscoIPPhoneModelName": "CP-7962G"})
    directory = xml(client.get(menu.findtext("MenuItem/URL")))
    assert directory.xpath("DirectoryEntry/Telephone/text()") == ["101"]
    assert keys_of(directory) == {"1": "Dial", "2": "EditDial", "3": "Exit"}


CYRILLIC = "Иван Петрович"


@pytest.mark.parametrize(
    ("accepted", "name", "charset"),
    [
        ("utf-8,iso-8859-1;q=0.8", CYRILLIC, "utf-8"),
        ("utf-8,iso-8859-1;q=0.8", "Küche", "utf-8"),
        ("iso-8859-1, utf-8;q=0.8", "Küche", "iso-8859-1"),
        # What the phone reads although it likes it less is better than references.
        ("iso-8859-1, utf-8;q=0.8", CYRILLIC, "utf-8"),
        ("iso-8859-1", CYRILLIC, "iso-8859-1"),
        ("ISO-8859-5;q=0.9, us-ascii", CYRILLIC, "iso-8859-5"),
        ("utf-8;q=0, iso-8859-1", CYRILLIC, "iso-8859-1"),
        ("utf-16, idna, rot13", CYRILLIC, "utf-8"),
        ("", "Küche", "iso-8859-1"),
        ("*", "Küche", "utf-8"),
    ],
)
@pytest.mark.parametrize("model", ["CP-7960G", "CP-8845"])
def test_the_charset_is_one_that_the_phone_offers(screen, acme, accepted, name, charset, model):
    Extension.objects.create(account=acme, number=101, name=name)
    response = screen("cdir", mac=MAC, model=model, accept_charset=accepted, page="0")
    assert response["Content-Type"] == f"text/xml; charset={charset}"
    assert f'encoding="{charset}"'.encode() in response.content.splitlines()[0]
    assert xml(response).xpath("DirectoryEntry/Name/text()") == [name]


def test_other_methods_are_refused(screen):
    assert screen("pdir", method="put", mac=MAC).status_code == 405
    assert screen("authenticate", method="post").status_code == 405
