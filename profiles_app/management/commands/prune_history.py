"""`manage.py prune_history`: forget what happened long ago."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from contacts_app.contacts.mail import old_mails, prune_mails
from contacts_app.core.commands import Add, ReportingCommand, positive
from contacts_app.core.history.records import count_old_records, prune_records
from profiles_app.events.delivery_operations import old_events, prune_events
from profiles_app.events.models.outbox import Delivery, DeliveryAttempt

LONGEST_DAYS = 36_500
Tell = Callable[[int], None]


class Command(ReportingCommand):
    help = (
        "Delete old events with their deliveries and attempts, and old mails; in batches, the oldest first. "
        "What is still to be delivered or sent stays."
    )
    columns = {"what": "What", "deleted": "Deleted"}

    def arguments(self, add: Add) -> None:
        add("--older-than", type=positive(float, at_most=LONGEST_DAYS), required=True, metavar="DAYS")
        add(
            "--records",
            action="store_true",
            help="Also the history of records: what they were, who changed them, and deleted ones for good.",
        )

    def handle(self, *, older_than: float, records: bool, dry_run: bool, **options: Any) -> None:
        before = timezone.now() - timedelta(days=older_than)
        counts = _count(before, records) if dry_run else self._prune(before, records)
        self.report({"what": what, "deleted": count, "dry_run": dry_run} for what, count in counts.items())

    def _prune(self, before: datetime, records: bool) -> dict[str, int]:
        totals = _count(before, records)
        with self.progress() as show:

            def teller(what: str) -> Tell:
                return lambda count: show(what, count / (totals[what] or 1))

            events, deliveries, attempts = prune_events(before, teller("events"))
            done = {"events": events, "deliveries": deliveries, "attempts": attempts}
            done["mails"] = prune_mails(before, teller("mails"))
            if records:
                done["historical rows"] = prune_records(before, teller("historical rows"))
        return done


def _count(before: datetime, records: bool) -> dict[str, int]:
    events = old_events(before)
    counts = {
        "events": events.count(),
        "deliveries": Delivery.objects.filter(event__in=events.values("pk")).count(),
        "attempts": DeliveryAttempt.objects.filter(delivery__event__in=events.values("pk")).count(),
        "mails": old_mails(before).count(),
    }
    return counts | ({"historical rows": count_old_records(before)} if records else {})
