"""What a phone would get beside what it got and what lies on its file server: page, REST and command tell the same."""

import pytest
from django.urls import reverse

from contacts_app.core.actor import system
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import deploy
from phones_app.inventory.models import Phone
from profiles_app.phone.services import create_profile, update_profile
from tests.admin_people import at_desk, clerk
from tests.commands import run
from tests.phones_app.rest import of
from tests.phones_app.site import ACTOR, Site, sip_file
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def phone(site: Site):
    return site.phone()


@pytest.fixture
def profile(site):
    return site.profile(content=sip_file("1002", "Night desk"))


@pytest.fixture
def look(alice, phone, profile):
    """The preview as REST tells it."""

    def ask() -> dict:
        answer = of(alice).get(f"phone-profiles/{profile.uuid}/preview?mac={phone.mac}")
        assert answer.status_code == 200, answer.content
        return answer.json()["data"]

    return ask


@pytest.fixture
def page(acme, phone, profile):
    """The preview as the admin shows it to somebody who may not see passwords."""
    desk = at_desk(clerk(acme))

    def ask() -> str:
        url = reverse("admin:phones_app_phone_compare")
        answer = desk.get(url, {"phone": phone.pk, "profile": profile.pk})
        assert answer.status_code == 200
        return answer.content.decode()

    return ask


def test_a_new_phone_has_nothing_to_compare_with(site, phone, look, page, profile):
    (site.folder / f"SEP{phone.mac}.cnf.xml").unlink()
    told = look()
    assert told["cnf_xml"] == profile.cnf_xml
    assert (told["sha256"], told["size"]) == (profile.revision.sha256, len(profile.content))
    assert [told[side]["exists"] for side in ("uploaded", "on_server")] == [False, False]
    assert "Nothing was uploaded to this phone yet." in page()
    assert "There is no file of this phone on the server." in page()


def test_what_a_former_account_of_the_phone_had_is_not_shown(site, phone, profile, other, charlie):
    with site.alive(phone):
        deploy(phone=phone, profile=profile, actor=ACTOR)
    phone = Phone.objects.get(pk=phone.pk)
    phone.account, phone.current_profile = other, None
    phone.save()
    theirs = create_profile(actor=ACTOR, user=charlie, name="Theirs", content=sip_file("2001").encode())
    told = of(charlie).get(f"phone-profiles/{theirs.uuid}/preview?mac={phone.mac}").json()["data"]
    assert (told["uploaded"]["exists"], told["uploaded"]["diff"]) == (False, "")
    assert (told["on_server"]["exists"], told["on_server"]["diff"]) == (True, "")
    assert "of before" in told["on_server"]["trouble"]


def test_changes_are_shown_against_the_last_upload_and_against_the_server(site, phone, profile, look, page):
    with site.alive(phone):
        deploy(phone=phone, profile=profile, actor=ACTOR)
    assert [look()[side]["same"] for side in ("uploaded", "on_server")] == [True, True]

    (site.folder / f"SEP{phone.mac}.cnf.xml").write_bytes(sip_file("1002", "By hand").encode())
    update_profile(profile, actor=system("test"), content=sip_file("1002", "Day desk").encode())

    told = look()
    assert "-    <featureID>9</featureID><featureLabel>Night desk" in told["uploaded"]["diff"]
    assert "-    <featureID>9</featureID><featureLabel>By hand" in told["on_server"]["diff"]
    for side in ("uploaded", "on_server"):
        assert "+    <featureID>9</featureID><featureLabel>Day desk" in told[side]["diff"]
        assert "very-secret" not in told[side]["diff"]
    html = page()
    assert "Night desk" in html
    assert "By hand" in html
    assert "very-secret" not in html

    ran = run("deploy_profile", profile.uuid, phone.mac, "--dry-run", "--json")
    assert ran.row["preview"] == {key: value for key, value in told.items() if key != "cnf_xml"} | {
        "uploaded": told["uploaded"] | {"at": ran.row["preview"]["uploaded"]["at"]}
    }
    in_words = run("deploy_profile", profile.uuid, phone.mac, "--dry-run").out
    assert "By hand" in in_words
    assert "very-secret" not in in_words
    assert Deployment.objects.count() == 1, "looking deploys nothing"


def test_a_server_that_does_not_answer_is_told_and_the_rest_is_shown(site, phone, look, page):
    site.file_server.port = free_port()
    site.file_server.save()
    told = look()
    assert told["on_server"]["trouble"]
    assert not told["on_server"]["exists"]
    assert told["uploaded"]["trouble"] == ""
    assert "connection was refused" in page()


def test_the_checker_and_the_catalogue_have_their_say(phone, profile, look, page):
    phone.model = "7841"
    phone.save()
    update_profile(profile, actor=system("test"), content=sip_file().replace('button="1"', 'button="5"').encode())
    told = look()
    [finding] = [finding for finding in told["findings"] if finding["code"] == "line-keys"]
    assert finding["line"]
    assert [verdict["fits"] for verdict in told["verdicts"]] == [True, True, False]
    assert "does not fit" in page()


def test_a_profile_that_may_not_go_there_says_why(phone, profile, look):
    profile.compatible_models = ["7821"]
    profile.save()
    assert look()["refused"].startswith("The profile is for models 7821")


def test_strangers_are_shown_nothing(charlie, other, phone, profile):
    answer = of(charlie).get(f"phone-profiles/{profile.uuid}/preview?mac={phone.mac}")
    assert answer.status_code == 404
    desk = at_desk(clerk(other))
    url = reverse("admin:phones_app_phone_compare")
    assert desk.get(url, {"phone": phone.pk, "profile": profile.pk}).status_code == 404
    assert desk.get(url).status_code == 404


def test_a_preview_without_a_phone_is_a_bad_request(alice, profile):
    answer = of(alice).get(f"phone-profiles/{profile.uuid}/preview")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "mac", "message": "This field is required."}]
