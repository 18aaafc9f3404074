"""Conformance cases 27 to 29 of the events specification: delivery."""

import time

import pytest
from django.core import mail

from tests.profiles_app.events.deliveries.events import CALL, bodies, call, feed, uuids

pytestmark = pytest.mark.django_db(transaction=True)


def test_case_27_an_event_goes_to_the_listeners_whose_tags_it_bears(at, ear, receiver, second):
    _, listener = ear(receiver, ["call", "inbound"])
    ear(second, ["call", "message"])
    before = time.time_ns()
    [uuid] = feed(at, call(data_object_uuid="11111111-1111-4111-8111-111111111111"))
    [body] = bodies(receiver)
    assert second.requests == []
    assert list(body) == [
        *("uuid", "version", "listener_id", "context", "timestamp", "timestamp_ns"),
        *("tags", "data_type", "data_object_uuid", "data"),
    ]
    assert body["uuid"] == uuid
    assert (body["version"], body["listener_id"]) == ("2.0.0", listener)
    assert body["context"] == {"type": "account", "id": 1000001, "voip_id": 1000001}
    assert before < body["timestamp_ns"] < time.time_ns()
    assert body["timestamp_ns"] % 1_000_000
    assert body["timestamp"] == body["timestamp_ns"] // 10**9
    assert body["tags"] == CALL
    assert body["data_type"] == "call"
    assert body["data_object_uuid"] == "11111111-1111-4111-8111-111111111111"
    assert body["data"] == call()["data"]


def test_case_28_a_disabled_callback_gets_nothing(at, ear, receiver, settle):
    callback, _ = ear(receiver)
    at.patch(f"callbacks/{callback}", {"enabled": False})
    feed(at, call())
    settle()
    assert receiver.requests == []
    at.patch(f"callbacks/{callback}", {"enabled": True})
    receiver.requests.clear()
    assert feed(at, call()) == uuids(receiver)


def test_case_28_an_expired_listener_gets_nothing(at, ear, receiver, settle):
    _, listener = ear(receiver, expires_at=1)
    feed(at, call())
    settle()
    assert receiver.requests == []
    at.patch(f"listeners/{listener}", {"expires_at": int(time.time()) + 60})
    assert feed(at, call()) == uuids(receiver)


@pytest.mark.parametrize(
    ("support_email", "told"), [("help@acme.example", "help@acme.example"), (None, "office@acme.example")]
)
def test_case_29_who_fails_for_too_long_is_stood_in_for_and_switched_off(
    at, ear, receiver, second, settle, settings, support_email, told
):
    settings.CALLBACK_EXHAUSTED_LIMIT = 3
    fallback = at.post("callbacks", {"config": {"url": second.url}}).json()["id"]
    second.requests.clear()
    profile = at.post("profiles", {"name": "Mine", "support_email": support_email}).json()["id"]
    callback, _ = ear(receiver, fallback_callback_id=fallback, profile_id=profile)
    receiver.status = 500
    events = feed(at, *(call() for _ in range(3)))
    settle()
    assert uuids(second) == events
    assert uuids(receiver) == events * 4
    assert at.get(f"callbacks/{callback}").json()["enabled"] is False
    [off] = [message for message in mail.outbox if "switched off" in message.subject]
    assert off.to == [told]
    # The fallback continues standing in, and nobody is told again.
    [late] = feed(at, call())
    settle()
    assert uuids(second) == [*events, late]
    assert len(receiver.requests) == 12
    assert len([message for message in mail.outbox if "switched off" in message.subject]) == 1
    # Enabled again, it is asked first, and gets what comes.
    assert at.patch(f"callbacks/{callback}", {"enabled": True}).status_code == 422
    receiver.status = 200
    assert at.patch(f"callbacks/{callback}", {"enabled": True}).json()["enabled"] is True
    receiver.requests.clear()
    assert feed(at, call()) == uuids(receiver)
