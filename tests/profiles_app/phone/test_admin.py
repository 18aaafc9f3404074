"""Editing a profile: checked before it is stored, byte for byte, and masked for people who may not see passwords."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.urls import reverse

from profiles_app.phone.models import PhoneProfile, ProfileRevision
from tests.admin_people import at_desk, clerk
from tests.phones_app.site import sip_file

ADD = reverse("admin:profiles_app_phoneprofile_add")
pytestmark = pytest.mark.django_db


@pytest.fixture
def trusted_desk(acme):
    """Somebody of Acme who may see passwords."""
    return at_desk(clerk(acme, "trusted@acme.example", without="nothing"))


def change_url(profile: PhoneProfile) -> str:
    return reverse("admin:profiles_app_phoneprofile_change", args=[profile.pk])


def form(user, **fields: object) -> dict[str, object]:
    return {"user": user.pk, "name": "Reception", "cnf_xml": sip_file(), "compatible_models": "CP-8845, 8841"} | fields


def as_a_browser_sends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def errors_of(answer, field: str = "cnf_xml") -> str:
    return " ".join(answer.context["adminform"].form.errors[field])


def test_a_new_profile_has_a_first_revision_with_its_author(trusted_desk, alice):
    answer = trusted_desk.post(ADD, form(alice, cnf_xml=as_a_browser_sends(sip_file())))
    profile = PhoneProfile.objects.get()
    assert answer.status_code == 302
    assert profile.content == sip_file().encode()
    assert profile.compatible_models == ["8845", "8841"]
    assert (profile.revision.author, profile.revision.channel) == ("trusted@acme.example", "admin")


def test_a_bad_file_is_refused_at_its_line_and_nothing_is_stored(trusted_desk, alice):
    broken = sip_file().replace("</sipProfile>", "</sipprofile>")
    answer = trusted_desk.post(ADD, form(alice, cnf_xml=broken))
    line = broken.split("\n").index(next(row for row in broken.split("\n") if "</sipprofile>" in row)) + 1
    assert f"line {line}, column" in errors_of(answer)
    assert f"&quot;row&quot;: {line - 1}" in answer.content.decode()
    assert not PhoneProfile.objects.exists()


def test_a_bad_change_leaves_the_profile_as_it_was(trusted_desk, alice, new_profile):
    profile = new_profile()
    answer = trusted_desk.post(change_url(profile), form(alice, name="New name", cnf_xml="<device>"))
    assert "line 1" in errors_of(answer)
    profile.refresh_from_db()
    assert profile.name == "Reception"
    assert ProfileRevision.objects.count() == 1


def test_a_file_for_other_software_is_refused(trusted_desk, alice):
    assert errors_of(trusted_desk.post(ADD, form(alice, software_type="SCCP")))
    assert not PhoneProfile.objects.exists()


def test_warnings_are_told_after_saving_and_stay_on_the_page(trusted_desk, alice):
    answer = trusted_desk.post(ADD, form(alice, cnf_xml=sip_file().replace("<webAccess>0", "<webAccess>1")))
    told = [str(message) for message in get_messages(answer.wsgi_request)]
    assert [text for text in told if "webAccess" in text and text.startswith("line ")]
    page = trusted_desk.get(change_url(PhoneProfile.objects.get())).content.decode()
    assert "web-access-off" in page


def test_a_change_is_a_new_revision_with_its_reason(trusted_desk, alice, new_profile):
    profile = new_profile()
    changed = sip_file(label="Lobby")
    trusted_desk.post(change_url(profile), form(alice, cnf_xml=changed, reason="Moved to the lobby"))
    profile.refresh_from_db()
    assert (profile.revision.number, profile.revision.reason) == (2, "Moved to the lobby")
    assert profile.content == changed.encode()


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_saving_what_the_browser_sends_back_changes_no_byte(trusted_desk, alice, new_profile, line_end):
    written = sip_file().replace("\n", line_end)
    profile = new_profile(content=written)
    answer = trusted_desk.post(change_url(profile), form(alice, name="Renamed", cnf_xml=as_a_browser_sends(written)))
    assert answer.status_code == 302
    profile.refresh_from_db()
    assert (profile.name, profile.content, profile.revision.number) == ("Renamed", written.encode(), 1)
    assert "File" not in LogEntry.objects.latest("pk").get_change_message()


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_changed_file_keeps_its_line_ends(trusted_desk, alice, new_profile, line_end):
    profile = new_profile(content=sip_file().replace("\n", line_end))
    posted = as_a_browser_sends(sip_file(label="Lobby"))
    trusted_desk.post(change_url(profile), form(alice, cnf_xml=posted))
    profile.refresh_from_db()
    assert profile.content == sip_file(label="Lobby").replace("\n", line_end).encode()


def test_without_the_permission_the_file_is_masked_and_fixed(clerk_desk, alice, new_profile):
    profile = new_profile()
    page = clerk_desk.get(change_url(profile)).content.decode()
    assert "&lt;authPassword&gt;********&lt;/authPassword&gt;" in page
    assert "very-secret" not in page
    answer = clerk_desk.post(change_url(profile), form(alice, name="Renamed", cnf_xml=sip_file(label="Lobby")))
    assert answer.status_code == 302
    profile.refresh_from_db()
    assert (profile.name, profile.revision.number) == ("Renamed", 1)


def test_who_is_shown_passwords_is_recorded(trusted_desk, clerk_desk, new_profile):
    profile = new_profile()
    clerk_desk.get(change_url(profile))
    assert not LogEntry.objects.exists()
    for _ in range(2):
        assert "very-secret" in trusted_desk.get(change_url(profile)).content.decode()
    entry = LogEntry.objects.get()
    assert (entry.user.email, entry.change_message) == (
        "trusted@acme.example", "Was shown revision 1 with its passwords.",
    )  # fmt: skip


def test_the_file_is_downloaded_byte_for_byte_with_the_permission_only(trusted_desk, clerk_desk, new_profile):
    profile = new_profile(content=sip_file().replace("\n", "\r\n"))
    url = reverse("admin:profiles_app_phoneprofile_download", args=[profile.pk])
    assert trusted_desk.get(url).content == profile.content
    assert clerk_desk.get(url).status_code == 403


def test_a_profile_is_deleted_with_its_revisions(root_desk, new_profile):
    profile = new_profile()
    url = reverse("admin:profiles_app_phoneprofile_delete", args=[profile.pk])
    assert root_desk.post(url, {"post": "yes"}).status_code == 302
    assert not ProfileRevision.objects.exists()


def test_revisions_are_read_only(root_desk, new_profile):
    url = reverse("admin:profiles_app_profilerevision_change", args=[new_profile().revision_id])
    assert root_desk.get(url).status_code == 200
    assert root_desk.post(url, {"author": "me"}).status_code == 403
    assert root_desk.post(url.replace("change", "delete"), {"post": "yes"}).status_code == 403
