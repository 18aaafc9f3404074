"""What callbacks are sent and when: retries, fallbacks, order, limits, signatures, and who is notified of failures."""

import hashlib
import hmac
import json
import logging
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from contacts_app.contacts.services import set_wanted_types
from contacts_app.core.actor import system
from profiles_app.events.callback_health import CALLBACK_DEREGISTERED, CALLBACK_FAILING
from profiles_app.events.delivery_operations import replay, send_test_event
from profiles_app.events.models.outbox import CallbackQueue, Delivery, DeliveryAttempt
from profiles_app.events.models.setup import Callback
from profiles_app.events.transport import NOT_ALLOWED
from tests.profiles_app.events.deliveries.events import bodies, call, feed, uuids
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def states(**of):
    return list(Delivery.objects.filter(**of).order_by("event_id", "hop").values_list("state", flat=True))


def answering(*statuses):
    """The receiver's `misbehave`: these statuses in turn, then 200."""
    left = list(statuses)

    def answer(handler):
        handler.send_response(left.pop(0) if left else 200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def test_a_delivery_that_fails_is_tried_again_with_the_same_uuid(at, ear, receiver, settle):
    ear(receiver)
    receiver.misbehave = answering(500, 302)
    [uuid] = feed(at, call())
    settle()
    assert uuids(receiver) == [uuid] * 3
    attempts = DeliveryAttempt.objects.order_by("number").values_list("number", "status", "ok")
    assert list(attempts) == [(1, 500, False), (2, 302, False), (3, 200, True)]
    assert states() == ["delivered"]


def test_attempts_are_made_at_the_documented_times(at, ear, receiver, settings):
    settings.CALLBACK_ATTEMPT_SECONDS = [0.0, 30.0, 120.0, 600.0]
    ear(receiver)
    receiver.status = 500
    feed(at, call())
    pauses = []
    while (delivery := Delivery.objects.get()).state == "pending":
        started = delivery.attempts.first().started_at
        # Each begins when the attempt has ended, between when it began and now.
        pauses.append((delivery.next_attempt_at - timezone.now(), delivery.next_attempt_at - started))
        Delivery.objects.update(next_attempt_at=started)
        CallbackQueue.objects.update(wake_at=started)
        call_command("sweep")
    for (least, most), seconds in zip(pauses, (30, 90, 480), strict=True):
        assert least <= timedelta(seconds=seconds) <= most
    assert len(receiver.requests) == 4
    assert delivery.state == "failed"


def test_what_nobody_takes_goes_down_the_fallbacks_once_each(at, ear, receiver, second, settle):
    first, third = receiver, second
    third.status = 200
    end = at.post("callbacks", {"config": {"url": third.url}}).json()["id"]
    middle = at.post("callbacks", {"config": {"url": f"{third.url}/x"}, "fallback_callback_id": end}).json()["id"]
    ear(first, fallback_callback_id=middle)
    third.requests.clear()
    first.status = third.status = 500
    [uuid] = feed(at, call())
    settle()
    assert uuids(first) == [uuid] * 4
    assert [request.path for request in third.requests] == ["/events/x"] * 4 + ["/events"] * 4
    assert list(Delivery.objects.order_by("pk").values_list("hop", "state")) == [
        (0, "failed"),
        (1, "failed"),
        (2, "failed"),
    ]


def test_410_switches_the_callback_off_at_once(at, ear, receiver, second, settle):
    fallback = at.post("callbacks", {"config": {"url": second.url}}).json()["id"]
    second.requests.clear()
    callback, _ = ear(receiver, fallback_callback_id=fallback)
    receiver.status = 410
    events = feed(at, call(), call())
    settle()
    assert uuids(receiver) == events[:1]
    assert uuids(second) == events
    row = Callback.objects.get(pk=callback)
    assert (row.enabled, row.disabled_reason) == (False, "It answered 410 Gone.")
    tries = Delivery.objects.filter(callback=callback).order_by("event_id")
    assert list(tries.values_list("attempt_count", flat=True)) == [1, 0]
    assert [message.subject for message in mail.outbox] == [f"Callback {row} was switched off"]


def test_a_callback_that_is_switched_off_is_an_event(at, ear, receiver, second, settle):
    ear(second, ["listener-callback", "deactivated-listener-callback"])
    callback, _ = ear(receiver)
    receiver.status = 410
    feed(at, call())
    settle()
    [told] = bodies(second)
    assert (told["data_type"], told["data"]["id"]) == ("listener-callback", callback)


def test_a_day_without_success_switches_a_callback_off(at, ear, receiver, settle, settings):
    callback, _ = ear(receiver)
    receiver.status = 500
    feed(at, call())
    settle()
    assert Callback.objects.get(pk=callback).enabled
    settings.CALLBACK_FAILING_SECONDS = 0.0
    # Nothing is held against one that a person has enabled again since: its URL has just answered.
    receiver.status = 200
    for enabled in (False, True):
        assert at.patch(f"callbacks/{callback}", {"enabled": enabled}).status_code == 200
    call_command("sweep")
    assert Callback.objects.get(pk=callback).enabled
    receiver.status = 500
    settings.CALLBACK_FAILING_SECONDS = 60.0
    feed(at, call())
    settings.CALLBACK_FAILING_SECONDS = 0.0
    call_command("sweep")
    assert not Callback.objects.get(pk=callback).enabled
    assert "switched off" in mail.outbox[-1].subject


def test_the_owner_is_told_of_trouble_once_an_hour_and_of_its_end(at, ear, receiver, settle):
    ear(receiver)
    for statuses in ((500,), (), (500,), ()):
        receiver.misbehave = answering(*statuses)
        feed(at, call())
        settle()
    assert [message.subject.split(" ", 2)[-1].split(") ")[-1] for message in mail.outbox] == [
        "does not take events",
        "takes events again",
    ]
    assert {message.to[0] for message in mail.outbox} == {"office@acme.example"}
    CallbackQueue.objects.update(told_at=timezone.now() - timedelta(minutes=61))
    receiver.misbehave = answering(500)
    feed(at, call())
    assert mail.outbox[2].subject.endswith("does not take events")


def test_contacts_who_ask_for_it_are_told_of_trouble_its_end_and_of_switching_off(
    at, acme, ear, receiver, settle, settings
):
    settings.NOTIFICATION_WINDOW_SECONDS = 0
    asking = acme.notification_contacts.create(email="asks@acme.example")
    acme.notification_contacts.create(email="asks-not@acme.example")
    set_wanted_types(asking, [CALLBACK_FAILING.name, CALLBACK_DEREGISTERED.name])
    callback, _ = ear(receiver, name="Desk")
    for statuses in ((500,), (), (410,)):
        receiver.misbehave = answering(*statuses)
        feed(at, call())
        settle()
        call_command("sweep")
    # Switched on again, it is told as often as it is switched off.
    assert at.patch(f"callbacks/{callback}", {"enabled": True}).status_code == 200
    receiver.misbehave = answering(410)
    feed(at, call())
    settle()
    call_command("sweep")
    name = f"Desk (127.0.0.1:{receiver.port})"
    assert [message.subject for message in mail.outbox if message.to == ["asks@acme.example"]] == [
        f"{name} does not take events",
        f"{name} takes events again",
        f"{name} was switched off",
        f"{name} was switched off",
    ]
    assert not [message for message in mail.outbox if message.to == ["asks-not@acme.example"]]


def test_events_beyond_the_rate_limit_are_suppressed(at, ear, receiver, settle):
    ear(receiver, config={"rate-limit": {"number": 2, "period": 60}})
    events = feed(at, *(call() for _ in range(4)))
    [late] = feed(at, call())
    settle()
    assert uuids(receiver) == events[:2]
    assert states() == ["delivered", "delivered", "suppressed", "suppressed", "suppressed"]
    assert late not in uuids(receiver)


def test_order_is_kept(at, ear, receiver, second, settle):
    ear(receiver)
    ear(second)
    events = [uuid for _ in range(3) for uuid in feed(at, *(call() for _ in range(250)))]
    settle()
    assert uuids(receiver) == uuids(second) == events


def test_who_does_not_answer_is_left_alone_and_its_fallback_gets_all(at, ear, receiver, second, settle):
    port = free_port()
    fallback = at.post("callbacks", {"config": {"url": second.url}}).json()["id"]
    second.requests.clear()
    callback, _ = ear(receiver, fallback_callback_id=fallback)
    # Nobody listens at this port any more.
    row = Callback.objects.get(pk=callback)
    row.config = row.config | {"url": f"http://127.0.0.1:{port}/"}
    row.save()
    events = feed(at, *(call() for _ in range(30)))
    settle()
    assert uuids(second) == events
    tried = DeliveryAttempt.objects.filter(callback=callback)
    assert set(tried.values_list("error_code", flat=True)) == {"refused"}
    assert 3 <= tried.count() <= 12
    assert set(states(callback=callback)) == {"failed"}


def test_a_request_is_signed_and_bears_method_and_headers(at, ear, receiver, settle):
    headers = [{"name": "Authorization", "value": "Bearer hush-hush"}, {"name": "X-Own", "value": "1"}]
    callback, _ = ear(receiver, config={"method": "PUT", "headers": headers})
    secret = at.post(f"callbacks/{callback}/signing-secret", {}).json()["signing_secret"]
    [uuid] = feed(at, call())
    [request] = receiver.requests
    assert request.method == "PUT"
    assert request.headers["authorization"] == "Bearer hush-hush"
    assert request.headers["x-own"] == "1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-patchbay-event"] == uuid
    stamp = request.headers["x-patchbay-timestamp"]
    assert abs(int(stamp) - time.time()) < 60
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-patchbay-signature"] == f"sha256={digest}"
    again = at.post(f"callbacks/{callback}/signing-secret", {}).json()["signing_secret"]
    assert again != secret
    assert "signing_secret" not in at.get(f"callbacks/{callback}").json()


def test_get_has_no_body(at, ear, receiver, settle):
    ear(receiver, config={"method": "GET"})
    [uuid] = feed(at, call())
    [request] = receiver.requests
    assert (request.method, request.body) == ("GET", b"")
    assert "content-length" not in request.headers
    assert request.headers["x-patchbay-event"] == uuid


def test_a_slow_callback_times_out(at, ear, receiver, settle):
    callback, _ = ear(receiver, config={"timeout": 3})
    receiver.misbehave = lambda handler: time.sleep(4) if len(receiver.requests) == 1 else answering()(handler)
    feed(at, call())
    settle()
    slow, quick = DeliveryAttempt.objects.order_by("number")
    assert (slow.error_code, slow.status, quick.status) == ("timeout", None, 200)
    assert 2900 < slow.duration_ms < 30_000
    health = at.items(f"callbacks/{callback}/health")
    figures = ("total", "success", "failed", "timeout")
    assert [sum(period[name] for period in health) for name in figures] == [2, 1, 0, 1]
    # Both are in one of the periods, or each in its own.
    average = (slow.duration_ms + quick.duration_ms) // 2
    longest = max(slow.duration_ms, quick.duration_ms)
    assert average <= max(period["avg_duration_ms"] or 0 for period in health) <= longest


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_private_addresses_are_refused_when_the_connection_is_made(at, ear, receiver, settle, settings, host):
    callback, _ = ear(receiver, config={"url": receiver.url.replace("127.0.0.1", host)})
    settings.CALLBACK_NETWORKS = ""
    feed(at, call())
    settle()
    assert receiver.requests == []
    attempt = DeliveryAttempt.objects.filter(callback=callback).first()
    assert (attempt.error_code, attempt.error) == ("outside-networks", NOT_ALLOWED)
    assert states() == ["failed"]


def test_secrets_are_in_no_log_and_no_attempt(at, ear, receiver, settle, caplog):
    headers = [{"name": "Authorization", "value": "Bearer hush-hush"}, {"name": "X-Key", "value": 'qu"ote-key'}]
    url = f"{receiver.url}/part-of-the-path?token=query-secret"
    callback, _ = ear(receiver, config={"url": url, "headers": headers})
    signing = at.post(f"callbacks/{callback}/signing-secret", {}).json()["signing_secret"]

    def echo(handler):
        told = {"error": "No query-secret at part-of-the-path", "url": handler.path}
        body = json.dumps(told | dict(handler.headers.items())).encode()
        handler.send_response(500)
        handler.send_header("X-Repeated", handler.headers["Authorization"])
        # The second time the connection breaks in the middle of the answer.
        handler.send_header("Content-Length", str(len(body) + 9 * (len(receiver.requests) > 1)))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    receiver.misbehave = echo
    with caplog.at_level(logging.DEBUG):
        feed(at, call())
        settle()
    kept = caplog.text + "".join(
        " ".join(map(str, row)) for row in [*DeliveryAttempt.objects.values_list(), *Delivery.objects.values_list()]
    )
    assert "•••" in kept
    for secret in ("hush-hush", "ote-key", "part-of-the-path", "query-secret", signing):
        assert secret not in kept


def test_what_has_ended_is_sent_again_on_demand(at, ear, receiver, settle, acme, other):
    ear(receiver)
    receiver.status = 500
    [uuid] = feed(at, call())
    settle()
    receiver.requests.clear()
    receiver.status = 200
    [delivery] = Delivery.objects.all()
    stranger = system("admin")
    stranger = type(stranger)("charlie", "admin", account=other)
    assert replay(Delivery.objects.all(), stranger) == 0
    assert replay(Delivery.objects.all(), system("command")) == 1
    settle()
    assert uuids(receiver) == [uuid]
    assert states() == ["delivered"]
    assert delivery.attempts.count() == 5


def test_a_test_event_goes_to_one_callback_alone(at, ear, receiver, second, settle):
    callback, _ = ear(receiver)
    ear(second, ["test-event"])
    delivery = send_test_event(Callback.objects.get(pk=callback), system("admin"))
    settle()
    [body] = bodies(receiver)
    assert (body["tags"], body["listener_id"]) == (["test-event"], None)
    assert body["uuid"] == str(delivery.event.uuid)
    assert second.requests == []


def test_an_application_says_that_it_is_not_run(at, settle):
    config = {"application": "sms-autoresponder", "parameters": {"message": "Back soon"}}
    described = {":callback": {"mode": "APPLICATION", "config": config}, ":subscriptions": [{":tags": ["call"]}]}
    assert at.post("overview", described).status_code == 201
    feed(at, call())
    settle()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.outcome) == (
        "suppressed",
        "The application sms-autoresponder is not run by this portal.",
    )
    assert mail.outbox == []
