"""Finding one's way in the admin: the search over everything, and the first steps."""

import re
from html import unescape

import lxml.html
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from config import urls
from contacts_app.accounts.models import Account, Extension
from phones_app.boot.models import FileFetch
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from profiles_app.events.models.setup import EventProfile
from profiles_app.phone.models import Line, PhoneProfile
from tests.admin_people import at_desk, clerk
from tests.phones_app.configuration import data

pytestmark = pytest.mark.django_db
assert urls.urlpatterns, "the pages are found when the URLs are read"


def found(desk, words: str) -> str:
    answer = desk.get(reverse("admin:search"), {"s": words})
    assert answer.status_code == 200
    return unescape(answer.text)


def kinds_of(page: str) -> dict[str, list[str]]:
    """What was found, by kinds in their order."""
    groups = re.split(r'role="group" aria-label="([^"]+)"', page)[1:]
    titles = [re.findall(r'pb-found-title">([^<]+)', text) for text in groups[1::2]]
    return dict(zip(groups[::2], titles, strict=True))


def test_ctrl_k_finds_records_of_ones_own_account(root, acme, other):
    mine = Phone.objects.create(mac="AABBCCDDEE01", account=acme, name="Lobby of Acme")
    Phone.objects.create(mac="AABBCCDDEE02", account=other, name="Lobby of Other")
    EventProfile.objects.create(account=acme, name="Lobby events")
    desk = at_desk(clerk(acme))
    page = found(desk, "lobby")
    assert kinds_of(page) == {"Phones": [str(mine)], "Event profiles": ["Lobby events"]}
    assert reverse("admin:phones_app_phone_change", args=[mine.pk]) in page
    assert "Other" not in page
    by_staff = found(at_desk(root), "lobby")
    assert "Lobby of Other" in by_staff
    assert str(other) in by_staff, "to staff each row says whose it is"
    for spelling in ("aa:bb:cc:dd:ee:01", "AABB.CCDD.EE01", "sepaabbccddee01.cnf.xml", "ccddee01"):
        assert kinds_of(found(desk, spelling)) == {"Phones": [str(mine)]}
    assert "Nothing found" in found(desk, "nonsense-that-is-nowhere")


def test_what_one_may_not_see_is_not_found_from_then_on(acme):
    Account.objects.filter(pk=acme.pk).update(name="Lobby")
    blind = clerk(acme)
    Phone.objects.create(mac="AABBCCDDEE01", account=acme, name="Lobby")
    desk = at_desk(blind)
    assert "Lobby" in found(desk, "lobby")
    blind.user_permissions.clear()
    assert "Lobby" not in found(desk, "lobby"), "nothing is remembered of what was found"
    assert not kinds_of(found(desk, "call managers"))


def test_pages_settings_and_rows_are_kinds_of_their_own(root, acme, alice):
    FileServer.objects.create(account=acme, name="Files of the lobby", host="files.acme.example", password="lobby-Pa55")
    Extension.objects.create(account=acme, number=4711, name="Lobby")
    data.line(acme, "4711", display_name="Lobby")
    layer = data.layer(kind="portal")
    desk = at_desk(root)
    assert kinds_of(found(desk, "file servers"))["Pages"] == ["File servers"]
    assert kinds_of(found(desk, "dial templates"))["Pages"] == ["Dial templates"], "no model is called so"
    settings = found(desk, "ntp")
    assert kinds_of(settings) == {"Settings of phones": ["NTP servers", "NTP mode"]}
    assert reverse("admin:phones_app_layer_change", args=[layer.pk]) in settings
    assert list(kinds_of(found(desk, "4711"))) == ["Lines", "Extensions"], "in the order of the menu"
    assert kinds_of(found(desk, "alice"))["Users"] == [str(alice)]
    for secret in ("lobby-Pa55", "secret-4711"):
        assert not kinds_of(found(desk, secret))


def test_a_search_costs_the_same_whatever_there_is(root, acme):
    def rows(first: int, last: int) -> None:
        for n in range(first, last):
            phone = Phone.objects.create(mac=f"AABBCCDDEE{n:02X}", account=acme, name=f"Lobby {n}")
            data.layer(acme, kind="phone", phone=phone)
            data.line(acme, str(7000 + n), display_name=f"Lobby {n}")

    desk = at_desk(root)
    rows(0, 1)
    found(desk, "lobby")
    with CaptureQueriesContext(connection) as few:
        found(desk, "lobby")
    rows(1, 9)
    with CaptureQueriesContext(connection) as many:
        page = found(desk, "lobby")
    assert len(many) == len(few)
    assert len(kinds_of(page)["Phones"]) == 6, "five, and the way to more"
    assert f"{reverse('admin:phones_app_phone_changelist')}?q=lobby" in page
    assert Line.objects.count() == 9


@pytest.mark.parametrize("words", ["a\0b", "a " * 5_000, "'", "%%%", "\\", "1" * 90])
def test_odd_words_break_nothing(root, words):
    found(at_desk(root), words)


def steps_on(desk) -> dict[str, bool]:
    page = lxml.html.fromstring(desk.get(reverse("admin:index")).text)
    steps = page.find_class("pb-steps-list")
    return {one.findtext(".//strong"): "pb-step-done" in one.get("class") for one in steps[0]} if steps else {}


def test_the_first_steps_are_done_when_there_is_evidence(root, acme, alice, settings):
    desk = at_desk(root)
    assert list(steps_on(desk).values()) == [False] * 6
    settings.PHONE_NETWORKS = "10.20.0.0/16"
    server = FileServer.objects.create(name="Own", host="files.example", tested_at=now(), test_result="refused")
    phone = Phone.objects.create(mac="AABBCCDDEE01", account=acme)
    done = [title for title, is_done in steps_on(desk).items() if is_done]
    assert done == ["Name the networks of the phones", "Add the first phone"], "a failed test is no evidence"
    FileServer.objects.filter(pk=server.pk).update(test_result="")
    CallManager.objects.create(name="PBX", kind="ami", host="pbx.example", port=5038, tested_at=now())
    PhoneProfile.objects.create(user=alice, name="Desk")
    made = {"account": acme, "phone": phone, "mac": phone.mac, "requested_by": "x", "channel": "x"}
    made |= {"next_attempt_at": None, "finished_at": now()}
    Deployment.objects.create(state="failed", **made)
    assert [title for title, is_done in steps_on(desk).items() if not is_done] == ["Deploy it to a phone"]
    Deployment.objects.create(state="confirmed", **made)
    assert steps_on(desk) == {}, "all are done"


def test_a_phone_that_fetches_its_file_has_found_the_file_server(root):
    desk = at_desk(root)
    FileFetch.objects.create(mac="AABBCCDDEE01", file_name="x", sha256="a" * 64, size=1, fetched_at=now())
    assert steps_on(desk)["Let phones find their files"]


def test_what_to_enter_into_dhcp_is_the_address_that_phones_reach(root, settings):
    desk = at_desk(root)
    settings.FILE_SERVER_TFTP_HOST = "127.0.0.1"
    assert "FILE_SERVER_HOST=0.0.0.0" in desk.get(reverse("admin:index")).text
    settings.FILE_SERVER_TFTP_HOST = "10.20.0.5"
    page = lxml.html.fromstring(desk.get(reverse("admin:index")).text)
    values = dict(zip(page.xpath("//dl/dt/text()"), page.xpath("//dl/dd/code/text()"), strict=True))
    assert values["DHCP option 150, as an address"] == values["DHCP option 66, as text"] == "10.20.0.5"
    assert values["DHCP option 150, as hexadecimal"] == "0A140005"


def test_the_first_steps_are_hidden_by_a_person_and_brought_back(root, acme):
    desk, url = at_desk(root), reverse("admin:first_steps")
    assert desk.get(url).status_code == 405, "following a link does nothing"
    desk.post(url, {"hide": "yes"})
    assert steps_on(desk) == {}
    assert "Show the first steps" in desk.get(reverse("admin:index")).text
    desk.post(url, {"hide": "no"})
    assert steps_on(desk)
    assert steps_on(at_desk(clerk(acme))) == {}, "staff set the portal up, not people of an account"
