"""Where people may log in is set in the admin and over REST: base profiles, policies, people."""

import pytest
from django.urls import reverse

from phones_app.inventory.models import Phone
from phones_app.mobility.models import MobilityPolicy, MobilitySession, PersonMobility
from profiles_app.phone.services import create_profile
from tests.phones_app.site import ACTOR, sip_file
from tests.test_admin_forms import values_of

pytestmark = pytest.mark.django_db


def test_base_profiles_of_many_phones_at_once(clerk_desk, new_phone, new_profile, alice):
    profile = new_profile()
    phones = [new_phone(f"AABBCCDDEE{number:02d}", current_profile=profile) for number in range(3)]
    away = new_phone("AABBCCDDEE33", current_profile=profile)
    MobilitySession.objects.create(
        account=away.account, phone=away, mac=away.mac, user=alice, person_name="Alice", profile_name="x",
        requested_by="x", channel="x",
    )  # fmt: skip
    page = clerk_desk.post(
        reverse("admin:phones_app_phone_changelist"),
        {"action": "base_selected", "_selected_action": [phone.pk for phone in (*phones, away)]},
        follow=True,
    )
    assert "With a new base profile: 3. As they were: 1." in page.content.decode()
    assert Phone.objects.filter(base_profile=profile).count() == 3
    assert phones[0].history.first().history_changes == {"base_profile": [None, "Reception"]}


def test_no_base_profile_of_another_account(root_desk, api, new_phone, new_profile, charlie):
    phone, foreign, own = new_phone(), new_profile("Foreign", user=charlie), new_profile("Own")
    url = reverse("admin:phones_app_phone_change", args=[phone.pk])
    form = values_of(root_desk.get(url).content, "phone_form")
    page = root_desk.post(url, form | {"base_profile": foreign.pk})
    assert "The profile and the phone belong to different accounts." in page.content.decode()
    assert root_desk.post(url, form | {"base_profile": own.pk}).status_code == 302
    assert api.patch(f"phones/{phone.mac}", {"base_profile": str(foreign.uuid)}).status_code == 400
    shown = api.patch(f"phones/{phone.mac}", {"emergency_number": "+351 2100"}).json()["data"]
    assert (shown["base_profile"], shown["emergency_number"]) == (str(own.uuid), "+351 2100")
    assert api.patch(f"phones/{phone.mac}", {"base_profile": None}).json()["data"]["base_profile"] is None


def test_a_policy_and_a_person(root_desk, acme, bob, charlie, new_profile):
    sent = {"account": acme.pk, "location": "Porto", "second_phone": "refuse", "longest_minutes": "600"}
    assert root_desk.post(reverse("admin:phones_app_mobilitypolicy_add"), sent).status_code == 302
    assert MobilityPolicy.objects.get().longest_minutes == 600
    again = root_desk.post(reverse("admin:phones_app_mobilitypolicy_add"), sent | {"location": "porto"})
    assert "There is a policy for this location already." in again.content.decode()
    add = reverse("admin:phones_app_personmobility_add")
    foreign = create_profile(actor=ACTOR, user=charlie, name="Foreign", content=sip_file().encode())
    own = new_profile("Night desk")
    sent = {"user": bob.pk, "is_allowed": "on", "profiles": [foreign.pk]}
    assert "Of another account: Foreign." in root_desk.post(add, sent).content.decode()
    assert root_desk.post(add, sent | {"profiles": [own.pk]}).status_code == 302
    assert list(PersonMobility.objects.get(user=bob).profiles.all()) == [own]
