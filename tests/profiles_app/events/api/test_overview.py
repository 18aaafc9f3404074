"""Overview and express create: cases 25 and 26 of the events spec."""

import pytest

from profiles_app.events.models.setup import Callback, EventProfile, Listener, Subscription
from tests.profiles_app.events.api.client import fields

CALL_LOG = [{":tags": ["call-log"]}]


@pytest.fixture
def wanted(receiver):
    return {":callback": {"config": {"url": receiver.url}}, ":subscriptions": CALL_LOG}


def test_case_25_all_is_created_at_once(at, wanted):
    response = at.post("overview", wanted)
    assert response.status_code == 201
    body = response.json()
    assert (body[":callback"][":profile"], body[":callback"][":fallback"]) == (None, None)
    assert body[":subscriptions"][0][":tags"] == ["call-log"]
    assert body[":filters"] == []
    assert body["callback_id"] == body[":callback"]["id"] == at.items("callbacks")[0]["id"]
    listener = at.get(f"listeners/{body['id']}").json()
    assert {name: body[name] for name in listener} == listener


def test_case_25_with_a_profile_of_its_own(at, wanted):
    described = {"name": "Mine", "support_email": "a@example.org"}
    wanted[":callback"][":profile"] = described
    created = at.post("overview", wanted | {"version": "1.0.0", "expires_at": 1893456000}).json()
    (profile,) = at.items("profiles")
    assert created[":callback"][":profile"] == profile
    assert created[":callback"]["profile_id"] == profile["id"]
    assert {name: profile[name] for name in described} == described
    assert (created["version"], created["expires_at"]) == ("1.0.0", 1893456000)


def test_case_25_subscriptions_may_lack_the_colon(at, callback):
    body = {"callback_id": callback["id"], "subscriptions": CALL_LOG}
    filters = [{"filter_type": "number", "filter_value": {"eq": "100"}, "not_logic": True}]
    created = at.post("overview", body | {":filters": filters})
    assert created.status_code == 201
    assert created.json()["callback_id"] == callback["id"]
    assert created.json()[":filters"][0]["not_logic"] is True


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({":subscriptions": None}, ":subscriptions"),
        ({":subscriptions": []}, ":subscriptions"),
        ({":subscriptions": [{":tags": ["bogus"]}]}, ":subscriptions.0.:tags.0"),
        ({":subscriptions": [*CALL_LOG, {}]}, ":subscriptions.1.:tags"),
        ({":subscriptions": "call"}, ":subscriptions"),
        ({":filters": [{"filter_type": "number", "filter_value": {}}]}, ":filters.0.filter_value"),
        ({":callback": None}, "callback_id"),
        ({"callback_id": 1}, "callback_id"),
        ({":callback": {}}, ":callback.config"),
        ({":callback": {"config": {}}}, ":callback.config.url"),
        ({":callback": {"config": {"url": "http://127.0.0.1:1/"}}}, ":callback.config.url"),
        (
            {":callback": {"mode": "EMAIL", "config": {"email": "a@example.org"}, ":profile": {"name": "n"}}},
            ":callback.:profile.support_email",
        ),
        (
            {":callback": {"mode": "EMAIL", "config": {"email": "a@example.org"}, "profile_id": 999}},
            ":callback.profile_id",
        ),
        ({"version": "3.0.0"}, "version"),
    ],
)
def test_case_25_what_is_wrong_creates_nothing(at, wanted, change, field):
    assert list(fields(at.post("overview", wanted | change))) == [field]
    for model in (Callback, EventProfile, Listener, Subscription):
        assert not model.objects.exists()


def test_case_25_without_subscriptions_nothing_is_created_nor_asked(at, wanted, receiver):
    del wanted[":subscriptions"]
    assert list(fields(at.post("overview", wanted))) == [":subscriptions"]
    assert receiver.requests == []
    assert not Callback.objects.exists()


def test_case_26_the_overview_shows_all_that_belongs_together(at, profile, callback, receiver):
    described = {"name": "Second", "profile_id": profile["id"], "fallback_callback_id": callback["id"]}
    second = at.post("callbacks", described | {"config": {"url": receiver.url}}).json()
    created = at.post("overview", {"callback_id": second["id"], ":subscriptions": CALL_LOG * 2}).json()
    body = at.get("overview").json()
    assert body["total"] == 1
    assert body["items"] == [created]
    assert created[":callback"] == second | {":profile": profile, ":fallback": callback}
    assert len(created[":subscriptions"]) == 2
