"""Sending spec §3: what a provider's interface is sent, what is read from its answer, and when it is tried again."""

import json
import socket
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from contacts_app.core.work.queue import run_queue
from profiles_app.messaging.sending.gateways.http import checked_headers, checked_template, filled, found_at
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway
from profiles_app.messaging.sending.outbox import OUTBOUND
from tests.profiles_app.messaging.conftest import LONG_CODES
from tests.profiles_app.messaging.sending.conftest import SMS

pytestmark = pytest.mark.django_db(transaction=True)


def tried_again():
    Message.objects.update(next_attempt_at=timezone.now())
    run_queue(OUTBOUND)


def test_the_gateway_gets_the_usual_body_with_the_uuid_of_the_message(api, send, provider, http_gateway, settings):
    message = send(media_urls=["https://example.org/cat.jpg"], **{"from": str(LONG_CODES[0])})
    [request] = provider.requests
    assert json.loads(request.body) == {
        "uuid": message["uuid"],
        "from": f"+{LONG_CODES[0]}",
        "to": "+442079460123",
        "text": "Hello",
        "media_urls": ["https://example.org/cat.jpg"],
        "receipt_url": f"{settings.PUBLIC_URL}/rest/sms/{message['uuid']}/receipt",
    }
    assert request.headers["idempotency-key"] == message["uuid"]
    assert request.headers["authorization"] == "Bearer k3y-of-ours"
    stored = api.payload("GET", f"{SMS}/{message['uuid']}")
    assert (stored["state"], stored["reference_id"]) == ("sent", "ref-1")


def test_a_template_of_its_own(send, provider, http_gateway):
    template = {"m": [{"dst": "{to_digits}", "body": "{from}: {text}", "n": "{parts}", "type": "unicode"}]}
    MessageGateway.objects.filter(pk=http_gateway.pk).update(body=json.dumps(template), method="PUT")
    send(text="ж" * 71, **{"from": str(LONG_CODES[0])})
    [request] = provider.requests
    body = {"dst": "442079460123", "body": f"+{LONG_CODES[0]}: {'ж' * 71}", "n": 2, "type": "unicode"}
    assert (request.method, json.loads(request.body)) == ("PUT", {"m": [body]})


@pytest.mark.parametrize(("status", "state"), [(400, "failed"), (404, "failed"), (429, "queued"), (503, "queued")])
def test_what_the_gateway_refuses_for_good_is_not_tried_again(api, send, provider, http_gateway, status, state):
    provider.status = status
    provider.body = b'{"message": "No credit; you sent Bearer k3y-of-ours"}'
    message = api.payload("GET", f"{SMS}/{send()['uuid']}")
    assert (message["state"], message["error"]) == (state, "No credit; you sent •••")
    attempt = MessageAttempt.objects.get()
    assert (attempt.status, attempt.ok, "k3y" in attempt.excerpt) == (status, False, False)


def test_attempts_follow_the_schedule_of_callbacks_and_end(api, send, provider, http_gateway, settings):
    provider.status = 500
    message = send()
    pauses = []
    for _ in range(3):
        due_at, started = Message.objects.get().next_attempt_at, MessageAttempt.objects.first().started_at
        # Each begins when the attempt has ended, between when it began and now.
        pauses.append((due_at - timezone.now(), due_at - started))
        tried_again()
    for (least, most), seconds in zip(pauses, (30, 90, 480), strict=True):
        assert least <= timedelta(seconds=seconds) <= most
    ended = api.payload("GET", f"{SMS}/{message['uuid']}")
    assert (ended["state"], ended["attempts"], len(provider.requests)) == ("failed", 4, 4)
    assert len({request.headers["idempotency-key"] for request in provider.requests}) == 1


def test_a_gateway_that_may_have_taken_the_message_is_asked_again_only_where_repeats_count_once(
    api, send, provider, http_gateway
):
    provider.misbehave = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)
    first = send()
    MessageGateway.objects.update(is_idempotent=False)
    second = send()
    states = [api.payload("GET", f"{SMS}/{one['uuid']}") for one in (first, second)]
    assert [(one["state"], one["error_code"]) for one in states] == [("queued", "closed"), ("failed", "in-doubt")]


def test_a_gateway_inside_our_network_is_not_spoken_to(api, send, provider, http_gateway, settings):
    settings.GATEWAY_NETWORKS = ""
    message = send()
    row = api.payload("GET", f"{SMS}/{message['uuid']}")
    assert (row["state"], row["error_code"], provider.requests) == ("queued", "outside-networks", [])
    assert "127.0.0.1" not in row["error"]


def test_a_silent_gateway_keeps_no_worker_from_others(send, http_gateway, settings):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    MessageGateway.objects.update(url=url)
    for number in range(6):
        send(f"3310000000{number}")
    MessageAttempt.objects.all().delete()
    tried_again()
    # After three without an answer nothing more is sent for a while.
    assert MessageAttempt.objects.count() == settings.CALLBACK_SILENT_LIMIT
    assert Message.objects.filter(state="queued", next_attempt_at__gt=timezone.now()).count() == 6


def test_templates_and_headers_are_checked():
    assert filled({"a": ["{x}", 1, "b{x}"]}, {"x": ["u"]}) == {"a": [["u"], 1, "b['u']"]}
    assert found_at({"data": [{"id": 7}]}, "data.0.id") == "7"
    assert [found_at({"data": []}, path) for path in ("data.0.id", "x", "data", "")] == [""] * 4
    for text in ("[]", "{", '{"a": 1}', '{"a b": "c"}', '{"a": "b\\nc"}'):
        with pytest.raises(ValidationError):
            checked_headers(text)
    for text in ("7", "{", '{"a": "{nothing}"}', "[" * 100_000):
        with pytest.raises(ValidationError):
            checked_template(text)
