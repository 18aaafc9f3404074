"""The profile of a phone is assigned in the form, by CSV and over REST, where it fits; nothing is uploaded by that."""

import pytest
from django.urls import reverse

from contacts_app.core.actor import Actor
from phones_app.deployment.models import Deployment, PhoneFile
from phones_app.inventory.models import Phone
from phones_app.mobility.models import MobilitySession
from profiles_app.phone.services import create_profile
from tests.commands import run
from tests.phones_app.site import sccp_file, sip_file

pytestmark = pytest.mark.django_db
MAC = "AABBCCDDEE01"
ACTOR = Actor("test", "test")


@pytest.fixture
def profile(alice):
    return create_profile(actor=ACTOR, user=alice, name="Lobby", content=sip_file().encode())


@pytest.fixture
def phone(new_phone):
    return new_phone(model="8845", software_type="SIP")


def page_of(phone: Phone) -> str:
    return reverse("admin:phones_app_phone_change", args=[phone.pk])


def posted(desk, phone: Phone, **values) -> dict[str, str]:
    """What a browser would send of the phone's page as it is, with other values."""
    form = desk.get(page_of(phone)).context["adminform"].form
    sent = {field.html_name: field.value() for field in form}
    if (hidden := form["current_profile"]).field.show_hidden_initial:
        sent[hidden.html_initial_name] = hidden.value()
    return {name: value for name, value in (sent | values).items() if value not in (None, False)}


@pytest.fixture(params=["form", "rest", "csv"])
def assign(request, root_desk, api, phone, tmp_path):
    """Assign a profile (None: none) by one of the doors; what was said, empty when it was done."""

    def by_form(profile) -> str:
        answer = root_desk.post(page_of(phone), posted(root_desk, phone, current_profile=profile and profile.pk))
        return "" if answer.status_code == 302 else str(answer.context["adminform"].form.errors)

    def by_rest(profile) -> str:
        answer = api.patch(f"phones/{MAC}", {"current_profile": profile and str(profile.uuid)})
        return "" if answer.status_code == 200 else answer.content.decode()

    def by_csv(profile) -> str:
        file = tmp_path / "phones.csv"
        file.write_text(f"mac,profile\n{MAC},{profile.uuid if profile else ''}\n")
        ran = run("import_phones", file, "--json")
        return "" if ran.status == 0 else ran.out

    return {"form": by_form, "rest": by_rest, "csv": by_csv}[request.param]


def test_profile_is_assigned_and_nothing_uploaded(assign, phone, profile):
    assert assign(profile) == ""
    phone.refresh_from_db()
    assert phone.current_profile == profile
    assert not Deployment.objects.exists()
    assert phone.history.first().history_changes["current_profile"] == [None, "Lobby"]
    assert assign(None) == ""
    assert Phone.objects.get().current_profile is None


def test_profile_that_does_not_fit_is_refused(assign, phone, alice, charlie):
    for name, content, owner, other, words in (
        ("SCCP", sccp_file(), alice, {}, "SIP"),
        ("Model", sip_file(), alice, {"compatible_models": ["7841"]}, "for models 7841"),
        ("Foreign", sip_file(), charlie, {}, ""),
    ):
        wrong = create_profile(actor=ACTOR, user=owner, name=name, content=content.encode(), **other)
        said = assign(wrong)
        assert said
        assert words in said
    assert Phone.objects.get().current_profile is None


def test_phone_on_which_someone_is_logged_in_keeps_their_profile(assign, phone, profile, acme, bob):
    person = MobilitySession.objects.create(
        account=acme, phone=phone, mac=MAC, user=bob, person_name="Bob", profile=profile, requested_by="b", channel="x"
    )
    assert "logged in on this phone" in assign(profile)
    MobilitySession.objects.filter(pk=person.pk).delete()
    assert assign(profile) == ""


def test_page_that_was_open_while_a_deployment_came_in_takes_nothing_back(root_desk, phone, profile):
    sent = posted(root_desk, phone, location="Lobby")
    Phone.objects.filter(pk=phone.pk).update(current_profile=profile)
    assert root_desk.post(page_of(phone), sent).status_code == 302
    phone.refresh_from_db()
    assert (phone.location, phone.current_profile) == ("Lobby", profile)


def test_account_keeps_the_profile_of_staff_that_its_phone_has(clerk_desk, phone, root):
    shared = create_profile(actor=ACTOR, user=root, name="Everybody's", content=sip_file().encode())
    Phone.objects.filter(pk=phone.pk).update(current_profile=shared, base_profile=shared)
    assert clerk_desk.post(page_of(phone), posted(clerk_desk, phone, name="Renamed")).status_code == 302
    phone.refresh_from_db()
    assert (phone.name, phone.current_profile, phone.base_profile) == ("Renamed", shared, shared)


def test_new_phone_can_have_one_at_once(api, profile):
    made = api.post("phones", {"mac": "AABBCCDDEE02", "model": "8845", "current_profile": str(profile.uuid)})
    assert (made.status_code, made.json()["data"]["current_profile"]) == (201, str(profile.uuid))
    said = api.post("phones", {"mac": "AABBCCDDEE03", "software_type": "SCCP", "current_profile": str(profile.uuid)})
    assert (said.status_code, said.json()["errors"][0]["field"]) == (400, "current_profile")


def test_list_tells_a_profile_that_was_not_uploaded_yet(root_desk, phone, profile, alice):
    other = create_profile(actor=ACTOR, user=alice, name="Before", content=sip_file().encode())
    url = reverse("admin:phones_app_phone_changelist")
    Phone.objects.filter(pk=phone.pk).update(current_profile=profile)
    assert "not deployed" in root_desk.get(url).content.decode()
    # As the overview leads to them.
    without = root_desk.get(url, {"last_deployment__isnull": True, "file__isnull": True})
    assert without.status_code == 200
    assert list(without.context["cl"].result_list) == [phone]
    now = phone.created_at
    PhoneFile.objects.create(
        phone=phone, revision=other.revision, sha256="0" * 64, uploaded_at=now, state_since=now, next_check_at=now
    )
    assert "not uploaded yet" in root_desk.get(url).content.decode()
    Phone.objects.filter(pk=phone.pk).update(current_profile=other)
    assert "not uploaded yet" not in root_desk.get(url).content.decode()
