"""Messaging profiles: made, changed and deleted so that every number keeps one and an account has one default."""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction

from contacts_app.models import Account
from contacts_app.services.actor import Actor
from contacts_app.services.errors import Refusal
from contacts_app.services.history import update_recorded
from profiles_app.models import MessagingProfile, NumberLease

WEIGHTS = ("long_code_weight", "tollfree_weight")


@transaction.atomic
def save_messaging_profile(
    profile: MessagingProfile, *, actor: Actor, changed: Iterable[str] | None = None
) -> MessagingProfile:
    """Store the profile, of an existing one only the `changed` fields. A new default takes over from the former one."""
    profile.modified_by = actor.author
    if profile.pk is None:
        profile.created_by = actor.author
    if profile.is_default:
        defaults = MessagingProfile.objects.filter(account=profile.account, is_default=True)
        update_recorded(defaults.exclude(pk=profile.pk), is_default=False)
    if changed is None:
        profile.save()
        return profile
    fields = {*changed, "modified_by", "updated_at"}
    if fields.intersection(WEIGHTS):
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
    profile = (
        MessagingProfile.objects.select_for_update(of=("self",)).select_related("account").get(pk=profile.pk)
    )
    if profile.is_default:
        raise Refusal(
            "default-profile", "This is the account's default messaging profile; make another one that first"
        )
    leases = NumberLease.objects.filter(messaging_profile=profile)
    if leases.exists():
        if not settings.MESSAGING_DELETE_MOVES_NUMBERS:
            raise Refusal("profile-in-use", "Numbers use this messaging profile")
        heir = default_messaging_profile(account=profile.account, actor=actor)
        update_recorded(leases, messaging_profile=heir, turn=0, modified_by=actor.author)
    profile.delete()
