"""The link in a mail ends mails of its kind to its contact: without a login, by a decision, and nothing else."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from contacts_app.contacts.models.contact import NotificationContact, NotificationPreference, event_classes
from contacts_app.contacts.notification import News, notify
from contacts_app.contacts.services import unsubscribe_url, wanted_types
from phones_app.events import DEPLOYMENT_FAILED
from tests.peers.mail import html_of, text_of

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = DEPLOYMENT_FAILED.name


@pytest.fixture
def contact(acme):
    return acme.notification_contacts.get()


@pytest.fixture
def link(contact):
    return path_of(unsubscribe_url(contact, FAILED))


@pytest.fixture
def browser():
    """Somebody without a cookie, whose browser the CSRF protection would stop."""
    return Client(enforce_csrf_checks=True)


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def is_told(contact) -> bool:
    return FAILED in wanted_types(NotificationContact.objects.get(pk=contact.pk))


def test_the_link_of_a_mail_ends_mails_of_its_kind(mail_server, acme, contact, browser, pass_time):
    def fail(key: str) -> None:
        notify(News(account=acme, event_class=DEPLOYMENT_FAILED, title=f"Phone {key} failed", key=key))
        pass_time(minutes=5)

    fail("a")
    message = mail_server.messages[0]
    url = re.search(r"https://patchbay\.example/unsubscribe\S+", text_of(message))[0]
    assert f'href="{url}"' in html_of(message)
    assert message["List-Unsubscribe"].strip() == f"<{url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "unsubscribe.invalid" not in message.as_string()

    page = browser.get(path_of(url)).content.decode()
    assert "Deployments that fail" in page
    assert "o…@acme.example" in page
    assert is_told(contact)
    assert "have ended" in browser.post(path_of(url)).content.decode()
    fail("b")
    assert len(mail_server.messages) == 1
    assert set(event_classes) - set(wanted_types(contact)) == {FAILED, "callback_failing", "callback_deregistered"}


def test_a_mailbox_unsubscribes_with_one_post(browser, contact, link):
    answer = browser.post(link, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert not answer.cookies
    assert not is_told(contact)
    assert browser.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert NotificationPreference.objects.count() == 1


def test_a_decision_can_be_taken_back(browser, contact, link):
    page = browser.post(link).content.decode()
    assert 'name="resume"' in page
    assert "go on" in browser.post(link, {"resume": "1"}).content.decode()
    assert is_told(contact)


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_scanners_change_nothing(browser, contact, link, method):
    getattr(browser, method)(link)
    assert is_told(contact)
    assert not NotificationPreference.objects.exists()


def test_the_page_tells_no_more_than_the_mail(browser, acme, contact, link):
    contact.name, contact.phone = "Olga Office", "+442079460958"
    contact.save()
    answer = browser.get(link)
    page = answer.content.decode()
    assert all(secret not in page for secret in (contact.email, "Olga", "+44", "Acme", str(contact.uuid)))
    assert "no-store" in answer["Cache-Control"]


def forged(token: str, contact, other_contact) -> list[str]:
    uuid, about, signature = token.split(":")
    turned = signature[:-1] + ("A" if signature[-1] != "A" else "B")
    return [
        "",
        "x",
        "\x00",
        "ü:é:ñ",
        token[:-1],
        f"{uuid}:{about}:{turned}",
        f"{uuid}:payment:{signature}",
        f"{other_contact.uuid.hex}:{about}:{signature}",
        f"{uuid}:{about}",
        f"{uuid}:{about}:",
        f"{'0' * 32}:{about}:{signature}",
        token * 1000,
    ]


def test_a_link_cannot_be_made_up_or_turned_to_another(browser, contact, link, other):
    token = parse_qs(urlsplit(link).query)["token"][0]
    for made_up in forged(token, contact, other.notification_contacts.get()):
        for ask in (browser.get, browser.post):
            answer = ask("/unsubscribe", query_params={"token": made_up})
            assert answer.status_code == 404, made_up
            assert "does not work" in answer.content.decode()
    assert browser.post("/unsubscribe").status_code == 404
    assert not NotificationPreference.objects.exists()


def test_the_former_owner_of_a_mailbox_has_no_say(browser, contact, link):
    contact.email = "somebody.else@acme.example"
    contact.save()
    assert browser.post(link).status_code == 404
    assert is_told(contact)


def test_a_link_ends_with_its_contact(browser, acme, contact):
    second = acme.notification_contacts.create(email="second@acme.example")
    link = path_of(unsubscribe_url(second, FAILED))
    second.delete()
    assert browser.post(link).status_code == 404
