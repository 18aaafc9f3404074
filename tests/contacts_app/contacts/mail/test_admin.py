"""The list of mails: what was sent, what was refused and in which words, and sending it once more."""

from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.urls import reverse
from django.utils import timezone

from contacts_app.contacts.mail import MAIL, prune_mails, queue_mail, resend_mail
from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.contacts.models.mail import Mail
from contacts_app.contacts.services import unsubscribe_url
from contacts_app.core.work.queue import run_queue
from tests.admin_people import at_desk, clerk
from tests.bell import bell_of
from tests.bell import told as bell_tells
from tests.contacts_app.contacts.mail.conftest import mail_server

__all__ = ["mail_server"]

pytestmark = pytest.mark.django_db(transaction=True)

LIST = reverse("admin:contacts_app_mail_changelist")


def page_of(mail, name: str = "change") -> str:
    return reverse(f"admin:contacts_app_mail_{name}", args=[mail.pk])


@pytest.fixture
def desk(root):
    return at_desk(root)


def tell(contact: NotificationContact) -> Mail:
    """A mail that the contact can unsubscribe from."""
    return queue_mail(
        to=[contact.email],
        template="contacts_app/contacts/mail/notices",
        context={"heading": "A phone failed", "notices": [], "more": 0, "path": "/"},
        account=contact.account,
        contact=contact,
        about="deployment_failed",
    )[0]


@pytest.fixture
def told(acme):
    return tell(acme.notification_contacts.get())


def shown(desk, **query) -> list[Mail]:
    return list(desk.get(LIST, query).context["cl"].result_list)


def test_the_text_is_shown_and_the_link_of_the_recipient_is_not(desk, told):
    page = desk.get(page_of(told)).content.decode()
    assert "A phone failed" in page
    assert "a link that only the recipient gets" in page
    link = unsubscribe_url(told.contact, told.about)
    assert link in outbox.outbox[0].body
    assert link.partition("=")[2] not in page


def test_mails_are_found_by_state_and_address(desk, told, mail_server, acme):
    mail_server.answers["second@acme.example"] = "550 No such person"
    refused = queue_mail(
        to=["second@acme.example"],
        template="contacts_app/contacts/mail/notices",
        context={"heading": "Hello", "notices": [], "more": 0, "path": "/"},
        account=acme,
    )[0]
    assert shown(desk) == [refused, told]
    assert shown(desk, state__in="failed") == [refused]
    assert shown(desk, q="office@") == [told]
    assert "550 No such person" in desk.get(LIST).content.decode()


def test_a_failed_mail_is_sent_again_when_the_address_works(desk, mail_server, told, acme):
    mail_server.answers[told.to] = "550 No such person"
    assert desk.post(page_of(told, "send_again")).status_code == 302
    failed = Mail.objects.first()
    assert (failed.state, failed.pk == told.pk) == ("failed", False)
    mail_server.answers.clear()
    assert desk.get(page_of(failed, "send_again")).status_code == 200
    assert len(mail_server.messages) == 1
    chosen = {"action": "send_selected_again", "_selected_action": [told.pk, failed.pk]}
    desk.post(LIST, chosen)
    first, again = mail_server.to(told.to)
    assert again["Subject"] == "A phone failed"
    assert again["List-Unsubscribe"] == first["List-Unsubscribe"]
    assert again["Message-ID"] != first["Message-ID"]
    failed.refresh_from_db()
    assert failed.state == "failed"


def test_the_bell_tells_of_mails_that_are_sent_again(desk, mail_server, told, no_inline_work):
    Mail.objects.update(state="failed")
    desk.post(LIST, {"action": "send_selected_again", "_selected_action": [told.pk]})
    desk.post(page_of(told, "send_again"))
    assert bell_of(desk) == "Your long work: 2 running, 0 new"
    assert bell_tells(desk)["sent again → 1 mail"] == ("sent again → 1 mail Running 0 %", LIST)
    mail_server.answers[told.to] = "550 No such person"
    run_queue(MAIL)
    assert "Finished, 1 failed, " in bell_tells(desk)["sent again → 1 mail"][0]
    assert bell_of(desk) == "Your long work: 0 running, 2 new"


def test_a_contact_that_was_deleted_gets_nothing_more(desk, mail_server, acme):
    contact = NotificationContact.objects.create(account=acme, email="second@acme.example")
    mail = tell(contact)
    contact.delete()
    desk.post(page_of(mail, "send_again"))
    again = Mail.objects.exclude(pk=mail.pk).get()
    assert (again.state, again.error) == ("failed", "The contact that this was for is not there any more.")
    assert len(mail_server.to("second@acme.example")) == 1


def test_nothing_is_written_or_changed_by_hand(desk, told):
    assert desk.get(reverse("admin:contacts_app_mail_add")).status_code == 403
    desk.post(page_of(told), {"to": "eve@example.org"})
    told.refresh_from_db()
    assert told.to == "office@acme.example"


def test_a_clerk_sees_the_mails_of_the_account_alone(told, other):
    theirs = at_desk(clerk(other, "clerk@other.example"))
    assert shown(theirs) == []
    for name in ("change", "send_again"):
        assert theirs.post(page_of(told, name)).status_code in (403, 404)
    assert Mail.objects.count() == 1


def test_old_mails_go_and_what_still_waits_stays(desk, told, acme):
    waiting, young = resend_mail(told), resend_mail(told)
    Mail.objects.filter(pk=waiting.pk).update(state=Mail.State.QUEUED)
    longest = timezone.now() - timedelta(days=90)
    Mail.objects.exclude(pk=young.pk).update(created_at=longest - timedelta(seconds=1))
    assert prune_mails(longest) == 1
    assert set(Mail.objects.all()) == {waiting, young}


@pytest.mark.parametrize(("backend", "shown"), [("console", "Not sent"), ("locmem", "Sent")])
def test_a_mail_that_reached_nobody_is_not_listed_as_sent(desk, acme, settings, backend, shown):
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    context = {"heading": "A phone failed", "notices": [], "more": 0, "path": "/"}
    queue_mail(to=["a@acme.example"], template="contacts_app/contacts/mail/notices", context=context)
    mail = Mail.objects.get(to="a@acme.example")
    assert (mail.state, "EMAIL_URL" in mail.error) == ("sent", shown == "Not sent")
    rows = desk.get(LIST).context["cl"]
    assert rows.model_admin.state_here(rows.result_list[0]) == shown
