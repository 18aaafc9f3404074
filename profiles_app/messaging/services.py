"""Messaging profiles and number leases: storing, moving and deleting them, and choosing the number that sends.

An account has one default profile, and every number has a profile of its account. The pool of a profile chooses by the
rules of messaging spec §4.3.

Kinds of numbers take turns by smooth weighted round-robin, the method of nginx's upstreams: each kind earns its weight
as credit, the richest one sends and pays what all have earned. So 5 to 1 is five long codes and one toll-free in every
six messages, and never differs. Within its kind the number that has waited longest is next.
"""

import re
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.history.records import update_recorded
from profiles_app.messaging.models import HEALTHY, MessagingProfile, NumberLease, StickySender

Kind = NumberLease.Kind
WEIGHT_OF = {kind: f"{kind}_weight" for kind in Kind}
CREDIT_OF = {kind: f"{kind}_credit" for kind in Kind}


@transaction.atomic
def save_messaging_profile(
    profile: MessagingProfile, *, actor: Actor, changed: Iterable[str] | None = None
) -> MessagingProfile:
    """Store the profile, of an existing one only the `changed` fields. A new default takes over from the former one."""
    profile.stamp_author(actor)
    if profile.is_default:
        defaults = MessagingProfile.objects.filter(account=profile.account, is_default=True)
        update_recorded(defaults.exclude(pk=profile.pk), is_default=False)
    if changed is None:
        profile.save()
        return profile
    fields = {*changed, "modified_by", "updated_at"}
    if fields.intersection(WEIGHT_OF.values()):
        # The rotation starts afresh, so that the new shares hold from the next message on.
        profile.long_code_credit = profile.tollfree_credit = 0
        fields |= {"long_code_credit", "tollfree_credit"}
    profile.save(update_fields=fields)
    return profile


def default_messaging_profile(*, account: Account, actor: Actor) -> MessagingProfile:
    """The account's default profile, made when it is first needed."""
    profile, _ = MessagingProfile.objects.get_or_create(
        account=account,
        is_default=True,
        defaults={"name": "Default", "created_by": actor.author, "modified_by": actor.author},
    )
    return profile


@transaction.atomic
def delete_messaging_profile(profile: MessagingProfile, *, actor: Actor) -> None:
    """Delete the profile; its numbers move to the account's default one (messaging spec §4.4)."""
    # Locked, so that no number joins the profile while it goes.
    profile = MessagingProfile.objects.select_for_update(of=("self",)).select_related("account").get(pk=profile.pk)
    if profile.is_default:
        raise Refusal("default-profile", "This is the account's default messaging profile; make another one that first")
    leases = NumberLease.objects.filter(messaging_profile=profile)
    if leases.exists():
        if not settings.MESSAGING_DELETE_MOVES_NUMBERS:
            raise Refusal("profile-in-use", "Numbers use this messaging profile")
        heir = default_messaging_profile(account=profile.account, actor=actor)
        update_recorded(leases, messaging_profile=heir, turn=0, modified_by=actor.author)
    profile.delete()


# The area codes of toll-free numbers in the North American plan (47 CFR §52.101, and what the FCC has opened since).
TOLLFREE_CODES = ("800", "833", "844", "855", "866", "877", "888")


def kind_of(tn: int) -> str:
    national = str(tn).removeprefix("1")
    tollfree = len(national) == 10 and national.startswith(TOLLFREE_CODES)
    return Kind.TOLLFREE if tollfree else Kind.LONG_CODE


def is_healthy(lease: NumberLease) -> bool:
    return lease.delivered_count * 4 >= lease.sent_count and lease.spam_count * 4 <= lease.sent_count * 3


@transaction.atomic
def save_number_lease(lease: NumberLease, *, actor: Actor) -> NumberLease:
    """Store the lease; without a messaging profile it gets the account's default one."""
    lease.kind = kind_of(lease.tn)
    lease.stamp_author(actor)
    if lease.messaging_profile_id is None:
        lease.messaging_profile = default_messaging_profile(account=lease.account, actor=actor)
    _hold(lease.messaging_profile, lease)
    lease.save()
    _forget_recipients_elsewhere(lease)
    return lease


@transaction.atomic
def move_number_lease(lease: NumberLease, profile: MessagingProfile, *, actor: Actor) -> NumberLease:
    """Give the number another messaging profile. In its pool it is the next one to send."""
    _hold(profile, lease)
    lease.messaging_profile, lease.turn, lease.modified_by = profile, 0, actor.author
    lease.save(update_fields=["messaging_profile", "turn", "modified_by", "updated_at"])
    _forget_recipients_elsewhere(lease)
    return lease


def describe_number(lease: NumberLease, *, actor: Actor, **texts: str) -> NumberLease:
    """Store what the account says of its number: its description, destination or site."""
    for name, text in texts.items():
        setattr(lease, name, text)
    lease.modified_by = actor.author
    lease.save(update_fields=[*texts, "modified_by", "updated_at"])
    return lease


def record_outcome(lease: NumberLease, *, delivered: bool, spam: bool) -> None:
    """Count the outcome of one message that the number sent."""
    NumberLease.objects.filter(pk=lease.pk).update(
        sent_count=F("sent_count") + 1,
        delivered_count=F("delivered_count") + int(delivered),
        spam_count=F("spam_count") + int(spam),
    )


def forget_outcomes(lease: NumberLease) -> None:
    """Begin anew: a number that is left out for its health has no other way to show that it is well again."""
    NumberLease.objects.filter(pk=lease.pk).update(sent_count=0, delivered_count=0, spam_count=0)


def _hold(profile: MessagingProfile, lease: NumberLease) -> None:
    """Keep the profile from being deleted until the lease is stored; it must be one of the lease's account."""
    held = MessagingProfile.objects.select_for_update().filter(pk=profile.pk, account_id=lease.account_id)
    if held.values_list("pk").first() is None:
        raise Refusal("other-account", "The account has no such messaging profile")


def _forget_recipients_elsewhere(lease: NumberLease) -> None:
    StickySender.objects.filter(lease=lease).exclude(profile=lease.messaging_profile).delete()


def next_kind(weights: Mapping[Kind, int], credits: Mapping[Kind, int]) -> tuple[Kind, dict[Kind, int]]:
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
    pair = StickySender.objects.filter(profile=profile, recipient=recipient)
    if profile.sticky_sender and (known := pool.filter(sticky_recipients__in=pair).first()):
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


def _next_in_pool(profile: MessagingProfile, pool: QuerySet[NumberLease]) -> NumberLease:
    waiting = {kind: pool.filter(kind=kind).order_by("turn", "pk").first() for kind in WEIGHT_OF}
    candidates = {kind: lease for kind, lease in waiting.items() if lease is not None}
    if not candidates:
        raise Refusal("no-sender", "TN lease not found: no number of this messaging profile may send")
    weights = {kind: getattr(profile, WEIGHT_OF[kind]) for kind in candidates}
    chosen, after = next_kind(weights, {kind: getattr(profile, CREDIT_OF[kind]) for kind in candidates})
    lease = candidates[chosen]
    lease.turn = profile.turn + 1
    # Updates past save(): a message is no change of the profile or the lease.
    state = {CREDIT_OF[kind]: credit for kind, credit in after.items()}
    MessagingProfile.objects.filter(pk=profile.pk).update(turn=lease.turn, **state)
    NumberLease.objects.filter(pk=lease.pk).update(turn=lease.turn)
    return lease
