"""Which MyAccount profile a customer gets (MyAccount spec §5).

The one assigned by hand; else the first that fits of those restricted to the customer, those of the customer's groups,
and those for everybody. Headline goes before Standard, Historic is never chosen anew, the lowest id wins a tie.
Only profiles of the customer itself, of its parent account and of the portal count.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from contacts_app.models import Account
from contacts_app.services.errors import Refusal
from profiles_app.models import Availability, CustomerProfile, MyAccountProfile

# Why a customer has its profile, the strongest reason first.
REASONS = ("assigned", "customer", "group", "general")
# By name, Headline comes before Standard.
PREFERENCE = ("availability", "pk")


@dataclass(frozen=True)
class Resolution:
    """`reason` is one of REASONS, or "none" without a profile."""

    profile: MyAccountProfile | None
    reason: str


def _choices() -> list[tuple[str, QuerySet[MyAccountProfile]]]:
    """Reasons and the profiles that the account of the outer query may have for them, the best one first."""
    account, parent = OuterRef("pk"), OuterRef("parent")
    known = Q(account=None) | Q(account=account) | Q(account=parent)
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
        *(("general", general.filter(account=owner)) for owner in (None, account, parent)),
    ]


def resolve_profiles(accounts: Iterable[Account]) -> dict[int, Resolution]:
    """What each of these customers gets, by primary key, in two queries whatever their number."""
    choices = _choices()
    firsts = {f"choice_{n}": Subquery(rows.values("pk")[:1]) for n, (_, rows) in enumerate(choices)}
    rows = Account.objects.filter(pk__in=[account.pk for account in accounts]).order_by()
    found = {pk: first for pk, *first in rows.annotate(**firsts).values_list("pk", *firsts)}
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


def resolve_profile(account: Account) -> Resolution:
    """What this customer gets."""
    return resolve_profiles([account])[account.pk]


def check_assignable(profile: MyAccountProfile, customer: Account) -> None:
    """Raises Refusal when the customer may not have the profile, or may not have it anew."""
    if profile.account_id not in (None, customer.pk, customer.parent_id):
        raise Refusal("foreign", "This profile belongs to an account that does not serve this customer")
    if profile.customer_id not in (None, customer.pk):
        raise Refusal("restricted", "This profile is restricted to another customer")
    assigned = CustomerProfile.objects.filter(customer=customer, profile=profile)
    if profile.availability == Availability.HISTORIC and not assigned.exists():
        raise Refusal("historic", "A historic profile is kept for those who have it and given to nobody else")


@transaction.atomic
def assign_profile(*, customer: Account, profile: MyAccountProfile) -> None:
    """Give a customer this profile, whatever the rule would choose. Raises Refusal."""
    # Locked, so that it is neither deleted nor made historic in the same moment.
    current = MyAccountProfile.objects.select_for_update().filter(pk=profile.pk).first()
    if current is None:
        raise Refusal("gone", "This profile was deleted in this moment")
    check_assignable(current, customer)
    CustomerProfile.objects.update_or_create(customer=customer, defaults={"profile": current})


def unassign_profile(*, customer: Account) -> None:
    """Let the rule choose again."""
    CustomerProfile.objects.filter(customer=customer).delete()
