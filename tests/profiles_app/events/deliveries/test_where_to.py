"""Deliveries go to permitted addresses alone, whatever a name meant when its callback was made, and read little."""

import socket
import time

import pytest

from profiles_app.events.delivery_channel import EXCERPT
from profiles_app.events.models.outbox import DeliveryAttempt
from profiles_app.events.transport import NOT_ALLOWED
from tests.profiles_app.events.deliveries.events import call, feed

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "hooks.example.org"


class Names:
    """What the DNS says of a name: sets of addresses, one after the other, the last one from then on."""

    def __init__(self, real):
        self.answers, self.asked, self._real = [["127.0.0.1"]], 0, real

    def __call__(self, host, port, *args, **kwargs):
        if host != NAME:
            return self._real(host, port, *args, **kwargs)
        self.asked += 1
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not addresses:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [found for address in addresses for found in self._real(address, port, *args, **kwargs)]


@pytest.fixture
def names(monkeypatch):
    """The DNS, the one thing here that loopback cannot stand for."""
    names = Names(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", names)
    return names


@pytest.fixture
def named_ear(ear, receiver, names):
    """A listener whose callback is known by name and was at a permitted address when it was made."""

    def named_ear(**more):
        callback, _ = ear(receiver, config={"url": receiver.url.replace("127.0.0.1", NAME)}, **more)
        assert names.asked == 1
        return callback

    return named_ear


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1"], ["169.254.169.254"], ["::1"], ["fd00::1"], ["127.0.0.1", "10.0.0.1"], ["::ffff:10.0.0.1"]],
)
def test_a_name_that_leads_to_a_private_address_after_the_probe_is_refused(
    at, named_ear, receiver, names, settle, addresses
):
    callback = named_ear()
    names.answers = [addresses]
    feed(at, call())
    settle()
    assert receiver.requests == []
    attempts = DeliveryAttempt.objects.values_list("error_code", "error", "excerpt")
    assert set(attempts) == {("outside-networks", NOT_ALLOWED, "")}
    # It is a failure as any other: tried again, and told by health.
    assert len(attempts) == 4
    assert sum(period["failed"] for period in at.items(f"callbacks/{callback}/health")) == 4


def test_the_address_that_was_checked_is_the_one_that_is_spoken_to(at, named_ear, receiver, names, settle):
    """A DNS that answers differently the second time leads nowhere: a connection asks once."""
    named_ear()
    names.answers = [["127.0.0.1"], ["10.0.0.1"]]
    names.asked = 0
    feed(at, call())
    settle()
    assert [request.headers["host"] for request in receiver.requests] == [f"{NAME}:{receiver.port}"]
    assert names.asked == 1


def test_a_connection_that_breaks_is_not_made_anew_elsewhere(at, named_ear, receiver, names, settle):
    """The receiver hangs up after each answer, so each event has a connection of its own, all to one address."""
    named_ear()

    def hang_up(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        handler.close_connection = True

    receiver.misbehave = hang_up
    names.answers = [["127.0.0.1"], ["10.0.0.1"]]
    feed(at, call(), call(), call())
    settle()
    assert len(receiver.requests) == 3
    assert set(DeliveryAttempt.objects.values_list("ok", flat=True)) == {True}


def test_a_name_that_cannot_be_resolved_for_a_while_is_tried_again(at, named_ear, receiver, names, settle):
    named_ear()
    names.answers = [[], [], ["127.0.0.1"]]
    feed(at, call())
    settle()
    attempts = DeliveryAttempt.objects.order_by("number").values_list("error_code", flat=True)
    assert list(attempts) == ["unresolved", "unresolved", ""]
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed(at, ear, receiver, second, settle, settings, status):
    settings.CALLBACK_ATTEMPT_SECONDS = [0.0]
    ear(receiver)
    receiver.status, receiver.headers = status, {"Location": second.url}
    feed(at, call())
    settle()
    assert (len(receiver.requests), second.requests) == (1, [])
    assert DeliveryAttempt.objects.get().status == status


@pytest.mark.parametrize("head", [b"", b"Content-Length: 1000000000\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_of_an_answer_without_end_the_beginning_is_read(at, ear, receiver, settle, head):
    ear(receiver)

    def pour(handler):
        chunk = b"x" * 65536
        framed = b"10000\r\n%s\r\n" % chunk if b"chunked" in head else chunk
        sent = 0
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
            while sent < 1 << 30:
                sent += handler.wfile.write(framed)
        except OSError:
            pass  # the other side has read enough
        poured.append(sent)

    poured = []
    receiver.misbehave = pour
    started = time.monotonic()
    feed(at, call())
    settle()
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.ok, attempt.excerpt) == (True, "x" * EXCERPT)
    assert time.monotonic() - started < 20
    assert sum(poured) < 1 << 26


def test_headers_without_end_are_no_answer(at, ear, receiver, settle, settings):
    settings.CALLBACK_ATTEMPT_SECONDS = [0.0]
    ear(receiver)

    def pour(handler):
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for number in range(100_000):
                handler.wfile.write(b"X-%d: %s\r\n" % (number, b"x" * 1000))
        except OSError:
            pass

    receiver.misbehave = pour
    feed(at, call())
    settle()
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.ok, attempt.status) == (False, None)
