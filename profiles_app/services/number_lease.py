"""Number leases: their kind follows from the number, they always have a profile of their own account, and a health."""

from django.db import transaction
from django.db.models import F

from contacts_app.services.actor import Actor
from contacts_app.services.errors import Refusal
from profiles_app.models import MessagingProfile, NumberLease, StickySender
from profiles_app.services.messaging_profile import default_messaging_profile

# The area codes of toll-free numbers in the North American plan (47 CFR §52.101, and what the FCC has opened since).
TOLLFREE_CODES = ("800", "833", "844", "855", "866", "877", "888")


def kind_of(tn: int) -> str:
    national = str(tn).removeprefix("1")
    tollfree = len(national) == 10 and national.startswith(TOLLFREE_CODES)
    return NumberLease.Kind.TOLLFREE if tollfree else NumberLease.Kind.LONG_CODE


def is_healthy(lease: NumberLease) -> bool:
    return lease.delivered_count * 4 >= lease.sent_count and lease.spam_count * 4 <= lease.sent_count * 3


@transaction.atomic
def save_number_lease(lease: NumberLease, *, actor: Actor) -> NumberLease:
    """Store the lease; without a messaging profile it gets the account's default one."""
    lease.kind = kind_of(lease.tn)
    lease.modified_by = actor.author
    if lease.pk is None:
        lease.created_by = actor.author
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


def record_outcome(lease: NumberLease, *, delivered: bool, spam: bool) -> None:
    """Count what became of one message that the number sent."""
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
