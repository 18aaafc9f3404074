"""Lists: filters, order, paging, and that they stay quick when there is much to list."""

from urllib.parse import quote

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from contacts_app.accounts.models import Account
from contacts_app.contacts.api.contacts import DEFAULT_ORDER, ORDERING, ContactFilter
from contacts_app.contacts.api.preferences import kinds
from contacts_app.contacts.api.query import ordered
from contacts_app.contacts.models.contact import NotificationContact
from tests.contacts_app.contacts.api.conftest import CONTACTS, PREFERENCES, of_token, refused

pytestmark = pytest.mark.django_db

PEOPLE = [("Ann, the boss", "ann@acme.example"), ("Bea", "bea@acme.example"), ("bertha", "BERTHA@acme.example")]


@pytest.fixture
def people(api, main):
    return api.post({"objects": [{"name": name, "email": email} for name, email in PEOPLE]}).json()["objects"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=Bea", ["Bea"]),
        ("name=bea", []),
        ("name__contains=BE", ["Bea", "bertha"]),
        ("email__contains=bertha", ["bertha"]),
        ("name=Bea,bertha", ["Bea", "bertha"]),
        ("name__contains=boss,ERT", ["Ann, the boss", "bertha"]),
        (r"name=Ann\, the boss,Bea", ["Ann, the boss", "Bea"]),
        ("name__contains=b&email__contains=bea", ["Bea"]),
        ("name__contains=b&name__contains=ert", ["bertha"]),
        ("uuid=none,of,them", []),
        ("name=", []),
        ("phone=5&main=true&nonsense=x&name__regex=%28", ["Acme", "Ann, the boss", "Bea", "bertha"]),
        ("order_by=name", ["Acme", "Ann, the boss", "Bea", "bertha"]),
        ("order_by=-email&order_by=name", ["Acme", "Bea", "Ann, the boss", "bertha"]),
        ("order_by=-name,email&order_by=name&limit=3", ["bertha", "Bea", "Ann, the boss"]),
    ],
)
def test_lists_are_filtered_and_ordered(api, people, query, found):
    answer = api.get("?" + quote(query, safe="&=%")).json()
    names = [contact["name"] for contact in answer["objects"]]
    if "order_by" in query and connection.vendor == "postgresql":
        # Where capitals stand is the business of the database's collation.
        assert sorted(names) == sorted(found)
    else:
        assert names == found
    assert answer["meta"]["total_count"] == (4 if "limit" in query else len(found))


def test_contacts_are_found_by_uuid(api, people):
    uuid = people[1]["uuid"]
    for query in (uuid, uuid.upper(), f"{uuid},x"):
        assert api.list(f"?uuid={query}") == [people[1]]


def test_filters_count_before_the_page_is_cut(api, people):
    answer = api.get("?name__contains=be&limit=1&offset=1&fields=name,nonsense").json()
    assert answer == {"meta": {"limit": 1, "offset": 1, "total_count": 2}, "objects": [{"name": "bertha"}]}


@pytest.mark.parametrize("limit", [1, 2**31, 2**63, 10**29])
@pytest.mark.parametrize("offset", [2, 2**31, 2**63, 10**29])
@pytest.mark.parametrize("path", [CONTACTS, PREFERENCES])
def test_absurd_pages_are_as_empty_as_they_should_be(api, main, path, limit, offset):
    answer = api.get(f"?limit={limit}&offset={offset}", path=path)
    assert answer.status_code == 200
    assert answer.json()["meta"] | {"total_count": 0} == {"limit": limit, "offset": offset, "total_count": 0}
    assert len(answer.json()["objects"]) <= (len(kinds()) - 2 if path == PREFERENCES and offset == 2 else 0)


@pytest.mark.parametrize(
    ("query", "point"),
    [
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("limit=%C2%B2", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("offset=-1", "offset"),
        ("offset=0x10", "offset"),
        ("order_by=phone", "order_by"),
        ("order_by=--name", "order_by"),
        ("name=a%00b", "name"),
        ("email__contains=%00", "email__contains"),
        ("name__contains=" + "a," * 2000, "name__contains"),
    ],
)
def test_impossible_queries_are_refused(api, query, point):
    refused(api.get("?" + query), 400, "validation", point)


def test_more_parameters_than_any_query_has_are_refused(api):
    refused(api.get("?" + "&".join(f"name={n}" for n in range(1001))), 400, "validation", None)


def queries_of(api, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert api.client.get(url, headers=api.headers).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "url", [f"{CONTACTS}?limit=0", f"{CONTACTS}?limit=0&name__contains=x", f"{PREFERENCES}?limit=0"]
)
@pytest.mark.parametrize("staff", [False, True])
@pytest.mark.usefixtures("unforgetting")
def test_a_list_asks_the_database_as_often_for_100_rows_as_for_25(api, acme, url, staff):
    caller = of_token() if staff else api

    def fill(until: int) -> None:
        present = acme.notification_contacts.count()
        NotificationContact.objects.bulk_create(
            NotificationContact(account=acme, email=f"x{n}@acme.example", name="x") for n in range(present, until)
        )

    fill(25)
    queries_of(caller, url)
    few = queries_of(caller, url)
    fill(100)
    assert queries_of(caller, url) == few <= 5


INDEXED = [
    "",
    "order_by=name",
    "order_by=-email",
    "order_by=uuid",
    "name=Somebody",
    "email=x5@acme.example",
    "uuid=0103f398-9f85-446a-a285-fe63cf9f0f28",
]


def test_every_filter_and_order_answers_from_an_index(acme, other):
    if connection.vendor == "postgresql":
        _many(acme, other)
    tenants = NotificationContact.objects.filter(account=acme)
    for rows in (tenants, NotificationContact.objects.all()):
        for query in INDEXED:
            asked = QueryDict(query)
            found = ContactFilter(asked, queryset=rows).qs
            plan = ordered(found, asked, ORDERING, DEFAULT_ORDER)[:20].explain()
            if connection.vendor == "postgresql":
                assert "Seq Scan" not in plan, (query, plan)
            else:
                assert "INDEX" in plan, (query, plan)
            # Rows that are alike may be sorted among themselves, all rows may not.
            assert "TEMP B-TREE FOR ORDER BY" not in plan or "=" in query.replace("order_by=", ""), plan


def _many(*accounts: Account) -> None:
    """Contacts of each account: PostgreSQL chooses by how many there are."""
    with connection.cursor() as cursor:
        for account in accounts:
            cursor.execute(
                """
                INSERT INTO contacts_app_notificationcontact
                (uuid, account_id, email, name, phone, main, created_at, updated_at)
                SELECT gen_random_uuid(), %s, 'x' || n || '@acme.example', 'Name ' || n, '', false, now(), now()
                FROM generate_series(1, 20000) AS n
                """,
                [account.pk],
            )
        cursor.execute("ANALYZE contacts_app_notificationcontact")
