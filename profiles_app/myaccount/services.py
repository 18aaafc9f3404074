"""MyAccount profiles: their preset values, storing and deleting them, and which one a customer gets.

A customer gets the one assigned by hand; else the first that fits of those restricted to the customer, those of the
customer's groups, and those for everybody. Headline goes before Standard, Historic is never chosen anew, the lowest id
wins a tie. Only profiles of the customer's parent account and of the portal count: what a customer makes is for its own
customers, and it neither gives itself a profile nor frees itself from one (MyAccount spec §5).
Preset values are read from a configured file, which is checked when the server starts (MyAccount spec §4).
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Q, QuerySet, RestrictedError, Subquery

from contacts_app.accounts.models import Account
from contacts_app.accounts.services import customers_of, groups_named
from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.history.records import create_recorded
from contacts_app.core.lists.statement import Slot, Statement
from profiles_app.myaccount.models import Availability, CustomerProfile, MyAccountProfile, MyAccountProfileGroup

# The lists that an installation configures, by their names on the wire.
LISTS = ("myAccountFlags", "myNumbers", "myCampaigns")


class PresetsUnreadable(Exception):
    """The configured file is missing or is not a TOML table of lists of texts."""


@lru_cache(maxsize=4)
def _read(path: str) -> Mapping[str, tuple[str, ...]]:
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PresetsUnreadable(f"{path}: {error}") from None
    lists: dict[str, tuple[str, ...]] = {}
    for name in LISTS:
        values = table.pop(name, None)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise PresetsUnreadable(f"{path}: {name} must be a list of texts")
        spellings = {value.strip().casefold() for value in values}
        if "" in spellings or len(spellings) != len(values):
            raise PresetsUnreadable(f"{path}: {name} has an empty value, or one twice")
        lists[name] = tuple(value.strip() for value in values)
    if table:
        raise PresetsUnreadable(f"{path}: {', '.join(table)}: no such list")
    return lists


def preset_values() -> dict[str, tuple[str, ...]]:
    """Every preset list by its name on the wire: the fixed one, then the configured ones. Raises PresetsUnreadable."""
    return {"availability": tuple(Availability.values), **_read(settings.MYACCOUNT_PRESETS_FILE)}


def allowed_values(name: str, kept: Iterable[str] = ()) -> dict[str, str]:
    """Canonical spellings by folded ones: those of the list, and those that a record keeps from an older list."""
    return {value.casefold(): value for value in (*kept, *preset_values()[name])}


def visible_profiles(actor: Actor) -> QuerySet[MyAccountProfile]:
    """The actor's own profiles and the portal's, but for those restricted to a customer that is not the actor's."""
    rows = actor.sees(MyAccountProfile.objects.all(), shared=True)
    if actor.account is None:
        return rows
    return rows.filter(Q(account=actor.account) | Q(customer=None) | Q(customer__in=customers_of(actor).values("pk")))


@transaction.atomic
def save_myaccount_profile(
    profile: MyAccountProfile, *, changed: Iterable[str] | None = None, groups: Sequence[str] | None = None
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
    """Delete a profile that is assigned to no customer. Raises Refusal `in_use`."""
    # Locked, so that it is not assigned in the same moment.
    MyAccountProfile.objects.select_for_update().filter(pk=profile.pk).first()
    try:
        profile.delete()
    except RestrictedError:
        raise Refusal(
            "in_use", "This profile is assigned to customers; set its availability to Historic instead"
        ) from None


# Why a customer has its profile, the strongest reason first.
REASONS = ("assigned", "customer", "group", "general")
# By name, Headline comes before Standard.
PREFERENCE = ("availability", "pk")


@dataclass(frozen=True)
class Resolution:
    """`reason` is one of REASONS, or "none" without a profile."""

    profile: MyAccountProfile | None
    reason: str


@cache
def _choices() -> list[tuple[str, QuerySet[MyAccountProfile]]]:
    """Reasons and the profiles that the account of the outer query may have for them, the best one first."""
    account, parent = OuterRef("pk"), OuterRef("parent")
    known = Q(account=None) | Q(account=parent)
    offered = MyAccountProfile.objects.exclude(availability=Availability.HISTORIC)
    best = offered.filter(known).order_by(*PREFERENCE)
    # Asked for owner by owner, the first of each stands at a known place of the index. PostgreSQL sees that the rows
    # of no owner are in order there only when the owner is part of the order.
    general = offered.filter(customer=None, is_for_groups=False).order_by("account_id", *PREFERENCE)
    return [
        (
            "assigned",
            MyAccountProfile.objects.filter(
                known, Q(customer=None) | Q(customer=account), assignments__customer=account
            ).order_by(),
        ),
        ("customer", best.filter(customer=account)),
        ("group", best.filter(customer=None, group_links__group__members=account)),
        *(("general", general.filter(account=owner)) for owner in (None, parent)),
    ]


def resolve_profiles(accounts: Iterable[Account]) -> dict[int, Resolution]:
    """What each of these customers gets, by primary key, in two queries whatever their number."""
    return _resolved(_firsts(Account.objects.filter(pk__in=[account.pk for account in accounts])))


def resolve_profile(account: Account) -> Resolution:
    """What this customer gets; each request to the portal asks."""
    return _resolved(_firsts_of_one().rows(account.pk))[account.pk]


@cache
def _firsts_of_one() -> Statement:
    return Statement(_firsts(Account.objects.filter(pk=Slot()())))


def _firsts(accounts: QuerySet[Account]) -> QuerySet[Account, tuple[int, ...]]:
    """The primary key of each account, and that of its first profile for each of the reasons."""
    firsts = {f"choice_{n}": Subquery(rows.values("pk")[:1]) for n, (_, rows) in enumerate(_choices())}
    return accounts.order_by().annotate(**firsts).values_list("pk", *firsts)


def _resolved(rows: Iterable[Sequence[int]]) -> dict[int, Resolution]:
    choices, found = _choices(), {pk: first for pk, *first in rows}
    profiles = MyAccountProfile.objects.select_related("customer").in_bulk(
        {pk for first in found.values() for pk in first if pk}
    )
    return {
        account: _strongest(
            (reason, profiles[pk]) for (reason, _), pk in zip(choices, first, strict=True) if pk in profiles
        )
        for account, first in found.items()
    }


def _strongest(candidates: Iterable[tuple[str, MyAccountProfile]]) -> Resolution:
    def rank(candidate: tuple[str, MyAccountProfile]) -> tuple[int, str, int]:
        reason, profile = candidate
        return REASONS.index(reason), profile.availability, profile.pk

    reason, profile = min(candidates, key=rank, default=("none", None))
    return Resolution(profile, reason)


def check_assignable(profile: MyAccountProfile, customer: Account) -> None:
    """Raises Refusal when the customer may not have the profile, or may not have it anew."""
    if profile.account_id not in (None, customer.parent_id):
        raise Refusal("foreign", "This profile belongs to an account that does not serve this customer")
    if profile.customer_id not in (None, customer.pk):
        raise Refusal("restricted", "This profile is restricted to another customer")
    assigned = CustomerProfile.objects.filter(customer=customer, profile=profile)
    if profile.availability == Availability.HISTORIC and not assigned.exists():
        raise Refusal("historic", "A historic profile is kept for those who have it and given to nobody else")


def decides_for(actor: Actor, customer: Account) -> bool:
    """Whether the actor may say which profile the customer gets: those who serve it, never the customer itself."""
    return actor.account is None or actor.account.pk != customer.pk


def refuse_oneself(actor: Actor, customer: Account) -> None:
    """Raise PermissionDenied to the customer itself."""
    if not decides_for(actor, customer):
        raise PermissionDenied("Which profile an account gets is decided by those who serve it")


@transaction.atomic
def assign_profile(*, customer: Account, profile: MyAccountProfile, actor: Actor) -> None:
    """Give a customer this profile, whatever the rule would choose. Raises Refusal, and PermissionDenied to oneself."""
    refuse_oneself(actor, customer)
    # Locked, so that it is neither deleted nor made historic in the same moment.
    current = MyAccountProfile.objects.select_for_update().filter(pk=profile.pk).first()
    if current is None:
        raise Refusal("gone", "This profile was deleted in this moment")
    check_assignable(current, customer)
    CustomerProfile.objects.update_or_create(customer=customer, defaults={"profile": current})


def unassign_profile(*, customer: Account, actor: Actor) -> None:
    """Let the rule choose again. Raises PermissionDenied to the customer itself."""
    refuse_oneself(actor, customer)
    CustomerProfile.objects.filter(customer=customer).delete()


def presets_are_readable(**_: Any) -> list[CheckMessage]:
    try:
        preset_values()
    except PresetsUnreadable as unreadable:
        hint = "MYACCOUNT_PRESETS_FILE names the file; profiles_app/myaccount/presets.toml is an example."
        return [Error(str(unreadable), hint=hint, id="profiles.E001")]
    return []
