"""Sending spec §6: what webhooks are told of messages, signed and in order."""

import hashlib
import hmac
import json

import pytest
from django.urls import reverse

from profiles_app.events.models.outbox import Delivery, DeliveryAttempt, Event
from profiles_app.events.models.setup import Callback, Listener, Subscription
from tests.admin_people import at_desk
from tests.peers.http_receiver import Receiver
from tests.profiles_app.messaging.conftest import LONG_CODES, MESSAGING, basic
from tests.profiles_app.messaging.sending.conftest import TO

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hook(loopback, api, pool):
    with Receiver().running() as receiver:
        api.payload("PATCH", f"{MESSAGING}/{pool.uuid}", {"callback_url": f"{receiver.url}?key=hidden"})
        yield receiver


def bodies(receiver):
    return [json.loads(request.body) for request in receiver.requests]


def is_signed(request, secret):
    timestamp = request.headers["x-patchbay-timestamp"]
    expected = hmac.new(secret.encode(), f"{timestamp}.".encode() + request.body, hashlib.sha256).hexdigest()
    return request.headers["x-patchbay-signature"] == f"sha256={expected}"


def test_each_step_of_a_message_is_told_in_order_and_signed(api, send, pool, hook, simulated):
    secret = api.payload("POST", f"{MESSAGING}/{pool.uuid}/signing-secret")["signing_secret"]
    first, second = send(), send("33100000099")
    told = [(body["event"], body["uuid"], body["state"]) for body in bodies(hook)]
    steps = ("queued", "sent", "finalized")
    assert [one for one in told if one[1] == first["uuid"]] == [
        (f"message.{step}", first["uuid"], state)
        for step, state in zip(steps, ("queued", "sent", "delivered"), strict=True)
    ]
    assert [state for _, uuid, state in told if uuid == second["uuid"]] == ["queued", "sent", "undelivered"]
    assert all(is_signed(request, secret) for request in hook.requests)
    assert bodies(hook)[0]["from"] == first["from"]
    assert len({request.headers["x-patchbay-event"] for request in hook.requests}) == 6
    api.payload("POST", f"{MESSAGING}/{pool.uuid}/signing-secret")
    send()
    assert not is_signed(hook.requests[-1], secret)


def test_an_inbound_message_is_told_as_ever_and_signed(api, pool, hook):
    secret = api.payload("POST", f"{MESSAGING}/{pool.uuid}/signing-secret")["signing_secret"]
    api.payload("POST", "/rest/sms/inbound", {"from": TO, "to": str(LONG_CODES[0]), "message": "Hi"})
    [request] = hook.requests
    assert json.loads(request.body)["event"] == "message.received"
    assert is_signed(request, secret)


def test_a_url_that_is_named_with_the_message_stands_before_the_profiles(send, hook, simulated):
    with Receiver().running() as own:
        send(webhook_url=own.url)
        assert [body["event"] for body in bodies(own)] == ["message.queued", "message.sent", "message.finalized"]
    assert hook.requests == []


def test_listeners_hear_of_messages_and_webhooks_are_no_callbacks_of_theirs(api, acme, send, hook, simulated):
    with Receiver().running() as listening:
        callback = Callback(account=acme, mode="HTTP", target="127.0.0.1")
        callback.config = {"url": listening.url, "method": "POST"}
        callback.save()
        listener = Listener.objects.create(account=acme, callback=callback)
        Subscription.objects.create(listener=listener, tags=["message", "outbound", "message-status"])
        message = send()
        told = bodies(listening)
        assert [body["data"]["event"] for body in told] == ["message.sent", "message.finalized"]
        assert {body["data_object_uuid"] for body in told} == {message["uuid"]}
        assert "delivered-message" in told[-1]["tags"]
    assert Event.objects.filter(data_type="message").count() == 3
    answer = api.client.get(f"/v4/accounts/{acme.voip_id}/integrations/events/callbacks")
    assert [row["id"] for row in answer.json()["items"]] == [callback.pk]


def test_where_the_first_webhook_is_away_the_second_one_hears(api, send, pool, hook, simulated, settings):
    settings.CALLBACK_ATTEMPT_SECONDS = [0.0]
    hook.status = 500
    with Receiver().running() as second:
        api.payload("PATCH", f"{MESSAGING}/{pool.uuid}", {"callback_url2": second.url})
        send()
        assert [body["event"] for body in bodies(second)] == ["message.queued", "message.sent", "message.finalized"]
    assert Delivery.objects.filter(state="failed", hop=0).count() == 3


def with_credentials(url):
    return url.replace("//", "//portal:hush%20hush@")


def test_credentials_in_the_url_of_a_webhook_are_sent_and_kept_nowhere_else(api, send, pool, hook, simulated):
    api.payload("PATCH", f"{MESSAGING}/{pool.uuid}", {"callback_url": with_credentials(hook.url)})
    sent = basic("portal", "hush hush")
    hook.body = f"{sent} is hush hush, hush%20hush".encode()
    send()
    api.payload("POST", "/rest/sms/inbound", {"from": TO, "to": str(LONG_CODES[0]), "message": "Hi"})
    assert [request.headers["authorization"] for request in hook.requests] == [sent] * 4
    assert Callback.objects.get().target == f"127.0.0.1:{hook.port}"
    assert set(DeliveryAttempt.objects.values_list("excerpt", flat=True)) == {"Basic ••• is •••, •••"}


def test_a_webhook_that_was_switched_off_is_enabled_again_in_the_admin(api, root, send, pool, hook, simulated):
    with Receiver().running() as second:
        urls = {"callback_url": with_credentials(hook.url), "callback_url2": second.url}
        api.payload("PATCH", f"{MESSAGING}/{pool.uuid}", urls)
        hook.status = 410
        send()
        off = Callback.objects.get(enabled=False)
        assert off.fallback_callback is not None
        hook.status = 200
        chosen = {"action": "enable", "_selected_action": [off.pk]}
        at_desk(root).post(reverse("admin:profiles_app_callback_changelist"), chosen)
    off.refresh_from_db()
    assert (off.enabled, off.disabled_reason, off.config["url"]) == (True, "", urls["callback_url"])
