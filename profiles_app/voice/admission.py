"""Admission of calls: asking for a channel, keeping it while the call lasts, and giving it back with the call's cost.

A PBX asks before it dials, renews the reservation while the call lasts, and closes it. What is not renewed expires, so
that a PBX that died holds nothing. Refusals are answers, no errors.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F

from contacts_app.core.errors import Refusal
from contacts_app.core.values import digits
from contacts_app.core.work import clock
from profiles_app.calls.models import CallRecord
from profiles_app.calls.services import record_call
from profiles_app.voice.decision import day_of, decide, in_use
from profiles_app.voice.models.admission import Admission, VoiceUsage
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.rates import cost_of, price_of
from profiles_app.voice.spending import tell_if_near

Recording = OutboundVoiceProfile.Recording


@dataclass(frozen=True)
class CallRequest:
    """A call that is to be made. `rate` is its price per minute, where the PBX knows it."""

    destination: str
    call_id: str
    caller: str = ""
    rate: Decimal | None = None


def admit(profile: OutboundVoiceProfile, ask: CallRequest) -> Admission:
    """Decide about a call; an empty `reason` admits it. Raises Refusal where the profile has just been deleted."""
    now = clock.now()
    price = price_of(profile, ask.destination, ask.rate)
    made = Admission(
        account_id=profile.account_id,
        profile=profile,
        call_id=ask.call_id,
        destination=ask.destination,
        caller=ask.caller,
        prefix=price.prefix,
        price=price.price,
        interval=price.interval,
        is_recorded=records(profile, ask.caller),
        created_at=now,
        **lease_from(now),
    )
    first = cost_of(price.price, price.interval, price.interval) or Decimal(0)
    if not decide(made, is_allowed=price.is_allowed, first=first):
        raise Refusal("other-account", "Outbound voice profile not found")
    tell_if_near(profile, made.spent + (first if made.is_admitted else 0), now)
    return made


def lease_from(now: datetime) -> dict[str, datetime]:
    lease = timedelta(seconds=settings.VOICE_LEASE_SECONDS)
    return {"expires_at": now + lease, "lost_at": now + 2 * lease}


def records(profile: OutboundVoiceProfile, caller: str) -> bool:
    """Whether the profile has a call from this number recorded."""
    if profile.record_calls != Recording.BY_CALLER:
        return profile.record_calls == Recording.ALL
    return bool(number := digits(caller)) and number in map(digits, profile.recorded_callers.splitlines())


def renew(made: Admission, *, answered_at: datetime | None = None) -> Admission:
    """Keep the channel for another lease; the call may have been answered. Raises Refusal when it has expired."""
    now = clock.now()
    lease: dict[str, datetime] = lease_from(now)
    if answered_at is not None:
        lease["answered_at"] = min(max(answered_at, made.created_at), now)
    running = Admission.objects.filter(Admission.OPEN, pk=made.pk, expires_at__gt=now)
    if not running.update(**lease):
        made.refresh_from_db(fields=["ended_at"])
        why = "has expired" if made.ended_at is None else "is closed"
        raise Refusal("reservation-over", f"The reservation {why}")
    for name, value in lease.items():
        setattr(made, name, value)
    if made.profile.daily_spend_limit is not None:
        tell_if_near(made.profile, in_use([made.profile_id], now)[made.profile_id].spent, now)
    return made


@transaction.atomic
def close(
    made: Admission, *, ended_at: datetime | None = None, seconds: int | None = None, cost: Decimal | None = None
) -> Admission:
    """End the call: its channel is free, its cost is spent. Closing it once more changes nothing.

    Without `seconds` they are counted from the answer; without `cost` it is worked out.
    """
    now = clock.now()
    ended = min(max(ended_at or now, made.created_at), now)
    if seconds is None:
        seconds = round(max((ended - made.answered_at).total_seconds(), 0)) if made.answered_at else 0
    if cost is None:
        cost = cost_of(made.price, made.interval, seconds)
    is_first = Admission.objects.filter(Admission.OPEN, pk=made.pk).update(ended_at=ended, seconds=seconds, cost=cost)
    made.refresh_from_db(fields=["ended_at", "answered_at", "seconds", "cost"])
    if is_first:
        _book(made.profile, ended, seconds, cost or Decimal(0))
        record_call(
            account=made.profile.account,
            call_id=made.call_id,
            direction=CallRecord.Direction.OUTBOUND,
            caller=made.caller,
            called=_called(made),
            started_at=made.created_at,
            answered_at=made.answered_at,
            ended_at=ended,
            seconds=seconds,
            cost=cost,
            voice_profile=made.profile.uuid,
        )
        if made.profile.daily_spend_limit is not None:
            tell_if_near(made.profile, in_use([made.profile_id], now)[made.profile_id].spent, now)
    return made


def _called(made: Admission) -> str:
    """A rate table's prefixes are international, so where one has matched the number is, however it was dialled."""
    return f"+{digits(made.destination)}" if made.prefix else made.destination


def _book(profile: OutboundVoiceProfile, ended: datetime, seconds: int, cost: Decimal) -> None:
    day = VoiceUsage.objects.filter(profile=profile, day=day_of(ended))
    more = {"calls": F("calls") + 1, "seconds": F("seconds") + seconds, "spent": F("spent") + cost}
    if not day.update(**more):
        VoiceUsage.objects.bulk_create([VoiceUsage(profile=profile, day=day_of(ended))], ignore_conflicts=True)
        day.update(**more)
