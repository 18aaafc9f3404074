"""Listeners, subscriptions, filters: cases 20, 22, 23 and 24 of the events spec."""

import time

import pytest

from profiles_app.events.models.setup import Listener
from tests.profiles_app.events.api.client import fields


def test_case_20_a_listener_has_the_latest_version_and_no_end(at, callback, acme):
    response = at.post("listeners", {"callback_id": callback["id"]})
    body = response.json()
    assert response.status_code == 201
    assert abs(body["created_at"] - time.time()) < 60
    assert body == {
        "id": body["id"],
        "voip_id": acme.voip_id,
        "extension_id": None,
        "version": "2.0.0",
        "callback_id": callback["id"],
        "created_at": body["created_at"],
        "expires_at": None,
    }
    assert list(body) == ["id", "voip_id", "extension_id", "version", "callback_id", "created_at", "expires_at"]
    assert at.get(f"listeners/{body['id']}").json() == body


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"version": "3.0.0"}, "version"),
        ({"version": 2}, "version"),
        ({"callback_id": 999}, "callback_id"),
        ({"callback_id": 0}, "callback_id"),
        ({"callback_id": None}, "callback_id"),
        ({"callback_id": True}, "callback_id"),
        ({"callback_id": 2**64}, "callback_id"),
        ({"expires_at": 0}, "expires_at"),
        ({"expires_at": "2030-01-01"}, "expires_at"),
        ({"expires_at": 10**15}, "expires_at"),
    ],
)
def test_case_20_a_bad_listener_is_refused(at, callback, listener, change, field):
    assert list(fields(at.post("listeners", {"callback_id": callback["id"]} | change))) == [field]
    assert list(fields(at.patch(f"listeners/{listener['id']}", change))) == [field]
    assert at.items("listeners") == [listener]


def test_a_listener_is_changed_and_deleted_with_what_hangs_on_it(at, listener):
    path = f"listeners/{listener['id']}"
    at.post(f"{path}/subscriptions", {":tags": ["call"]})
    changed = at.patch(path, {"version": "1.1.0", "expires_at": 1893456000}).json()
    assert changed == listener | {"version": "1.1.0", "expires_at": 1893456000}
    assert at.patch(path, {"expires_at": None}).json()["expires_at"] is None
    assert at.delete(path).json() == {"success": True}
    assert at.get(path).status_code == at.get(f"{path}/subscriptions").status_code == 404


def test_the_slip_of_the_guide_creates_listeners(at, callback):
    assert at.post("listeners/LISTENER_ID", {"callback_id": callback["id"]}).status_code == 201
    assert Listener.objects.count() == 1


def test_case_22_a_subscription_is_its_tags(at, listener):
    path = f"listeners/{listener['id']}/subscriptions"
    created = at.post(path, {":tags": ["call", "inbound", "call"]})
    assert created.status_code == 201
    body = created.json()
    assert body == {"id": body["id"], ":tags": ["call", "inbound"]}
    assert at.get(f"{path}/{body['id']}").json() == body
    assert at.patch(f"{path}/{body['id']}", {":tags": ["received-message"]}).json()[":tags"] == ["received-message"]
    assert at.delete(f"{path}/{body['id']}").json() == {"success": True}
    assert at.items(path) == []


@pytest.mark.parametrize(
    "body",
    [{}, {":tags": ["bogus"]}, {":tags": []}, {":tags": "call"}, {":tags": [5]}, {":tags": None}, {"tags": ["call"]}],
)
def test_case_22_bad_tags_are_refused(at, listener, body):
    path = f"listeners/{listener['id']}/subscriptions"
    assert next(iter(fields(at.post(path, body)))).startswith("tags" if "tags" in body else ":tags")
    assert at.items(path) == []


def test_errors_of_the_api_are_the_accounts_alone(at, at_extension, listener, receiver):
    assert at.post(f"listeners/{listener['id']}/subscriptions", {":tags": ["api-error"]}).status_code == 201
    callback = at_extension.post("callbacks", {"config": {"url": receiver.url}}).json()
    theirs = at_extension.post("listeners", {"callback_id": callback["id"]}).json()
    refused = at_extension.post(f"listeners/{theirs['id']}/subscriptions", {":tags": ["api-error"]})
    assert list(fields(refused)) == [":tags"]


def test_case_23_listeners_are_filtered_by_callback(at, listener, receiver):
    other = at.post("callbacks", {"config": {"url": receiver.url}}).json()
    at.post("listeners", {"callback_id": other["id"]})
    number = str(listener["callback_id"])
    body = at.get("listeners", **{"filters[callback_id]": number}).json()
    assert body["items"] == [listener]
    assert body["filters"] == {"callback_id": number}
    assert body["total"] == 1
    assert len(at.items("listeners", **{"filters[callback_id]": f"in:{number},{other['id']}"})) == 2
    assert at.get("listeners", **{"filters[snake]": "1"}).status_code == 422


NUMBER = {"filter_type": "number", "filter_value": {"eq": "+15551234567"}}


def test_case_24_a_filter_is_a_number_or_a_schedule(at, listener):
    path = f"listeners/{listener['id']}/filters"
    created = at.post(path, NUMBER)
    assert created.status_code == 201
    body = created.json()
    assert body == {"id": body["id"], "listener_id": listener["id"], **NUMBER, "not_logic": False}
    assert at.patch(f"{path}/{body['id']}", {"not_logic": True}).json() == body | {"not_logic": True}
    schedule = {"filter_type": "schedule", "filter_value": {"id": 7}}
    assert next(iter(fields(at.patch(f"{path}/{body['id']}", {"filter_type": "schedule"})))).startswith("filter_value")
    assert at.patch(f"{path}/{body['id']}", schedule).json()["filter_value"] == {"id": 7}
    assert at.post(path, {"filter_type": "number", "filter_value": {"match": "+1555%"}}).status_code == 201
    assert at.post(path, {"filter_type": "number", "filter_value": {"in": ["100", "101"]}}).status_code == 201
    assert len(at.items(path)) == 3
    assert at.delete(f"{path}/{body['id']}").json() == {"success": True}


@pytest.mark.parametrize(
    "change",
    [
        {"filter_type": "x"},
        {"filter_value": {"eq": "1", "in": ["1"]}},
        {"filter_value": {}},
        {"filter_value": None},
        {"filter_value": {"eq": 5}},
        {"filter_value": {"eq": "1\n"}},
        {"filter_value": {"in": []}},
        {"filter_value": {"match": "1\x00"}},
        {"not_logic": "true"},
        {"filter_type": "schedule", "filter_value": {"id": 0}},
        {"field": "from", "operator": "eq", "value": "1", "filter_type": None},
    ],
)
def test_case_24_anything_else_is_refused(at, listener, change):
    path = f"listeners/{listener['id']}/filters"
    assert fields(at.post(path, NUMBER | change))
    assert at.items(path) == []
