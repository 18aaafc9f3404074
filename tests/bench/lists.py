"""1,000,000 phones on PostgreSQL: the database time of the admin's list and of the REST list, variant by variant.

The phones are made by `tests/many_rows.py`. Each figure is the sum of the times of all queries of one whole request,
log-in and session included: the median of five requests after one that warms up. The first page of the admin is measured
as a whole, with the numbers that workers have counted.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.bench.database import on_test_database
from tests.bench.figures import Figure
from tests.bench.sizes import size

# Copies of each of a hundred phones.
TIMES, REQUESTS = size("BENCH_TIMES", 10_000), 5
MAC_SPELLINGS = ("{0}:{1}:{2}:{3}:{4}:{5}", "{0}{1}.{2}{3}.{4}{5}", "{0}-{1}-{2}-{3}-{4}-{5}", "SEP{0}{1}{2}{3}{4}{5}")
MAC_PARTS = ("{4}:{5}", "{2}:{3}:{4}", "{0}:{1}:{2}", "{3}{4}.{5}", "{3}{4}{5}")


def measure() -> Iterator[Figure]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[Figure]:
    from django.test import Client

    from contacts_app.people.models import User
    from contacts_app.tokens.services import create_token
    from phones_app.inventory.models import Phone
    from tests.admin_people import at_desk, clerk

    started = time.monotonic()
    tenants = _fill()
    yield Figure(f"{Phone.objects.count():,} phones made in", [time.monotonic() - started], "s")
    desks = {"staff": at_desk(User.objects.create_superuser("bench@example.org"))}
    clients = {"staff": Client(headers={"Authorization": f"Bearer {create_token()[1]}"})}
    for who, account in tenants.items():
        desks[who] = at_desk(clerk(account, f"{who.replace(' ', '')}@example.org"))
        clients[who] = Client(headers={"Authorization": f"Bearer {create_token(account=account)[1]}"})
    yield from _dashboards(desks)
    for who, desk in desks.items():
        rows = Phone.objects.filter(account=tenants[who]) if who in tenants else Phone.objects.all()
        for query in _of_admin(rows):
            yield _database_time(f"admin, {who}", query, partial(_ask, desk, ADMIN, query))
        for query in _of_rest(rows):
            asked = partial(_ask, clients[who], REST, {"limit": 25} | query)
            yield _database_time(f"REST, {who}", query, asked)


def _dashboards(desks: dict[str, Any]) -> Iterator[Figure]:
    from phones_app import tallies

    for counting in (tallies.PHONES, tallies.DEPLOYMENTS):
        began = time.perf_counter()
        counting.count()
        yield Figure(f"{counting.name} counted by a worker in", [time.perf_counter() - began], "s")
    for who, desk in desks.items():
        _ask(desk, "/admin/", {})
        seconds = []
        for _ in range(REQUESTS):
            began = time.perf_counter()
            _ask(desk, "/admin/", {})
            seconds.append(time.perf_counter() - began)
        yield Figure(f"dashboard, {who}", [1000 * statistics.median(seconds)], "ms", goal=150, group="dashboard")


ADMIN, REST = "/admin/phones_app/phone/", "/api/v1/phones"


def _fill() -> dict[str, Any]:
    """1,000,100 phones; who has 300,000 of them, with mixed values, and who 10,000, all with the same ones."""
    from django.db import connection, transaction

    from contacts_app.accounts.models import Account
    from phones_app.deployment.models import Deployment, LastDeployment
    from phones_app.inventory.models import Phone
    from tests.many_rows import make_rows, multiply, without_foreign_keys

    with transaction.atomic():
        for model in (Phone, Deployment):
            make_rows(model, 1, 101)
        LastDeployment.objects.bulk_create(
            LastDeployment(phone_id=row.phone_id, deployment=row) for row in Deployment.objects.all()
        )
        large, small, others = Account.objects.filter(is_active=True).order_by("pk")[:3]
        keys = list(Phone.objects.order_by("pk").values_list("pk", flat=True))
        Phone.objects.filter(account__in=(large, small)).update(account=others)
        Phone.objects.filter(pk__in=keys[:30]).update(account=large)
        Phone.objects.filter(pk=keys[30]).update(account=small)
        without_foreign_keys()
        multiply(Phone, TIMES)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {f"{30 * (TIMES + 1):,} phones": large, f"{TIMES + 1:,} phones": small}


def _searches(phone: Any, stranger: Any) -> list[str]:
    pairs = [phone.mac[place : place + 2].lower() for place in range(0, 12, 2)]
    macs = [spelling.format(*pairs) for spelling in (*MAC_SPELLINGS, *MAC_PARTS)]
    return [*macs, phone.name, str(phone.phone_ip), phone.location, stranger.location, phone.model, "zzqqzz"]


def _of_admin(rows: Any) -> Iterator[dict[str, Any]]:
    from phones_app.inventory.models import Presence
    from profiles_app.phone.models import SoftwareType

    phone, stranger = _two_phones(rows)
    yield from ({}, {"p": min(4000, rows.count() // 25)}, {"o": "-0"}, {"o": "1"}, {"o": "-6"})
    for state in ("failed", "confirmed"):
        yield {"last_deployment__state__exact": state}
    yield from ({"presence__exact": value} for value in Presence.values)
    yield from ({"software_type__exact": value} for value in SoftwareType.values)
    yield from ({f"{name}__exact": value} for name in ("in_call", "is_active") for value in "10")
    yield from ({"file__state__exact": "changed"}, {"model": phone.model}, {"model": stranger.model})
    yield {"current_profile__id__exact": stranger.current_profile_id}
    yield {"current_profile__id__exact": phone.current_profile_id}
    yield from ({"q": text} for text in _searches(phone, stranger))


def _of_rest(rows: Any) -> Iterator[dict[str, Any]]:
    from phones_app.inventory.models import Presence
    from profiles_app.phone.models import SoftwareType

    phone, stranger = _two_phones(rows)
    deep = min(100_000, rows.count() // 4 * 3)
    last = rows.order_by("mac").values_list("mac", flat=True)[rows.count() * 9 // 10]
    yield from ({}, {"offset": deep}, {"after": last}, {"is_active": "false", "offset": deep})
    for one in (phone, stranger):
        yield from ({"model": one.model}, {"location": one.location}, {"load": one.software_version})
    yield from ({"model": phone.model, "location": stranger.location}, {"location": "nowhere"})
    yield from ({"presence": value} for value in Presence.values)
    yield from ({"software_type": value} for value in SoftwareType.values)
    for name in ("in_call", "is_active", "drifted"):
        yield from ({name: value} for value in ("true", "false"))
    yield from ({"search": text} for text in _searches(phone, stranger))


def _two_phones(rows: Any) -> tuple[Any, Any]:
    """One of them, and one of somebody else's, with another model and location."""
    from phones_app.inventory.models import Phone

    phone = rows.order_by("pk")[rows.count() // 2]
    others = Phone.objects.exclude(model=phone.model).exclude(location=phone.location)
    return phone, others.exclude(account=phone.account).order_by("pk")[70]


def _ask(client, path: str, query: dict) -> None:
    answer = client.get(path, query)
    assert answer.status_code == 200, (path, query, answer.content[:500])


def _database_time(group: str, query: dict[str, Any], act: Callable[[], None]) -> Figure:
    from django.db import connection

    spent: list[float] = []

    def timed(execute, sql, params, many, context):
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent.append((time.perf_counter() - started) * 1000)

    act()
    sums = []
    for _ in range(REQUESTS):
        spent.clear()
        with connection.execute_wrapper(timed):
            act()
        sums.append(sum(spent))
    what = "&".join(f"{name}={value}" for name, value in query.items()) or "first page"
    return Figure(f"{group}: {what}", [statistics.median(sums)], "ms", goal=100, group=group)
