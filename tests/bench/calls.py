"""1,000,000 call records on PostgreSQL: the database time of lists and day reports, and what files and batches take.

Half of them are one account's, over a year. Each time is that of all queries of one whole request, the median of five
after one that warms up. `CALLS` says how many records there are.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.bench.database import on_test_database
from tests.bench.figures import Figure
from tests.bench.sizes import size

CALLS, REQUESTS = size("CALLS", 1_000_000), 5
LISTS = (
    "", "offset=50000", "number=%2B49201550007", "extension=207", "direction=inbound", "disposition=congestion",
    "site=Site+7", "started_from=2026-03-01T00:00:00Z&started_before=2026-03-02T00:00:00Z", "call_id=c777",
)  # fmt: skip
PAGES = ("", "?{month}", "by/day/?{month}", "by/number/?{month}", "by/site/?{month}", "days/")
PERIODS = {"month": "first=2026-03-01&last=2026-03-31"}


def measure() -> Iterator[Figure]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[Figure]:
    from django.test import Client

    from contacts_app.accounts.models import Account
    from contacts_app.accounts.services import save_account
    from contacts_app.people.models import User
    from contacts_app.tokens.services import create_token
    from tests.profiles_app.visitors import FLAGS, grant, visit

    accounts = [Account(voip_id=number, name=f"A{number}", email=f"a{number}@bench.example") for number in (1, 2)]
    for account in accounts:
        save_account(account)
    started = time.monotonic()
    _fill(accounts)
    yield Figure(f"{CALLS:,} calls made in", [time.monotonic() - started], "s")
    clients = {
        "staff": Client(headers={"Authorization": f"Bearer {create_token()[1]}"}),
        "tenant": Client(headers={"Authorization": f"Bearer {create_token(account=accounts[0])[1]}"}),
    }
    grant(accounts[0], *FLAGS)
    for who, client in clients.items():
        for query in LISTS:
            asked = partial(_ask, client, f"/api/v1/calls?{query}")
            yield _database_time(f"REST, {who}: {query or 'first page'}", asked, f"REST, {who}")
    owner = User.objects.create_user("owner@bench.example", account=accounts[0], permission_level=0)
    browser = visit(owner)
    for page in PAGES:
        path = f"/my-account/calls/{page.format(**PERIODS)}"
        yield _database_time(f"My Calls: {path}", partial(_ask, browser, path))
    started = time.monotonic()
    answer = browser.get(f"/my-account/calls/export.csv?{PERIODS['month']}")
    length = sum(map(len, answer.streaming_content))
    yield Figure(f"file of a month, {length / 1e6:.1f} MB", [time.monotonic() - started], "s")
    yield Figure("calls taken in batches of 1,000", [_taken(clients["tenant"])], "/s")


def _fill(accounts: list[Any]) -> None:
    """As switches send them: in the order of their time, over a year."""
    from django.db import connection

    from profiles_app.calls.models import CallRecord

    table, every = CallRecord._meta.db_table, 365 * 86400 / CALLS
    moment = f"timestamptz '2025-06-01 00:00:00+00' + n * interval '{every} seconds'"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (uuid, account_id, call_id, direction, caller, called, extension, started_at, seconds, "
            "disposition, cost, currency, site, campaign, description, recording_url, created_at) "
            f"SELECT gen_random_uuid(), CASE n % 2 WHEN 0 THEN {accounts[0].pk} ELSE {accounts[1].pk} END, 'c' || n, "
            "CASE n / 2 % 3 WHEN 0 THEN 'inbound' ELSE 'outbound' END, '+4920155' || lpad((n % 20000)::text, 4, '0'), "
            f"'+4930' || (n % 30000), (200 + n % 100)::text, {moment}, n % 300, CASE WHEN n % 4 = 0 THEN 'no_answer' "
            f"WHEN n % 1000 = 2 THEN 'congestion' ELSE 'answered' END, (n % 90) / 100.0, 'EUR', 'Site ' || (n % 20), "
            f"'', '', '', {moment} FROM generate_series(1, {CALLS}) AS s(n)"
        )
        cursor.execute(f"VACUUM ANALYZE {table}")


def _ask(client: Any, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.content[:300])


def _database_time(what: str, ask: Callable[[], None], group: str = "") -> Figure:
    from django.db import connection

    spent: list[float] = []

    def timed(execute: Any, *args: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(*args)
        finally:
            spent[-1] += time.perf_counter() - started

    with connection.execute_wrapper(timed):
        for _ in range(REQUESTS + 1):
            spent.append(0.0)
            ask()
    return Figure(what, [statistics.median(spent[1:]) * 1000], "ms", group=group)


def _taken(client: Any) -> float:
    batch = [
        {"call_id": f"b{number}", "direction": "inbound", "caller": f"+4920155{number}", "called": "+4930123456",
         "extension": "201", "started_at": "2026-05-01T09:30:00Z", "ended_at": "2026-05-01T09:31:00Z"}
        for number in range(1000)
    ]  # fmt: skip
    started = time.monotonic()
    for number in range(3):
        calls = [call | {"call_id": f"{call['call_id']}-{number}"} for call in batch]
        answer = client.post("/api/v1/calls/batch", {"calls": calls}, content_type="application/json")
        assert answer.json()["data"]["created"] == 1000, answer.content[:300]
    return 3000 / (time.monotonic() - started)
