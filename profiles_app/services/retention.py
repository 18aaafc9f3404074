"""How long it is remembered what happened: events go with all that was delivered of them, oldest first."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from profiles_app.models import Delivery, DeliveryAttempt, Event

BATCH = 500


def old_events(older_than: datetime) -> QuerySet[Event]:
    """Events from before that, of which nothing is to be delivered any more."""
    pending = Delivery.objects.filter(event=OuterRef("pk"), state=Delivery.State.PENDING)
    return Event.objects.filter(created_at__lt=older_than, matched_at__isnull=False).exclude(Exists(pending))


def prune_events(
    older_than: datetime, tell: Callable[[int], None] = lambda count: None
) -> tuple[int, int, int]:
    """Delete old events, in batches; how many events, deliveries and attempts. `tell` hears of events so far."""
    keys = old_events(older_than).order_by("created_at").values_list("pk", flat=True)
    events = deliveries = attempts = 0
    while batch := list(keys[:BATCH]):
        with transaction.atomic():
            # Somebody may have asked for one to be delivered again meanwhile: its deliveries are locked, or gone.
            rows = Delivery.objects.filter(event__in=batch)
            held = list(rows.select_for_update().order_by("pk").values_list("event", "state"))
            wanted = {event for event, state in held if state == Delivery.State.PENDING}
            batch = [key for key in batch if key not in wanted]
            rows = Delivery.objects.filter(event__in=batch)
            attempts += DeliveryAttempt.objects.filter(delivery__in=rows.values("pk")).delete()[0]
            deliveries += rows.delete()[0]
            events += Event.objects.filter(pk__in=batch).delete()[0]
        tell(events)
    return events, deliveries, attempts
