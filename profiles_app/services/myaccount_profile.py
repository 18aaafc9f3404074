"""MyAccount profiles: who sees them, and storing them so that names stay unique and none in use goes away."""

from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, RestrictedError

from contacts_app.services.account import customers_of
from contacts_app.services.account_group import groups_named
from contacts_app.services.actor import Actor
from contacts_app.services.errors import Refusal
from contacts_app.services.history import create_recorded
from profiles_app.models import MyAccountProfile, MyAccountProfileGroup


def visible_profiles(actor: Actor) -> QuerySet[MyAccountProfile]:
    """The actor's own profiles and the portal's, but for those restricted to a customer that is not the actor's."""
    rows = actor.sees(MyAccountProfile.objects.all(), shared=True)
    if actor.account is None:
        return rows
    return rows.filter(
        Q(account=actor.account) | Q(customer=None) | Q(customer__in=customers_of(actor).values("pk"))
    )


@transaction.atomic
def save_myaccount_profile(
    profile: MyAccountProfile,
    *,
    changed: Iterable[str] | None = None,
    groups: Sequence[str] | None = None,
) -> None:
    """Store a profile, of an existing one only the `changed` columns; `groups` are names and replace the former ones.

    Raises Refusal `duplicate_name`.
    """
    columns = None if changed is None else {*changed, "is_for_groups", "updated_at"}
    if groups is not None:
        profile.is_for_groups = bool(groups)
    try:
        with transaction.atomic():
            profile.save(update_fields=columns)
    except IntegrityError:
        raise Refusal("duplicate_name", f"There is a profile named {profile.name!r} already") from None
    if groups is not None:
        _set_groups(profile, groups)


def _set_groups(profile: MyAccountProfile, names: Sequence[str]) -> None:
    # The profile's row is locked by its update, so that two lists at once do not mix.
    wanted = groups_named(names, owner=profile.account)
    if list(profile.group_links.values_list("group", flat=True)) == [group.pk for group in wanted]:
        return
    profile.group_links.all().delete()
    create_recorded(MyAccountProfileGroup(profile=profile, group=group) for group in wanted)


@transaction.atomic
def delete_myaccount_profile(profile: MyAccountProfile) -> None:
    """Delete a profile that is assigned to nobody. Raises Refusal `in_use`."""
    # Locked, so that it is not assigned in the same moment.
    MyAccountProfile.objects.select_for_update().filter(pk=profile.pk).first()
    try:
        profile.delete()
    except RestrictedError:
        raise Refusal(
            "in_use", "This profile is assigned to customers; set its availability to Historic instead"
        ) from None
