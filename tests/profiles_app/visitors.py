"""People in the self-service portal, and what the MyAccount profile of their account grants."""

import tomllib
from pathlib import Path

from django.test import Client

from contacts_app.accounts.models import Account
from contacts_app.people.models import User
from profiles_app.myaccount.access import LISTS, SWITCHES
from profiles_app.myaccount.models import CustomerProfile, MyAccountProfile
from profiles_app.myaccount.services import preset_values

PASSWORD = "correct horse"
# Every flag that a profile can have, and the column that it stands in.
FLAGS = {value: LISTS[name] for name in LISTS for value in preset_values()[name]} | SWITCHES
# Which flags each URL of the portal needs, written down once more, independently of the portal's own table.
NEEDED = tomllib.loads((Path(__file__).parent / "myaccount" / "portal_urls.toml").read_text())


def grant(account: Account, *flags: str) -> MyAccountProfile:
    """Assign the account a profile of exactly these flags."""
    profile, _ = MyAccountProfile.objects.get_or_create(name=f"Portal of {account.voip_id}")
    granted: dict[str, object] = {column: [] for column in LISTS.values()} | dict.fromkeys(SWITCHES.values(), False)
    for flag in flags:
        column = FLAGS[flag]
        granted[column] = [*granted[column], flag] if column in LISTS.values() else True  # type: ignore[misc]
    for column, value in granted.items():
        setattr(profile, column, value)
    profile.save()
    CustomerProfile.objects.update_or_create(customer=account, defaults={"profile": profile})
    return profile


def visit(person: User) -> Client:
    """A browser in which this person is logged in to the portal."""
    client = Client()
    client.force_login(person, "contacts_app.people.login.EmailOrUsernameBackend")
    client.cookies["portal_sessionid"] = client.cookies.pop("sessionid").value
    return client
