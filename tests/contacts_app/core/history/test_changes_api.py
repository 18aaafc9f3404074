"""`/api/v1/changes`: the change log for programs, with the filters and the rights of its page in the admin."""

from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts_app.accounts.models import Extension
from contacts_app.core.history import change_log
from contacts_app.core.history.authorship import because
from contacts_app.core.history.records import record_use
from contacts_app.core.memory import forget_everything
from contacts_app.people.login import open_session
from contacts_app.people.models import User
from contacts_app.tokens.services import create_token
from phones_app.configuration.models import Layer
from profiles_app.phone.models import Line
from profiles_app.voice.models.rates import RateTable
from tests.admin_people import at_desk, clerk
from tests.contacts_app.core.history.rows import make_extensions, rename

pytestmark = pytest.mark.django_db
URL = "/api/v1/changes"


class Reader:
    def __init__(self, token: str) -> None:
        self.http = Client(headers={"Authorization": f"Bearer {token}"})

    def ask(self, status: int = 200, **asked: object) -> dict:
        answer = self.http.get(URL, asked)
        assert answer.status_code == status, answer.content
        return answer.json()

    def names(self, **asked: object) -> list[str]:
        return [one["record"] for one in self.ask(**asked)["data"]]

    def walk(self, **asked: object) -> list[dict]:
        found: list[dict] = []
        for _ in range(20):
            answer = self.ask(**asked)
            found += answer["data"]
            if answer["metadata"]["following"] is None:
                return found
            asked["after"] = answer["metadata"]["following"]
        raise AssertionError("there is no last page")


def logged_in(user: User) -> Reader:
    return Reader(open_session(user, None).access)


@pytest.fixture
def portal(db) -> Reader:
    return Reader(create_token(expires_at=timezone.now() + timedelta(days=1))[1])


@pytest.fixture
def extension(acme) -> Extension:
    return Extension.objects.create(account=acme, number=7001, name="Desk")


def test_a_change_says_who_what_when_why_and_what_differs(portal, root, extension):
    at_desk(root).post(
        f"/admin/contacts_app/extension/{extension.pk}/change/",
        {"account": extension.account_id, "number": 7001, "name": "Lobby", "_reason": "The desk moved"},
    )
    [changed, made] = portal.ask(kind="contacts_app.extension")["data"]
    assert (changed["action"], made["action"]) == ("changed", "created")
    assert (changed["who"], changed["channel"], changed["reason"]) == (root.email, "admin", "The desk moved")
    assert changed["changes"] == [{"field": "name", "before": "Desk", "after": "Lobby"}]
    assert changed["at"] > made["at"]
    assert changed["request_id"]
    assert made["changes"] == []
    assert changed["id"] != made["id"]


def test_a_record_with_a_uuid_is_named_by_it(portal, acme):
    line = Line.objects.create(account=acme, extension="301")
    [made] = portal.ask(kind="profiles_app.line")["data"]
    assert made["record_uuid"] == str(line.uuid)


def test_a_secret_is_masked_as_in_the_admin(portal, acme):
    line = Line.objects.create(account=acme, extension="301", auth_password="kq81-vv0x")
    line.auth_password = "another-one"
    line.save()
    line.auth_password = ""
    line.save()
    answer = portal.http.get(URL).content.decode()
    assert "kq81-vv0x" not in answer
    assert "another-one" not in answer
    removed, changed, _ = portal.ask(kind="profiles_app.line")["data"]
    assert changed["changes"] == [{"field": "auth_password", "before": "********", "after": "********"}]
    assert removed["changes"] == [{"field": "auth_password", "before": "********", "after": None}]


def test_what_was_done_with_a_record_without_changing_it_is_used(portal, extension):
    record_use(extension, "Listened to")
    [used] = portal.ask(action="changed")["data"]
    assert (used["action"], used["reason"], used["changes"]) == ("used", "Listened to", [])


@pytest.fixture
def changes(root, acme, other, extension) -> Extension:
    """Somebody's change, the system's, one of another account, and one of long ago."""
    old = Extension.objects.create(account=acme, number=7002, name="Attic")
    Extension.history.filter(id=old.pk).update(history_date=timezone.now() - timedelta(days=400))
    Extension.objects.create(account=other, number=9009, name="Elsewhere")
    Layer.objects.create(account=acme, kind="location", name="Harbour")
    at_desk(root).post(
        f"/admin/contacts_app/extension/{extension.pk}/change/", {"account": acme.pk, "number": 7001, "name": "Lobby"}
    )
    with because("Rebuilt"):
        Extension.objects.create(account=acme, number=7003, name="Cellar").delete()
    return extension


LONG_AGO = (timezone.now() - timedelta(days=300)).isoformat()


@pytest.mark.parametrize(
    ("asked", "there", "absent"),
    [
        ({"who": "root@example.org"}, "Lobby", "Cellar"),
        ({"who": "ROOT@example.org"}, "Lobby", "Cellar"),
        ({"who": "System"}, "Cellar", "Lobby"),
        ({"record": "elsewh"}, "Elsewhere", "Cellar"),
        ({"kind": "phones_app.layer"}, "Harbour", "Cellar"),
        ({"action": "deleted"}, "Cellar", "Harbour"),
        ({"action": "changed"}, "Lobby", "Harbour"),
        ({"channel": "admin"}, "Lobby", "Harbour"),
        ({"changed_before": LONG_AGO}, "Attic", "Harbour"),
        ({"changed_after": LONG_AGO}, "Harbour", "Attic"),
        ({"who": "system", "action": "created", "kind": "contacts_app.extension"}, "Elsewhere", "Lobby"),
    ],
)  # fmt: skip
def test_a_filter_leaves_what_it_asks_for(portal, changes, asked, there, absent):
    names = " ".join(portal.names(**asked))
    assert there in names
    assert absent not in names


def test_nothing_is_found_for_nobody(portal, changes):
    answer = portal.ask(who="nobody@example.org")
    assert (answer["data"], answer["metadata"]["following"]) == ([], None)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"action": "+"}, {"channel": "x"}, {"kind": "no.such"}, {"changed_after": "yesterday"}, {"limit": 0}),
        *({"limit": 1001}, {"after": "x"}, {"after": "2026-01-01~a~1"}, {"who": "x" * 256}),
        *({"after": "0001-01-01T00:00:00+14:00~a~1"}, {"after": "2026-01-01T00:00:00+00:00~a~" + "9" * 30}),
        *({"record": "a\x00b"}, {"kind": "a\x00b"}),
    ],
)  # fmt: skip
def test_a_parameter_that_is_none_is_named(portal, extension, wrong):
    answer = portal.ask(400, **wrong)
    assert [error["field"] for error in answer["errors"]] == [*wrong]


def test_pages_go_on_where_the_one_before_ended(portal, acme):
    make_extensions(acme, 1, 30)
    Layer.objects.create(account=acme, kind="location", name="Harbour")
    make_extensions(acme, 500, 25)
    # As a statement of its own writes many: all of one moment.
    Extension.history.update(history_date=timezone.now())
    assert len(portal.ask(limit=10)["data"]) == 10
    found = [one["id"] for one in portal.walk(limit=10, kind="contacts_app.extension")]
    assert len(found) == len(set(found)) == 55
    everything = [one["id"] for one in portal.walk(limit=20)]
    assert set(found) < set(everything)
    assert len(everything) == len(set(everything))


def test_what_no_index_finds_is_looked_for_in_a_bounded_number_of_rows(portal, acme, monkeypatch):
    make_extensions(acme, 1, 1, name="Needle")
    make_extensions(acme, 100, 120)
    monkeypatch.setattr(change_log, "ALONE", 50)
    answer = portal.ask(kind="contacts_app.extension", record="needle")
    assert answer["data"] == []
    assert answer["metadata"]["stopped_at"]
    assert len(portal.walk(kind="contacts_app.extension", record="needle")) == 1
    assert portal.ask(kind="contacts_app.extension")["metadata"]["stopped_at"] is None


def test_people_of_an_account_see_its_changes_alone(changes, acme, other):
    theirs = logged_in(clerk(other, "clerk@other.example"))
    assert "Elsewhere" in " ".join(theirs.names())
    assert not any(name in " ".join(theirs.names()) for name in ("Lobby", "Harbour", "Cellar", "Attic"))
    mine = " ".join(logged_in(clerk(acme)).names())
    assert all(name in mine for name in ("Lobby", "Harbour", "Cellar", "Attic"))
    assert "Elsewhere" not in mine


def test_what_a_record_was_while_it_was_somebody_elses_is_not_shown(acme, other, extension):
    Extension.objects.filter(pk=extension.pk).update(account=other, number=7777)
    extension.refresh_from_db()
    rename(extension, "Theirs")
    found = logged_in(clerk(other, "clerk@other.example")).ask(kind="contacts_app.extension")["data"]
    assert [one["changes"][0]["after"] for one in found] == ["Theirs"]


def test_kinds_that_one_may_not_look_at_are_left_out(acme, changes):
    person = clerk(acme)
    person.user_permissions.set(Permission.objects.filter(codename="view_extension"))
    forget_everything()
    reader = logged_in(person)
    names = " ".join(reader.names())
    assert "Lobby" in names
    assert "Harbour" not in names
    refused = reader.ask(400, kind="phones_app.layer")
    assert "contacts_app.extension" in refused["errors"][0]["message"]
    person.user_permissions.clear()
    forget_everything()
    assert reader.ask(403)["code"] == "permission-denied"


def test_it_shows_what_the_page_of_the_admin_shows(changes, acme, other, root):
    """Each change of the first page, whoever looks."""
    for person in (root, clerk(acme), clerk(other, "clerk@other.example")):
        page = unescape(at_desk(person).get("/admin/changes/").text)
        shown = logged_in(person).ask(limit=change_log.PER_PAGE)["data"]
        assert page.count('class="pb-history-head"') == len(shown)
        assert all(one["record"] in page for one in shown)


def test_only_the_operator_hears_of_prices(acme, root):
    RateTable.objects.create(name="Wholesale")
    assert "Wholesale" in logged_in(root).names()
    theirs = logged_in(clerk(acme))
    assert "Wholesale" not in theirs.names()
    theirs.ask(400, kind="profiles_app.ratetable")


def test_customers_and_their_tokens_are_not_let_in(acme, alice, extension):
    logged_in(alice).ask(403)
    for token in (create_token(account=acme), create_token(extension=extension)):
        assert Reader(token[1]).ask(403)["code"] == "permission-denied"


def test_without_a_credential_there_is_nothing(client, extension):
    assert client.get(URL).status_code == 401
    assert Reader("pb_no_such_token").http.get(URL).status_code == 401


def test_a_token_that_only_reads_reads_it(extension):
    token = create_token(read_only=True, expires_at=timezone.now() + timedelta(days=1))[1]
    assert "Desk" in " ".join(Reader(token).names())


def test_it_asks_as_often_for_many_changes_as_for_few(portal, acme):
    def asked() -> int:
        # Who asks is remembered from then on.
        portal.ask()
        with CaptureQueriesContext(connection) as queries:
            portal.ask(record="row", limit=1000)
        return len(queries)

    make_extensions(acme, 1, 2)
    few = asked()
    make_extensions(acme, 100, 60)
    assert asked() == few <= 8


def test_each_filter_is_answered_from_an_index(portal, acme, root):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL plans by what there is")
    make_extensions(acme, 1, 300)
    with connection.cursor() as cursor:
        # Of so few rows it would read all, whatever indexes there are.
        cursor.execute("SET LOCAL enable_seqscan = off")
    now = timezone.now().isoformat()
    every = (
        *({}, {"who": root.email}, {"who": "system"}, {"record": "row 7"}, {"action": "created"}, {"channel": "rest"}),
        *({"changed_after": now}, {"changed_before": now}),
    )
    for reader in (portal, logged_in(clerk(acme))):
        for asked in every:
            with CaptureQueriesContext(connection) as captured:
                reader.ask(kind="contacts_app.extension", **asked)
            merged = [query["sql"] for query in captured if " AS part" in query["sql"]]
            assert merged
            with connection.cursor() as cursor:
                for sql in merged:
                    cursor.execute("EXPLAIN " + sql)
                    plan = "\n".join(row[0] for row in cursor.fetchall())
                    assert "Seq Scan" not in plan, (asked, plan)
