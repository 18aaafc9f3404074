"""The calls of each day by mail, for accounts whose MyAccount profile grants it and contacts that want it.

An account's day is over at its own midnight; its mail is written an hour later, as switches may be late. The mail says
what the calls add up to and leads to the file with all of them, which the portal gives to people of the account alone.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.contacts.mail import MAIL, queue_mail
from contacts_app.contacts.models.contact import EventClass, NotificationContact
from contacts_app.contacts.notification import contacts_told_of
from contacts_app.core.work.kind import Work
from contacts_app.people.zones import zone_of_account
from profiles_app.calls import reports
from profiles_app.calls.models import CallRecord, DailyCallReport
from profiles_app.calls.services import calls_granted

DAILY_CALLS = EventClass("daily-calls", "Calls of each day", "Calls", CallRecord, "days")
# After midnight, so that the last calls are there.
LATE = timedelta(hours=1)
# After a longer pause of the workers older days are not mailed any more; the portal has them.
MOST_LATE_DAYS = 7
NEW_AT_ONCE, MOST_NUMBERS = 500, 10


class DailyCalls(Work):
    """Mailing the days that are over. Mails of one day are one group, so that mailing it twice is mailing it once."""

    name = "daily-calls"
    queue = MAIL
    model = DailyCallReport

    @classmethod
    def due(cls) -> QuerySet[DailyCallReport]:
        return DailyCallReport.objects.filter(next_attempt_at__lte=timezone.now(), account__is_active=True)

    @classmethod
    def sweep(cls) -> int:
        begin()
        return super().sweep()

    def do(self, keys: Sequence[int]) -> None:
        for report in DailyCallReport.objects.filter(pk__in=keys).select_related("account"):
            mail_days(report)


def begin() -> None:
    """Let accounts that are new begin with the present day."""
    new = Account.objects.filter(daily_call_report=None).order_by("pk")[:NEW_AT_ONCE]
    rows = [
        DailyCallReport(account=account, day=(day := reports.today(zone)), next_attempt_at=_over(day, zone))
        for account in new
        for zone in [zone_of_account(account)]
    ]
    DailyCallReport.objects.bulk_create(rows, ignore_conflicts=True)


@transaction.atomic
def mail_days(report: DailyCallReport) -> None:
    """Write the mails of all days that are over, and set the row to the first one that is not."""
    zone = zone_of_account(report.account)
    day = max(report.day, reports.today(zone) - timedelta(days=MOST_LATE_DAYS))
    is_granted = calls_granted(report.account, "daily")
    while _over(day, zone) <= timezone.now():
        if is_granted:
            _mail(report.account, day, zone)
        day += timedelta(days=1)
    rows = DailyCallReport.objects.filter(pk=report.pk)
    rows.update(day=day, next_attempt_at=_over(day, zone))


def _over(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, zone) + LATE


def _mail(account: Account, day: date, zone: ZoneInfo) -> None:
    """Nothing is mailed of a day without calls."""
    rows, period = CallRecord.objects.filter(account=account), reports.CallPeriod(day, day, zone)
    [sums] = reports.by_day(rows, period)
    if not sums.calls:
        return
    told = NotificationContact.objects.filter(pk__in=contacts_told_of(account.pk, DAILY_CALLS.name))
    context = {
        "account": account,
        "day": day,
        "sums": sums,
        "numbers": reports.by_number(rows, period)[:MOST_NUMBERS],
        "path": reverse("portal:calls-day", args=[day.isoformat()]),
    }
    for contact in told:
        queue_mail(
            to=[contact.email],
            template="profiles_app/calls/mail/daily",
            context=context,
            account=account,
            contact=contact,
            about=DAILY_CALLS.name,
            group=f"daily-calls:{account.pk}:{day}",
        )
