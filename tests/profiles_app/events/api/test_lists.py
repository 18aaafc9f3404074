"""Lists cost the same however long they are: a constant number of queries, each answered from an index."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts_app.accounts.models import Account, Extension
from profiles_app.events.models.setup import Callback, EventProfile, Listener, ListenerFilter, Subscription
from tests.many_rows import multiply, without_foreign_keys

# A row for each account, and so many copies where plans depend on how many there are.
SPREAD, COPIES = 200, 100


def fill(account, rows):
    """Objects in an account and its extensions, with everything that lists join."""
    extensions = [
        Extension.objects.create(account=account, number=1000 + number)
        for number in range(Extension.objects.count(), 5)
    ] or list(Extension.objects.all())
    for number in range(rows):
        owner = {"account": account, "extension": extensions[number % len(extensions)]}
        profile = EventProfile.objects.create(name=f"p{number}", **owner)
        fallback = Callback.objects.order_by("pk").last()
        config = '{"url": "http://127.0.0.1/"}'
        callback = Callback.objects.create(profile=profile, fallback_callback=fallback, stored_config=config, **owner)
        listener = Listener.objects.create(callback=callback, **owner)
        Subscription.objects.create(listener=listener, tags=["call"])
        ListenerFilter.objects.create(listener=listener, filter_type="number", filter_value={"eq": "1"})


@pytest.mark.parametrize("path", ["profiles", "callbacks", "listeners", "overview"])
def test_the_number_of_queries_does_not_grow(at, acme, path):
    counts = []
    for rows, total in ((5, 5), (15, 20)):
        fill(acme, rows)
        at.items(path)  # the first use of a token is written down, then it is remembered for a few seconds
        with CaptureQueriesContext(connection) as queries:
            assert len(at.items(path, limit=500)) == total
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


def test_parts_of_a_listener_need_no_more_queries(at, acme):
    fill(acme, 1)
    listener = Listener.objects.get()
    at.items("listeners")
    for path in ("subscriptions", "filters"):
        counts = []
        for rows in (25, 75):
            Subscription.objects.bulk_create(Subscription(listener=listener, tags=["call"]) for _ in range(rows))
            ListenerFilter.objects.bulk_create(
                ListenerFilter(listener=listener, filter_type="schedule", filter_value={"id": 1}) for _ in range(rows)
            )
            with CaptureQueriesContext(connection) as queries:
                assert len(at.items(f"listeners/{listener.pk}/{path}", limit=500)) >= rows
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 6


def spread_over_accounts(acme):
    """20,000 rows on PostgreSQL, whose plans depend on how many there are; a handful elsewhere."""
    Account.objects.bulk_create(Account(voip_id=2_000_000 + n, name="a", email="a@example.org") for n in range(SPREAD))
    owners = list(Account.objects.values_list("pk", flat=True))
    EventProfile.objects.bulk_create(EventProfile(account_id=pk, name="p") for pk in owners)
    profiles = list(EventProfile.objects.order_by("pk").values_list("pk", flat=True))
    Callback.objects.bulk_create(
        Callback(account_id=pk, name=f"n{n}", profile_id=profiles[n]) for n, pk in enumerate(owners)
    )
    callbacks = list(Callback.objects.order_by("pk").values_list("pk", flat=True))
    Callback.objects.filter(pk__in=callbacks[:2]).update(fallback_callback=callbacks[-1])
    Listener.objects.bulk_create(Listener(account_id=pk, callback_id=callbacks[n]) for n, pk in enumerate(owners))
    if connection.vendor == "postgresql":
        without_foreign_keys()
        for model in (EventProfile, Callback, Listener):
            multiply(model, COPIES)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return profiles[0], callbacks[0]


def test_every_list_is_answered_from_an_index(at, acme):
    profile, callback = spread_over_accounts(acme)
    fill(acme, 1)
    lists = [
        ("profiles", {}),
        ("callbacks", {}),
        ("callbacks", {"filters[name]": "n7"}),
        ("callbacks", {"filters[name]": "sounds:n7"}),
        ("callbacks", {"filters[profile_id]": str(profile)}),
        ("callbacks", {"filters[fallback_callback_id]": str(callback)}),
        ("listeners", {"filters[callback_id]": str(callback)}),
        ("listeners", {"sort[id]": "asc"}),
        ("overview", {}),
    ]
    big = tuple(model._meta.db_table for model in (EventProfile, Callback, Listener))
    for path, query in lists:
        with CaptureQueriesContext(connection) as queries:
            at.items(path, **query)
        for sql in (asked["sql"] for asked in queries if asked["sql"].startswith("SELECT")):
            if any(f'FROM "{table}"' in sql for table in big):
                assert_uses_an_index(sql, path, query)


def assert_uses_an_index(sql, path, query):
    prefix = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{prefix} {sql}".replace("%", "%%"))
        plan = "\n".join(str(line) for line in cursor.fetchall())
    for table in ("profiles_app_eventprofile", "profiles_app_callback", "profiles_app_listener"):
        assert f"Seq Scan on {table} " not in plan, (path, query, plan)
        assert f"SCAN {table}'" not in plan, (path, query, plan)
