"""What people do with deliveries: send them again, and send one to see whether a callback takes it."""

from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from contacts_app.core.work.wake import nudge_after_commit
from contacts_app.services.actor import Actor
from profiles_app.models import Callback, Delivery
from profiles_app.services.event import DELIVERIES, Happening, new_event
from profiles_app.services.matching import Destination, new_delivery, wake_lanes, write_deliveries

BATCH = 500


def replayable(deliveries: QuerySet[Delivery], actor: Actor) -> QuerySet[Delivery]:
    """Those that have ended and that the actor may see."""
    return actor.sees(deliveries).exclude(state=Delivery.State.PENDING)


def replay(
    deliveries: QuerySet[Delivery], actor: Actor, tell: Callable[[int], None] = lambda count: None
) -> int:
    """Deliver again what has ended, with the same uuid and all attempts anew; how many there were.

    What is still pending is left alone, and so is what the actor may not see. The attempts so far stay on record.
    `tell` hears of every batch how many there have been.
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
    wake_lanes({callback for _, callback in locked}, now)
    nudge_after_commit(DELIVERIES)
    return len(locked)


@transaction.atomic
def send_test_event(callback: Callback, actor: Actor) -> Delivery:
    """Deliver an event with the tag `test-event` to this callback alone, whatever its listeners want."""
    now = timezone.now()
    event = new_event(
        Happening(
            account=callback.account,
            extension=callback.extension,
            tags=["test-event"],
            data_type="test",
            data={"test": True, "callback_id": callback.pk, "requested_by": actor.label},
        )
    )
    event.matched_at = now
    event.save()
    write_deliveries([new_delivery(event, Destination(callback.pk, 0), None, now)], now)
    nudge_after_commit(DELIVERIES)
    return Delivery.objects.get(event=event, callback=callback)
