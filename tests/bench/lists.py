"""1,000,000 phones on PostgreSQL: the database time of the admin's list and of the REST list, variant by variant.

A process of its own, as Django knows one database: on `DATABASE_URL` or, without it, on a server started for it. The
phones are made by `tests/many_rows.py`. Each figure is the sum of the times of all queries of one whole request, log-in
and session included: the median of five requests after one that warms up.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import tests.environment  # noqa: F401 - before Django reads its settings
from tests.servers import postgres

TIMES, REQUESTS = 10_000, 5
MAC_SPELLINGS = (
    "{0}:{1}:{2}:{3}:{4}:{5}",
    "{0}{1}.{2}{3}.{4}{5}",
    "{0}-{1}-{2}-{3}-{4}-{5}",
    "SEP{0}{1}{2}{3}{4}{5}",
)
MAC_PARTS = ("{4}:{5}", "{2}:{3}:{4}", "{0}:{1}:{2}", "{3}{4}.{5}", "{3}{4}{5}")


def measure() -> Iterator[tuple[str, str]]:
    with postgres() as url:
        environment = os.environ | {"DATABASE_URL": url}
        command = [sys.executable, "-m", "tests.bench.lists"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                what, figure = json.loads(line)
                yield what, figure
        if process.returncode:
            raise SystemExit(process.returncode)


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.conf import settings
    from django.test.utils import get_runner, setup_test_environment

    django.setup()
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        for row in _measure():
            print(json.dumps(row), flush=True)
    finally:
        runner.teardown_databases(databases)


def _measure() -> Iterator[tuple[str, str]]:
    from django.test import Client

    from contacts_app.models import Account, User
    from contacts_app.services.token import create_token
    from phones_app.models import Phone, PhoneProfile
    from tests.admin_people import at_desk

    started = time.monotonic()
    _fill()
    yield f"{Phone.objects.count():,} phones made in", f"{time.monotonic() - started:.0f} s"
    phone = Phone.objects.order_by("pk")[5000]
    pairs = [phone.mac[place : place + 2].lower() for place in range(0, 12, 2)]
    desk = at_desk(User.objects.create_superuser("bench@example.org"))
    token = create_token()[1]
    own = create_token(account=Account.objects.filter(is_active=True)[3])[1]
    searches = [spelling.format(*pairs) for spelling in (*MAC_SPELLINGS, *MAC_PARTS)]
    searches += [phone.name, str(phone.phone_ip), phone.location, "zzqqzz"]
    filters = {
        "last_deployment__state__exact": "failed", "presence__exact": phone.presence, "in_call__exact": "1",
        "software_type__exact": "SIP", "model": phone.model, "is_active__exact": "0",
        "account__id__exact": phone.account_id, "current_profile__id__exact": PhoneProfile.objects.first().pk,
    }  # fmt: skip
    pages = [{}, {"p": 4000}, {"o": "-0"}, {"o": "1"}, *({"q": text} for text in searches)]
    for query in [*pages, *({name: value} for name, value in filters.items())]:
        yield f"admin {query or 'first page'}", _database_time(partial(_ask, desk, ADMIN, query))
    last = Phone.objects.order_by("mac").values_list("mac", flat=True)[900_000]
    rest = [{}, {"offset": 100_000}, {"after": last}, *({"search": text} for text in searches)]
    rest += [
        {"model": phone.model},
        {"location": phone.location},
        {"software_type": "SIP"},
        {"is_active": "false"},
    ]
    rest += [{"presence": phone.presence}, {"in_call": "true"}, {"load": phone.software_version}]
    for who, text in (("staff", token), ("tenant", own)):
        client = Client(headers={"Authorization": f"Bearer {text}"})
        for query in rest:
            asked = {"limit": 25} | query
            yield f"REST {who} {query or 'first page'}", _database_time(partial(_ask, client, REST, asked))


ADMIN, REST = "/admin/phones_app/phone/", "/api/v1/phones"


def _fill() -> None:
    from django.db import connection, transaction

    from phones_app.models import Deployment, Phone
    from tests.many_rows import make_rows, multiply, without_foreign_keys

    with transaction.atomic():
        for model in (Deployment, Phone):
            make_rows(model, 1, 101)
        without_foreign_keys()
        multiply(Phone, TIMES)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _ask(client, path: str, query: dict) -> None:
    answer = client.get(path, query)
    assert answer.status_code == 200, (path, query, answer.content[:500])


def _database_time(act: Callable[[], None]) -> str:
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
    return f"{statistics.median(sums):.0f} ms in {len(spent)} queries"


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main()
