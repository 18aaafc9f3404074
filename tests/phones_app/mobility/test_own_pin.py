"""PINs have rules, those that somebody else has set are changed by the person, and people change their own."""

import io

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from lxml import etree

from contacts_app.core.actor import system
from contacts_app.people.pins import check_rules, set_pin
from contacts_app.tokens.services import create_token
from phones_app.inventory.models import Phone, ServiceSession
from tests.commands import run
from tests.phones_app.rest import Api, of

pytestmark = pytest.mark.django_db
GOOD = "2580"


def test_what_everybody_tries_first_is_no_pin(bob, new_profile):
    bob.phone = "+1 202 555 4738"
    bob.save()
    new_profile(user=bob)  # its line is 1001
    refused = "1234 4321 7890 0987 0000 1212 123123 4738 8374 1001 258 12a4 ٣٤٥٦ 25802580258025802"
    for pin in refused.split():
        with pytest.raises(ValidationError):
            check_rules(pin, bob)
    for pin in ("2580", "1357", "47381", "112233"):
        check_rules(pin, bob)


def test_the_length_is_a_setting(bob, settings):
    settings.PIN_MIN_DIGITS = 6
    with pytest.raises(ValidationError, match="6 to 16 digits"):
        check_rules(GOOD, bob)


def test_managers_set_clear_and_demand_a_change(api, bob, caplog):
    path = f"users/{bob.uuid}"
    assert api.get(path).json()["data"]["has_pin"] is False
    refused = api.patch(path, {"pin": "1234"})
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == ["pin"]
    set_ = api.patch(path, {"pin": GOOD})
    assert (set_.json()["data"]["has_pin"], set_.json()["data"]["must_change_pin"]) == (True, True)
    bob.refresh_from_db()
    assert bob.check_pin(GOOD)
    assert api.patch(path, {"pin": "1357", "must_change_pin": False}).json()["data"]["must_change_pin"] is False
    assert api.patch(path, {"must_change_pin": True}).json()["data"]["must_change_pin"] is True
    assert api.patch(path, {"pin": ""}).json()["data"]["has_pin"] is False
    records = [str(list(row.__dict__.values())) for row in bob.history.all()]
    assert not any(pin in text for pin in (GOOD, "1357") for text in [*records, caplog.text, set_.content.decode()])


def test_a_person_needs_the_old_pin_or_a_session(bob, acme):
    set_pin(bob, GOOD, actor=system("test"))
    bob.save()
    session, token = of(bob), Api(create_token(account=acme, created_by=bob)[1])
    assert token.put("me/pin", {"pin": "1357", "old_pin": GOOD}).status_code == 404, "a token of no person"
    assert [error["field"] for error in session.put("me/pin", {"pin": GOOD}).json()["errors"]] == ["pin"]
    assert session.put("me/pin", {"pin": "0000"}).status_code == 400
    changed = session.put("me/pin", {"pin": "1357"})
    assert changed.json()["data"] == {"has_pin": True, "must_change_pin": False}
    bob.refresh_from_db()
    assert bob.check_pin("1357")


def test_wrong_old_pins_are_counted(bob):
    """Basic is a credential that programs keep, so whoever has it needs the PIN as well."""
    bob.set_pin(GOOD)
    bob.set_password("tr0ub4dor&3")
    bob.save()
    basic = Api()
    basic.headers = {"Authorization": "Basic Ym9iQGFjbWUuZXhhbXBsZTp0cjB1YjRkb3ImMw=="}
    for _ in range(5):
        assert basic.put("me/pin", {"pin": "1357", "old_pin": "9876"}).status_code == 400
    locked = basic.put("me/pin", {"pin": "1357", "old_pin": GOOD})
    assert [error["field"] for error in locked.json()["errors"]] == ["old_pin"]


@pytest.fixture
def screen(acme):
    """A phone at 127.0.0.1 that looks at a page."""
    Phone.objects.create(mac="AABBCCDDEE01", account=acme, model="8845", phone_ip="127.0.0.1")

    def ask(url: str = "/cisco/services/pin", **values: str):
        shown = etree.fromstring(Client().post(f"{url}?mac=AABBCCDDEE01" if "?" not in url else url, values).content)
        return shown, " ".join(shown.itertext())

    return ask


def test_a_pin_is_changed_on_the_screen(screen, bob):
    bob.set_pin(GOOD)
    bob.save()
    shown, _ = screen()
    assert shown.xpath("InputItem/QueryStringParam/text()") == ["user", "pin", "new", "again"]
    who = {"user": "bob@acme.example"}
    assert "Login failed" in screen(**who, pin="9999", new="1357", again="1357")[1]
    assert "not the same" in screen(**who, pin=GOOD, new="1357", again="1358")[1]
    assert "sequence" in screen(**who, pin=GOOD, new="1111", again="1111")[1]
    assert "changed" in screen(**who, pin=GOOD, new="1357", again="1357")[1]
    bob.refresh_from_db()
    assert bob.check_pin("1357")
    assert bob.history.first().history_actor == "bob@acme.example"


def test_a_pin_of_somebody_else_s_is_changed_before_the_log_in(screen, bob):
    set_pin(bob, GOOD, actor=system("test"))
    bob.save()
    who = {"user": "bob@acme.example"}
    shown, words = screen("/cisco/services/pdir", **who, pin=GOOD)
    assert "Choose another PIN" in words
    url = shown.findtext("URL")
    assert GOOD not in url
    assert not ServiceSession.objects.exists()
    assert "has to be changed" in screen(url, pin=GOOD, new=GOOD, again=GOOD)[1]
    assert "changed" in screen(url, pin=GOOD, new="1357", again="1357")[1]
    screen("/cisco/services/pdir", **who, pin="1357")
    assert ServiceSession.objects.get().user == bob
    assert screen()[0].xpath("InputItem/QueryStringParam/text()") == ["pin", "new", "again"], "it is known who asks"


def test_operators_type_it_and_never_as_an_argument(bob, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{GOOD}\n"))
    assert run("set_pin", "bob@acme.example", "--json").row["must_change_pin"] is True
    bob.refresh_from_db()
    assert bob.check_pin(GOOD)
    monkeypatch.setattr("sys.stdin", io.StringIO("1234\n"))
    assert run("set_pin", "bob@acme.example").status == 1
    assert run("set_pin", "bob@acme.example", "--clear", "--json").row["has_pin"] is False
