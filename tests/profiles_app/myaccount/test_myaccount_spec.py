"""The numbered conformance cases of the MyAccount spec §8, each with a key of an account and one of staff."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.utils.timezone import now

from contacts_app.accounts.models import AccountGroup
from profiles_app.myaccount.models import MyAccountProfile
from profiles_app.myaccount.services import LISTS, preset_values
from tests.profiles_app.myaccount.conftest import PROFILES, Key, refused

pytestmark = pytest.mark.django_db

MEMBERS = {
    "id",
    "name",
    "description",
    "availability",
    "customerID",
    "customerGroups",
    "myAccountFlags",
    "myNumbers",
    "myCampaigns",
    "myCallsEnabled",
    "myCallsDailyCDRAccess",
    "myCallsUseBackendDescriptions",
}


def since(name: str, instant: datetime) -> str:
    return f"?{name}={quote(instant.isoformat())}"


def ids(profiles) -> list[str]:
    return [profile["id"] for profile in profiles]


def test_case_01_an_empty_store_is_an_empty_array(w):
    answer = w.get()
    assert answer.status_code == 200
    assert answer.content == b"[]"
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic YWxpY2VAYWNtZS5leGFtcGxlOmNvcnJlY3QgaG9yc2U=", "Bearer", "Bearer pb_1_2", "Key x"]
)
def test_case_02_without_a_good_key(alice, header):
    answer = Key(header).get()
    refused(answer, 401, "unauthorized")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_case_03_a_name_is_enough(w):
    answer = w.post({"name": "Residential"})
    assert answer.status_code == 201
    profile = answer.json()
    assert profile.keys() == MEMBERS
    assert profile.pop("id").isdigit()
    assert profile == {
        "name": "Residential",
        "description": "",
        "availability": "Standard",
        "customerID": None,
        "customerGroups": [],
        "myAccountFlags": [],
        "myNumbers": [],
        "myCampaigns": [],
        "myCallsEnabled": False,
        "myCallsDailyCDRAccess": False,
        "myCallsUseBackendDescriptions": False,
    }


def test_case_04_read_what_was_made(w):
    profile = w.create()
    answer = w.get(PROFILES + profile["id"])
    assert answer.status_code == 200
    assert answer.json() == profile


def test_case_05_a_slash_at_the_end_makes_no_difference(w):
    profile = w.create()
    assert w.get(f"{PROFILES}{profile['id']}/").json() == profile
    assert w.get(PROFILES.rstrip("/")).json() == w.list() == [profile]
    assert w.send("post", PROFILES.rstrip("/"), {"name": "Second"}).status_code == 201


def test_case_06_every_value_comes_back(w, acme):
    sent = {
        "name": "Business",
        "description": "Two\nlines ",
        "availability": "Headline",
        "customerID": str(acme.voip_id),
        "customerGroups": ["Silver", "Gold"],
        **{name: list(reversed(preset_values()[name])) for name in LISTS},
        "myCallsEnabled": True,
        "myCallsDailyCDRAccess": True,
        "myCallsUseBackendDescriptions": True,
    }
    profile = w.create(**sent)
    assert {name: value for name, value in profile.items() if name != "id"} == sent
    assert w.list() == [profile]


@pytest.mark.parametrize("body", [{}, {"name": "   "}, {"name": None}, {"name": 7}, {"name": "x" * 256}])
def test_case_07_a_name_is_needed(w, body):
    assert "name" in refused(w.post(body), 400, "validation")["fields"]
    assert w.list() == []


def test_case_08_a_name_is_used_once(w):
    first = w.create("Residential")
    refused(w.post({"name": "RESIDENTIAL", "customerGroups": ["New"]}), 409, "duplicate_name")
    assert w.list() == [first]
    assert not AccountGroup.objects.exists()
    second = w.create("Business")
    refused(w.patch(second, {"name": "residential"}), 409, "duplicate_name")
    assert w.change(first, name="residential")["name"] == "residential"


@pytest.mark.parametrize("value", ["Sometimes", "", None, 1, ["Standard"]])
def test_case_09_an_unknown_availability(w, value):
    error = refused(w.post({"name": "X", "availability": value}), 400, "validation")
    assert list(error["fields"]) == ["availability"]


@pytest.mark.parametrize("name", LISTS)
def test_case_10_an_unknown_preset_value(w, name):
    known = preset_values()[name][0]
    error = refused(w.post({"name": "X", name: [known, "NoSuchFeature"]}), 400, "validation")
    assert list(error["fields"]) == [name]
    assert "NoSuchFeature" in error["fields"][name][0]
    assert known in error["fields"][name][0]
    assert w.list() == []


@pytest.mark.parametrize("method", ["patch", "put"])
def test_case_11_a_change_changes_what_is_sent(w, method):
    profile = w.create(description="Kept", customerGroups=["Gold"])
    answer = w.send(method, PROFILES + profile["id"], {"myCallsEnabled": True})
    assert answer.status_code == 200
    assert answer.json() == profile | {"myCallsEnabled": True}


def test_case_12_groups_stand_once_and_can_be_emptied(w):
    profile = w.create()
    assert w.change(profile, customerGroups=["Gold", "Gold"])["customerGroups"] == ["Gold"]
    assert w.change(profile, customerGroups=["Silver", "Gold"])["customerGroups"] == ["Silver", "Gold"]
    assert w.change(profile, customerGroups="Bronze")["customerGroups"] == ["Bronze"]
    assert w.change(profile, customerGroups=[])["customerGroups"] == []
    assert AccountGroup.objects.count() == 3


def test_case_13_the_id_never_moves(w):
    profile = w.create()
    assert w.change(profile, id="999", name="X") == profile | {"name": "X"}
    assert ids(w.list()) == [profile["id"]]


def test_case_14_id_after(w):
    first, second, third = (w.create(name) for name in ("One", "Two", "Three"))
    assert w.list(f"?idAfter={first['id']}") == [second, third]
    assert w.list(f"?idAfter={third['id']}") == []
    assert w.list("?idAfter=-1") == [first, second, third]


@pytest.mark.parametrize("name", ["idAfter", "createdSince", "updatedSince", "limit", "offset"])
@pytest.mark.parametrize("value", ["abc", "", "%00", "1e3", "9" * 5000])
def test_case_15_an_unreadable_parameter(w, name, value):
    assert list(refused(w.get(f"{PROFILES}?{name}={value}"), 400)["fields"]) == [name]


def test_case_16_since_a_time(w):
    first, _ = w.create("One"), w.create("Two")
    moment = now()
    changed = w.change(first, description="New")
    assert w.list(since("updatedSince", moment)) == [changed]
    assert w.list(since("createdSince", moment)) == []


def test_case_16_since_is_inclusive(w):
    profile = w.create()
    made = MyAccountProfile.objects.get(pk=profile["id"])
    assert w.list(since("createdSince", made.created_at)) == [profile]
    assert w.list(since("createdSince", made.created_at + timedelta(microseconds=1))) == []
    assert w.list(since("updatedSince", made.updated_at)) == [profile]


def test_case_17_the_far_future_and_the_far_past(w):
    profile = w.create()
    assert w.list("?createdSince=9999-12-31T23:59:59Z") == []
    assert w.list("?createdSince=0001-01-01") == [profile]
    refused(w.get(f"{PROFILES}?createdSince=0001-01-01T00:00:00%2B14:00"), 400)


def test_case_18_one_instant_in_many_spellings(w):
    profile, later = w.create("One"), w.create("Two")
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    MyAccountProfile.objects.filter(pk=profile["id"]).update(created_at=noon - timedelta(seconds=1))
    MyAccountProfile.objects.filter(pk=later["id"]).update(created_at=noon)
    for spelling in (
        "2026-01-31T12:00:00Z",
        "2026-01-31T13:00:00%2B01:00",
        "2026-01-31T13:00:00+01:00",
        "2026-01-31T13:00:00.000+0100",
        "2026-01-31%2007:00:00-05:00",
        "2026-01-31+12:00",
        "2026-01-31T12:00:00",
    ):
        assert w.list(f"?createdSince={spelling}") == [later], spelling
    MyAccountProfile.objects.filter(pk=profile["id"]).update(created_at=noon.replace(hour=0))
    assert w.list("?createdSince=2026-01-31") == [profile, later]


def test_case_19_a_deleted_profile_is_gone(w):
    profile = w.create(customerGroups=["Gold"])
    answer = w.delete(profile)
    assert answer.status_code == 204
    assert answer.content == b""
    refused(w.get(PROFILES + profile["id"]), 404, "not_found")


def test_case_20_what_is_not_there(w):
    profile = w.create()
    w.delete(profile)
    refused(w.delete(profile), 404, "not_found")
    refused(w.patch(profile, {"name": "X"}), 404, "not_found")
    for unknown in ("0", "abc", "-1", "9" * 40, "%00", "1.0", "٣"):
        refused(w.get(PROFILES + unknown), 404, "not_found")


def test_case_21_an_id_is_never_used_again(w):
    w.create("One")
    highest = w.create("Two")
    w.delete(highest)
    assert int(w.create("Three")["id"]) > int(highest["id"])


def test_case_22_a_key_that_may_only_read(w, r):
    refused(r.post({"name": "X"}), 403, "forbidden")
    profile = w.create()
    assert r.list() == [profile]
    refused(r.patch(profile, {"name": "X"}), 403, "forbidden")
    refused(r.delete(profile), 403, "forbidden")
    assert w.list() == [profile]


@pytest.mark.parametrize("body", ["{", "[]", '"x"', "null", "7", "", '{"name": "\\ud800"}', b"\xff"])
def test_case_23_a_body_that_is_no_object(w, body):
    refused(w.post(body), 400)
    assert w.list() == []


FLAG = "myCallsEnabled"


@pytest.mark.parametrize("sent", [True, 1, "1", "true", "TRUE", "yes", " Yes "])
def test_case_24_many_spellings_of_true(w, sent):
    assert w.create(**{FLAG: sent})[FLAG] is True


@pytest.mark.parametrize("sent", [False, 0, "0", "false", "No", "", None])
def test_case_24_many_spellings_of_false(w, sent):
    profile = w.create(**{FLAG: True})
    assert w.change(profile, **{FLAG: sent})[FLAG] is False


@pytest.mark.parametrize("sent", ["perhaps", 2, -1, [], {}, 0.5])
def test_case_24_neither_true_nor_false(w, sent):
    assert list(refused(w.post({"name": "X", FLAG: sent}), 400, "validation")["fields"]) == [FLAG]


def test_case_25_filters_combine(w):
    first, second, third = (w.create(name) for name in ("One", "Two", "Three"))
    moment = now()
    w.change(first, description="New")
    changed = w.change(third, description="New")
    query = f"{since('updatedSince', moment)}&idAfter={first['id']}"
    assert w.list(query) == [changed]
    assert w.list(f"{query}&limit=1&offset=1") == []
    assert ids(w.list("?limit=1&offset=1")) == [second["id"]]
    assert len(w.list("?somethingElse=1")) == 3
