"""The hotel as a customer of the self-service portal: a MyAccount profile that opens every page, and a log-in."""

import secrets

from contacts_app.accounts.models import Account
from contacts_app.people.models import User
from phones_app.demo.parts.base import ACTOR, DemoPart, Scene, ever_had
from profiles_app.myaccount.models import MyAccountProfile
from profiles_app.myaccount.services import assign_profile, preset_values, save_myaccount_profile

NAME = "Full self-service"


def _was_made(account: Account) -> bool:
    return ever_had(MyAccountProfile, name=NAME)


def _make(scene: Scene) -> None:
    presets = preset_values()
    profile = MyAccountProfile(
        name=NAME,
        description="Everything that the self-service portal has.",
        myaccount_flags=list(presets["myAccountFlags"]),
        my_numbers=list(presets["myNumbers"]),
        my_campaigns=list(presets["myCampaigns"]),
        my_calls_enabled=True,
        my_calls_daily_cdr_access=True,
        my_calls_use_backend_descriptions=True,
    )
    save_myaccount_profile(profile)
    assign_profile(customer=scene.account, profile=profile, actor=ACTOR)
    person = User.objects.filter(account=scene.account, permission_level=0).order_by("pk").first()
    if person is None or person.has_usable_password():
        return
    password = secrets.token_urlsafe(9)
    person.set_password(password)
    person.save(update_fields=["password", "updated_at"])
    scene.said.append(f"log in to {scene.url}/my-account/ as {person.email} with this password, not shown again:")
    scene.said.append(password)


PART = DemoPart("customer", _was_made, _make)
