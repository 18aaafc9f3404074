"""From events to deliveries: the listeners whose subscriptions and filters an event meets (events spec §5).

Events are matched in the order in which they were written, and deliveries are written in that order. The rows of the
events are locked meanwhile, so that two workers follow one another. Numbers are compared by their digits, so that
`+1555…` and `1555…` are the same number.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, Q
from django.db.models.functions import Length
from django.utils import timezone

from profiles_app.events.models.outbox import CallbackQueue, Delivery, Event
from profiles_app.events.models.setup import Callback, Listener, ListenerFilter, Subscription
from profiles_app.events.outbox import within_memory

# Where an event names the two sides of a call or a message, as values or as participants (events spec §7).
SIDES = ("from", "to", "did")
# Members of a participant that may be a number.
NUMBERS = ("id", "number", "extension")


def passes(rule: ListenerFilter, data: object, schedules: Iterable[int]) -> bool:
    """Whether an event with this data, at a time when these schedules were in force, passes the filter."""
    value = rule.filter_value
    if rule.filter_type == ListenerFilter.Type.SCHEDULE:
        found = value["id"] in schedules
    elif "match" in value:
        found = any(map(_pattern(value["match"]).fullmatch, numbers_in(data)))
    else:
        wanted = [value["eq"]] if "eq" in value else value["in"]
        found = not set(numbers_in(data)).isdisjoint(map(_digits, wanted))
    return bool(found != rule.not_logic)


def numbers_in(data: object) -> Iterator[str]:
    """The digits of every number on either side of the call or message, wherever its legs put them."""
    if isinstance(data, list):
        for item in data:
            yield from numbers_in(item)
    elif isinstance(data, Mapping):
        for name, value in data.items():
            if name in SIDES:
                yield from _numbers_of(value)
            else:
                yield from numbers_in(value)


def _numbers_of(side: object) -> Iterator[str]:
    if isinstance(side, list):
        for participant in side:
            yield from _numbers_of(participant)
    elif isinstance(side, Mapping):
        for name in NUMBERS:
            yield from _numbers_of(side.get(name))
    elif isinstance(side, str | int) and not isinstance(side, bool) and (digits := _digits(str(side))):
        yield digits


def _digits(number: str) -> str:
    return re.sub(r"[^0-9]", "", number)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """`%` is any run of digits, none included."""
    return re.compile("[0-9]*".join(map(_digits, text.split("%"))))


BATCH = 500
# Enough to send an event onwards; the configuration would have to be decrypted.
ROUTE_COLUMNS = ("pk", "account_id", "fallback_callback_id", "enabled", "disabled_reason")


@dataclass(frozen=True)
class DeliveryTarget:
    """The callback that gets an event: `hop` is how many fallbacks it is away from the one that was meant."""

    callback_id: int
    hop: int


class Routes:
    """The callbacks of some accounts, and which of them take what is meant for which."""

    def __init__(self, accounts: Iterable[int]) -> None:
        rows = Callback.objects.filter(account__in=accounts).order_by().only(*ROUTE_COLUMNS)
        self._callbacks = {callback.pk: callback for callback in rows}

    def destination(self, callback_id: int) -> DeliveryTarget | None:
        """Where an event for this callback goes. One that a person has switched off gets none, nor do its fallbacks;
        one that the portal has switched off is stood in for.
        """
        callback = self._callbacks.get(callback_id)
        if callback is None or callback.enabled:
            return DeliveryTarget(callback_id, 0) if callback else None
        return self.after(callback_id, 0) if callback.disabled_reason else None

    def after(self, callback_id: int, hop: int) -> DeliveryTarget | None:
        """The next callback of the fallbacks that is enabled."""
        passed = {callback_id}
        while callback := self._callbacks.get(callback_id):
            following, hop = callback.fallback_callback_id, hop + 1
            if following is None or following in passed or following not in self._callbacks:
                return None
            if self._callbacks[following].enabled:
                return DeliveryTarget(following, hop)
            passed.add(following)
            callback_id = following
        return None


def match_new() -> int:
    """Write the deliveries of all events that have none yet; how many events there were."""
    matched = batch = _match_batch()
    while batch == BATCH:
        batch = _match_batch()
        matched += batch
    return matched


@transaction.atomic
def _match_batch() -> int:
    unmatched = Event.objects.select_for_update().filter(matched_at=None).order_by("pk")
    sizes = unmatched.annotate(size=Length("stored_data")).values_list("pk", "size")[:BATCH]
    events = list(Event.objects.filter(pk__in=within_memory(sizes)).order_by("pk"))
    if not events:
        return 0
    now = timezone.now()
    accounts = {event.account_id for event in events if event.account_id}
    listeners, routes = _listeners_of(accounts, now), Routes(accounts)
    deliveries = [delivery for event in events for delivery in _deliveries(event, listeners, routes, now)]
    write_deliveries(deliveries, now)
    Event.objects.filter(pk__in=[event.pk for event in events]).update(matched_at=now)
    return len(events)


def write_deliveries(deliveries: Sequence[Delivery], now: datetime) -> None:
    """Store new deliveries and wake the queues of their callbacks, within the caller's transaction."""
    if not deliveries:
        return
    Delivery.objects.bulk_create(deliveries, batch_size=1000, ignore_conflicts=True)
    wake_queues({delivery.callback_id for delivery in deliveries}, now)


def wake_queues(callbacks: Iterable[int], when: datetime) -> None:
    """Have these callbacks looked at no later than `when`.

    All the queues are locked, in one order: a worker that gives a queue back at this moment sees no delivery that is not
    committed yet, and would set no time to wake it.
    """
    keys = sorted(callbacks)
    CallbackQueue.objects.bulk_create([CallbackQueue(callback_id=key) for key in keys], ignore_conflicts=True)
    queues = CallbackQueue.objects.filter(pk__in=keys)
    locked = queues.select_for_update().order_by("pk").values_list("pk", "wake_at")
    late = [pk for pk, wake_at in locked if wake_at is None or wake_at > when]
    queues.filter(pk__in=late).update(wake_at=when)


def _listeners_of(accounts: set[int], now: datetime) -> dict[int, list[Listener]]:
    """The listeners that are in force, by account, the oldest first."""
    rows = (
        Listener.objects.filter(account__in=accounts)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .order_by("pk")
        .prefetch_related(
            Prefetch("subscriptions", Subscription.objects.order_by()),
            Prefetch("filters", ListenerFilter.objects.order_by()),
        )
    )
    found = defaultdict(list)
    for listener in rows:
        found[listener.account_id].append(listener)
    return found


def _deliveries(event: Event, listeners: dict[int, list[Listener]], routes: Routes, now: datetime) -> list[Delivery]:
    """One for each callback; several listeners of one callback make one, in the name of the oldest."""
    found: dict[int, Delivery] = {}
    for listener in listeners.get(event.account_id or 0, []):
        if not hears(listener, event):
            continue
        if destination := routes.destination(listener.callback_id):
            delivery = new_delivery(event, destination, listener.pk, now)
            found.setdefault(destination.callback_id, delivery)
    return list(found.values())


def hears(listener: Listener, event: Event) -> bool:
    """Whether the event is for the listener. An account gets events of its extensions, an extension its own alone."""
    if listener.extension_id not in (None, event.extension_id):
        return False
    borne = set(event.tags)
    if not any(borne.issuperset(subscription.tags) for subscription in listener.subscriptions.all()):
        return False
    filters = listener.filters.all()
    data: Any = event.data if filters else None
    return all(passes(rule, data, event.schedules) for rule in filters)


def new_delivery(event: Event, destination: DeliveryTarget, listener_id: int | None, now: datetime) -> Delivery:
    return Delivery(
        account_id=event.account_id or 0,
        event=event,
        callback_id=destination.callback_id,
        listener_id=listener_id,
        hop=destination.hop,
        next_attempt_at=now,
    )
