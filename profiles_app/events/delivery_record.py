"""Writing down how deliveries went, many at a time: attempts, states, what is tried again when, and who is next.

All of a round is written in one transaction under the callback's lease. A worker that has lost the lease writes
nothing: the worker that has it delivers again, with the same uuid.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from contacts_app.core.lists.insert import insert_many
from contacts_app.core.metrics import Counted
from contacts_app.core.work.lease import LeaseLost
from profiles_app.events.attempts import pause_after
from profiles_app.events.callback_health import deregister, no_success_since, tell_of_failure, tell_of_recovery
from profiles_app.events.matching import Routes, new_delivery, write_deliveries
from profiles_app.events.models.outbox import CallbackQueue, Delivery, DeliveryAttempt
from profiles_app.events.models.setup import Callback

State = Delivery.State
DELIVERIES = Counted("patchbay_deliveries_total", "Attempts to deliver an event, by what came of them.", "result")
GONE = 410
NOT_ANSWERING = "Not sent: the callback did not answer just before."


@dataclass(frozen=True)
class DeliveryResult:
    """The result of one delivery in a round. Without an `attempt` nothing was sent; `outcome` says why."""

    delivery: Delivery
    attempt: DeliveryAttempt | None = None
    outcome: str = ""
    # Not sent, and never to be: no failure of the callback.
    suppressed: bool = False
    # Not sent, and not tried again: the fallbacks have their turn at once.
    given_up: bool = False

    @property
    def ok(self) -> bool:
        return self.attempt is not None and self.attempt.ok

    @property
    def is_gone(self) -> bool:
        """The callback wants nothing any more: nothing else is sent to it."""
        return self.attempt is not None and self.attempt.status == GONE

    @property
    def is_exhausted(self) -> bool:
        if self.given_up:
            return True
        used_up = pause_after(self.delivery.attempt_count + 1) is None
        return not self.ok and not self.suppressed and (used_up or self.is_gone)

    @property
    def reason(self) -> str:
        return self.outcome or (self.attempt.error[:255] if self.attempt else "")


def record_round(
    callback: Callback, owner: str, verdicts: Sequence[DeliveryResult], *, is_full: bool, is_last: bool
) -> bool:
    """Write down a round of deliveries to one callback; whether the queue was given back. Raises LeaseLost.

    It is given back after the last round of a turn, and when nothing more is due; after a full round something is as a
    rule, and is not looked for. Here the queue is locked anyway, and most callbacks have few deliveries due: to look for
    more in a round of its own, and to give back in a transaction of its own, costs as much as the round itself.
    """
    now = timezone.now()
    with transaction.atomic():
        passed_on = _next_hops(callback, [verdict for verdict in verdicts if verdict.is_exhausted], now)
        queue = _locked_queue(callback.pk, owner, {delivery.callback_id for delivery in passed_on})
        _write_attempts(verdicts)
        _write_states(verdicts, now)
        write_deliveries(passed_on, now)
        _judge(callback, queue, verdicts, now)
        is_over = (is_last or not is_full) and _give_back(queue, even_if_due=is_last)
        queue.save()
    return is_over


def let_go(callback_id: int, owner: str) -> None:
    """Give the queue back, and say when it is next needed."""
    with transaction.atomic():
        queue = CallbackQueue.objects.select_for_update().filter(pk=callback_id, lease_owner=owner).first()
        if queue is None:
            return
        _give_back(queue)
        queue.save(update_fields=["wake_at", "lease_owner", "lease_until"])


def _give_back(queue: CallbackQueue, *, even_if_due: bool = True) -> bool:
    """Whether the queue is free now. The caller has locked it, or would miss what is being written, and saves it."""
    now = timezone.now()
    pending = Delivery.objects.filter(callback=queue.pk, state=State.PENDING).order_by("next_attempt_at")
    first = pending.values_list("next_attempt_at", flat=True).first()
    if first and first <= now and not even_if_due:
        return False
    # Who has had a turn lines up behind those that are waiting.
    queue.wake_at = first and max(first, now)
    queue.lease_owner, queue.lease_until = "", None
    return True


def _locked_queue(callback_id: int, owner: str, others: set[int]) -> CallbackQueue:
    # All queues that this transaction touches are locked in the order of their keys, as everywhere.
    keys = {callback_id, *others}
    CallbackQueue.objects.bulk_create([CallbackQueue(callback_id=key) for key in sorted(others)], ignore_conflicts=True)
    locked = CallbackQueue.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    queue = next((row for row in locked if row.pk == callback_id and row.lease_owner == owner), None)
    if queue is None:
        raise LeaseLost
    return queue


def _next_hops(callback: Callback, exhausted: Sequence[DeliveryResult], now: datetime) -> list[Delivery]:
    """Deliveries to the next callback of the fallbacks, where there is one."""
    if not exhausted or callback.fallback_callback_id is None:
        return []
    routes = Routes([callback.account_id])
    passed_on = []
    for verdict in exhausted:
        if destination := routes.after(callback.pk, verdict.delivery.hop):
            event, listener_id = verdict.delivery.event, verdict.delivery.listener_id
            passed_on.append(new_delivery(event, destination, listener_id, now))
    return passed_on


def _write_attempts(verdicts: Sequence[DeliveryResult]) -> None:
    tried = [(verdict.delivery, verdict.attempt) for verdict in verdicts if verdict.attempt]
    for delivery, attempt in tried:
        attempt.delivery, attempt.callback_id = delivery, delivery.callback_id
        attempt.number = delivery.attempt_count + 1
    insert_many([attempt for _, attempt in tried])


def _write_states(verdicts: Sequence[DeliveryResult], now: datetime) -> None:
    """One UPDATE for all with the same result."""
    alike: dict[tuple[State, str, int], list[int]] = defaultdict(list)
    for verdict in verdicts:
        alike[_fate(verdict)].append(verdict.delivery.pk)
    for (state, _, _), keys in alike.items():
        DELIVERIES.add("tried again" if state == State.PENDING else state, by=len(keys))
    for (state, outcome, count), keys in alike.items():
        rows = Delivery.objects.filter(pk__in=keys, state=State.PENDING)
        if state == State.PENDING:
            pause = pause_after(count + 1)
            rows.update(attempt_count=count + 1, outcome=outcome, next_attempt_at=now + (pause or timedelta(0)))
        else:
            rows.update(state=state, outcome=outcome, finished_at=now, attempt_count=F("attempt_count") + count)


def _fate(verdict: DeliveryResult) -> tuple[State, str, int]:
    """The state that a delivery comes to, in what words; the attempts that ends it counts, or those so far."""
    if verdict.ok:
        return State.DELIVERED, "", 1
    if verdict.suppressed:
        return State.SUPPRESSED, verdict.reason, 0
    if verdict.is_exhausted:
        return State.FAILED, verdict.reason, int(not verdict.given_up)
    return State.PENDING, verdict.reason, verdict.delivery.attempt_count


def _judge(callback: Callback, queue: CallbackQueue, verdicts: Sequence[DeliveryResult], now: datetime) -> None:
    """What this round says about the callback: does it rest, is its owner told, is it switched off. The caller saves."""
    judged = [verdict for verdict in verdicts if not verdict.suppressed and not verdict.given_up]
    for verdict in judged:
        _count(queue, verdict, now)
    if queue.silent_in_row >= settings.CALLBACK_SILENT_LIMIT and not is_resting(queue, now):
        queue.resting_until = now + timedelta(seconds=settings.CALLBACK_REST_SECONDS)
    failures = [verdict for verdict in judged if not verdict.ok]
    if queue.told_of_failure and judged and queue.failing_since is None:
        tell_of_recovery(callback, queue)
    # One mail, not two: that it is switched off says that it fails.
    if why := _why_off(queue, any(verdict.is_gone for verdict in failures), now):
        deregister(callback, queue, why, failures[-1].reason if failures else "", now)
    elif failures and not queue.told_of_failure:
        tell_of_failure(callback, queue, failures[-1].reason, now)


def is_resting(queue: CallbackQueue, now: datetime) -> bool:
    return queue.resting_until is not None and queue.resting_until > now


def _count(queue: CallbackQueue, verdict: DeliveryResult, now: datetime) -> None:
    if verdict.ok:
        queue.silent_in_row = queue.exhausted_in_row = 0
        queue.failing_since, queue.resting_until, queue.last_success_at = None, None, now
        return
    queue.failing_since = queue.failing_since or now
    queue.exhausted_in_row += int(verdict.is_exhausted)
    if verdict.attempt:
        queue.silent_in_row = queue.silent_in_row + 1 if verdict.attempt.is_silent else 0


def _why_off(queue: CallbackQueue, gone: bool, now: datetime) -> str:
    """Why the callback is to be switched off, if it is."""
    if gone:
        return "It answered 410 Gone."
    if queue.exhausted_in_row >= settings.CALLBACK_EXHAUSTED_LIMIT:
        return f"{queue.exhausted_in_row} deliveries in a row failed in all their attempts."
    longest = timedelta(seconds=settings.CALLBACK_FAILING_SECONDS)
    if queue.failing_since and now - queue.failing_since >= longest:
        return no_success_since(queue.failing_since)
    return ""
