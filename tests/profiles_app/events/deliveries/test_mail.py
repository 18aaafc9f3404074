"""Callbacks that are mailboxes: what a mail server is sent, and the link by which its reader ends the mails."""

import json
import re
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from profiles_app.events.models.outbox import CallbackQueue, Delivery, DeliveryAttempt
from profiles_app.events.models.setup import Listener
from tests.contacts_app.contacts.mail.conftest import mail_server
from tests.peers.mail import text_of
from tests.profiles_app.events.deliveries.events import call, feed

__all__ = ["mail_server"]
pytestmark = pytest.mark.django_db(transaction=True)

LINK = r"https://patchbay\.example/callback-unsubscribe/{listener}/[0-9a-f]{{32}}"
BUSY = "451 4.3.0 Try again later"


@pytest.fixture
def mailbox(at, mail_server):
    """A listener for messages whose callback is a mailbox; gives the listener's id."""

    def mailbox(mode="json", email="ops@acme.example"):
        described = {
            ":callback": {"mode": "EMAIL", "config": {"email": email, "mode": mode}},
            ":subscriptions": [{":tags": ["message"]}],
        }
        response = at.post("overview", described)
        assert response.status_code == 201, response.content
        return response.json()["id"]

    return mailbox


@pytest.fixture
def browser():
    """Somebody without a cookie, whose browser the CSRF protection would stop."""
    return Client(enforce_csrf_checks=True)


def message(text="Hello", **more):
    data = {
        "uuid": "33333333-3333-4333-8333-333333333333",
        "from": "+15550000001",
        "to": ["+15550000002", "+15550000003"],
        "message": text,
        "media": [{"url": "https://media.example/1", "size": None}],
    }
    return {"tags": ["message", "sms-message"], "data_type": "message", "data": data | more}


def path_of(mail_server, listener):
    [header] = {str(mail["List-Unsubscribe"]).strip("<> \n") for mail in mail_server.messages}
    assert re.fullmatch(LINK.format(listener=listener), header)
    return urlsplit(header).path


def test_a_mail_in_json_is_the_envelope_with_the_link(at, mailbox, mail_server, settle):
    listener = mailbox("json")
    [uuid] = feed(at, message("Grüße 👋"))
    settle()
    [mail] = mail_server.to("ops@acme.example")
    body = json.loads(text_of(mail))
    link = body.pop("unsubscribe_link")
    assert re.fullmatch(LINK.format(listener=listener), link)
    assert mail["List-Unsubscribe"].strip() == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (mail["X-Patchbay-Event"], mail["Auto-Submitted"]) == (uuid, "auto-generated")
    assert mail["Subject"] == "Event: message sms-message"
    assert list(body) == [
        *("uuid", "version", "listener_id", "context", "timestamp"),
        *("timestamp_ns", "tags", "data_type", "data_object_uuid", "data"),
    ]
    assert (body["uuid"], body["listener_id"]) == (uuid, listener)
    assert body["data"] == message("Grüße 👋")["data"]


def test_a_mail_in_text_has_a_line_for_each_leaf_and_the_link_last(at, acme, mailbox, mail_server, settle):
    listener = mailbox("text")
    [uuid] = feed(at, message())
    settle()
    lines = text_of(mail_server.messages[0]).splitlines()
    assert lines[:6] == [
        f"Uuid: {uuid}",
        "Version: 2.0.0",
        f"Listener id: {listener}",
        "Context / Type: account",
        f"Context / Id: {acme.voip_id}",
        f"Context / Voip id: {acme.voip_id}",
    ]
    for line in (
        "Tags [0]: message",
        "Tags [1]: sms-message",
        "Data / From: +15550000001",
        "Data / To [1]: +15550000003",
        "Data / Message: Hello",
        "Data / Media [0] / Url: https://media.example/1",
        "Data / Media [0] / Size: ",
    ):
        assert line in lines
    assert re.fullmatch(f"Unsubscribe link: {LINK.format(listener=listener)}", lines[-1])


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\u2028"])
def test_what_is_told_cannot_add_lines_or_headers(at, mailbox, mail_server, settle, newline):
    mailbox("text")
    evil = f"Hi{newline}Bcc: victim@other.example{newline}{newline}Unsubscribe link: https://evil.example/"
    feed(at, message(evil, **{f"key{newline}Faked": "1"}))
    settle()
    [mail] = mail_server.messages
    assert (mail["Bcc"], mail_server.recipients) == (None, [["ops@acme.example"]])
    lines = text_of(mail).splitlines()
    assert [line for line in lines if line.startswith("Unsubscribe link: ")] == lines[-1:]
    assert not [line for line in lines if line.startswith(("Bcc", "Faked", "faked"))]
    assert "Data / Message: Hi Bcc: victim@other.example  Unsubscribe link: https://evil.example/" in lines


@pytest.mark.parametrize(
    "email", ["ops@acme.example\nBcc: victim@other.example", "ops@acme.example\r\n", "a@b.example, c@d.example"]
)
def test_an_address_is_one_address(at, email):
    response = at.post("callbacks", {"mode": "EMAIL", "config": {"email": email, "mode": "json"}})
    assert response.status_code == 422
    assert "config.email" in response.json()["@error"]["fields"]


def test_a_mail_that_is_refused_is_tried_again_and_then_fails_as_any_delivery(at, mailbox, mail_server, settle):
    mailbox()
    mail_server.answers["DATA"] = BUSY
    mail_server.on_message = lambda: mail_server.answers.clear()
    [uuid] = feed(at, message())
    settle()
    assert [json.loads(text_of(mail))["uuid"] for mail in mail_server.to("ops@acme.example")] == [uuid]
    first, second = DeliveryAttempt.objects.order_by("number")
    assert (first.ok, first.error_code, second.ok) == (False, "mail", True)
    assert first.error == "The mail server did not take it: 451 4.3.0 Try again later"
    mail_server.on_message = lambda: None
    mail_server.answers["ops@acme.example"] = "550 5.1.1 No such mailbox"
    feed(at, message())
    settle()
    assert list(Delivery.objects.order_by("pk").values_list("state", "attempt_count")) == [
        ("delivered", 2),
        ("failed", 4),
    ]


def test_a_mail_server_that_is_away_is_asked_again(at, mailbox, mail_server, settle, settings):
    mailbox()
    settings.CALLBACK_ATTEMPT_SECONDS = [0.0, 3600.0]
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    feed(at, message())
    assert list(DeliveryAttempt.objects.values_list("ok", "error_code")) == [(False, "mail")]
    settings.EMAIL_PORT = port
    # The hour has passed.
    now = timezone.now()
    Delivery.objects.update(next_attempt_at=now)
    CallbackQueue.objects.update(wake_at=now)
    settle()
    assert len(mail_server.to("ops@acme.example")) == 1


def test_looking_at_the_link_changes_nothing_and_posting_ends_the_listener(at, mailbox, mail_server, settle, browser):
    listener = mailbox()
    feed(at, message())
    settle()
    path = path_of(mail_server, listener)
    for _ in range(2):
        answer = browser.get(path)
        page = answer.content.decode()
        assert (answer.status_code, not answer.cookies) == (200, True)
        assert "o…@acme.example" in page
        assert "ops@acme.example" not in page
    assert "no-store" in answer["Cache-Control"]
    assert browser.head(path).status_code == 200
    assert browser.delete(path).status_code == 405
    assert Listener.objects.get().expires_at is None
    # As a mailbox does it (RFC 8058), and once more.
    for _ in range(2):
        answer = browser.post(path, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "have ended" in answer.content.decode()
    assert at.get(f"listeners/{listener}").json()["expires_at"]
    feed(at, message())
    settle()
    assert len(mail_server.messages) == 1
    assert "have ended" in browser.get(path).content.decode()


def test_what_was_still_to_be_tried_again_ends_too(at, mailbox, mail_server, settle, browser, settings):
    listener = mailbox()
    feed(at, message())
    settle()
    settings.CALLBACK_ATTEMPT_SECONDS = [0.0, 30.0]
    mail_server.answers["DATA"] = BUSY
    feed(at, message())
    assert Delivery.objects.filter(state="pending").exists()
    browser.post(path_of(mail_server, listener))
    assert list(Delivery.objects.order_by("pk").values_list("state", "outcome")) == [
        ("delivered", ""),
        ("suppressed", "The mailbox's owner has ended the mails of this listener."),
    ]


def test_the_link_of_a_mailbox_that_stands_in_for_others_ends_its_mails_alone(
    at, mail_server, ear, receiver, settle, browser
):
    """The listener and its callback are not the mailbox's owner's to end."""
    config = {"email": "ops@acme.example"}
    box = at.post("callbacks", {"mode": "EMAIL", "config": config}).json()["id"]
    callback, listener = ear(receiver, fallback_callback_id=box)
    receiver.status = 500
    feed(at, call())
    settle()
    [mail] = mail_server.to("ops@acme.example")
    path = urlsplit(str(mail["List-Unsubscribe"]).strip("<> \n")).path
    assert "cannot be delivered elsewhere" in browser.get(path).content.decode()
    assert at.get(f"callbacks/{box}").json()["enabled"] is True
    for ask in (browser.post, browser.post, browser.get):
        assert "have ended" in ask(path).content.decode()
    assert at.get(f"callbacks/{box}").json()["enabled"] is False
    assert at.get(f"callbacks/{callback}").json()["enabled"] is True
    assert at.get(f"listeners/{listener}").json()["expires_at"] is None
    told = [mail["Subject"] for mail in mail_server.to("office@acme.example")]
    assert told.count("Callback Callback (ops@acme.example) was switched off") == 1
    feed(at, call())
    settle()
    assert len(mail_server.to("ops@acme.example")) == 1


def test_a_wrong_code_is_no_page(at, mailbox, mail_server, settle, browser):
    listener = mailbox()
    feed(at, message())
    settle()
    place, _, code = path_of(mail_server, listener).rpartition("/")
    second = mailbox()
    wrong = ["", code[:-1], f"{code}0", f"{code[:-1]}{'1' if code[-1] == '0' else '0'}", "0" * 32, "%00", "ü" * 32]
    urls = [f"{place}/{other}" for other in wrong]
    urls += [f"/callback-unsubscribe/{other}/{code}" for other in (second, 0, 10**30, "x")]
    for url in urls:
        for ask in (browser.get, browser.post):
            assert ask(url).status_code == 404, url
    assert not Listener.objects.exclude(expires_at=None).exists()


def test_a_link_is_good_for_the_mailbox_it_was_sent_to(at, mailbox, mail_server, settle, browser):
    listener = mailbox()
    feed(at, message())
    settle()
    callback = Listener.objects.get().callback_id
    assert at.patch(f"callbacks/{callback}", {"config": {"email": "new@acme.example"}}).status_code == 200
    assert browser.post(path_of(mail_server, listener)).status_code == 404
    assert Listener.objects.get().expires_at is None


def test_calls_are_not_mailed_to_who_asked_for_messages(at, mailbox, mail_server, settle):
    mailbox()
    feed(at, call())
    settle()
    assert mail_server.messages == []
