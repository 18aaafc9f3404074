"""The change log: the changes of all records, found by who, what, when and whose, by few statements of any length."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contacts_app.accounts.models import Extension
from contacts_app.core.history import change_log
from contacts_app.people.models import User
from phones_app.configuration.models import Layer
from profiles_app.phone.models import Line
from tests.admin_people import at_desk, clerk
from tests.contacts_app.core.history.rows import make_extensions, rename

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(root) -> Client:
    return at_desk(root)


@pytest.fixture
def extension(acme) -> Extension:
    return Extension.objects.create(account=acme, number=7001, name="Desk")


def log(desk: Client, **asked: object) -> str:
    answer = desk.get(reverse("change_log"), asked)
    assert answer.status_code == 200
    return answer.text


def test_all_records_are_in_one_list_with_before_and_after(desk, acme, extension):
    rename(extension, "Lobby")
    Line.objects.create(account=acme, extension="301", auth_password="kq81-vv0x")
    page = log(desk)
    assert page.index("301") < page.index("<del>Desk</del>") < page.index("<ins>Lobby</ins>")
    assert reverse("admin:contacts_app_extension_history", args=[extension.pk]) in page
    assert "kq81-vv0x" not in page


def test_a_secret_is_masked_as_on_the_page_of_its_record(desk, acme):
    line = Line.objects.create(account=acme, extension="301", auth_password="kq81-vv0x")
    line.auth_password = "another-one"
    line.save()
    page = log(desk)
    assert "******** <em>(changed)</em>" in page
    assert "another-one" not in page


@pytest.fixture
def changes(desk, acme, other, extension) -> Extension:
    """Somebody's change, the system's, one of another account, and one of long ago."""
    old = Extension.objects.create(account=acme, number=7002, name="Attic")
    Extension.history.filter(id=old.pk).update(history_date=timezone.now() - timedelta(days=400))
    Extension.objects.create(account=other, number=9009, name="Elsewhere")
    Layer.objects.create(account=acme, kind="location", name="Harbour")
    url = reverse("admin:contacts_app_extension_change", args=[extension.pk])
    desk.post(url, {"account": acme.pk, "number": 7001, "name": "Lobby", "_reason": "The desk moved"})
    gone = Extension.objects.create(account=acme, number=7003, name="Cellar")
    gone.delete()
    return extension


@pytest.mark.parametrize(
    ("asked", "there", "absent"),
    [
        ({"who": "root@example.org"}, "The desk moved", "Cellar"),
        ({"who": "system"}, "Cellar", "The desk moved"),
        ({"who": "nobody@example.org"}, "No such changes", "Lobby"),
        ({"text": "elsewh"}, "Elsewhere", "Cellar"),
        ({"kind": "phones_app.layer"}, "Harbour", "Cellar"),
        ({"action": "-"}, "Cellar", "Harbour"),
        ({"action": "~"}, "<del>Desk</del>", "Harbour"),
        ({"channel": "admin"}, "The desk moved", "Harbour"),
        ({"first_day": "2020-01-01", "last_day": "2020-01-31"}, "No such changes", "Cellar"),
        ({"last_day": (timezone.now() - timedelta(days=300)).date().isoformat()}, "Attic", "Harbour"),
        ({"first_day": (timezone.now() - timedelta(days=300)).date().isoformat()}, "Harbour", "Attic"),
        ({"first_day": "0001-01-01"}, "1900", "Harbour"),
        ({"kind": "no.such"}, "not one of the available choices", "Harbour"),
    ],
)  # fmt: skip
def test_a_filter_leaves_what_it_asks_for(desk, changes, asked, there, absent):
    page = log(desk, **asked)
    assert there in page
    assert absent not in page.partition('class="pb-history"')[2]


def test_kinds_keep_the_letters_of_their_names(desk):
    page = log(desk)
    assert ">API tokens<" in page
    assert ">SIP connections<" in page


def test_staff_choose_an_account(desk, changes, other):
    page = log(desk, account=other.pk)
    assert "Elsewhere" in page
    assert "Harbour" not in page


def test_people_of_an_account_see_its_changes_alone(changes, acme, other):
    page = log(at_desk(clerk(other, "clerk@other.example")))
    assert "Elsewhere" in page
    assert not any(name in page for name in ("Lobby", "Harbour", "Cellar", "Attic"))
    # An account that is asked for changes nothing about that.
    theirs = at_desk(User.objects.get(email="clerk@other.example"))
    assert "Lobby" not in log(theirs, account=acme.pk)


def test_what_a_record_was_while_it_was_somebody_elses_is_not_shown(acme, other, extension):
    Extension.objects.filter(pk=extension.pk).update(account=other, number=7777)
    extension.refresh_from_db()
    rename(extension, "Theirs")
    page = log(at_desk(clerk(other, "clerk@other.example")), kind="contacts_app.extension")
    assert "Theirs" in page
    assert page.count('class="pb-history-head"') == 1


def test_kinds_that_one_may_not_look_at_are_left_out(acme, changes):
    person = clerk(acme)
    person.user_permissions.set(Permission.objects.filter(codename="view_extension"))
    page = log(at_desk(person))
    assert "Lobby" in page
    assert "Harbour" not in page
    assert "Layers" not in page
    person.user_permissions.clear()
    assert at_desk(person).get(reverse("change_log")).status_code == 403


def test_a_deleted_record_has_a_link_for_staff_alone(desk, acme, extension):
    history = reverse("admin:contacts_app_extension_history", args=[extension.pk])
    extension.delete()
    assert history in log(desk)
    page = log(at_desk(clerk(acme)))
    assert "Deleted" in page
    assert history not in page


def names(page: str) -> list[str]:
    return [part.partition("</a>")[0] for part in page.split('font-medium" href="/admin/contacts_app/extension/')[1:]]


def walk(desk: Client, query: str) -> list[str]:
    """The links of all pages, one after the other."""
    found: list[str] = []
    for _ in range(10):
        page = desk.get(f"{reverse('change_log')}?{query}").text
        found += names(page)
        if "Older</a>" not in page and "Look further back</a>" not in page:
            return found
        link = "Older</a>" if "Older</a>" in page else "Look further back</a>"
        query = page.partition(f'">{link}')[0].rpartition('href="?')[2].replace("&amp;", "&")
    raise AssertionError("there is no last page")


def test_older_pages_go_on_where_the_one_before_ended(desk, acme):
    make_extensions(acme, 1, change_log.PER_PAGE + 30)
    Layer.objects.create(account=acme, kind="location", name="Harbour")
    make_extensions(acme, 500, change_log.PER_PAGE)
    # As a statement of its own writes many: all of one moment.
    Extension.history.update(history_date=timezone.now())
    found = walk(desk, "kind=contacts_app.extension")
    assert len(found) == len(set(found)) == 2 * change_log.PER_PAGE + 30
    everything = walk(desk, "who=")
    assert set(found) <= set(everything)
    assert len(everything) == len(set(everything))


def test_what_no_index_finds_is_looked_for_in_a_bounded_number_of_rows(desk, acme, monkeypatch):
    make_extensions(acme, 1, 1, name="Needle")
    make_extensions(acme, 100, 120)
    monkeypatch.setattr(change_log, "ALONE", 50)
    page = log(desk, kind="contacts_app.extension", text="needle")
    assert "Look further back" in page
    assert "No such changes since then" in page
    assert len(walk(desk, "kind=contacts_app.extension&text=needle")) == 1
    assert len(walk(desk, "kind=contacts_app.extension&text=row")) == 120


def test_a_spoilt_address_begins_at_the_beginning(desk, extension):
    ends = ("0001-01-01T00:00:00+14:00~a~1", "9999-12-31T23:59:59-14:00~a~1")
    for spoilt in ("x", "~~", "2026-01-01~a~1", "2026-01-01T00:00:00+00:00~a~" + "9" * 30, *ends):
        assert "Desk" in log(desk, after=spoilt)


def test_the_log_asks_as_often_for_many_changes_as_for_few(desk, acme):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            log(desk, text="row")
        return len(queries)

    make_extensions(acme, 1, 2)
    log(desk)
    few = asked()
    make_extensions(acme, 100, 60)
    assert asked() == few <= 12


def test_each_filter_is_answered_from_an_index(desk, acme, root):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL plans by what there is")
    make_extensions(acme, 1, 300)
    with connection.cursor() as cursor:
        # Of so few rows it would read all, whatever indexes there are.
        cursor.execute("SET LOCAL enable_seqscan = off")
    today = timezone.now().date().isoformat()
    for asked in ({}, {"who": root.email}, {"account": acme.pk}, {"last_day": today}, {"text": "row 7"}):
        with CaptureQueriesContext(connection) as captured:
            log(desk, kind="contacts_app.extension", **asked)
        merged = [query["sql"] for query in captured if " AS part" in query["sql"]]
        assert merged
        with connection.cursor() as cursor:
            for sql in merged:
                cursor.execute("EXPLAIN " + sql)
                plan = "\n".join(row[0] for row in cursor.fetchall())
                assert "Seq Scan" not in plan, (asked, plan)


def test_who_may_see_no_record_sees_no_link(client, acme):
    person = User.objects.create_user("new@acme.example", "correct horse", account=acme, is_staff=True)
    assert "Change log" not in at_desk(person).get(reverse("admin:index")).text
    assert client.get(reverse("change_log")).status_code == 302
