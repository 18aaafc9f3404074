"""Which numbers send: the pool of a profile, its weights, the health of its numbers, and who wrote to whom before.

Kinds of numbers take turns by smooth weighted round-robin, the method of nginx's upstreams: each kind earns its weight
as credit, the richest one sends and pays what all have earned. So 5 to 1 is five long codes and one toll-free in every
six messages, and never differs. Within its kind the number that has waited longest is next (messaging spec §4.3).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from contacts_app.core.errors import Refusal
from profiles_app.messaging.models import HEALTHY, MessagingProfile, NumberLease, StickySender
from profiles_app.messaging.services import CREDIT_OF, WEIGHT_OF, Kind, is_healthy, spelled_recipient

# So long after the last message a recipient keeps its sender.
STICKY_FOR = timedelta(days=8)
# So many of the numbers that were left out are named.
LEFT_OUT_NAMED = 20
GIVEN, STICKY, WEIGHT, ONLY_ONE = "given", "sticky", "weight", "only-one"
NO_SENDER = "TN lease not found: no number of this messaging profile may send"


@dataclass(frozen=True)
class SenderChoice:
    """The number that sends, why this one, and which ones were not considered, with the reason of each."""

    lease: NumberLease
    because: str
    left_out: Sequence[Mapping[str, str]] = ()


def choose_sender(*, profile: MessagingProfile, to: str) -> NumberLease:
    """The number that the profile's next message to this recipient is sent from."""
    return choose_senders(profile=profile, recipients=[to])[0].lease


@transaction.atomic
def choose_senders(
    *, profile: MessagingProfile, recipients: Sequence[str], even_without_pool: bool = False
) -> list[SenderChoice]:
    """A number for each of the profile's next messages, in their order.

    `even_without_pool`: a profile whose pool is off sends from its only number.
    """
    # One message after the other: the lock is what makes the shares exact.
    profile = MessagingProfile.objects.select_for_update().get(pk=profile.pk)
    now = timezone.now()
    if not profile.number_pool_enable:
        if even_without_pool and (only := _only_number(profile, now)):
            return [SenderChoice(only, ONLY_ONE)] * len(recipients)
        raise Refusal("pool-off", "The number pool of this messaging profile is off")
    pool, left_out = _pool(profile, now), _left_out(profile, now)
    spelled = [spelled_recipient(to) for to in recipients]
    known = _known(profile, pool, spelled, now) if profile.sticky_sender else {}
    rotation = _Rotation(profile, pool, len(spelled))
    because = ONLY_ONE if rotation.is_single else WEIGHT
    choices = []
    for recipient in spelled:
        if lease := known.get(recipient):
            choices.append(SenderChoice(lease, STICKY, left_out))
            continue
        choices.append(SenderChoice(rotation.next(), because, left_out))
        if profile.sticky_sender:
            known[recipient] = choices[-1].lease
    rotation.store()
    if profile.sticky_sender:
        _remember(profile, {recipient: known[recipient] for recipient in spelled}, now)
    return choices


def check_sender(lease: NumberLease) -> None:
    """Raise Refusal where a number that was named in a request may not send."""
    if not NumberLease.objects.filter(_running(timezone.now()), pk=lease.pk).exists():
        raise Refusal("lease-ended", "The lease of this number has ended")


def _running(now: datetime) -> Q:
    return Q(expires_at=None) | Q(expires_at__gt=now) | Q(autorenew=True)


def _only_number(profile: MessagingProfile, now: datetime) -> NumberLease | None:
    found = list(NumberLease.objects.filter(_running(now), messaging_profile=profile)[:2])
    return found[0] if len(found) == 1 else None


def _kinds(profile: MessagingProfile) -> list[Kind]:
    return [kind for kind, weight in WEIGHT_OF.items() if getattr(profile, weight)]


def _pool(profile: MessagingProfile, now: datetime) -> QuerySet[NumberLease]:
    pool = NumberLease.objects.filter(_running(now), messaging_profile=profile, kind__in=_kinds(profile))
    return pool.filter(HEALTHY) if profile.skip_unhealthy_tns else pool


def _left_out(profile: MessagingProfile, now: datetime) -> list[dict[str, str]]:
    """The first numbers that no message is sent from, and why."""
    kinds = _kinds(profile)
    out = ~_running(now) | ~Q(kind__in=kinds)
    if profile.skip_unhealthy_tns:
        out |= ~HEALTHY
    columns = ("tn", "kind", "expires_at", "autorenew", "sent_count", "delivered_count", "spam_count")
    rows = NumberLease.objects.filter(out, messaging_profile=profile).order_by("created_at", "id").only(*columns)
    return [{"tn": str(lease.tn), "why": _why_out(lease, kinds, now)} for lease in rows[:LEFT_OUT_NAMED]]


def _why_out(lease: NumberLease, kinds: Sequence[str], now: datetime) -> str:
    if lease.kind not in kinds:
        return "weight-0"
    if lease.expires_at and lease.expires_at <= now and not lease.autorenew:
        return "lease-ended"
    return "unhealthy" if not is_healthy(lease) else "left-out"


def _known(
    profile: MessagingProfile, pool: QuerySet[NumberLease], recipients: Sequence[str], now: datetime
) -> dict[str, NumberLease]:
    """The senders that are remembered, for recipients whose last message is not too old."""
    pairs = StickySender.objects.filter(profile=profile, recipient__in=set(recipients), updated_at__gt=now - STICKY_FOR)
    lease_of = dict(pairs.order_by().values_list("recipient", "lease"))
    leases = {lease.pk: lease for lease in pool.filter(pk__in=set(lease_of.values()))} if lease_of else {}
    return {recipient: leases[key] for recipient, key in lease_of.items() if key in leases}


def _remember(profile: MessagingProfile, senders: Mapping[str, NumberLease], now: datetime) -> None:
    rows = [
        StickySender(profile=profile, recipient=recipient, lease=lease, updated_at=now)
        for recipient, lease in sorted(senders.items())
    ]
    StickySender.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["profile", "recipient"], update_fields=["lease", "updated_at"]
    )


def next_kind(weights: Mapping[Kind, int], credits: Mapping[Kind, int]) -> tuple[Kind, dict[Kind, int]]:
    """The kind whose turn it is, and the credits afterwards."""
    earned = {kind: credits.get(kind, 0) + weight for kind, weight in weights.items()}
    chosen = max(earned, key=lambda kind: earned[kind])
    earned[chosen] -= sum(weights.values())
    return chosen, earned


class _Rotation:
    """Whose turn it is in a pool, for so many messages one after the other."""

    def __init__(self, profile: MessagingProfile, pool: QuerySet[NumberLease], most: int) -> None:
        self._profile = profile
        # More than `most` numbers of a kind cannot have their turn; two tell whether there is one only.
        waiting = {kind: list(pool.filter(kind=kind).order_by("turn", "pk")[: max(most, 2)]) for kind in WEIGHT_OF}
        self._waiting = {kind: deque(leases) for kind, leases in waiting.items() if leases}
        self._weights = {kind: getattr(profile, WEIGHT_OF[kind]) for kind in self._waiting}
        self._credits = {kind: getattr(profile, CREDIT_OF[kind]) for kind in self._waiting}
        self._chosen: dict[int, NumberLease] = {}
        self._turn = profile.turn
        self.is_single = sum(map(len, self._waiting.values())) == 1

    def next(self) -> NumberLease:
        if not self._waiting:
            raise Refusal("no-sender", NO_SENDER)
        kind, self._credits = next_kind(self._weights, self._credits)
        lease = self._waiting[kind].popleft()
        self._turn += 1
        lease.turn = self._turn
        self._waiting[kind].append(lease)
        self._chosen[lease.pk] = lease
        return lease

    def store(self) -> None:
        """Updates past save(): a message is no change of the profile or the lease."""
        if not self._chosen:
            return
        state: dict[str, Any] = {CREDIT_OF[kind]: credit for kind, credit in self._credits.items()}
        MessagingProfile.objects.filter(pk=self._profile.pk).update(turn=self._turn, **state)
        for key in sorted(self._chosen):
            NumberLease.objects.filter(pk=key).update(turn=self._chosen[key].turn)
