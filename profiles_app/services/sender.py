"""Which number sends: the rules of a messaging profile's pool (messaging spec §4.3).

Kinds of numbers take turns by smooth weighted round-robin, the method of nginx's upstreams: each kind earns its weight
as credit, the richest one sends and pays what all have earned. So 5 to 1 is five long codes and one toll-free in every
six messages, and never differs. Within its kind the number that has waited longest is next.
"""

import re
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from contacts_app.services.errors import Refusal
from profiles_app.models import MessagingProfile, NumberLease, StickySender
from profiles_app.models.number_lease import HEALTHY

Kind = NumberLease.Kind
WEIGHT_OF = {Kind.LONG_CODE: "long_code_weight", Kind.TOLLFREE: "tollfree_weight"}
CREDIT_OF = {Kind.LONG_CODE: "long_code_credit", Kind.TOLLFREE: "tollfree_credit"}


def next_kind(weights: Mapping[str, int], credits: Mapping[str, int]) -> tuple[str, dict[str, int]]:
    """The kind whose turn it is, and the credits afterwards."""
    earned = {kind: credits.get(kind, 0) + weight for kind, weight in weights.items()}
    chosen = max(earned, key=lambda kind: earned[kind])
    earned[chosen] -= sum(weights.values())
    return chosen, earned


def spelled_recipient(to: str) -> str:
    """One spelling for each recipient, however people punctuate a number."""
    return re.sub(r"[\s().\-/]", "", to).removeprefix("+").lower()


@transaction.atomic
def choose_sender(*, profile: MessagingProfile, to: str) -> NumberLease:
    """The number that the profile's next message to this recipient is sent from."""
    # One message after the other: the lock is what makes the shares exact.
    profile = MessagingProfile.objects.select_for_update().get(pk=profile.pk)
    if not profile.number_pool_enable:
        raise Refusal("pool-off", "The number pool of this messaging profile is off")
    pool = _pool(profile)
    recipient = spelled_recipient(to)
    if profile.sticky_sender and (
        known := pool.filter(sticky_recipients__in=_pair(profile, recipient)).first()
    ):
        return known
    lease = _next_in_pool(profile, pool)
    if profile.sticky_sender:
        StickySender.objects.update_or_create(profile=profile, recipient=recipient, defaults={"lease": lease})
    return lease


def _pool(profile: MessagingProfile) -> QuerySet[NumberLease]:
    kinds = [kind for kind, weight in WEIGHT_OF.items() if getattr(profile, weight)]
    running = Q(expires_at=None) | Q(expires_at__gt=timezone.now()) | Q(autorenew=True)
    pool = NumberLease.objects.filter(running, messaging_profile=profile, kind__in=kinds)
    return pool.filter(HEALTHY) if profile.skip_unhealthy_tns else pool


def _pair(profile: MessagingProfile, recipient: str) -> QuerySet[StickySender]:
    return StickySender.objects.filter(profile=profile, recipient=recipient)


def _next_in_pool(profile: MessagingProfile, pool: QuerySet[NumberLease]) -> NumberLease:
    waiting = {kind: pool.filter(kind=kind).order_by("turn", "pk").first() for kind in WEIGHT_OF}
    candidates = {kind: lease for kind, lease in waiting.items() if lease is not None}
    if not candidates:
        raise Refusal("no-sender", "TN lease not found: no number of this messaging profile may send")
    weights = {str(kind): int(getattr(profile, WEIGHT_OF[kind])) for kind in candidates}
    credits = {str(kind): int(getattr(profile, CREDIT_OF[kind])) for kind in candidates}
    chosen, after = next_kind(weights, credits)
    lease = candidates[Kind(chosen)]
    lease.turn = profile.turn + 1
    # Updates past save(): a message is no change of the profile or the lease.
    state = {CREDIT_OF[Kind(kind)]: credit for kind, credit in after.items()}
    MessagingProfile.objects.filter(pk=profile.pk).update(turn=lease.turn, **state)
    NumberLease.objects.filter(pk=lease.pk).update(turn=lease.turn)
    return lease
