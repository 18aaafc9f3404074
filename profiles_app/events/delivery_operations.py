"""What operators do with deliveries: send them again, send a test event, and delete old events with their deliveries."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from contacts_app.core.actor import Actor
from contacts_app.core.retention import Counts, Retention
from contacts_app.core.work.wake import nudge_after_commit
from profiles_app.events.matching import DeliveryTarget, new_delivery, wake_queues, write_deliveries
from profiles_app.events.models.outbox import Delivery, DeliveryAttempt, Event
from profiles_app.events.models.setup import Callback
from profiles_app.events.outbox import DELIVERIES, EventDraft, new_event

BATCH = 500


def replayable(deliveries: QuerySet[Delivery], actor: Actor) -> QuerySet[Delivery]:
    """Those that have ended and that the actor may see."""
    return actor.sees(deliveries).exclude(state=Delivery.State.PENDING)


def replay(deliveries: QuerySet[Delivery], actor: Actor, tell: Callable[[int], None] = lambda count: None) -> int:
    """Deliver again what has ended, with the same uuid and all attempts anew; how many there were.

    What is still pending is left alone, and so is what the actor may not see. The attempts so far stay on record.
    `tell` is called after every batch with their number so far.
    """
    # By key, so that one that fails again at once is not met a second time.
    keys = replayable(deliveries, actor).order_by("pk").values_list("pk", flat=True)
    count, last = 0, 0
    while batch := list(keys.filter(pk__gt=last)[:BATCH]):
        count, last = count + _replay(batch, actor), batch[-1]
        tell(count)
    return count


@transaction.atomic
def _replay(keys: list[int], actor: Actor) -> int:
    now = timezone.now()
    ended = replayable(Delivery.objects.filter(pk__in=keys), actor)
    locked = list(ended.select_for_update().order_by("pk").values_list("pk", "callback"))
    rows = Delivery.objects.filter(pk__in=[pk for pk, _ in locked])
    rows.update(
        state=Delivery.State.PENDING,
        attempt_count=0,
        outcome=f"Sent again by {actor.label}."[:255],
        next_attempt_at=now,
        finished_at=None,
    )
    wake_queues({callback for _, callback in locked}, now)
    nudge_after_commit(DELIVERIES)
    return len(locked)


@transaction.atomic
def send_test_event(callback: Callback, actor: Actor) -> Delivery:
    """Deliver an event with the tag `test-event` to this callback alone, whatever its listeners want."""
    now = timezone.now()
    event = new_event(
        EventDraft(
            account=callback.account,
            extension=callback.extension,
            tags=["test-event"],
            data_type="test",
            data={"test": True, "callback_id": callback.pk, "requested_by": actor.label},
        )
    )
    event.matched_at = now
    event.save()
    write_deliveries([new_delivery(event, DeliveryTarget(callback.pk, 0), None, now)], now)
    nudge_after_commit(DELIVERIES)
    return Delivery.objects.get(event=event, callback=callback)


def old_events(older_than: datetime) -> QuerySet[Event]:
    """Events from before that, of which nothing is to be delivered any more."""
    pending = Delivery.objects.filter(event=OuterRef("pk"), state=Delivery.State.PENDING)
    return Event.objects.filter(created_at__lt=older_than, matched_at__isnull=False).exclude(Exists(pending))


def prune_events(older_than: datetime, tell: Callable[[int], None] = lambda count: None) -> Counts:
    """Delete old events with their deliveries and attempts, in batches. `tell` gets the events so far."""
    keys = old_events(older_than).order_by("created_at").values_list("pk", flat=True)
    events = deliveries = attempts = 0
    while batch := list(keys[:BATCH]):
        with transaction.atomic():
            # One may be sent again at this moment: its deliveries are locked, and pending when that has ended.
            rows = Delivery.objects.filter(event__in=batch)
            held = list(rows.select_for_update().order_by("pk").values_list("event", "state"))
            wanted = {event for event, state in held if state == Delivery.State.PENDING}
            batch = [key for key in batch if key not in wanted]
            rows = Delivery.objects.filter(event__in=batch)
            attempts += DeliveryAttempt.objects.filter(delivery__in=rows.values("pk")).delete()[0]
            deliveries += rows.delete()[0]
            events += Event.objects.filter(pk__in=batch).delete()[0]
        tell(events)
    return {"events": events, "deliveries": deliveries, "attempts": attempts}


def count_old_events(older_than: datetime) -> Counts:
    events = old_events(older_than)
    return {
        "events": events.count(),
        "deliveries": Delivery.objects.filter(event__in=events.values("pk")).count(),
        "attempts": DeliveryAttempt.objects.filter(delivery__event__in=events.values("pk")).count(),
    }


EVENTS = Retention("events", "KEEP_EVENTS_DAYS", count_old_events, prune_events)
