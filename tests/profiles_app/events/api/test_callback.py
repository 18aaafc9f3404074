"""Callbacks and the configuration of each mode (events spec §5.2 and §9, cases 17, 18, 19, 21 and 23)."""

import json

import pytest
from django.db import connection

from profiles_app.events.models.setup import Callback
from tests.profiles_app.events.api.client import fields

SECRET_HEADERS = [
    {"name": "Authorization", "value": "Bearer hunter2"},
    {"name": "x-api-key", "value": "k3y"},
    {"name": "X-Other", "value": "plain"},
]
MASKED = [SECRET_HEADERS[0] | {"value": True}, SECRET_HEADERS[1] | {"value": True}, SECRET_HEADERS[2]]


def test_case_17_a_callback_is_created_after_its_url_answered(at, receiver, acme):
    response = at.post("callbacks", {"config": {"url": receiver.url}})
    assert response.status_code == 201
    (probe,) = receiver.requests
    assert (probe.method, json.loads(probe.body)) == ("POST", {"test": 1})
    assert probe.headers["content-type"] == "application/json"
    body = response.json()
    assert body == {
        "id": body["id"],
        "voip_id": acme.voip_id,
        "extension_id": None,
        "fallback_callback_id": None,
        "name": None,
        "profile_id": None,
        "enabled": True,
        "mode": "HTTPS",
        "config": {"url": receiver.url, "method": "POST"},
    }
    assert list(body)[3:] == ["fallback_callback_id", "name", "profile_id", "enabled", "mode", "config"]
    assert at.get(f"callbacks/{body['id']}").json() == body


@pytest.mark.parametrize("status", [204, 302, 307, 400, 401, 404, 500])
def test_case_18_a_url_that_does_not_answer_200_or_201_is_refused(at, receiver, status):
    receiver.status, receiver.headers = status, {"Location": receiver.url}
    refused = fields(at.post("callbacks", {"config": {"url": receiver.url}}))
    assert refused == {"config.url": [f"The URL answers {status}; 200 and 201 pass."]}
    assert len(receiver.requests) == 1
    assert at.items("callbacks") == []


def test_case_18_a_url_where_nobody_listens_is_refused(at, receiver):
    free = receiver.url.replace(str(receiver.port), "1")
    assert "refuses the connection" in fields(at.post("callbacks", {"config": {"url": free}}))["config.url"][0]


def test_case_18_created_is_as_good_as_ok(at, receiver):
    receiver.status = 201
    assert at.post("callbacks", {"config": {"url": receiver.url}}).status_code == 201


def test_case_19_secrets_go_to_the_receiver_and_nowhere_else(at, receiver):
    created = at.post("callbacks", {"config": {"url": receiver.url, "headers": SECRET_HEADERS}})
    number = created.json()["id"]
    for answer in (
        created.json(),
        at.get(f"callbacks/{number}").json(),
        at.items("callbacks")[0],
        at.patch(f"callbacks/{number}", {"name": "n2"}).json(),
    ):
        assert answer["config"]["headers"] == MASKED
    sent = receiver.requests[0].headers
    assert (sent["authorization"], sent["x-api-key"], sent["x-other"]) == ("Bearer hunter2", "k3y", "plain")
    assert Callback.objects.get().config["headers"] == SECRET_HEADERS
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM profiles_app_callback")
        assert "hunter2" not in repr(cursor.fetchall())


def test_case_19_what_was_read_can_be_written_back(at, receiver):
    number = at.post("callbacks", {"config": {"url": receiver.url, "headers": SECRET_HEADERS}}).json()["id"]
    read = at.get(f"callbacks/{number}").json()
    read["config"]["headers"].append({"name": "X-More", "value": "1"})
    more = {"name": "X-More", "value": True}
    shown = read | {"config": read["config"] | {"headers": [*read["config"]["headers"][:-1], more]}}
    assert at.patch(f"callbacks/{number}", read).json() == shown
    sent = receiver.requests[-1].headers
    assert (sent["authorization"], sent["x-api-key"], sent["x-more"]) == ("Bearer hunter2", "k3y", "1")
    assert at.patch(f"callbacks/{number}", shown | {"mode": "HTTP"}).json() == shown | {"mode": "HTTP"}
    assert receiver.requests[-1].headers["authorization"] == "Bearer hunter2"


def test_case_19_there_is_nothing_to_keep_in_a_new_callback(at, receiver):
    config = {"url": receiver.url, "headers": [{"name": "Authorization", "value": True}]}
    assert list(fields(at.post("callbacks", {"config": config}))) == ["config.headers.0.value"]
    assert receiver.requests == []


def test_case_21_a_callback_in_use_stays(at, listener, receiver):
    path = f"callbacks/{listener['callback_id']}"
    refused = at.delete(path)
    assert refused.status_code == 409
    message = "Error: Callback is in use. Look for listeners using it."
    assert refused.json()["@error"]["@message"] == message
    assert refused.json()["@error"]["@messages"] == [message]
    assert at.delete(f"listeners/{listener['id']}").status_code == 200
    other = at.post(
        "callbacks", {"config": {"url": receiver.url}, "fallback_callback_id": listener["callback_id"]}
    ).json()
    assert at.delete(path).status_code == 409
    assert at.delete(f"callbacks/{other['id']}").status_code == at.delete(path).status_code == 200


def test_case_23_callbacks_are_filtered_by_name_and_references(at, receiver, profile):
    names = ["My callback", "my other", "50% off", None]
    for name in names:
        at.post("callbacks", {"name": name, "config": {"url": receiver.url}})

    def found(expression, field="name"):
        return sorted(item["name"] or "" for item in at.items("callbacks", **{f"filters[{field}]": expression}))

    assert found("contains:my") == ["My callback", "my other"]
    assert found("eq:My callback") == found("My callback") == ["My callback"]
    assert found("contains:%") == ["50% off"]
    assert found("not-contains:my") == ["", "50% off"]
    assert found("empty") == [""]
    assert found("sounds:mi kalbak") == ["My callback"]
    assert found(str(profile["id"]), "profile_id") == []
    assert len(found("empty", "fallback_callback_id")) == 4
    assert list(fields(at.get("callbacks", **{"filters[snake]": "1"}))) == ["filters.snake"]
    assert list(fields(at.get("callbacks", **{"filters[profile_id]": "x"}))) == ["filters.profile_id"]


def test_several_filters_on_one_field_all_hold_and_are_echoed(at, callback):
    body = at.get("callbacks", **{"filters[name][]": ["contains:call", "contains:my"]}).json()
    assert body["total"] == 1
    assert body["filters"] == {"name": ["contains:call", "contains:my"]}
    assert at.items("callbacks", **{"filters[name][]": ["contains:call", "contains:nope"]}) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "config"),
        ({"config": None}, "config"),
        ({"config": []}, "config"),
        ({"config": {}}, "config.url"),
        ({"config": {"url": 5}}, "config.url"),
        ({"config": {"url": "ftp://example.org"}}, "config.url"),
        ({"config": {"url": "https://"}}, "config.url"),
        ({"config": {"url": "https://example.org:99999/"}}, "config.url"),
        ({"config": {"url": "https://example.org/\x00"}}, "config.url"),
        ({"config": {"url": "https://user:secret@example.org/"}}, "config.url"),
        ({"config": {"url": "URL", "method": "HEAD"}}, "config.method"),
        ({"config": {"url": "URL", "timeout": 31}}, "config.timeout"),
        ({"config": {"url": "URL", "timeout": True}}, "config.timeout"),
        ({"config": {"url": "URL", "headers": {}}}, "config.headers"),
        ({"config": {"url": "URL", "headers": [{"name": "X"}]}}, "config.headers.0.value"),
        ({"config": {"url": "URL", "headers": [{"name": "X", "value": "a\r\nHost: b"}]}}, "config.headers.0.value"),
        ({"config": {"url": "URL", "headers": [{"name": "X", "value": True}]}}, "config.headers.0.value"),
        ({"config": {"url": "URL", "headers": [{"name": "X Y", "value": "1"}]}}, "config.headers.0.name"),
        ({"config": {"url": "URL", "headers": [{"name": "Host", "value": "b"}]}}, "config.headers.0.name"),
        ({"config": {"url": "URL", "rate_limit": {"number": 1}}}, "config.rate_limit.period"),
        ({"config": {"url": "URL", "rate-limit": {"number": 0, "period": 10}}}, "config.rate-limit.number"),
        ({"config": {"url": "URL"}, "mode": "PIGEON"}, "mode"),
        ({"config": {"url": "URL"}, "mode": 5}, "mode"),
        ({"config": {"url": "URL"}, "enabled": "yes"}, "enabled"),
        ({"config": {"url": "URL"}, "enabled": 1}, "enabled"),
        ({"config": {"url": "URL"}, "name": ""}, "name"),
        ({"config": {"url": "URL"}, "profile_id": 999}, "profile_id"),
        ({"config": {"url": "URL"}, "profile_id": "1"}, "profile_id"),
        ({"config": {"url": "URL"}, "profile_id": -1}, "profile_id"),
        ({"config": {"url": "URL"}, "profile_id": 2**70}, "profile_id"),
        ({"config": {"url": "URL"}, "fallback_callback_id": 999}, "fallback_callback_id"),
        ({"mode": "EMAIL", "config": {"email": "nope"}}, "config.email"),
        ({"mode": "EMAIL", "config": {"email": "a@example.org", "mode": "xml"}}, "config.mode"),
        ({"mode": "APPLICATION", "config": {"application": "x", "parameters": {}}}, "config.application"),
        (
            {"mode": "APPLICATION", "config": {"application": "sms-autoresponder", "parameters": {}}},
            "config.parameters.message",
        ),
        (
            {
                "mode": "APPLICATION",
                "config": {
                    "application": "google-analytics",
                    "parameters": {"tracking_id": "UA-1-1", "dynamic": {"tid": "direction"}},
                },
            },
            "config.parameters.dynamic.tid",
        ),
    ],
)
def test_a_malformed_callback_is_refused_unasked(at, receiver, body, field):
    if body.get("config") and body["config"].get("url") == "URL":
        body = body | {"config": body["config"] | {"url": receiver.url}}
    assert list(fields(at.post("callbacks", body))) == [field]
    assert receiver.requests == []
    assert not Callback.objects.exists()


def test_absent_options_stay_absent_and_unknown_ones_are_refused(at, receiver):
    config = {"url": receiver.url, "headers": None, "timeout": None, "rate_limit": None}
    assert at.post("callbacks", {"config": config}).json()["config"] == {"url": receiver.url, "method": "POST"}
    assert list(fields(at.post("callbacks", {"config": config | {"colour": "red"}}))) == ["config.colour"]


@pytest.mark.parametrize("spelling", ["rate-limit", "rate_limit"])
def test_the_rate_limit_is_echoed_as_it_was_spelled(at, receiver, spelling):
    limit = {"number": 10, "period": 60}
    created = at.post("callbacks", {"config": {"url": receiver.url, spelling: limit}}).json()
    assert created["config"][spelling] == limit
    other = {"rate-limit": "rate_limit", "rate_limit": "rate-limit"}[spelling]
    changed = at.patch(f"callbacks/{created['id']}", {"config": {other: limit | {"number": 5}}}).json()
    assert changed["config"] == {"url": receiver.url, "method": "POST", other: {"number": 5, "period": 60}}


def test_emails_and_applications_need_no_probe(at):
    email = at.post("callbacks", {"mode": "EMAIL", "config": {"email": "a@example.org"}}).json()
    assert email["config"] == {"email": "a@example.org", "mode": "json"}
    parameters = {"message": "We are closed."}
    for spelling in ("parameters", "paramters"):
        config = {"application": "sms-autoresponder", spelling: parameters}
        created = at.post("callbacks", {"mode": "APPLICATION", "config": config}).json()
        assert created["config"]["parameters"] == parameters | {"rate-limit": 300}
    analytics = {"tracking_id": "UA-00000000-1", "static": {"t": "event"}, "dynamic": {"el": "direction"}}
    config = {"application": "google-analytics", "parameters": analytics}
    assert at.post("callbacks", {"mode": "APPLICATION", "config": config}).json()["config"] == config


def test_a_patch_merges_the_configuration_and_asks_only_a_changed_url(at, callback, receiver):
    path = f"callbacks/{callback['id']}"
    asked = len(receiver.requests)
    assert at.patch(path, {"enabled": False}).json() == callback | {"enabled": False}
    assert at.patch(path, {"config": {"timeout": 5}}).json()["config"]["timeout"] == 5
    assert len(receiver.requests) == asked
    changed = at.patch(path, {"config": {"url": receiver.url + "/2"}})
    assert changed.json()["config"] == {"url": receiver.url + "/2", "method": "POST", "timeout": 5}
    assert receiver.requests[-1].path == "/events/2"
    assert at.patch(path, {"enabled": True}).status_code == 200
    assert len(receiver.requests) == asked + 2


def test_a_patch_whose_url_fails_changes_nothing(at, callback, receiver):
    receiver.status = 500
    wanted = {"name": "n2", "config": {"url": receiver.url + "/2"}}
    assert list(fields(at.patch(f"callbacks/{callback['id']}", wanted))) == ["config.url"]
    assert at.get(f"callbacks/{callback['id']}").json() == callback


def test_another_mode_means_another_configuration(at, callback):
    path = f"callbacks/{callback['id']}"
    assert list(fields(at.patch(path, {"mode": "EMAIL"}))) == ["config.email"]
    changed = at.patch(path, {"mode": "EMAIL", "config": {"email": "a@example.org"}}).json()
    assert changed["config"] == {"email": "a@example.org", "mode": "json"}
    assert list(fields(at.patch(path, {"mode": "HTTP"}))) == ["config.url"]


def test_fallbacks_never_go_in_a_circle(at, receiver):
    def create(fallback):
        wanted = {"config": {"url": receiver.url}, "fallback_callback_id": fallback}
        return at.post("callbacks", wanted).json()["id"]

    first = create(0)
    second = create(first)
    third = create(second)
    for fallback in (first, second, third):
        refused = at.patch(f"callbacks/{first}", {"fallback_callback_id": fallback})
        assert list(fields(refused)) == ["fallback_callback_id"]
    assert at.patch(f"callbacks/{third}", {"fallback_callback_id": first}).status_code == 200
    assert at.get(f"callbacks/{first}").json()["fallback_callback_id"] is None


def test_health_is_all_zero_while_nothing_was_delivered(at, callback):
    body = at.get(f"callbacks/{callback['id']}/health", limit=2).json()
    assert (body["total"], body["limit"], len(body["items"])) == (24, 2, 2)
    latest, before = body["items"]
    assert latest["period_start"] == before["period_end"]
    assert latest["period_end"] - latest["period_start"] == 3600
    figures = {"total": 0, "success": 0, "failed": 0, "timeout": 0, "avg_duration_ms": None}
    assert {name: latest[name] for name in figures} == figures


@pytest.mark.django_db(transaction=True)
def test_what_changes_while_the_url_is_asked_is_not_overwritten(at, callback, receiver):
    def change_meanwhile(handler):
        try:
            row = Callback.objects.get()
            row.config = row.config | {"timeout": 7}
            row.save()
        finally:
            connection.close()
        handler.send_response(200)
        handler.end_headers()

    receiver.misbehave = change_meanwhile
    refused = at.patch(f"callbacks/{callback['id']}", {"config": {"url": receiver.url + "/2"}})
    assert refused.status_code == 409
    assert at.get(f"callbacks/{callback['id']}").json()["config"] == callback["config"] | {"timeout": 7}
