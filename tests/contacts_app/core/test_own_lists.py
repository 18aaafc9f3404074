"""Saved filters and chosen columns: everybody's own, on every list of the admin."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import config.urls  # noqa: F401 - finds the pages of the admin
from contacts_app.accounts.models import Extension
from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.core.lists.models import ListColumns, SavedFilter
from contacts_app.people.models import User
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout
from profiles_app.phone.models import Line
from tests.admin_people import at_desk, clerk
from tests.many_rows import make_rows

pytestmark = pytest.mark.django_db
LIST = "phones_app_phone"


def url(page: str, *args: object, of: str = LIST) -> str:
    return reverse(f"admin:{of}_{page}", args=args)


@pytest.fixture
def desk(root) -> Client:
    return at_desk(root)


@pytest.fixture
def phones(acme) -> None:
    for number, (name, place) in enumerate([("Lobby", "Munich"), ("Attic", "Hamburg"), ("Bar", "Munich")]):
        Phone.objects.create(account=acme, mac=f"02000000000{number}", name=name, model="8851", location=place)


def save(desk: Client, name: str, query: str) -> SavedFilter:
    """As the form above the list sends it, which the list has filled in."""
    page = desk.get(f"{url('changelist')}?{query}").text
    there = page.partition('name="query" value="')[2].partition('"')[0].replace("&amp;", "&")
    answer = desk.post(url("filter_add"), {"name": name, "query": there}, follow=True)
    assert "is saved" in answer.text
    return SavedFilter.objects.get(name=name)


def columns(desk: Client, shown: list[str], of: str = LIST) -> None:
    assert desk.post(url("columns", of=of), {"columns": shown}).status_code == 302


def test_a_filter_is_saved_found_again_renamed_and_deleted(desk, phones):
    own = save(desk, "Munich by MAC", "q=Munich&o=-1&p=3")
    page = desk.get(url("changelist")).text
    assert "Munich by MAC" in page
    opened = desk.get(url("filter_open", own.pk), follow=True)
    assert opened.redirect_chain[-1][0] == f"{url('changelist')}?q=Munich&o=-1"
    assert 'aria-current="true">Munich by MAC' in opened.text
    assert opened.text.index("Bar") < opened.text.index("Lobby")
    assert "Attic" not in opened.text
    desk.post(url("filter_edit", own.pk), {"name": "Munich"})
    assert ">Munich</a>" in desk.get(url("changelist")).text
    desk.post(url("filter_edit", own.pk), {"name": "Munich", "delete": "1"})
    assert not SavedFilter.objects.exists()


def test_two_filters_of_a_list_have_two_names(desk, phones):
    save(desk, "Munich", "q=Munich")
    twice = desk.post(url("filter_add"), {"name": "Munich", "query": "q=Hamburg"}, follow=True)
    assert "You have a saved filter of this name" in twice.text
    other = save(desk, "Hamburg", "q=Hamburg")
    page = desk.post(url("filter_edit", other.pk), {"name": "Munich"})
    assert "You have a saved filter of this name" in page.text
    assert SavedFilter.objects.get(pk=other.pk).name == "Hamburg"


@pytest.mark.parametrize("query", ["no_such=1", "account__users__password__startswith=a", f"q={'x' * 3000}"])
def test_what_the_list_does_not_understand_is_not_saved(desk, query):
    answer = desk.post(url("filter_add"), {"name": "X", "query": query}, follow=True)
    assert "cannot be saved" in answer.text
    assert answer.redirect_chain == [(url("changelist"), 302)]
    assert not SavedFilter.objects.exists()


def test_a_saved_filter_that_fits_no_more_is_shown_as_such(desk, root, phones):
    own = SavedFilter.objects.create(user=root, list="phones_app.phone", name="Old", query="was_a_field=1")
    answer = desk.get(url("filter_open", own.pk), follow=True)
    assert answer.status_code == 200
    assert "does not fit this list any more" in answer.text
    assert "<em>does not fit any more</em>" in desk.get(url("changelist")).text
    assert "Delete it" in desk.get(url("filter_edit", own.pk)).text


def test_others_neither_see_nor_open_nor_change_it(desk, acme, phones):
    own = save(desk, "Munich", "q=Munich")
    other = at_desk(clerk(acme))
    assert "Munich</a>" not in other.get(url("changelist")).text.partition('id="changelist-form"')[0]
    assert other.get(url("filter_open", own.pk)).status_code == 404
    assert other.post(url("filter_edit", own.pk), {"delete": "1"}).status_code == 404
    # Nor is it one of another list.
    assert desk.get(url("filter_open", own.pk, of="contacts_app_extension")).status_code == 404
    person = User.objects.create_user("new@acme.example", "correct horse", account=acme, is_staff=True)
    for page in (url("filter_add"), url("filter_open", own.pk), url("columns")):
        assert at_desk(person).get(page).status_code == 403


def headers(desk: Client, of: str = LIST) -> list[str]:
    page = desk.get(url("changelist", of=of)).text
    return [part.partition('"')[0] for part in page.split('data-label="')[1:]]


def test_a_person_chooses_the_columns(desk, acme, phones):
    usual = headers(desk)
    columns(desk, ["model_here", "location", "serial_number"])
    mine = headers(desk)
    assert "location" in mine
    assert "Munich" in desk.get(url("changelist")).text
    assert len(set(mine)) < len(set(usual))
    assert headers(at_desk(clerk(acme))) == usual
    page = desk.get(url("columns")).text
    assert 'value="location" checked' in page
    assert 'value="phone" checked disabled' in page
    desk.post(url("columns"), {"reset": "1"})
    assert headers(desk) == usual
    assert not ListColumns.objects.exists()


def test_a_saved_order_stays_with_its_column(desk, phones):
    own = save(desk, "By MAC", "q=Munich&o=-1")
    assert own.query == "q=Munich&o=-phone"
    own.query = "q=Munich&o=-is_active.location"
    own.save()
    columns(desk, ["model_here"])
    opened = desk.get(url("filter_open", own.pk), follow=True)
    assert "ordered by a column that is not shown: is_active, location" in opened.text
    assert "Lobby" in opened.text


@pytest.mark.parametrize("model", [Deployment, Extension, Line, NotificationContact, Phone, Rollout, User])
def test_all_columns_cost_as_many_queries_for_many_rows_as_for_few(desk, root, model):
    pages = admin.site._registry[model]
    of = f"{model._meta.app_label}_{model._meta.model_name}"
    everything = [*pages.list_display, *pages.more_columns]
    columns(desk, everything, of)
    make_rows(model, 1, 6)
    shown, counts = headers(desk, of), []
    assert len(set(shown)) >= len(everything)
    for start, end in ((6, 7), (7, 20)):
        make_rows(model, start, end)
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(url("changelist", of=of)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20
