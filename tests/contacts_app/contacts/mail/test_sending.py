"""Mail leaves with the commit, waits for a server that is away, and ends where it is refused."""

import ssl
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from contacts_app.contacts.mail import queue_mail
from contacts_app.contacts.models.mail import Mail
from tests.peers.mail import html_of, text_of
from tests.peers.tls import write_certificate
from tests.processes import processes
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "help@acme.example"


def queue(account, *to: str, name: str = "Ops & <co>", group: str | None = None):
    context = {
        "callback": name,
        "profile": "Calls",
        "since": timezone.now().replace(year=2026, month=1, day=2, hour=23, minute=30),
        "reason": "Answered 500.",
        "path": "/admin/profiles_app/callback/1/change/",
    }
    return queue_mail(
        to=to or [ADDRESS],
        template="profiles_app/events/mail/callback_failing",
        context=context,
        account=account,
        group=group,
    )


def state_of(mail: Mail) -> tuple[str, int]:
    mail.refresh_from_db()
    return mail.state, mail.attempts


def test_a_mail_has_a_plain_and_a_rich_body_in_the_words_of_its_template(mail_server, acme):
    acme.time_zone = "Europe/Lisbon"
    mail = queue(acme)[0]
    message = mail_server.to(ADDRESS)[0]
    assert message["Subject"] == "Callback Ops & <co> does not take events"
    assert message["From"] == "Patchbay <portal@patchbay.example>"
    assert message["Message-ID"] == f"<{mail.uuid}@patchbay.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in message
    plain, rich = text_of(message), html_of(message)
    assert 'callback "Ops & <co>"' in plain
    assert "2026-01-02 23:30 WET" in plain
    assert "https://patchbay.example/admin/profiles_app/callback/1/change/" in plain
    assert "<b>Ops &amp; &lt;co&gt;</b>" in rich
    assert 'href="https://patchbay.example/admin/profiles_app/callback/1/change/"' in rich
    assert state_of(mail) == ("sent", 1)


def test_a_mail_of_a_change_that_is_taken_back_was_never_written(mail_server, acme):
    with transaction.atomic():
        queue(acme)
        transaction.set_rollback(True)
    assert (mail_server.messages, Mail.objects.count()) == ([], 0)


def test_a_line_end_in_a_name_adds_no_header(mail_server, acme):
    queue(acme, name="x\nBcc: eve@example.org")
    assert "Bcc" not in mail_server.to(ADDRESS)[0]


def test_an_address_gets_one_mail_of_a_group(mail_server, acme):
    queue(acme, group="a")
    queue(acme, ADDRESS, "second@acme.example", group="a")
    queue(acme, group="b")
    assert len(mail_server.to(ADDRESS)) == 2
    assert len(mail_server.to("second@acme.example")) == 1


def test_many_mails_take_one_connection(mail_server, acme):
    with transaction.atomic():
        for number in range(30):
            queue(acme, f"{number}@acme.example")
    assert (len(mail_server.messages), mail_server.connections) == (30, 1)


def test_while_the_server_is_away_mail_waits_and_nothing_is_lost(mail_server, acme, settings, pass_time):
    settings.EMAIL_PORT, port = 9, settings.EMAIL_PORT
    with transaction.atomic():
        mails = [queue(acme, f"{number}@acme.example")[0] for number in range(3)]
    assert {state_of(mail) for mail in mails} == {("queued", 0)}
    assert "refused" in mails[2].error
    assert all(mail.next_attempt_at > timezone.now() for mail in mails)
    settings.EMAIL_PORT = port
    pass_time(seconds=30)
    assert mail_server.messages == []
    pass_time(seconds=60)
    assert {state_of(mail) for mail in mails} == {("sent", 1)}
    assert len(mail_server.messages) == 3


def test_a_server_that_is_away_for_days_is_given_up(mail_server, acme, settings, pass_time):
    settings.EMAIL_PORT = 9
    mail = queue(acme)[0]
    pass_time(days=5)
    assert state_of(mail)[0] == "failed"
    assert "refused" in mail.error


@pytest.mark.parametrize("command", ["DATA", ADDRESS])
def test_a_mail_that_is_refused_for_now_is_tried_again_and_keeps_its_name(mail_server, acme, pass_time, command):
    mail_server.answers[command] = "451 Come back later"
    mail = queue(acme)[0]
    queue(acme, "second@acme.example")
    assert state_of(mail) == ("queued", 1)
    assert mail.error == "451 Come back later"
    del mail_server.answers[command]
    pass_time(minutes=3)
    assert state_of(mail) == ("sent", 2)
    assert [message["Message-ID"] for message in mail_server.to(ADDRESS)] == [f"<{mail.uuid}@patchbay.example>"]
    assert len(mail_server.to("second@acme.example")) == 1


@pytest.mark.parametrize("command", ["DATA", ADDRESS])
def test_a_mail_that_is_refused_for_ever_ends(mail_server, acme, pass_time, command):
    mail_server.answers[command] = "550 No such person"
    mail = queue(acme)[0]
    assert state_of(mail) == ("failed", 1)
    assert mail.error == "550 No such person"
    del mail_server.answers[command]
    pass_time(days=1)
    assert mail_server.messages == []


@pytest.mark.parametrize("address", ["a,b@acme.example", "@", "a@b@c", "ü@acme.example"])
def test_an_address_that_is_none_keeps_no_other_mail(mail_server, acme, address):
    with transaction.atomic():
        queue(acme, address)
        queue(acme)
    assert len(mail_server.to(ADDRESS)) == 1


def test_a_server_may_ask_for_encryption(settings, acme, tmp_path, mail_server):
    write_certificate(tmp_path / "key.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "key.pem")
    strict = type(mail_server)()
    with strict.running(tls_context=context, require_starttls=True):
        settings.EMAIL_PORT = strict.port
        mail = queue(acme)[0]
        assert state_of(mail)[0] == "queued"
        assert "STARTTLS" in mail.error


def test_a_worker_that_dies_between_sent_and_recorded_sends_again_under_the_same_name(
    mail_server, acme, no_inline_work, tmp_path
):
    with processes(tmp_path) as running:
        running.environment["EMAIL_URL"] = mail_server.url
        running.environment["DEFAULT_FROM_EMAIL"] = settings.DEFAULT_FROM_EMAIL
        mail_server.on_message = lambda: running.kill("worker")
        mails = [queue(acme, f"{number}@acme.example")[0] for number in range(3)]
        running.start_worker()
        running.start_sweep()
        wait_for(lambda: mail_server.messages and "worker" not in running.running)
        mail_server.on_message = lambda: None
        assert state_of(mails[0]) == ("queued", 1)
        running.start_worker()
        # The lease of the dead worker runs out.
        Mail.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        wait_for(lambda: {state_of(mail)[0] for mail in mails} == {"sent"})
    name = f"<{mails[0].uuid}@patchbay.example>"
    assert [message["Message-ID"] for message in mail_server.to("0@acme.example")] == [name, name]
    assert len(mail_server.messages) == 4
