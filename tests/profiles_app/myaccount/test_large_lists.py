"""At 100,000 profiles every list and every resolution is answered from an index (PostgreSQL says so itself)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts_app.accounts.models import Account, AccountGroup
from profiles_app.myaccount.models import CustomerProfile, MyAccountProfile, MyAccountProfileGroup
from profiles_app.myaccount.services import resolve_profiles
from tests.many_rows import multiply, without_foreign_keys
from tests.profiles_app.myaccount.conftest import key_of

# So many profiles, and of each so many copies.
FIRST, COPIES = 4000, 24
ACCOUNTS, GROUPS = 1000, 50

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="the database is not PostgreSQL"),
]


@pytest.fixture
def crowd(acme):
    """Profiles of four kinds in turn: restricted to a customer, for a group, an account's own, the portal's historic."""
    accounts = Account.objects.bulk_create(
        Account(voip_id=6000000 + number, name=f"Account {number}", email="a@example.org") for number in range(ACCOUNTS)
    )
    groups = AccountGroup.objects.bulk_create(AccountGroup(name=f"Group {number}") for number in range(GROUPS))
    kinds = (
        lambda number: {"customer": accounts[number % ACCOUNTS]},
        lambda number: {"is_for_groups": True},
        lambda number: {"account": accounts[number % ACCOUNTS]},
        lambda number: {"availability": "Historic"},
    )
    profiles = MyAccountProfile.objects.bulk_create(
        MyAccountProfile(name=f"Profile {n}x", **kinds[n % 4](n)) for n in range(FIRST)
    )
    without_foreign_keys()
    multiply(MyAccountProfile, COPIES)
    for_groups = MyAccountProfile.objects.filter(is_for_groups=True).values_list("pk", flat=True)
    MyAccountProfileGroup.objects.bulk_create(
        (MyAccountProfileGroup(profile_id=pk, group=groups[n % GROUPS]) for n, pk in enumerate(for_groups)),
        batch_size=5000,
    )
    for account in accounts:
        account.groups.through.objects.create(account_id=account.pk, accountgroup_id=groups[account.pk % GROUPS].pk)
    CustomerProfile.objects.bulk_create(CustomerProfile(customer=account, profile=profiles[1]) for account in accounts)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return accounts


def plans(act) -> list[str]:
    """How PostgreSQL answers each query about profiles that `act` asks."""
    with CaptureQueriesContext(connection) as captured:
        act()
    asked = [query["sql"] for query in captured if "profiles_app_myaccount" in query["sql"]]
    assert asked
    with connection.cursor() as cursor:
        found = []
        for sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            found.append("\n".join(row[0] for row in cursor.fetchall()))
        return found


def test_large_tables_are_never_read_as_a_whole(crowd):
    keys = {"staff": key_of(None), "tenant": key_of(crowd[0])}
    last = MyAccountProfile.objects.order_by("pk").last()
    queries = ("", f"&idAfter={last.pk - 1000}", "&createdSince=2100-01-01", "&updatedSince=2100-01-01T00:00:00Z")
    acts = {
        f"{who} {query}": lambda key=key, query=query: key.list(f"?limit=25{query}")
        for who, key in keys.items()
        for query in queries
    }
    acts["resolution"] = lambda: resolve_profiles(crowd[:25])
    for title, act in acts.items():
        for plan in plans(act):
            assert "Seq Scan on profiles_app_" not in plan, f"{title}\n{plan}"
