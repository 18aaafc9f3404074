"""Profiles: conformance cases 1 to 13 and 16 of the events spec."""

import time

import pytest

from contacts_app.core.history.authorship import recorded
from contacts_app.tokens.services import create_token
from profiles_app.events.models.outbox import Event
from profiles_app.events.models.setup import EventProfile
from tests.profiles_app.events.api.client import EventsClient, fields

GOOD = {"name": "My profile", "support_email": "test@example.org"}


def test_case_01_an_empty_account_has_an_empty_list(at):
    assert at.get("profiles").json() == {
        "filters": {},
        "sort": {"id": "desc"},
        "total": 0,
        "limit": 25,
        "offset": 0,
        "items": [],
    }


def test_case_02_a_profile_is_created(at, acme):
    response = at.post("profiles", GOOD)
    body = response.json()
    assert response.status_code == 201
    assert type(body["id"]) is int
    assert type(body["created_at"]) is int
    assert abs(body["created_at"] - time.time()) < 60
    assert body["voip_id"] == acme.voip_id
    assert body["extension_id"] is None
    assert {name: body[name] for name in GOOD} == GOOD


def test_case_03_it_is_read_as_it_was_created_with_exactly_six_keys(at, profile):
    body = at.get(f"profiles/{profile['id']}").json()
    assert body == profile
    assert list(body) == ["id", "voip_id", "extension_id", "name", "support_email", "created_at"]


@pytest.fixture
def three(at):
    return [at.post("profiles", GOOD | {"name": f"n{n}"}).json()["id"] for n in range(3)]


def test_case_04_lists_are_newest_first_unless_asked_otherwise(at, three):
    assert [item["id"] for item in at.items("profiles")] == three[::-1]
    ascending = at.get("profiles", **{"sort[id]": "asc"}).json()
    assert ascending["sort"] == {"id": "asc"}
    assert [item["id"] for item in ascending["items"]] == three


def test_case_05_limit_and_offset_choose_a_page(at, three):
    body = at.get("profiles", limit=1, offset=1).json()
    assert [item["id"] for item in body["items"]] == [three[1]]
    assert (body["limit"], body["offset"], body["total"]) == (1, 1, 3)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"limit": "abc"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "9" * 30}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "9" * 19}, "offset"),
        ({"offset": "٣"}, "offset"),
        ({"sort[id]": "up"}, "sort.id"),
        ({"sort[name]": "asc"}, "sort.name"),
        ({"filters[name]": "x"}, "filters.name"),
        ({"filters[]": "x"}, "filters."),
        ({"include_subaccounts": "2"}, "include_subaccounts"),
        ({"mode": "long"}, "mode"),
    ],
)
def test_case_06_a_bad_query_is_refused(at, query, field):
    assert list(fields(at.get("profiles", **query))) == [field]


@pytest.mark.parametrize("offset", [9999, 2**63 - 1000])
def test_case_07_beyond_the_end_is_an_empty_page(at, three, offset):
    body = at.get("profiles", offset=offset).json()
    assert body["items"] == []
    assert body["total"] == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "n"}, "support_email"),
        ({"support_email": "a@example.org"}, "name"),
        (GOOD | {"name": ""}, "name"),
        (GOOD | {"name": "x" * 129}, "name"),
        (GOOD | {"name": "a\x00b"}, "name"),
        (GOOD | {"name": 5}, "name"),
        (GOOD | {"name": True}, "name"),
        (GOOD | {"name": ["n"]}, "name"),
        (GOOD | {"name": None}, "name"),
        (GOOD | {"support_email": "nope"}, "support_email"),
        (GOOD | {"support_email": ""}, "support_email"),
        (GOOD | {"support_email": 5}, "support_email"),
    ],
)
def test_case_08_what_is_wrong_is_named_and_nothing_stored(at, body, field):
    assert list(fields(at.post("profiles", body))) == [field]
    assert not EventProfile.objects.exists()


@pytest.mark.parametrize("body", ["[", "", "[]", '"text"', "null", '{"name": "\\ud800"}', "[" * 100_000])
def test_case_09_a_body_that_is_no_json_object_is_a_bad_request(at, body):
    response = at.send("post", "profiles", body)
    assert response.status_code == (400 if body else 422)
    assert not EventProfile.objects.exists()


def test_case_10_a_patch_changes_what_it_names(at, profile):
    body = at.patch(f"profiles/{profile['id']}", {"name": "n2", "id": 7, "voip_id": 7}).json()
    assert body == profile | {"name": "n2"}
    assert list(fields(at.patch(f"profiles/{profile['id']}", {"name": "n3", "unknown": 1}))) == ["unknown"]
    assert at.patch(f"profiles/{profile['id']}", {}).json() == body
    assert at.get(f"profiles/{profile['id']}").json() == body


def test_case_11_no_support_email_means_the_accounts_own(at, profile):
    assert at.patch(f"profiles/{profile['id']}", {"support_email": None}).status_code == 200
    assert at.get(f"profiles/{profile['id']}").json()["support_email"] is None
    assert at.post("profiles", {"name": "n", "support_email": None}).status_code == 201


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
@pytest.mark.parametrize("number", ["99999999", "0", "9" * 30])
def test_case_12_what_is_not_there_is_not_found(at, method, number):
    response = at.send(method, f"profiles/{number}", {} if method == "patch" else None)
    assert response.status_code == 404
    assert response.json()["@error"]["@message"] == "Not found"


@pytest.mark.parametrize("token", ["", "bogus", "pb_0000_bogus"])
def test_case_13_without_a_good_token_nothing_is_shown(at, token):
    response = EventsClient(token).get(f"{at.base}/profiles")
    assert response.status_code == 401
    assert response.json()["error"] == "access_denied"
    assert response.json()["@error"]["@code"] == "oauth2.access_denied"


def test_case_16_a_used_profile_stays_until_its_callback_is_gone(at, profile, receiver):
    path = f"profiles/{profile['id']}"
    callback = at.post("callbacks", {"config": {"url": receiver.url}, "profile_id": profile["id"]}).json()
    refused = at.delete(path)
    assert refused.status_code == 409
    assert refused.json()["@error"]["@messages"] == ["Error: Profile is in use. Look for callbacks using it."]
    assert at.get(path).json() == profile
    assert at.delete(f"callbacks/{callback['id']}").json() == {"success": True}
    assert at.delete(path).json() == {"success": True}
    assert at.get(path).status_code == at.delete(path).status_code == 404


@pytest.fixture
def word_is_lost():
    """Something behind the change itself fails, as when the process dies or the database goes away."""

    def fail(**_):
        raise OSError("disk full")

    recorded.connect(fail, sender=EventProfile)
    yield
    recorded.disconnect(fail, sender=EventProfile)


def test_a_profile_changes_together_with_its_event_or_not_at_all(at, profile, word_is_lost):
    known = Event.objects.count()
    answers = (
        at.post("profiles", GOOD),
        at.patch(f"profiles/{profile['id']}", {"name": "Renamed"}),
        at.delete(f"profiles/{profile['id']}"),
        at.post(
            "overview",
            {
                ":callback": {"mode": "EMAIL", "config": {"email": "x@acme.example"}, ":profile": GOOD},
                ":subscriptions": [{":tags": ["call"]}],
            },
        ),
    )
    assert [answer.status_code for answer in answers] == [500] * 4
    assert at.items("profiles") == [profile]
    assert Event.objects.count() == known


def test_brief_is_id_and_name(at, profile):
    brief = {"id": profile["id"], "name": profile["name"]}
    assert at.items("profiles", mode="brief") == at.items("profiles", fields="brief") == [brief]
    assert at.get(f"profiles/{profile['id']}", mode="brief").json() == brief


@pytest.mark.parametrize("slip", ["PROFILE_ID", "389"])
def test_an_id_in_the_url_that_creates_is_ignored(at, slip, settings):
    created = at.post(f"profiles/{slip}", GOOD)
    assert created.status_code == 201
    assert at.items("profiles") == [created.json()]
    settings.EVENTS_ID_ON_CREATE = False
    assert at.post(f"profiles/{slip}", GOOD).status_code == (404 if slip == "PROFILE_ID" else 405)
    assert at.get("profiles/PROFILE_ID").status_code == 404


def test_a_token_that_may_only_read_reads(acme, profile, at):
    reader = EventsClient(create_token(account=acme, read_only=True)[1], f"/v4/accounts/{acme.voip_id}")
    assert reader.items("profiles") == [profile]
    assert reader.delete(f"profiles/{profile['id']}").status_code == 403
    assert at.items("profiles") == [profile]
