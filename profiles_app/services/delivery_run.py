"""Delivering: claim the lanes of callbacks with something due, send what is due in the order of events, write it down.

Any number of workers may do this. A lane is held under a lease, renewed by a heartbeat while the process lives; one that
is killed stops renewing, and another one delivers again whatever was not written down: at least once, with the same uuid.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Length
from django.utils import timezone

from contacts_app.services.heartbeat import Heartbeat
from contacts_app.services.nudge import nudge
from profiles_app.models import Callback, CallbackLane, Delivery, Event, Listener
from profiles_app.services.callback_state import deregister_failing
from profiles_app.services.channel import Channel, channel_to
from profiles_app.services.delivery_record import (
    NOT_ANSWERING,
    LeaseLost,
    Verdict,
    is_resting,
    let_go,
    record_round,
)
from profiles_app.services.envelope import envelope
from profiles_app.services.event import DELIVER, within_memory
from profiles_app.services.matching import match_new
from profiles_app.services.rate_limit import RateLimit

log = structlog.get_logger(__name__)
# A round ends with what was sent being written down: after so many deliveries, or so long.
ROUND = 200
ROUND_SECONDS = 1.0
# After so long a lane lets others have its thread.
TURN_SECONDS = 5.0
# After an unexpected error a lane rests, so that it cannot keep a worker busy for ever.
PENALTY = timedelta(minutes=1)
BROKEN = "Not sent: Patchbay could not make a request of this event. Its log says why."

_running, _asked = threading.Lock(), threading.Event()


def deliver_due() -> None:
    """Match new events and deliver whatever is due. One run at a time in a process; asking again prolongs it."""
    _asked.set()
    while _asked.is_set() and _running.acquire(blocking=False):
        try:
            _asked.clear()
            _run()
        finally:
            _running.release()


def sweep_deliveries() -> int:
    """Find events and deliveries that wait although no worker was told, and callbacks that fail for too long."""
    deregister_failing(timedelta(seconds=settings.CALLBACK_FAILING_SECONDS))
    waiting = Event.objects.filter(matched_at=None).count() + _due_lanes().count()
    if waiting:
        nudge(DELIVER)
    return waiting


def _run() -> None:
    owner, most = uuid.uuid4().hex, settings.CALLBACK_LANES
    held, stopping = CallbackLane.objects.filter(lease_owner=owner), threading.Event()
    with Heartbeat(held), ThreadPoolExecutor(most, thread_name_prefix="lane") as threads:
        try:
            _keep_going(owner, most, threads, stopping)
        finally:
            # After an error no lane begins another turn: this heartbeat has to end, or it holds what has failed.
            stopping.set()


def _keep_going(owner: str, most: int, threads: ThreadPoolExecutor, stopping: threading.Event) -> None:
    lanes: set[Future[None]] = set()
    while True:
        _asked.clear()
        matched = match_new()
        lanes |= {threads.submit(_lane, pk, owner, stopping) for pk in claim(owner, most - len(lanes))}
        if not lanes and not matched:
            return
        if lanes:
            # Each lane goes on by itself; this matches new events and adds lanes for what came due meanwhile.
            ended, lanes = wait(lanes, timeout=0.2, return_when=FIRST_COMPLETED)
            for lane in ended:
                lane.result()


def _lane(pk: int | None, owner: str, stopping: threading.Event) -> None:
    """One callback after the other on one thread and one database connection, until none is due."""
    try:
        while pk is not None:
            _take_turn(pk, owner)
            pk = None if stopping.is_set() else next(iter(claim(owner, 1)), None)
    except DatabaseError:
        log.exception("the database refused", callback=pk)
        connection.close()
        if pk is not None:
            # As long as this process has anything to do, its heartbeat would keep the lane from everybody.
            let_go(pk, owner, rest=PENALTY)
    finally:
        connection.close()


def _due_lanes() -> QuerySet[CallbackLane]:
    now = timezone.now()
    return CallbackLane.objects.filter(
        Q(resting_until=None) | Q(resting_until__lte=now),
        Q(lease_owner="") | Q(lease_until__lt=now),
        wake_at__lte=now,
    )


@transaction.atomic
def claim(owner: str, limit: int) -> list[int]:
    """Take up to `limit` due lanes under our lease; their keys. Of several workers each lane goes to one."""
    if limit <= 0:
        return []
    due = _due_lanes().order_by("wake_at", "pk")
    # SQLite knows no row locks and needs none: its transactions follow one another.
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    keys = list(due.values_list("pk", flat=True)[:limit])
    if keys:
        until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
        CallbackLane.objects.filter(pk__in=keys).update(lease_owner=owner, lease_until=until)
    return keys


def _take_turn(pk: int, owner: str) -> None:
    end = time.monotonic() + TURN_SECONDS
    try:
        while time.monotonic() < end and _round(pk, owner):
            pass
        let_go(pk, owner)
    except LeaseLost:
        log.info("callback taken over by another worker", callback=pk)
    except DatabaseError:
        raise
    except Exception:
        log.exception("deliveries broke", callback=pk)
        let_go(pk, owner, rest=PENALTY)


def _round(pk: int, owner: str) -> int:
    """Deliver some of what is due to a callback, which is read anew each time; how many there were."""
    rows = Callback.objects.select_related("account", "extension", "profile", "lane")
    callback = rows.filter(pk=pk).first()
    if callback is None:
        raise LeaseLost
    now = timezone.now()
    due = Delivery.objects.filter(callback=pk, state=Delivery.State.PENDING, next_attempt_at__lte=now)
    sizes = due.order_by("event_id").annotate(size=Length("event__stored_data")).values_list("pk", "size")
    keys = within_memory(sizes[:ROUND])
    deliveries = list(Delivery.objects.filter(pk__in=keys).order_by("event_id").select_related("event"))
    if deliveries:
        record_round(callback, owner, list(_verdicts(callback, deliveries)))
    return len(deliveries)


def _verdicts(callback: Callback, deliveries: Sequence[Delivery]) -> Iterator[Verdict]:
    if (unsent := _never_sent(callback)) is not None:
        yield from (unsent(delivery) for delivery in deliveries)
        return
    end = time.monotonic() + ROUND_SECONDS
    limit = RateLimit(callback, timezone.now())
    listeners = _listeners_of(deliveries)
    silent = callback.lane.silent_in_row
    with channel_to(callback) as channel:
        for delivery in deliveries:
            if time.monotonic() > end:
                return
            # A callback that answers nothing is asked once after each rest; the others share the fate of that one.
            if silent > callback.lane.silent_in_row and silent >= settings.CALLBACK_SILENT_LIMIT:
                yield Verdict(delivery, outcome=NOT_ANSWERING)
            elif delivery.attempt_count == 0 and not limit.admits(timezone.now()):
                yield Verdict(delivery, outcome="Beyond the callback's rate limit.", suppressed=True)
            else:
                verdict = _send(channel, callback, delivery, listeners)
                silent = silent + 1 if verdict.attempt and verdict.attempt.is_silent else 0
                yield verdict
                if verdict.is_gone:
                    return


def _never_sent(callback: Callback) -> Callable[[Delivery], Verdict] | None:
    """What becomes of deliveries to a callback that nothing is sent to; None if it is sent to."""
    if is_resting(callback.lane, timezone.now()):
        return lambda delivery: Verdict(delivery, outcome=NOT_ANSWERING)
    if callback.mode == Callback.Mode.APPLICATION:
        words = f"The application {callback.config['application']} is not run by this portal."
    elif not callback.enabled and not callback.disabled_reason:
        words = "The callback was switched off."
    elif not callback.enabled:
        words = f"The callback was switched off by the portal. {callback.disabled_reason}"[:255]
        return lambda delivery: Verdict(delivery, outcome=words, given_up=True)
    else:
        return None
    return lambda delivery: Verdict(delivery, outcome=words, suppressed=True)


def _send(
    channel: Channel, callback: Callback, delivery: Delivery, listeners: dict[int, Listener]
) -> Verdict:
    listener = listeners.get(delivery.listener_id or 0)
    try:
        body = envelope(delivery.event, callback, delivery.listener_id, listener)
        return Verdict(delivery, channel.send(body))
    except Exception:
        # A mistake of ours holds up nothing that comes after it, and is not held against the callback.
        log.exception("a delivery broke", delivery=delivery.pk)
        return Verdict(delivery, outcome=BROKEN, given_up=True)


def _listeners_of(deliveries: Sequence[Delivery]) -> dict[int, Listener]:
    keys = {delivery.listener_id for delivery in deliveries if delivery.listener_id}
    return Listener.objects.select_related("extension").in_bulk(keys)
