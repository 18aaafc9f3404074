"""Who is in the portal: the person, their account, and what its profile and their level allow (portal spec §1).

Worked out anew for each request, so that a profile that is changed is obeyed by the next one.
"""

from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.people.models import User
from contacts_app.people.zones import zone_of_person
from profiles_app.myaccount.access import Flags, flags_of, needs_of
from profiles_app.myaccount.models import MyAccountProfile
from profiles_app.myaccount.password_links import may_visit
from profiles_app.myaccount.services import resolve_profile

CHANNEL = "portal"


@dataclass(frozen=True)
class Visitor:
    """`actor.sees(rows)` are the rows of the account; what is the person's own, pages filter by `person`."""

    person: User
    account: Account
    actor: Actor
    profile: MyAccountProfile | None

    @cached_property
    def zone(self) -> ZoneInfo:
        """In which the person sees times."""
        return zone_of_person(self.person)

    @cached_property
    def flags(self) -> Flags:
        return flags_of(self.profile)

    @property
    def manages(self) -> bool:
        """Whether the person may do everything in the account; others see and change their own things."""
        return self.actor.manages

    def may(self, slug: str, button: str = "", *, for_all: bool) -> bool:
        """Whether profile and level open this page, and allow this button of it."""
        return (for_all or self.manages) and needs_of(slug).are_met(self.flags, button)


class PortalRequest(HttpRequest):
    """A request that has passed the gate."""

    visitor: Visitor


def visitor_of(request: HttpRequest) -> Visitor | None:
    user = request.user
    if not isinstance(user, User) or user.account is None or not may_visit(user):
        return None
    return Visitor(user, user.account, user.as_actor(CHANNEL), resolve_profile(user.account).profile)
