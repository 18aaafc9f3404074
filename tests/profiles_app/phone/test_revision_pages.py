"""Revisions in the admin: two side by side with passwords masked, and restoring one after a question."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from contacts_app.core.actor import system
from profiles_app.phone.models import ProfileRevision
from profiles_app.phone.services import update_profile
from tests.admin_people import at_desk, clerk
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile(new_profile):
    made = new_profile(content=sip_file(label="Desk"))
    return update_profile(
        made, actor=system("test"), content=sip_file(label="Lobby").replace("very-secret", "other-secret").encode()
    )


def compare_url(profile) -> str:
    return reverse("admin:profiles_app_phoneprofile_compare", args=[profile.pk])


def restore_url(profile, number: object = 1) -> str:
    return reverse("admin:profiles_app_phoneprofile_restore", args=[profile.pk, number])


def test_two_revisions_stand_side_by_side_and_passwords_are_masked_for_everybody(root_desk, profile):
    page = root_desk.get(compare_url(profile)).content.decode()
    assert "Desk" in page
    assert "Lobby" in page
    assert "very-secret" not in page
    assert "other-secret" not in page
    rows = root_desk.get(compare_url(profile)).context["rows"]
    differing = [pair for pair, _ in rows if pair and pair.differs]
    assert all("Desk" in pair.old and "Lobby" in pair.new for pair in differing[:-1])
    assert "******** (changed)" in differing[-1].new
    assert "equal lines" in page
    whole = root_desk.get(compare_url(profile) + "?whole=1")
    assert len(whole.context["rows"]) == sip_file().count("\n") + 1


def test_of_a_very_long_file_a_page_shows_the_beginning(root_desk, profile, monkeypatch):
    monkeypatch.setattr("profiles_app.phone.admin.revision.SHOWN_LINES", 5)
    page = root_desk.get(compare_url(profile) + "?whole=1").content.decode()
    assert page.count("pb-side-old") == 5
    assert f"{sip_file().count(chr(10)) + 1 - 5} more lines not shown" in page


def test_a_changed_password_alone_is_told(root_desk, profile):
    content = profile.content.replace(b"other-secret", b"third-secret")
    update_profile(profile, actor=system("test"), content=content)
    page = root_desk.get(compare_url(profile), {"old": 2, "new": 3}).content.decode()
    assert "******** (changed)" in page
    assert "third-secret" not in page
    assert "the same, byte for byte" in root_desk.get(compare_url(profile), {"old": 2, "new": 2}).content.decode()


@pytest.mark.parametrize("number", ["0", "99", "x", "²", "9" * 30])
def test_what_is_no_revision_is_not_found(root_desk, profile, number):
    assert root_desk.get(compare_url(profile), {"old": number}).status_code == 404
    assert root_desk.post(restore_url(profile, number)).status_code == 404


def test_restoring_asks_first_and_then_adds_a_revision(clerk_desk, profile):
    asked = clerk_desk.get(restore_url(profile))
    assert "Restore revision 1" in asked.content.decode()
    assert ProfileRevision.objects.count() == 2
    answer = clerk_desk.post(restore_url(profile), {"_reason": "Lobby closed"}, follow=True)
    assert "this is revision 3 now" in answer.content.decode()
    profile.refresh_from_db()
    assert profile.content == sip_file(label="Desk").encode()
    assert (profile.revision.reason, profile.revision.author, profile.revision.channel) == (
        "Restored revision 1: Lobby closed", "clerk@acme.example", "admin",
    )  # fmt: skip


def test_restoring_what_is_there_already_says_so(clerk_desk, profile):
    answer = clerk_desk.post(restore_url(profile, 2), follow=True)
    assert "says already" in answer.content.decode()
    assert ProfileRevision.objects.count() == 2


def test_who_may_only_look_restores_nothing(acme, other, profile):
    reader = at_desk(clerk(acme, "reader@acme.example", without="change_phoneprofile"))
    stranger = at_desk(clerk(other, "clerk@other.example"))
    assert reader.get(compare_url(profile)).status_code == 200
    assert reader.post(restore_url(profile)).status_code == 403
    assert stranger.get(compare_url(profile)).status_code == 404
    assert stranger.post(restore_url(profile)).status_code == 404
    assert ProfileRevision.objects.count() == 2


def test_the_profile_lists_its_revisions_with_both_ways_on(root_desk, profile):
    page = root_desk.get(reverse("admin:profiles_app_phoneprofile_change", args=[profile.pk])).content.decode()
    assert f"{compare_url(profile)}?old=1&amp;new=2" in page
    assert restore_url(profile) in page


def test_which_revision_was_shown_with_its_passwords_is_recorded(root_desk, profile):
    for number, secret in ((1, "very-secret"), (2, "other-secret")):
        revision = profile.revisions.get(number=number)
        page = root_desk.get(reverse("admin:profiles_app_profilerevision_change", args=[revision.pk])).content.decode()
        assert secret in page
        assert LogEntry.objects.latest("pk").change_message == f"Was shown revision {number} with its passwords."
