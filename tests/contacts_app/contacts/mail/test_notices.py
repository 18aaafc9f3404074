"""Contacts are told what they chose, once, in one mail for what happens together; and they hear of the end."""

import re

import pytest
from django.core.management import call_command
from django.db import transaction

from contacts_app.contacts.models.contact import event_classes
from contacts_app.contacts.models.mail import Incident, Mail, Notice
from contacts_app.contacts.notification import News, notify
from contacts_app.contacts.services import set_wanted_types
from phones_app.events import DEPLOYMENT_FAILED
from profiles_app.events.callback_health import CALLBACK_FAILING
from profiles_app.events.outbox import TOKEN_CREATED
from tests.admin_people import at_desk
from tests.peers.mail import html_of, text_of

pytestmark = pytest.mark.django_db(transaction=True)

OFFICE, SECOND = "office@acme.example", "second@acme.example"


@pytest.fixture
def second(acme):
    return acme.notification_contacts.create(email=SECOND, name="Second")


@pytest.fixture
def stranger(other):
    return other.notification_contacts.get()


def fails(account, phone: str = "SEP020000000001", **more):
    title, detail = f"Deployment to {phone} failed", "The file server refused the password."
    news = {"path": f"/admin/phones_app/deployment/?q={phone}", "key": phone} | more
    notify(News(account=account, event_class=DEPLOYMENT_FAILED, title=title, detail=detail, **news))


def succeeds(account, phone: str = "SEP020000000001"):
    title = f"Deployment to {phone} succeeded after all"
    notify(News(account=account, event_class=DEPLOYMENT_FAILED, title=title, key=phone, over=True))


def subjects(server, address: str = OFFICE) -> list[str]:
    return [message["Subject"] for message in server.to(address)]


def test_a_failure_is_mailed_to_every_contact_of_the_account_and_to_no_other(
    mail_server, acme, second, stranger, pass_time
):
    fails(acme)
    call_command("sweep")
    assert mail_server.messages == []  # It waits for others.
    pass_time(minutes=5)
    assert subjects(mail_server) == subjects(mail_server, SECOND) == ["Deployment to SEP020000000001 failed"]
    assert len(mail_server.messages) == 2
    message = mail_server.to(OFFICE)[0]
    for body in (text_of(message), html_of(message)):
        assert "The file server refused the password." in body
        assert "https://patchbay.example/admin/phones_app/deployment/?q=SEP020000000001" in body
    assert not Notice.objects.exists()


def test_a_failure_is_told_once_until_it_is_over(mail_server, acme, pass_time):
    for _ in range(3):
        fails(acme)
        pass_time(minutes=5)
    assert len(mail_server.messages) == 1
    succeeds(acme)
    pass_time(minutes=5)
    assert subjects(mail_server)[1:] == ["Deployment to SEP020000000001 succeeded after all"]
    succeeds(acme)
    pass_time(minutes=5)
    assert len(mail_server.messages) == 2
    fails(acme)
    pass_time(minutes=5)
    assert len(mail_server.messages) == 3


def test_the_end_is_told_to_those_who_were_told_of_the_failure(mail_server, acme, second, pass_time):
    set_wanted_types(second, [])
    fails(acme)
    pass_time(minutes=5)
    acme.notification_contacts.create(email="third@acme.example")
    succeeds(acme)
    pass_time(minutes=5)
    assert len(subjects(mail_server)) == len(mail_server.messages) == 2


def test_who_chooses_to_be_told_hears_of_a_failure_that_lasts(mail_server, acme, second, pass_time):
    set_wanted_types(second, [])
    fails(acme)
    pass_time(minutes=5)
    set_wanted_types(second, [DEPLOYMENT_FAILED.name])
    pass_time(minutes=5)
    assert subjects(mail_server, SECOND) == ["Deployment to SEP020000000001 failed"]
    assert "It has lasted since" in text_of(mail_server.to(SECOND)[0])
    assert len(subjects(mail_server)) == 1


def test_success_without_a_failure_is_no_news(mail_server, acme, pass_time):
    succeeds(acme)
    pass_time(minutes=5)
    assert mail_server.messages == []


def test_the_same_phone_may_fail_in_two_accounts(mail_server, acme, other, pass_time):
    fails(acme)
    fails(other)
    succeeds(acme)
    pass_time(minutes=5)
    assert subjects(mail_server) == ["Deployments: 1 failed, 1 succeeded after all"]
    assert subjects(mail_server, "office@other.example") == ["Deployment to SEP020000000001 failed"]


def test_what_fails_together_is_one_mail_with_the_first_lines_and_a_count(mail_server, acme, pass_time):
    notify(*[News(acme, DEPLOYMENT_FAILED, f"Phone {number} failed", key=str(number)) for number in range(332)])
    pass_time(minutes=5)
    assert subjects(mail_server) == ["Deployments: 332 failed"]
    for body in (text_of(mail_server.messages[0]), html_of(mail_server.messages[0])):
        assert len(re.findall(r"Phone \d+ failed", body)) == 20
        assert "and 312 more" in body
        assert "https://patchbay.example/admin/phones_app/deployment/" in body
    assert Incident.objects.count() == 332


def test_lines_that_are_not_due_yet_go_along(mail_server, acme, pass_time):
    fails(acme, "SEP020000000001")
    pass_time(minutes=3)
    fails(acme, "SEP020000000002")
    pass_time(minutes=2)
    assert subjects(mail_server) == ["Deployments: 2 failed"]


def test_each_kind_of_news_has_a_mail_of_its_own(mail_server, acme, pass_time):
    fails(acme)
    notify(News(account=acme, event_class=TOKEN_CREATED, title="API token CI was created"))
    pass_time(minutes=5)
    assert sorted(subjects(mail_server)) == ["API token CI was created", "Deployment to SEP020000000001 failed"]


def test_a_contact_is_told_so_often_in_an_hour_and_of_the_rest_later(mail_server, acme, pass_time, settings):
    settings.NOTIFICATION_MAILS_PER_HOUR = 2
    for number in range(5):
        fails(acme, f"SEP02000000000{number}")
        pass_time(minutes=5)
    assert len(mail_server.messages) == 2
    pass_time(minutes=50)
    assert subjects(mail_server)[2:] == ["Deployments: 3 failed"]


def test_who_unsubscribes_is_not_told_what_waits_already(mail_server, acme, second, pass_time):
    fails(acme)
    set_wanted_types(second, [])
    pass_time(minutes=5)
    assert [len(subjects(mail_server, address)) for address in (OFFICE, SECOND)] == [1, 0]
    assert not Notice.objects.exists()


def test_what_is_told_only_on_request_is(mail_server, acme, second, pass_time):
    set_wanted_types(second, [CALLBACK_FAILING.name])
    notify(News(account=acme, event_class=CALLBACK_FAILING, title="Callback x fails", key="1"))
    pass_time(minutes=5)
    assert [len(subjects(mail_server, address)) for address in (OFFICE, SECOND)] == [0, 1]


def test_an_inactive_account_is_told_nothing(mail_server, acme, pass_time):
    acme.is_active = False
    acme.save()
    fails(acme)
    pass_time(minutes=5)
    assert mail_server.messages == []


def test_news_of_a_change_that_is_taken_back_is_none(mail_server, acme, pass_time):
    with transaction.atomic():
        fails(acme)
        transaction.set_rollback(True)
    pass_time(minutes=5)
    assert (mail_server.messages, Incident.objects.count()) == ([], 0)


@pytest.mark.parametrize("event_class", event_classes.values())
def test_every_class_leads_to_a_list_in_the_portal(acme, root, pass_time, event_class):
    notify(News(account=acme, event_class=event_class, title="x", key="x"))
    for contact in acme.notification_contacts.all():
        set_wanted_types(contact, event_classes)
    notify(News(account=acme, event_class=event_class, title="x", key="y"))
    pass_time(minutes=5)
    link = Mail.objects.get().text.split("All of them: ")[1].split()[0]
    assert at_desk(root).get(link.removeprefix("http://localhost:8000")).status_code == 200
    assert event_class.topic
