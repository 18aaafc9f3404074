"""`manage.py prune_history`: forget what happened long ago."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from contacts_app.core.commands import Add, ReportingCommand, positive
from contacts_app.core.retention import Retention, kinds

LONGEST_DAYS = 36_500
Due = list[tuple[Retention, datetime]]


class Command(ReportingCommand):
    help = (
        "Delete old events with their deliveries and attempts, deployments with their steps, finished rollouts, "
        "fetches, mails and calls: what is older than the settings KEEP_… say, or than --older-than. In batches, the "
        "oldest first. What is still to be done or sent stays, and so does the last deployment of each phone."
    )
    columns = {"what": "What", "deleted": "Deleted"}

    def arguments(self, add: Add) -> None:
        days = positive(float, at_most=LONGEST_DAYS)
        add("--older-than", type=days, metavar="DAYS", help="Instead of the settings, for everything but the history.")
        add(
            "--records",
            action="store_true",
            help="With --older-than: also what records were, who changed them, and deleted ones for good.",
        )

    def handle(self, *, older_than: float | None, records: bool, dry_run: bool, **options: object) -> None:
        due = _due(older_than, records)
        counts = _count(due) if dry_run else self._prune(due)
        self.report({"what": what, "deleted": count, "dry_run": dry_run} for what, count in counts.items())

    def _prune(self, due: Due) -> dict[str, int]:
        totals = _count(due)
        done: dict[str, int] = {}
        with self.progress() as show:

            def teller(what: str) -> Callable[[int], None]:
                return lambda count: show(what, count / (totals[what] or 1))

            for kind, before in due:
                done |= kind.prune(before, teller(kind.name))
        return done


def _due(older_than: float | None, records: bool) -> Due:
    if older_than is None:
        return [(kind, before) for kind in kinds() if (before := kind.before())]
    before = timezone.now() - timedelta(days=older_than)
    return [(kind, before) for kind in kinds() if records or not kind.on_demand]


def _count(due: Due) -> dict[str, int]:
    return {what: count for kind, before in due for what, count in kind.count(before).items()}
