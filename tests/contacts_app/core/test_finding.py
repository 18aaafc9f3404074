"""Finding one's way in the admin: search, first steps, help, long work and time zone of one's own."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import lxml.html
import pytest
from django.conf import settings as site_settings
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import now

from config import urls
from contacts_app.accounts.models import Account, Extension
from contacts_app.core.admin.help import chapters
from contacts_app.core.admin.links import help_url
from contacts_app.core.lists.models import SavedFilter
from contacts_app.core.work import clock
from contacts_app.tokens.models import ApiToken
from phones_app.boot.models import FileFetch
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout
from phones_app.servers.models import CallManager, FileServer
from profiles_app.events.models.setup import EventProfile
from profiles_app.phone.models import Line, PhoneProfile
from tests.admin_people import at_desk, clerk
from tests.bell import bell_of
from tests.phones_app.configuration import data

pytestmark = pytest.mark.django_db
assert urls.urlpatterns, "the pages are found when the URLs are read"
HELP = site_settings.HELP


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
    assert kinds_of(found(desk, "ftp"))["Pages"] == ["File servers"], "by what people call it"
    assert kinds_of(found(desk, "dial templates"))["Pages"] == ["Dial templates"], "no model is called so"
    settings = found(desk, "ntp")
    assert kinds_of(settings) == {"Settings of phones": ["NTP servers", "NTP mode"]}
    assert reverse("admin:phones_app_layer_change", args=[layer.pk]) in settings
    assert list(kinds_of(found(desk, "4711"))) == ["Lines", "Extensions"], "in the order of the menu"
    assert kinds_of(found(desk, "alice"))["Users"] == [str(alice)]
    for secret in ("lobby-Pa55", "secret-4711"):
        assert not kinds_of(found(desk, secret))


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("time zone", "Time zone"),
        ("timezone", "Time zone"),
        ("second factor", "Second factor"),
        ("password", "Change password"),
        ("documentation", "Help"),
        ("olliba", None),
        ("rollo", "Rollouts"),
        ("ollou", "Rollouts"),
        ("ro", "Rollouts"),
        ("fi se", "File servers"),
    ],
)
def test_pages_of_both_menus_are_found_by_parts_of_their_titles(root, words, page):
    pages = kinds_of(found(at_desk(root), words)).get("Pages", [])
    assert page in pages if page else not pages


def test_two_letters_are_found_where_a_word_begins(root):
    """Not somewhere in it: they are in nearly every title."""
    shown = kinds_of(found(at_desk(root), "ut"))
    assert not shown.keys() & {"Pages", "Help", "Settings of phones"}
    titles = kinds_of(found(at_desk(root), "nt"))["Settings of phones"]
    assert titles
    assert all(re.search(r"\bnt", title.lower()) for title in titles if not title.startswith("More"))


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
    return {one.findtext(".//strong"): "pb-first-done" in one.get("class") for one in steps[0]} if steps else {}


def test_the_first_steps_are_done_when_there_is_evidence(root, acme, alice, settings):
    desk = at_desk(root)
    assert [title for title, is_done in steps_on(desk).items() if is_done] == ["Add an account"]
    settings.PHONE_NETWORKS = "10.20.0.0/16"
    server = FileServer.objects.create(name="Own", host="files.example", tested_at=now(), test_result="refused")
    phone = Phone.objects.create(mac="AABBCCDDEE01", account=acme)
    done = [title for title, is_done in steps_on(desk).items() if is_done]
    expected = ["Name the networks of the phones", "Add an account", "Add the first phone"]
    assert done == expected, "a failed test is no evidence"
    FileServer.objects.filter(pk=server.pk).update(test_result="")
    CallManager.objects.create(name="PBX", kind="ami", host="pbx.example", port=5038, tested_at=now())
    PhoneProfile.objects.create(user=alice, name="Desk")
    made = {"account": acme, "phone": phone, "mac": phone.mac, "requested_by": "x", "channel": "x"}
    made |= {"next_attempt_at": None, "finished_at": now()}
    Deployment.objects.create(state="failed", **made)
    assert [title for title, is_done in steps_on(desk).items() if not is_done] == ["Deploy it to a phone"]
    Deployment.objects.create(state="confirmed", **made)
    assert steps_on(desk) == {}, "all are done"


def test_a_new_portal_needs_an_account_before_its_first_phone(root):
    titles = list(steps := steps_on(at_desk(root)))
    assert not any(steps.values())
    assert titles.index("Add an account") < titles.index("Add the first phone")


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
    values = dict(zip(page.xpath("//ol//dt/text()"), page.xpath("//ol//dd/code/text()"), strict=True))
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


def test_each_page_leads_to_a_chapter_that_is_there(root):
    desk = at_desk(root)
    pages = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}
    assert pages <= HELP.keys(), "each list has its words and its chapter"
    assert all(HELP[name].get("empty") for name in pages)
    files = {row["chapter"].partition("#")[0] for row in HELP.values()}
    shown = {file: desk.get(help_url(file)) for file in files}
    assert {file for file, answer in shown.items() if answer.status_code != 200} == set()
    for row in HELP.values():
        file, _, place = row["chapter"].partition("#")
        assert not place or f'id="{place}"' in shown[file].text, row
    # From one chapter to the next, and nowhere else.
    links = set(re.findall(r'<a href="(/admin/help/[^"#]+)', shown["operations.md"].text))
    assert help_url("enrolment.md") in links
    assert not re.findall(r'href="[^"]*(?:README|THREAT_MODEL|grafana)', shown["operations.md"].text)
    assert desk.get(help_url("images/deployment.png"))["Content-Type"] == "image/png"


def test_all_chapters_are_listed_by_people(root):
    page = lxml.html.fromstring(at_desk(root).get(help_url()).text)
    listed = page.xpath("//article//li/a/@href")
    assert sorted(listed) == sorted(help_url(file) for file in chapters())
    assert page.xpath("//article/h2/text()")[:3] == ["Start", "Administrator", "Integrator"]
    some = (
        "guide/index.md",
        "guide/first-phone.md",
        "admin.md",
        "integrate/index.md",
        "integrate/phones.md",
        "apis.md",
    )
    first = [help_url(file) for file in some]
    assert [url for url in listed if url in first] == first


def test_pages_that_are_no_list_have_their_chapter(root):
    for page, chapter in (("change_log", "admin-lists.md#change-log"), ("admin:time_zone", "admin.md#time-zone")):
        assert f'class="pb-top" href="{help_url(chapter)}"' in at_desk(root).get(reverse(page)).text


@pytest.mark.parametrize(
    ("page", "chapter"),
    [
        ("columns", "admin-lists.md#columns"),
        ("import", "admin-lists.md#imports"),
        ("adopting", "adopting.md"),
        ("changelist", "operations.md#real-phones-the-check-list"),
    ],
)
def test_a_page_that_each_list_has_leads_to_what_explains_it(root, page, chapter):
    shown = at_desk(root).get(reverse(f"admin:phones_app_phone_{page}")).text
    assert f'class="pb-top" href="{help_url(chapter)}"' in shown


def test_the_page_of_a_saved_filter_leads_to_what_explains_it(root):
    saved = SavedFilter.objects.create(user=root, list="phones_app.phone", name="All", query="")
    page = at_desk(root).get(reverse("admin:phones_app_phone_filter_edit", args=[saved.pk])).text
    assert f'class="pb-top" href="{help_url("admin-lists.md#saved-filters")}"' in page


@pytest.mark.parametrize(
    ("model", "title"),
    [
        ("profiles_app_numberlease", "Numbers"),
        ("profiles_app_customerprofile", "Assigned profiles"),
        ("phones_app_mobilitysession", "Who is where"),
        ("phones_app_phone", "Phones"),
        ("phones_app_pinfailures", "PIN failures"),
    ],
)
def test_lists_are_called_as_the_menu_calls_them(root, model, title):
    page = lxml.html.fromstring(at_desk(root).get(reverse(f"admin:{model}_changelist")).text)
    assert page.findtext(".//title").split("|")[0].strip() == title
    assert page.find_class("pb-place")[0].text_content().strip().endswith(title)


@pytest.mark.parametrize(
    "chapter",
    ["../README.md", "../.git/config", "conf.py", "none.md", "specs", "/etc/passwd", f"{'long' * 99}.md", "no\0.md"],
)
def test_help_is_the_chapters_and_nothing_else(root, chapter):
    assert at_desk(root).get(f"/admin/help/{chapter}").status_code == 404


def test_help_is_for_those_who_are_let_in(client):
    assert client.get(help_url("operations.md")).status_code == 302


def test_an_empty_list_says_what_to_do_and_where_that_is_explained(root, acme):
    desk = at_desk(root)
    page = desk.get(reverse("admin:phones_app_phone_changelist")).text
    assert "Add one, or import a CSV file" in page
    assert page.count(help_url("operations.md#real-phones-the-check-list")) == 2, (
        "above the page, and in the empty list"
    )
    on_a_page = desk.get(reverse("admin:phones_app_phone_configuration", args=[data.phone(acme, 1).pk])).text
    assert help_url("configuration.md#a-phones-configuration") in on_a_page
    assert kinds_of(found(desk, "glossary"))["Help"] == ["Glossary"]


def rollout(user, name: str, account=None, **fields) -> Rollout:
    given = {"total": 4, "requested_by": user.email, "channel": "admin", "state": "running"} | fields
    return Rollout.objects.create(user=user, account=account or user.account, name=name, **given)


def test_the_bell_tells_of_ones_own_long_work_until_it_was_seen(root, acme, other):
    mine, colleague = clerk(acme), clerk(acme, "second@acme.example")
    desk, url = at_desk(mine), reverse("admin:work")
    rollout(mine, "Spring")
    rollout(mine, "Autumn", state="aborted", reason="Too many failed", finished_at=now())
    rollout(mine, "Long ago", state="finished", finished_at=now() - timedelta(days=8))
    rollout(colleague, "Of a colleague")
    assert bell_of(desk) == "Your long work: 1 running, 1 new"
    shown = desk.get(url).text
    assert "Spring" in shown
    assert "0 %" in shown
    assert "Too many failed" in shown
    assert "every 3s" in shown, "it is asked for again while something runs"
    assert "Of a colleague" not in shown
    assert "Long ago" not in shown
    assert bell_of(desk) == "Your long work: 1 running, 1 new", "looking at it is what opening posts"
    assert "new" in desk.post(url).text
    assert bell_of(desk) == "Your long work: 1 running, 0 new"
    Rollout.objects.filter(name="Spring").update(state="finished", finished_at=now())
    assert bell_of(desk) == "Your long work: 0 running, 1 new"
    assert "every 3s" not in desk.get(url).text
    assert bell_of(at_desk(root)) == "Your long work: 0 running, 0 new"
    mine.user_permissions.clear()
    assert "Spring" not in desk.get(url).text


def test_the_bell_rings_for_what_runs_behind_newer_ones_that_have_ended(root):
    rollout(root, "Long one")
    for number in range(12):
        rollout(root, f"No. {number}", state="finished", finished_at=now())
    assert bell_of(at_desk(root)) == "Your long work: 1 running, 7 new"


def test_what_ends_while_it_is_looked_at_is_news_still(root, monkeypatch):
    """Ends are stamped by the database's clock, which may go before that of a web server."""
    desk, there = at_desk(root), now() + timedelta(minutes=5)
    monkeypatch.setattr(clock, "now", lambda: there)
    rollout(root, "Spring", state="finished", finished_at=there)
    desk.post(reverse("admin:work"))
    assert bell_of(desk) == "Your long work: 0 running, 0 new"
    Rollout.objects.update(finished_at=there + timedelta(seconds=1))
    assert bell_of(desk) == "Your long work: 0 running, 1 new"


def test_the_bell_costs_a_page_one_query_whatever_there_is(root, django_assert_num_queries):
    desk, page = at_desk(root), help_url("glossary.md")
    desk.get(page)
    with CaptureQueriesContext(connection) as without:
        desk.get(page)
    for number in range(12):
        rollout(root, f"No. {number}")
    with django_assert_num_queries(len(without)):
        desk.get(page)
    assert sum("rollout" in query["sql"] for query in without) == 1


def test_the_way_past_the_menu_is_the_first_thing_on_a_page(root):
    page = lxml.html.fromstring(at_desk(root).get(reverse("admin:phones_app_phone_changelist")).text)
    first = next(page.iter("a"))
    assert (first.text, first.get("href")) == ("Skip to content", "#content")
    assert page.get_element_by_id("content") is not None


def test_times_are_those_of_the_person_else_of_the_account_else_of_the_portal(root, acme, settings):
    person, moment = clerk(acme), datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
    desk = at_desk(person)
    Rollout.objects.create(account=acme, name="Spring", requested_by="x", channel="x")
    Rollout.objects.update(created_at=moment)
    settings.DEFAULT_TIME_ZONE = "Asia/Tokyo"
    assert "2030-01-01 21:00:00 JST" in found(desk, "spring")
    Account.objects.filter(pk=acme.pk).update(time_zone="Europe/Lisbon")
    assert "2030-01-01 12:00:00 WET" in found(desk, "spring")
    type(person).objects.filter(pk=person.pk).update(timezone="America/New_York")
    assert "2030-01-01 07:00:00 EST" in found(desk, "spring")
    assert "2030-01-01 21:00:00 JST" in found(at_desk(root), "spring")
    assert timezone.get_current_timezone_name() == "UTC", "for the request alone"
    # Over REST names are not checked.
    type(person).objects.filter(pk=person.pk).update(timezone="Nowhere/Else")
    assert "WET" in found(desk, "spring")


def test_forms_take_times_in_the_time_zone_that_they_show(root, acme):
    root.timezone = "Asia/Tokyo"
    root.save()
    desk, url = at_desk(root), reverse("admin:contacts_app_apitoken_add")
    assert "Time zone: Asia/Tokyo" in desk.get(url).text
    given = {
        "name": "CRM",
        "account": acme.pk,
        "scope": "account",
        "expires_at_0": "2031-01-01",
        "expires_at_1": "09:00",
    }
    answer = desk.post(url, given)
    assert answer.status_code == 200, "the page that shows the token"
    assert ApiToken.objects.get().expires_at == datetime(2031, 1, 1, 0, 0, tzinfo=UTC)


def test_a_person_chooses_their_own_time_zone(acme):
    person = clerk(acme)
    person.user_permissions.clear()
    desk, url = at_desk(person), reverse("admin:time_zone")
    assert "At present it is UTC" in desk.get(url).text
    desk.post(url, {"timezone": "Europe/Berlin"})
    desk.post(url, {"timezone": "<b>"})
    assert "At present it is Europe/Berlin" in desk.get(url).text
    person.refresh_from_db()
    assert person.timezone == "Europe/Berlin"
    assert person.history.first().history_changes["timezone"] == ["UTC", "Europe/Berlin"]
