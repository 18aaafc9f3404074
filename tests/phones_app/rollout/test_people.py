"""A rollout is one mail to each account that has phones in it, however many of them fail."""

import pytest
from celery import current_app

from phones_app.inventory.models import Phone
from phones_app.rollout import rollout as rollouts
from profiles_app.events.models.outbox import Event
from tests.contacts_app.contacts.mail.conftest import mail_server, pass_time
from tests.peers.mail import text_of
from tests.phones_app.site import sip_file

__all__ = ["mail_server", "pass_time"]

pytestmark = pytest.mark.django_db(transaction=True)


def subjects(server, address: str = "office@acme.example") -> list[str]:
    return [message["Subject"] for message in server.to(address)]


def events() -> list[str]:
    """What listeners can hear of rollouts."""
    return [event.tags[1] for event in Event.objects.filter(data_type="rollout", tags__0="rollout").order_by("pk")]


def test_what_fails_in_a_rollout_is_one_mail_at_its_end(site, other, start, carry_out, mail_server, pass_time):
    phones = [site.phone(name=f"Desk {number}") for number in range(23)]
    Phone.objects.update(phone_ip=None)
    carry_out(start(phones, site.profile(), name="Spring"))
    pass_time(minutes=5)
    assert subjects(mail_server) == ["Rollout Spring has finished"]
    body = text_of(mail_server.messages[0])
    assert "0 of 23 phones confirmed, 23 failed." in body
    assert "Desk 19 (02:00:00:00:00:14): " in body
    assert "Desk 20" not in body
    assert "and 3 more." in body
    assert len(mail_server.messages) == 1
    assert events() == ["started-rollout", "finished-rollout"]


def test_a_rollout_that_goes_wrong_says_why_it_ended(site, start, carry_out, mail_server, pass_time):
    phones = [site.phone() for _ in range(6)]
    Phone.objects.update(phone_ip=None)
    carry_out(start(phones, site.profile(), name="Spring", canary_size=2, abort_count=2))
    pass_time(minutes=5)
    assert subjects(mail_server) == ["Rollout Spring was aborted"]
    assert "2 phones failed" in text_of(mail_server.messages[0])
    assert events() == ["started-rollout", "aborted-rollout"]


def test_each_account_hears_of_its_own_phones(site, other, charlie, start, carry_out, mail_server, pass_time):
    ours, theirs = site.phone(name="Ours"), site.phone(name="Theirs")
    Phone.objects.update(phone_ip=None)
    Phone.objects.filter(pk=ours.pk).update(current_profile=site.profile())
    site.owner = charlie
    Phone.objects.filter(pk=theirs.pk).update(account=other, current_profile=site.profile())
    carry_out(start([ours, theirs], None, name="Spring"))
    pass_time(minutes=5)
    told = {to: text_of(mail_server.to(to)[0]) for to in ("office@acme.example", "office@other.example")}
    assert all("0 of 1 phones confirmed, 1 failed." in body for body in told.values())
    assert "Theirs" not in told["office@acme.example"]
    assert "Ours" not in told["office@other.example"]


def test_a_pause_is_told(site, start, mail_server, pass_time, no_inline_work):
    rollout = start([site.phone()], site.profile(content=sip_file("1002")), name="Spring")
    rollouts.pause(rollout)
    current_app.conf.task_always_eager = True
    pass_time(minutes=5)
    assert subjects(mail_server) == ["Rollout Spring was paused"]
    assert events() == ["started-rollout", "paused-rollout"]
