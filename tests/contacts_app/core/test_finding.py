"""Finding one's way in the admin: the search over everything."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config import urls
from contacts_app.accounts.models import Account, Extension
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from profiles_app.events.models.setup import EventProfile
from profiles_app.phone.models import Line
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
