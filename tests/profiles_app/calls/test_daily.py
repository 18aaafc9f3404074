"""The calls of a day come by mail, once, to those who want it and may have it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from contacts_app.contacts.mail import MAIL
from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.contacts.models.mail import Mail
from contacts_app.core.work.queue import run_queue
from profiles_app.calls.daily import DAILY_CALLS, LATE, DailyCalls
from profiles_app.calls.models import DailyCallReport
from profiles_app.calls.services import record_call
from tests.profiles_app.visitors import grant

pytestmark = pytest.mark.django_db(transaction=True)
GRANTED = ("myCallsEnabled", "myCallsDailyCDRAccess")


@pytest.fixture
def yesterday(acme):
    """Two calls of the last day that is over, whose report is due; an hour after midnight that is yesterday."""
    day = (timezone.now() - LATE).astimezone(UTC).date() - timedelta(days=1)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    for call_id in ("a", "b"):
        record_call(account=acme, call_id=call_id, direction="inbound", caller="+49201555999", called="201",
                    started_at=noon, seconds=61)  # fmt: skip
    DailyCalls.sweep()
    make_due(day)
    return day


def make_due(day) -> None:
    DailyCallReport.objects.update(day=day, next_attempt_at=timezone.now() - timedelta(hours=1))


def mails(acme) -> list[Mail]:
    run_queue(MAIL)
    return list(Mail.objects.filter(account=acme).order_by("to"))


def test_a_day_is_mailed_once_and_leads_to_its_file(acme, yesterday, mailoutbox):
    grant(acme, *GRANTED)
    [mail] = mails(acme)
    assert mail.to == acme.email
    assert mail.subject == f"Acme: 2 calls on {yesterday}"
    assert "+49201555999: 2 calls, 3 min" in mail.text
    assert f"/my-account/calls/days/{yesterday}.csv" in mail.text
    assert "unsubscribe" in mailoutbox[0].extra_headers["List-Unsubscribe"]
    # The worker was killed before the row was set on.
    make_due(yesterday)
    assert mails(acme) == [mail]
    report = DailyCallReport.objects.get(account=acme)
    assert report.day == yesterday + timedelta(days=1)
    assert report.next_attempt_at > timezone.now()


def test_without_both_flags_nothing_is_mailed(acme, yesterday):
    for flags in ((), ("myCallsEnabled",), ("myCallsDailyCDRAccess",)):
        grant(acme, *flags)
        make_due(yesterday)
        assert not mails(acme)
        assert DailyCallReport.objects.get(account=acme).day > yesterday


def test_who_has_unsubscribed_gets_none(acme, yesterday):
    grant(acme, *GRANTED)
    NotificationContact.objects.create(account=acme, email="desk@acme.example")
    main = NotificationContact.objects.get(account=acme, main=True)
    main.preferences.create(type=DAILY_CALLS.name, value=False)
    assert [mail.to for mail in mails(acme)] == ["desk@acme.example"]


def test_a_day_without_calls_is_not_mailed_and_old_days_are_left_out(acme, yesterday):
    grant(acme, *GRANTED)
    make_due(yesterday - timedelta(days=90))
    assert len(mails(acme)) == 1
