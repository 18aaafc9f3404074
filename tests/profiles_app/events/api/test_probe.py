"""The probe of a callback's URL speaks to permitted addresses alone, for a bounded time, and reads little."""

import socket
import time

import pytest

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import Networks
from profiles_app.events.transport import EXCERPT_BYTES, NOT_ALLOWED, send
from tests.profiles_app.events.api.client import fields

LOOPBACK = Networks.parse("127.0.0.0/8, ::1")


def ask(url, timeout=30, allowed=LOOPBACK):
    return send("POST", url, body=b"{}", networks=allowed, timeout=timeout)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1]",
        "[fd00::1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.1",
    ],
)
def test_private_addresses_are_refused_in_any_spelling(at, receiver, settings, host):
    settings.CALLBACK_NETWORKS = ""
    url = f"http://{host}:{receiver.port}/"
    assert fields(at.post("callbacks", {"config": {"url": url}})) == {"config.url": [NOT_ALLOWED]}
    assert receiver.requests == []


def test_the_connection_goes_to_the_address_that_was_checked(receiver, monkeypatch):
    """A second answer of the DNS cannot lead elsewhere, because nobody asks for it."""
    asked = []
    real = socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        asked.append(host)
        named = host == "hooks.example.org"
        return real(("127.0.0.1" if len(asked) == 1 else "10.0.0.1") if named else host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert ask(receiver.url.replace("127.0.0.1", "hooks.example.org")).status == 200
    assert asked.count("hooks.example.org") == 1
    assert receiver.requests[0].headers["host"] == f"hooks.example.org:{receiver.port}"


def test_a_redirect_is_not_followed(receiver):
    receiver.status, receiver.headers = 302, {"Location": receiver.url}
    assert ask(receiver.url).status == 302
    assert len(receiver.requests) == 1


def test_a_receiver_that_drips_is_given_up_in_time(receiver):
    def drip(handler):
        try:
            for _ in range(1200):
                handler.wfile.write(b"H")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass  # the other side gave up, as it should

    receiver.misbehave = drip
    started = time.monotonic()
    with pytest.raises(TransportError) as caught:
        ask(receiver.url, timeout=0.5)
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < 30


def test_a_receiver_that_never_stops_is_read_no_further_than_needed(receiver):
    def pour(handler):
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(2000):
                handler.wfile.write(b"x" * 65536)
        except OSError:
            pass

    receiver.misbehave = pour
    answer = ask(receiver.url)
    assert answer.status == 200
    assert len(answer.excerpt) == EXCERPT_BYTES


def test_what_is_no_http_is_an_error(receiver):
    receiver.misbehave = lambda handler: handler.wfile.write(b"220 mail.example.org\r\n\r\n")
    with pytest.raises(TransportError) as caught:
        ask(receiver.url)
    assert caught.value.code == "unexpected-answer"


def test_tls_certificates_are_verified(at, receiver):
    refused = fields(at.post("callbacks", {"config": {"url": receiver.url.replace("http:", "https:")}}))
    assert list(refused) == ["config.url"]


def test_own_headers_win_over_the_usual_ones(receiver):
    headers = [("content-type", "application/json; charset=utf-8"), ("X-Umlaut", "ü")]
    send("PUT", receiver.url, body=b"{}", headers=headers, networks=LOOPBACK, timeout=30)
    sent = receiver.requests[0]
    assert sent.method == "PUT"
    assert sent.headers["content-type"] == "application/json; charset=utf-8"
    assert sent.headers["x-umlaut"] == "ü"
    assert sent.headers["content-length"] == "2"


def test_the_callbacks_own_time_out_counts(at, receiver, settings):
    settings.CALLBACK_SECONDS = 30
    receiver.misbehave = lambda handler: time.sleep(1.5)
    started = time.monotonic()
    refused = fields(at.post("callbacks", {"config": {"url": receiver.url, "timeout": 1}}))
    assert "did not answer in time" in refused["config.url"][0]
    assert time.monotonic() - started < 15
