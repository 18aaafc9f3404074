"""My Calls: who sees which calls, what they add up to, and their files."""

import csv
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from contacts_app.core.actor import system
from profiles_app.calls.models import CallRecord
from profiles_app.calls.services import record_call
from profiles_app.messaging.models import NumberLease
from profiles_app.messaging.services import default_messaging_profile, save_number_lease
from tests.phones_app.site import sip_file
from tests.profiles_app.visitors import grant, visit

pytestmark = pytest.mark.django_db
ALL = ("myCallsEnabled", "myCallsDailyCDRAccess", "myCallsUseBackendDescriptions")
CALLS = "/my-account/calls/"
# 23:30 UTC is the next day in Berlin.
NIGHT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
MARCH = "first=2026-03-01&last=2026-03-31"


def lines_of(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment; ")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def page(client, path) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


@pytest.fixture
def calls(acme, other):
    acme.time_zone = "Europe/Berlin"
    acme.save()
    same = {"account": acme, "started_at": NIGHT, "currency": "EUR"}
    record_call(call_id="in", direction="inbound", caller="+49201555999", called="+49201777", extension="201",
                seconds=90, cost=Decimal("0.0035"), site="Berlin", campaign="Spring", **same)  # fmt: skip
    record_call(call_id="out", direction="outbound", caller="202", called="+49201555999", extension="202",
                disposition="busy", site="=Essen", **same)  # fmt: skip
    record_call(call_id="internal", direction="internal", caller="202", called="201", extension="202", **same)
    record_call(call_id="theirs", account=other, direction="inbound", caller="+49201555999", called="1",
                extension="201", started_at=NIGHT)  # fmt: skip


def test_the_account_sees_its_calls_by_day_and_number(acme, alice, calls):
    grant(acme, "myCallsEnabled")
    browser = visit(alice)
    shown = page(browser, f"{CALLS}?{MARCH}")
    assert "3 calls, 1 answered, 2 min, 0.0035 EUR" in shown
    # The day of the account's time zone, in which it was half past midnight.
    assert "<title>03-02: 3</title>" in shown
    assert "2026-03-02 00:30" in shown
    assert "theirs" not in shown


def test_a_person_who_has_chosen_a_time_zone_sees_the_days_of_that(acme, alice, calls):
    grant(acme, "myCallsEnabled")
    browser, zone = visit(alice), "/my-account/me/time-zone/"
    assert "Europe/Berlin" in page(browser, "/my-account/me/"), "that of the account"
    assert browser.post(zone, {"timezone": "Nowhere"}).status_code == 400
    assert browser.post(zone, {"timezone": "America/New_York"}).status_code == 302
    shown = page(browser, f"{CALLS}?{MARCH}")
    assert "2026-03-01 18:30" in shown
    assert "<title>03-01: 3</title>" in shown
    assert "2026-03-02" in page(browser, f"{CALLS}by/day/?{MARCH}")
    by_number = page(browser, f"{CALLS}by/number/?{MARCH}")
    assert by_number.index("+49201555999") < by_number.index("201</span>")
    assert [line["call_id"] for line in lines_of(browser.get(f"{CALLS}export.csv?{MARCH}"))] == [
        "internal", "out", "in",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("number=0049+201-555999", {"in", "out"}),
        ("number=201", {"in", "internal"}),
        ("direction=internal", {"internal"}),
        ("outcome=busy", {"out"}),
        ("first=2026-03-01&last=2026-03-01", set()),
        ("first=2026-03-02&last=2026-03-02", {"in", "out", "internal"}),
    ],
)
def test_calls_are_searched(acme, alice, calls, query, found):
    grant(acme, "myCallsEnabled")
    asked = f"{query}&{MARCH}" if "first" not in query else query
    assert {line["call_id"] for line in lines_of(visit(alice).get(f"{CALLS}export.csv?{asked}"))} == found


@pytest.mark.parametrize("query", ["first=2026-04-01&last=2026-03-01", "first=2025-01-01&last=2026-01-01", "last=x"])
def test_a_search_that_cannot_be_is_told(acme, alice, query):
    grant(acme, "myCallsEnabled")
    for path in (CALLS, f"{CALLS}by/day/"):
        answer = visit(alice).get(f"{path}?{query}")
        assert answer.status_code == 400
        assert 'class="errors"' in answer.content.decode()


def test_what_the_operator_keeps_is_shown_by_its_flag(acme, alice, calls):
    browser = visit(alice)
    grant(acme, "myCallsEnabled", "myCallsDailyCDRAccess")
    assert "Berlin" not in page(browser, f"{CALLS}?{MARCH}")
    assert browser.get(f"{CALLS}by/site/").status_code == 404
    # A filter that is not offered finds nothing out.
    assert "3 calls" in page(browser, f"{CALLS}?{MARCH}&site=Berlin")
    assert "site" not in lines_of(browser.get(f"{CALLS}days/2026-03-02.csv"))[0]

    grant(acme, *ALL)
    shown = page(browser, f"{CALLS}?{MARCH}&site=Berlin")
    assert "1 call," in shown
    assert "Spring" in shown
    assert "=Essen" in page(browser, f"{CALLS}by/site/?{MARCH}")
    by_id = {line["call_id"]: line for line in lines_of(browser.get(f"{CALLS}days/2026-03-02.csv"))}
    # What a spreadsheet would carry out begins with an apostrophe.
    assert (by_id["in"]["site"], by_id["out"]["site"]) == ("Berlin", "'=Essen")
    assert by_id["in"]["started_at"] == "2026-03-02 00:30:00+01:00"


def test_what_the_customer_says_of_its_numbers_is_always_shown(acme, alice, calls):
    number = NumberLease(account=acme, tn=49201777, site="Hall 3", description="Orders")
    save_number_lease(number, actor=system("test"))
    grant(acme, "myCallsEnabled")
    browser = visit(alice)
    shown = page(browser, f"{CALLS}?{MARCH}&site=Hall+3")
    assert "1 call," in shown
    assert "Orders" in shown
    assert "Berlin" not in shown
    by_site = page(browser, f"{CALLS}by/site/?{MARCH}")
    assert "Hall 3" in by_site
    assert "Essen" not in by_site
    grant(acme, *ALL)
    assert "Hall 3 · Berlin" in page(browser, f"{CALLS}?{MARCH}&site=Hall+3")
    assert "=Essen" in page(browser, f"{CALLS}by/site/?{MARCH}")
    number.site = "Berlin"
    save_number_lease(number, actor=system("test"))
    shown = page(browser, f"{CALLS}?{MARCH}&site=Berlin")
    assert "Berlin" in shown
    assert "Berlin · Berlin" not in shown


def test_sums_have_the_calls_of_all_numbers_and_say_where_lines_are_left_out(acme, alice):
    profile, numbers = default_messaging_profile(account=acme, actor=system("test")), range(49201000000, 49201001100)
    NumberLease.objects.bulk_create(
        NumberLease(account=acme, tn=tn, kind="long_code", messaging_profile=profile, site="Hall 3") for tn in numbers
    )
    CallRecord.objects.bulk_create(
        CallRecord(account=acme, call_id=f"{tn}", direction="inbound", caller=f"+44{tn}", called=f"+{tn}",
                   started_at=NIGHT, seconds=1, disposition="answered")
        for tn in numbers
    )  # fmt: skip
    grant(acme, "myCallsEnabled")
    browser = visit(alice)
    by_site = page(browser, f"{CALLS}by/site/?{MARCH}")
    assert '<td data-label="Calls" class="number"><span>1100</span>' in by_site
    assert "with most calls" not in by_site
    assert "These are the 100 lines with most calls." in page(browser, f"{CALLS}by/number/?{MARCH}")


def test_people_below_level_0_see_the_calls_of_their_lines(acme, bob, calls, api):
    grant(acme, *ALL)
    browser = visit(bob)
    assert "0 calls" in page(browser, f"{CALLS}?{MARCH}")
    api.create_profile(bob, cnf_xml=sip_file().replace("1001", "201"))
    # Made by nobody of theirs, but taken by them.
    assert {line["call_id"] for line in lines_of(browser.get(f"{CALLS}export.csv?{MARCH}"))} == {"in", "internal"}
    assert len(lines_of(browser.get(f"{CALLS}days/2026-03-02.csv"))) == 2


@pytest.mark.parametrize("day", ["2026-02-30", "yesterday", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_has_no_file(acme, alice, day):
    grant(acme, *ALL)
    assert visit(alice).get(f"{CALLS}days/{day}.csv").status_code == 404


def test_home_and_the_days_list_tell_of_today(acme, alice, other):
    grant(acme, *ALL)
    record_call(account=acme, call_id="a", direction="inbound", caller="+491", called="201", started_at=timezone.now())
    browser = visit(alice)
    assert "Latest calls" in page(browser, "/my-account/")
    assert f"{CALLS}days/{timezone.now():%Y-%m-%d}.csv" in page(browser, f"{CALLS}days/")


def fill(account, number: int) -> None:
    """So many calls of one month, made by PostgreSQL."""
    table = CallRecord._meta.db_table
    moment = "timestamptz '2026-03-01 00:00:00+00:00' + n * interval '26 seconds'"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (uuid, account_id, call_id, direction, caller, called, extension, started_at, seconds, "
            "disposition, cost, currency, site, campaign, description, recording_url, created_at) "
            f"SELECT gen_random_uuid(), {account.pk}, 'c' || n, CASE n % 3 WHEN 0 THEN 'inbound' ELSE 'outbound' END, "
            f"'+4920155' || (n % 5000), '+4930' || (n % 7000), '2' || (n % 90), {moment}, n % 300, "
            "CASE n % 4 WHEN 0 THEN 'no_answer' ELSE 'answered' END, (n % 90) / 100.0, 'EUR', 'Site ' || (n % 20), "
            f"'', '', '', {moment} FROM generate_series(1, {number}) AS s(n)"
        )


def test_100_000_calls_are_charted_and_exported(acme, alice):
    """Portal spec §6, case 7."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite would do the same, more slowly")
    fill(acme, 100_000)
    grant(acme, *ALL)
    browser = visit(alice)
    shown = page(browser, f"{CALLS}?{MARCH}")
    assert "100000 calls, 75000 answered" in shown
    assert shown.count("<rect ") == 31
    exported = browser.get(f"{CALLS}export.csv?{MARCH}")
    assert sum(piece.count(b"\n") for piece in exported.streaming_content) == 100_001
    # One every 26 seconds.
    assert len(lines_of(browser.get(f"{CALLS}days/2026-03-15.csv"))) in (3323, 3324)
