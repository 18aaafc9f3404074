"""Messaging spec §4.3 and case 28: inbound messages reach one of the profile's two webhooks."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db.models import F

from contacts_app.core.work.queue import run_queue
from contacts_app.core.work.wake import sweep
from profiles_app.events.transport import NOT_ALLOWED
from profiles_app.messaging.inbound import MESSAGES
from profiles_app.messaging.models import InboundMessage
from tests.profiles_app.messaging.conftest import LONG_CODES, MESSAGING

pytestmark = pytest.mark.django_db(transaction=True)

INBOUND = "/rest/sms/inbound"
MESSAGE = {"from": "+442079460123", "to": str(LONG_CODES[0]), "message": "Hello ☎"}


class Webhook:
    """A web server that keeps what is posted to it and answers one status."""

    def __init__(self, status):
        kept = self.posted = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.append((self.path, self.headers["Content-Type"], json.loads(body)))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?key=1"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def webhook(settings):
    settings.CALLBACK_NETWORKS = "127.0.0.0/8"
    made = []

    def make(status=200):
        made.append(Webhook(status))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def closed_url():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}/hook"


@pytest.fixture
def hooks(api, lease):
    def set_up(first, second=None):
        made = api.payload("POST", MESSAGING, {"name": "a", "callback_url": first, "callback_url2": second})
        lease(profile=made)

    return set_up


def test_case_28_with_the_first_webhook_down_one_post_reaches_the_second(api, webhook, hooks, closed_url):
    second = webhook()
    hooks(closed_url, second.url)
    received = api.payload("POST", INBOUND, MESSAGE)
    assert second.posted == [("/hook?key=1", "application/json", received)]
    assert received["state"] == "success"
    assert {name: received[name] for name in MESSAGE} == MESSAGE
    message = InboundMessage.objects.get()
    assert (message.state, len(message.outcome.splitlines())) == ("delivered", 2)


def test_the_first_webhook_that_answers_is_the_only_one(api, webhook, hooks):
    first, second = webhook(), webhook()
    hooks(first.url, second.url)
    api.payload("POST", INBOUND, MESSAGE)
    assert (len(first.posted), len(second.posted)) == (1, 0)


def test_a_webhook_with_an_error_of_its_own_is_as_good_as_down(api, webhook, hooks):
    first, second = webhook(503), webhook()
    hooks(first.url, second.url)
    api.payload("POST", INBOUND, MESSAGE)
    assert (len(first.posted), len(second.posted)) == (1, 1)


def test_a_webhook_that_refuses_the_message_has_been_reached(api, webhook, hooks):
    first, second = webhook(404), webhook()
    hooks(first.url, second.url)
    api.payload("POST", INBOUND, MESSAGE)
    assert (len(first.posted), len(second.posted)) == (1, 0)
    message = InboundMessage.objects.get()
    assert (message.state, message.outcome) == ("failed", "Answered 404.")


def test_a_webhook_inside_our_network_is_not_spoken_to(api, webhook, hooks, settings):
    first = webhook()
    settings.CALLBACK_NETWORKS = ""
    hooks(first.url, "http://localhost:1/x")
    api.payload("POST", INBOUND, MESSAGE)
    assert first.posted == []
    assert InboundMessage.objects.get().outcome.splitlines() == [NOT_ALLOWED] * 2


def test_a_slow_webhook_gives_way_to_the_second(api, webhook, hooks, settings):
    settings.MESSAGING_WEBHOOK_SECONDS = 3
    second = webhook()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hooks(f"http://127.0.0.1:{silent.getsockname()[1]}/hook", second.url)
        api.payload("POST", INBOUND, MESSAGE)
    assert len(second.posted) == 1


def test_without_a_webhook_the_message_is_kept(api, hooks):
    hooks(None)
    api.payload("POST", INBOUND, MESSAGE)
    assert InboundMessage.objects.get().state == "kept"


def test_a_message_is_delivered_once_and_a_lost_one_is_found(api, webhook, hooks):
    first = webhook()
    hooks(first.url)
    api.payload("POST", INBOUND, MESSAGE)
    message = InboundMessage.objects.get()
    run_queue(MESSAGES)
    assert sweep() == 0
    # As if the worker had died before it said what became of it.
    InboundMessage.objects.update(state="pending", next_attempt_at=message.created_at)
    assert sweep() == 1
    assert len(first.posted) == 2
    assert InboundMessage.objects.get().state == "delivered"


def test_messages_that_wait_are_posted_in_the_order_in_which_they_came(api, webhook, hooks):
    first = webhook()
    hooks(first.url)
    sent = [str(number) for number in range(12)]
    for text in sent:
        api.payload("POST", INBOUND, MESSAGE | {"message": text})
    first.posted.clear()
    # As if no worker had been there yet.
    InboundMessage.objects.update(state="pending", next_attempt_at=F("created_at"))
    run_queue(MESSAGES)
    assert [body["message"] for _, _, body in first.posted] == sent


def test_messages_for_numbers_of_others_are_not_taken(api, stranger, hooks):
    hooks(None)
    stranger.refused(404, "POST", INBOUND, MESSAGE)
    for to in ("12025550999", "+" + "9" * 40, "²²²", "abc"):
        api.refused(404, "POST", INBOUND, {**MESSAGE, "to": to})
    for bad in ({}, [], {**MESSAGE, "message": ""}, {**MESSAGE, "message": "m" * 919}, {**MESSAGE, "from": 7}):
        api.refused(400, "POST", INBOUND, bad)
    assert not InboundMessage.objects.exists()
    assert api.payload("POST", INBOUND, {**MESSAGE, "to": f"+{LONG_CODES[0]}"})["to"] == MESSAGE["to"]
