"""Whether a person may log in on a phone, with what and for how long: the policy of the place and the person's own
settings (mobility spec §5.1).
"""

from datetime import datetime, timedelta

from django.db.models import Q

from contacts_app.accounts.models import Account
from contacts_app.core.errors import Refusal
from contacts_app.people.models import User
from contacts_app.people.zones import zone_of_account
from phones_app.deployment.request import check_fits
from phones_app.inventory.models import Phone
from phones_app.mobility.models import MobilityPolicy, PersonMobility
from profiles_app.phone.models import PhoneProfile


def policy_of(phone: Phone) -> MobilityPolicy:
    """That of the phone's location, else that of its account, else one with the defaults, which is not stored."""
    mine = MobilityPolicy.objects.filter(account=phone.account_id)
    place = mine.filter(Q(location="") | Q(location__iexact=phone.location)).order_by("location").last()
    return place or MobilityPolicy(account_id=phone.account_id)


def mobility_of(user: User) -> PersonMobility:
    """The person's settings; without a row the defaults, which are not stored."""
    return PersonMobility.objects.filter(user=user).first() or PersonMobility(user=user)


def longest_login(policy: MobilityPolicy, person: PersonMobility) -> timedelta | None:
    """How long this person may stay logged in there; None: there is no limit."""
    minutes = person.longest_minutes or policy.longest_minutes
    return timedelta(minutes=minutes) if minutes else None


def limited(until: datetime | None, longest: timedelta | None, now: datetime) -> datetime | None:
    """When the log-in ends that begins now: as asked for, and at the latest when the limit says."""
    latest = now + longest if longest else None
    return min((end for end in (until, latest) if end), default=None)


def daily_logout_after(policy: MobilityPolicy, account: Account, moment: datetime) -> datetime | None:
    """The first daily log-out time after this moment, where the account is."""
    if policy.daily_logout is None:
        return None
    zone = zone_of_account(account)
    local = moment.astimezone(zone)
    days = (local.date() + timedelta(days=number) for number in range(3))
    times = (datetime.combine(day, policy.daily_logout, tzinfo=zone) for day in days)
    return next(time for time in times if time > moment)


def profiles_for(user: User, phone: Phone) -> list[PhoneProfile]:
    """The person's device profiles that fit this phone, by name: their own, and those assigned to them.

    The phone's base profile is none of them, whoever owns it: with it the phone is logged out.
    """
    rows = PhoneProfile.objects.filter(Q(user=user) | Q(assigned_to__user=user)).exclude(pk=phone.base_profile_id or 0)
    rows = rows.select_related("user", "revision").defer("revision__content").distinct().order_by("name", "pk")
    return [profile for profile in rows if _fits(phone, profile)]


def _fits(phone: Phone, profile: PhoneProfile) -> bool:
    try:
        check_fits(phone, profile)
    except Refusal:
        return False
    return True
