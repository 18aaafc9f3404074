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

from contacts_app.core.work.lease import LeaseLost
from profiles_app.events.callback_health import deregister, no_success_since, tell_of_recovery, tell_of_trouble
from profiles_app.events.matching import Routes, new_delivery, write_deliveries
from profiles_app.events.models.outbox import CallbackLane, Delivery, DeliveryAttempt
from profiles_app.events.models.setup import Callback

State = Delivery.State
GONE = 410
NOT_ANSWERING = "Not sent: the callback did not answer just before."


@dataclass(frozen=True)
class Verdict:
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
        used_up = self.delivery.attempt_count + 1 >= len(settings.CALLBACK_ATTEMPT_SECONDS)
        return not self.ok and not self.suppressed and (used_up or self.is_gone)

    @property
    def reason(self) -> str:
        return self.outcome or (self.attempt.error[:255] if self.attempt else "")


def record_round(callback: Callback, owner: str, verdicts: Sequence[Verdict], *, is_full: bool, is_last: bool) -> bool:
    """Write down a round of deliveries to one callback; whether the lane was given back. Raises LeaseLost.

    It is given back after the last round of a turn, and when nothing more is due; after a full round something is as a
    rule, and is not looked for. Here the lane is locked anyway, and most callbacks have few deliveries due: to look for
    more in a round of its own, and to give back in a transaction of its own, costs as much as the round itself.
    """
    now = timezone.now()
    with transaction.atomic():
        passed_on = _next_hops(callback, [verdict for verdict in verdicts if verdict.is_exhausted], now)
        lane = _locked_lane(callback.pk, owner, {delivery.callback_id for delivery in passed_on})
        _write_attempts(verdicts)
        _write_states(verdicts, now)
        write_deliveries(passed_on, now)
        _judge(callback, lane, verdicts, now)
        is_over = (is_last or not is_full) and _give_back(lane, even_if_due=is_last)
        lane.save()
    return is_over


def let_go(callback_id: int, owner: str) -> None:
    """Give the lane back, and say when it is next needed."""
    with transaction.atomic():
        lane = CallbackLane.objects.select_for_update().filter(pk=callback_id, lease_owner=owner).first()
        if lane is None:
            return
        _give_back(lane)
        lane.save(update_fields=["wake_at", "lease_owner", "lease_until"])


def _give_back(lane: CallbackLane, *, even_if_due: bool = True) -> bool:
    """Whether the lane is free now. The caller has locked it, or would miss what is being written, and saves it."""
    now = timezone.now()
    pending = Delivery.objects.filter(callback=lane.pk, state=State.PENDING).order_by("next_attempt_at")
    first = pending.values_list("next_attempt_at", flat=True).first()
    if first and first <= now and not even_if_due:
        return False
    # Who has had a turn lines up behind those that are waiting.
    lane.wake_at = first and max(first, now)
    lane.lease_owner, lane.lease_until = "", None
    return True


def _locked_lane(callback_id: int, owner: str, others: set[int]) -> CallbackLane:
    # All lanes that this transaction touches are locked in the order of their keys, as everywhere.
    keys = {callback_id, *others}
    CallbackLane.objects.bulk_create([CallbackLane(callback_id=key) for key in others], ignore_conflicts=True)
    locked = CallbackLane.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    lane = next((row for row in locked if row.pk == callback_id and row.lease_owner == owner), None)
    if lane is None:
        raise LeaseLost
    return lane


def _next_hops(callback: Callback, exhausted: Sequence[Verdict], now: datetime) -> list[Delivery]:
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


def _write_attempts(verdicts: Sequence[Verdict]) -> None:
    tried = [(verdict.delivery, verdict.attempt) for verdict in verdicts if verdict.attempt]
    for delivery, attempt in tried:
        attempt.delivery, attempt.callback_id = delivery, delivery.callback_id
        attempt.number = delivery.attempt_count + 1
    DeliveryAttempt.objects.bulk_create([attempt for _, attempt in tried])


def _write_states(verdicts: Sequence[Verdict], now: datetime) -> None:
    """One UPDATE for all with the same result."""
    alike: dict[tuple[State, str, int], list[int]] = defaultdict(list)
    for verdict in verdicts:
        alike[_fate(verdict)].append(verdict.delivery.pk)
    offsets = settings.CALLBACK_ATTEMPT_SECONDS
    for (state, outcome, count), keys in alike.items():
        rows = Delivery.objects.filter(pk__in=keys, state=State.PENDING)
        if state == State.PENDING:
            pause = timedelta(seconds=offsets[count + 1] - offsets[count])
            rows.update(attempt_count=count + 1, outcome=outcome, next_attempt_at=now + pause)
        else:
            rows.update(state=state, outcome=outcome, finished_at=now, attempt_count=F("attempt_count") + count)


def _fate(verdict: Verdict) -> tuple[State, str, int]:
    """The state that a delivery comes to, in what words; the attempts that ends it counts, or those so far."""
    if verdict.ok:
        return State.DELIVERED, "", 1
    if verdict.suppressed:
        return State.SUPPRESSED, verdict.reason, 0
    if verdict.is_exhausted:
        return State.FAILED, verdict.reason, int(not verdict.given_up)
    return State.PENDING, verdict.reason, verdict.delivery.attempt_count


def _judge(callback: Callback, lane: CallbackLane, verdicts: Sequence[Verdict], now: datetime) -> None:
    """What this round says about the callback: does it rest, is its owner told, is it switched off. The caller saves."""
    judged = [verdict for verdict in verdicts if not verdict.suppressed and not verdict.given_up]
    for verdict in judged:
        _count(lane, verdict, now)
    if lane.silent_in_row >= settings.CALLBACK_SILENT_LIMIT and not is_resting(lane, now):
        lane.resting_until = now + timedelta(seconds=settings.CALLBACK_REST_SECONDS)
    failures = [verdict for verdict in judged if not verdict.ok]
    if lane.told_of_trouble and judged and lane.failing_since is None:
        tell_of_recovery(callback, lane)
    # One mail, not two: that it is switched off says that it fails.
    if why := _why_off(lane, any(verdict.is_gone for verdict in failures), now):
        deregister(callback, lane, why, failures[-1].reason if failures else "", now)
    elif failures and not lane.told_of_trouble:
        tell_of_trouble(callback, lane, failures[-1].reason, now)


def is_resting(lane: CallbackLane, now: datetime) -> bool:
    return lane.resting_until is not None and lane.resting_until > now


def _count(lane: CallbackLane, verdict: Verdict, now: datetime) -> None:
    if verdict.ok:
        lane.silent_in_row = lane.exhausted_in_row = 0
        lane.failing_since, lane.resting_until, lane.last_success_at = None, None, now
        return
    lane.failing_since = lane.failing_since or now
    lane.exhausted_in_row += int(verdict.is_exhausted)
    if verdict.attempt:
        lane.silent_in_row = lane.silent_in_row + 1 if verdict.attempt.is_silent else 0


def _why_off(lane: CallbackLane, gone: bool, now: datetime) -> str:
    """Why the callback is to be switched off, if it is."""
    if gone:
        return "It answered 410 Gone."
    if lane.exhausted_in_row >= settings.CALLBACK_EXHAUSTED_LIMIT:
        return f"{lane.exhausted_in_row} deliveries in a row failed in all their attempts."
    longest = timedelta(seconds=settings.CALLBACK_FAILING_SECONDS)
    if lane.failing_since and now - lane.failing_since >= longest:
        return no_success_since(lane.failing_since)
    return ""
