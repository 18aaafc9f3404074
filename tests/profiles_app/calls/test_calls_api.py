"""`/api/v1/calls`: switches send calls, integrators read them, and each account sees its own alone."""

import csv
from datetime import UTC, datetime, timedelta

import pytest

from profiles_app.calls.models import CallRecord
from profiles_app.calls.services import record_call
from profiles_app.myaccount.models import MyAccountProfile

pytestmark = pytest.mark.django_db
START = "2026-03-01T09:30:00Z"
SENT = {
    "call_id": "c1", "direction": "inbound", "caller": "0049 201 555-999", "called": "+49 201 777", "extension": "201",
    "started_at": START, "answered_at": "2026-03-01T09:30:05Z", "ended_at": "2026-03-01T09:31:05Z", "cost": "0.0150",
}  # fmt: skip


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [call["call_id"] for call in answer.json()["data"]]


def test_a_call_is_taken_once(api):
    first = api.post("calls", SENT)
    assert first.status_code == 201
    call = first.json()["data"]
    assert (call["caller"], call["seconds"], call["disposition"]) == ("+49201555999", 60, "answered")
    again = api.post("calls", SENT | {"direction": "outbound"})
    assert (again.status_code, again.json()["data"]) == (200, call)
    assert api.get(f"calls/{call['uuid']}").json()["data"] == call


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"call_id": None}, "call_id"),
        ({"call_id": "x" * 129}, "call_id"),
        ({"direction": "up"}, "direction"),
        ({"started_at": "yesterday"}, "started_at"),
        ({"ended_at": "2026-03-01T09:29:00Z"}, "ended_at"),
        ({"seconds": -1}, "seconds"),
        ({"cost": "-1"}, "cost"),
        ({"currency": "euro"}, "currency"),
        ({"recording_url": "javascript:alert(1)"}, "recording_url"),
        ({"site": "Berlin"}, "site"),
        ({"priority": 1}, "priority"),
        ({"account": 1000002}, "account"),
    ],
)
def test_a_wrong_call_is_refused_alone_and_in_a_batch(api, other, change, field):
    alone = api.post("calls", SENT | change)
    batch = api.post("calls/batch", {"calls": [SENT | {"call_id": "c2"}, SENT | change]})
    for answer in (alone, batch):
        assert answer.status_code == 400, answer.content
        assert any(field in error["field"] or field in error["message"] for error in answer.json()["errors"])
    assert not CallRecord.objects.exists()


def test_a_batch_is_stored_at_once(api, acme):
    api.post("calls", SENT)
    calls = [SENT | {"call_id": f"c{number}"} for number in (1, 2, 3, 3)]
    assert api.post("calls/batch", {"calls": calls}).json()["data"] == {"created": 2, "known": 2}
    assert sorted(ids(api.get("calls"))) == ["c1", "c2", "c3"]
    assert api.post("calls/batch", {"calls": []}).status_code == 400
    many = [SENT | {"call_id": f"m{number}"} for number in range(1001)]
    assert api.post("calls/batch", {"calls": many}).status_code == 400


def test_staff_say_whose_calls_they_are(staff, acme, other):
    assert staff.post("calls", SENT).status_code == 400
    assert staff.post("calls", SENT | {"account": 1000002, "site": "Berlin"}).json()["data"]["account"] == 1000002


@pytest.fixture
def calls(acme, other):
    start = datetime(2026, 3, 1, 9, tzinfo=UTC)
    same = {"account": acme, "description": "=cmd()"}
    record_call(call_id="a", direction="inbound", caller="+49201555999", called="201", extension="201",
                started_at=start, seconds=5, site="Berlin", **same)  # fmt: skip
    record_call(call_id="b", direction="outbound", caller="202", called="+49201555999", extension="202",
                started_at=start + timedelta(hours=1), disposition="busy", site="Essen", **same)  # fmt: skip
    record_call(call_id="z", account=other, direction="inbound", caller="+49201555999", called="201", extension="201",
                started_at=start)  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["b", "a"]),
        ("number=0049+201+555999", ["b", "a"]),
        ("number=201", ["a"]),
        ("direction=outbound", ["b"]),
        ("disposition=answered", ["a"]),
        ("extension=202", ["b"]),
        ("call_id=a", ["a"]),
        ("started_from=2026-03-01T10:00:00Z", ["b"]),
        ("started_before=2026-03-01T10:00:00Z", ["a"]),
    ],
)
def test_calls_are_found(api, staff, calls, query, found):
    assert ids(api.get(f"calls?{query}")) == found
    exported = b"".join(api.get(f"calls.csv?{query}").streaming_content).decode()
    assert [line["call_id"] for line in csv.DictReader(exported.splitlines())] == found
    assert set(ids(staff.get(f"calls?{query}"))) >= set(found)


@pytest.mark.parametrize("shown", [False, True])
def test_customers_see_the_operators_words_where_their_profile_says_so(api, staff, calls, shown):
    MyAccountProfile.objects.create(name="P", my_calls_enabled=True, my_calls_use_backend_descriptions=shown)
    [call] = api.get("calls?call_id=a").json()["data"]
    assert (call["site"], call["description"]) == (("Berlin", "=cmd()") if shown else ("", ""))
    exported = b"".join(api.get("calls.csv").streaming_content).decode()
    assert ("Berlin" in exported) is ("site" in exported) is shown
    # No formula of the operator's is carried out by a spreadsheet of the customer's.
    assert ("'=cmd()" in exported) is shown
    by_site = api.get("calls?site=Berlin")
    assert ids(by_site) == ["a"] if shown else by_site.status_code == 400
    assert ids(staff.get("calls?site=Berlin")) == ["a"]


def test_people_below_level_0_have_no_part_in_it(colleague, calls):
    assert colleague.get("calls").status_code == 403
    assert colleague.get("calls.csv").status_code == 403
    assert colleague.post("calls", SENT).status_code == 403
