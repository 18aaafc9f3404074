"""`manage.py replay_deliveries`: send again what has ended, to callbacks that were away."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.db.models import Count, QuerySet
from django.utils import timezone

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, UsageError, positive
from profiles_app.events.delivery_operations import replay, replayable
from profiles_app.events.models.outbox import Delivery
from profiles_app.events.models.setup import Callback

BIGGEST_ID = 2**63 - 1
LONGEST_HOURS = 24 * 36_500
ENDED = [state.value for state in Delivery.State if state != Delivery.State.PENDING]
NARROWED_BY = ("deliveries", "event", "callback", "account", "within")


class Command(ReportingCommand):
    help = "Deliver again what has ended, with the same uuid and all attempts anew. The workers send it."
    columns = {"callback_id": "Callback", "callback": "Name", "deliveries": "Deliveries"}

    def arguments(self, add: Add) -> None:
        number = positive(int, at_most=BIGGEST_ID)
        add("deliveries", nargs="*", type=number, metavar="ID", help="Single deliveries.")
        add("--event", type=UUID, metavar="UUID")
        add("--callback", type=number, metavar="ID")
        add_account(add)
        add("--within", type=positive(float, at_most=LONGEST_HOURS), metavar="HOURS")
        add("--state", action="append", choices=ENDED, help="Default: failed; of what is named by its id, whatever.")

    def handle(self, *, dry_run: bool, **options: object) -> None:
        if not any(options[name] for name in NARROWED_BY):
            raise UsageError("Say which: IDs, --event, --callback, --account or --within.")
        wanted = replayable(self._wanted(options), self.actor)
        counts = list(wanted.order_by("callback").values_list("callback").annotate(Count("pk")))
        if not dry_run:
            with self.progress() as show:
                total = sum(count for _, count in counts) or 1
                replay(wanted, self.actor, lambda count: show("deliveries", count / total))
        names = Callback.objects.only("name", "target").in_bulk([key for key, _ in counts])
        self.report(
            {"callback_id": key, "callback": str(names[key]), "deliveries": count, "dry_run": dry_run}
            for key, count in counts
        )

    def _wanted(self, options: dict[str, Any]) -> QuerySet[Delivery]:
        rows = Delivery.objects.all()
        if keys := set(options["deliveries"]):
            rows = rows.filter(pk__in=keys)
            if unknown := keys - set(rows.values_list("pk", flat=True)):
                raise CommandError(f"There is no delivery {', '.join(map(str, sorted(unknown)))}.")
        if states := options["state"] or ([] if keys else [Delivery.State.FAILED]):
            rows = rows.filter(state__in=states)
        if options["event"]:
            rows = rows.filter(event__uuid=options["event"])
        if options["callback"]:
            rows = rows.filter(callback=options["callback"])
        if options["account"]:
            rows = rows.filter(account=account_numbered(options["account"]))
        if options["within"]:
            rows = rows.filter(created_at__gte=timezone.now() - timedelta(hours=options["within"]))
        return rows
