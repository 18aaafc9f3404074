"""Time zones: where an account is, and in which one a person sees times: their own, else that of their account, else the
installation's.
"""

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings

from contacts_app.accounts.models import Account
from contacts_app.core.values import zone_named

# What everybody has over REST who has chosen none (phone profiles spec §2). Who wants UTC itself takes Etc/UTC.
UNCHOSEN = "UTC"
LEFT_TO_OTHERS = "That of the account, else of the portal"


def zone_of_account(account: Account | None) -> ZoneInfo:
    """Where the account is; UTC without one, and where what stands there is no name: it was not always looked at."""
    return (zone_named(account.time_zone) if account else None) or ZoneInfo("UTC")


def zone_of_person(person: Any) -> ZoneInfo:
    """Of somebody who is not logged in, the installation's. A person's is not checked over REST."""
    account = getattr(person, "account", None)
    for name in (getattr(person, "timezone", ""), account.time_zone if account else ""):
        if name and name != UNCHOSEN and (zone := zone_named(name)):
            return zone
    return zone_named(settings.DEFAULT_TIME_ZONE) or ZoneInfo("UTC")


def zone_choices() -> list[tuple[str, str]]:
    """For a form: every place that there is, after leaving it to others."""
    places = sorted(name for name in available_timezones() if "/" in name)
    return [(UNCHOSEN, LEFT_TO_OTHERS), *((name, name.replace("_", " ")) for name in places)]
