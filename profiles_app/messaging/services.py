"""Messaging profiles and number leases: storing, moving and deleting them, and how healthy a number is.

An account has one default profile, and every number has a profile of its account (messaging spec §4).
"""

import re
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Value, When
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


# Outcomes are counted over a window: when so many are counted they are halved, and so weigh half from then on.
WINDOW = 200
# A number that was left out for its health has another chance after so long without an outcome.
ANOTHER_CHANCE = timedelta(days=1)


def record_outcome(lease: NumberLease, *, delivered: bool, spam: bool) -> None:
    """Count the outcome of one message that the number sent."""
    counted = {"sent_count": 1, "delivered_count": int(delivered), "spam_count": int(spam)}
    is_full = When(sent_count__gte=WINDOW, then=Value(2))
    NumberLease.objects.filter(pk=lease.pk).update(
        outcome_at=timezone.now(),
        **{name: F(name) / Case(is_full, default=Value(1)) + more for name, more in counted.items()},
    )


def give_another_chance() -> int:
    """Forget what is held against numbers that have had no outcome for long; how many."""
    old = NumberLease.objects.filter(~HEALTHY, outcome_at__lt=timezone.now() - ANOTHER_CHANCE)
    return old.update(sent_count=0, delivered_count=0, spam_count=0)


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


def spelled_recipient(to: str) -> str:
    """One spelling for each recipient, however people punctuate a number."""
    return re.sub(r"[\s().\-/]", "", to).removeprefix("+").lower()
