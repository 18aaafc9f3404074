"""Delivering: claim the queues of callbacks with something due, send what is due in the order of events, write it down.

A queue is leased by one worker at a time. When that one is killed, another one delivers again whatever was not written
down: at least once, with the same uuid.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import Error
from django.db.models import Q, QuerySet
from django.db.models.functions import Length
from django.utils import timezone

from contacts_app.core.history.authorship import following
from contacts_app.core.tally.service import Counting
from contacts_app.core.work.kind import Work
from contacts_app.core.work.lease import LeaseLost, no_live_lease
from profiles_app.events.callback_health import deregister_failing
from profiles_app.events.delivery_channel import Channel, RateLimit, channel_to
from profiles_app.events.delivery_record import NOT_ANSWERING, DeliveryResult, is_resting, let_go, record_round
from profiles_app.events.envelope import envelope
from profiles_app.events.matching import match_new
from profiles_app.events.models.outbox import CallbackQueue, Delivery, Event
from profiles_app.events.models.setup import Callback, Listener
from profiles_app.events.outbox import DELIVERIES, within_memory

log = structlog.get_logger(__name__)
# A round ends with what was sent being written down: after so many deliveries, or so long.
ROUND = 200
ROUND_SECONDS = 1.0
# After so long a queue lets others have its thread.
TURN_SECONDS = 5.0
BROKEN = "Not sent: Patchbay could not make a request of this event. Its log says why."


def of_last_day(deliveries: "QuerySet[Delivery]") -> "QuerySet[Delivery]":
    return deliveries.filter(created_at__gte=timezone.now() - timedelta(days=1))


# By state; there may be a million.
LAST_DAY = Counting("deliveries", lambda: Delivery.objects.all(), ("state",), within=of_last_day)


class Deliveries(Work):
    """What is due to one callback after the other, each for a while; and before that, the matching of new events."""

    name = queue = DELIVERIES
    model = CallbackQueue
    due_field = "wake_at"
    account = "callback__account"

    @classmethod
    def due(cls) -> QuerySet[CallbackQueue]:
        now = timezone.now()
        is_rested = Q(resting_until=None) | Q(resting_until__lte=now)
        return CallbackQueue.objects.filter(is_rested, no_live_lease(), wake_at__lte=now)

    @classmethod
    def threads(cls) -> int:
        return int(settings.CALLBACK_THREADS)

    @classmethod
    def sweep(cls) -> int:
        deregister_failing(timedelta(seconds=settings.CALLBACK_FAILING_SECONDS))
        return Event.objects.filter(matched_at=None).count() + super().sweep()

    def prepare(self) -> int:
        return match_new()

    def do(self, keys: Sequence[int]) -> None:
        for pk in keys:
            end = time.monotonic() + TURN_SECONDS
            while not _round(pk, self.owner, end):
                pass

    def rest(self, until: datetime) -> dict[str, Any]:
        return {"resting_until": until}


def _round(pk: int, owner: str, end: float) -> bool:
    """Deliver some of what is due to a callback, which is read anew each time; whether its turn is over.

    It is at the latest with the round in which `end` (monotonic) comes.
    """
    rows = Callback.objects.select_related("account", "extension", "profile", "queue")
    callback = rows.filter(pk=pk).first()
    if callback is None:
        raise LeaseLost
    now = timezone.now()
    due = Delivery.objects.filter(callback=pk, state=Delivery.State.PENDING, next_attempt_at__lte=now)
    sizes = due.order_by("event_id").annotate(size=Length("event__stored_data")).values_list("pk", "size")
    keys = within_memory(sizes[:ROUND])
    deliveries = list(Delivery.objects.filter(pk__in=keys).order_by("event_id").select_related("event"))
    if not deliveries:
        let_go(pk, owner)
        return True
    verdicts = list(_verdicts(callback, deliveries))
    is_full, is_last = len(keys) == ROUND, time.monotonic() > end
    return record_round(callback, owner, verdicts, is_full=is_full, is_last=is_last)


def _verdicts(callback: Callback, deliveries: Sequence[Delivery]) -> Iterator[DeliveryResult]:
    if (unsent := _never_sent(callback)) is not None:
        yield from (DeliveryResult(delivery, **unsent) for delivery in deliveries)
        return
    end = time.monotonic() + ROUND_SECONDS
    limit = RateLimit(callback, timezone.now())
    listeners = _listeners_of(deliveries)
    silent = callback.queue.silent_in_row
    with closing(channel_to(callback)) as channel:
        for delivery in deliveries:
            if time.monotonic() > end:
                return
            # A callback that answers nothing is asked once after each rest; the others share the fate of that one.
            if silent > callback.queue.silent_in_row and silent >= settings.CALLBACK_SILENT_LIMIT:
                yield DeliveryResult(delivery, outcome=NOT_ANSWERING)
            elif delivery.attempt_count == 0 and not limit.admits(timezone.now()):
                yield DeliveryResult(delivery, outcome="Beyond the callback's rate limit.", suppressed=True)
            else:
                verdict = _send(channel, callback, delivery, listeners)
                silent = silent + 1 if verdict.attempt and verdict.attempt.is_silent else 0
                yield verdict
                if verdict.is_gone:
                    return


def _never_sent(callback: Callback) -> dict[str, Any] | None:
    """What is said of deliveries to a callback that nothing is sent to; None if it is sent to."""
    if is_resting(callback.queue, timezone.now()):
        return {"outcome": NOT_ANSWERING}
    if callback.mode == Callback.Mode.APPLICATION:
        words = f"The application {callback.config['application']} is not run by this portal."
        return {"outcome": words, "suppressed": True}
    if callback.enabled:
        return None
    if not callback.disabled_reason:
        return {"outcome": "The callback was switched off.", "suppressed": True}
    words = f"The callback was switched off by the portal. {callback.disabled_reason}"[:255]
    return {"outcome": words, "given_up": True}


def _send(channel: Channel, callback: Callback, delivery: Delivery, listeners: dict[int, Listener]) -> DeliveryResult:
    listener = listeners.get(delivery.listener_id or 0)
    with following(delivery.event.request_id):
        try:
            body = envelope(delivery.event, callback, delivery.listener_id, listener)
            sent = channel.send(body)
            if not sent.ok:
                log.info("event not taken", delivery=delivery.pk, code=sent.error_code, status=sent.status)
            return DeliveryResult(delivery, sent)
        except Error:
            # The delivery is made again when the database is back.
            raise
        except Exception:
            # A mistake of ours holds up nothing that comes after it, and is not held against the callback.
            log.exception("a delivery broke", delivery=delivery.pk)
            return DeliveryResult(delivery, outcome=BROKEN, given_up=True)


def _listeners_of(deliveries: Sequence[Delivery]) -> dict[int, Listener]:
    keys = {delivery.listener_id for delivery in deliveries if delivery.listener_id}
    return Listener.objects.select_related("extension").in_bulk(keys)
