"""Files changed outside Patchbay are found, told, put back without a restart, or adopted; on a real FTP server."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from contacts_app.core.errors import Refusal
from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import Deployment, PhoneFile
from phones_app.deployment.request import deploy
from phones_app.drift import checks as drift
from phones_app.drift.repair import adopt, put_back
from profiles_app.events.models.outbox import Event
from profiles_app.phone.services import ProfileRefused
from tests.admin_people import at_desk
from tests.commands import run
from tests.phones_app.rest import of
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = sip_file(label="Somebody else's", line="1002")


@pytest.fixture
def deployed(site, finish):
    """A phone that runs on the file of a profile, and nothing has happened since."""
    phone = site.phone()
    with site.alive(phone) as fleet:
        finish(deploy(phone=phone, profile=site.profile(), actor=ACTOR))
        phone.fleet = fleet
        yield phone


def path(site, phone):
    return site.folder / f"SEP{phone.mac}.cnf.xml"


def check(phone) -> PhoneFile:
    PhoneFile.objects.update(next_check_at=timezone.now())
    assert run_queue("drift-checks") == 1
    return PhoneFile.objects.select_related("phone", "revision__profile__user").get(phone=phone)


def tags() -> list[str]:
    events = Event.objects.filter(data_type="phone").order_by("pk")
    return [event.tags[-1] for event in events if event.tags[-1].startswith("phone-file-")]


def test_a_file_in_its_place_is_no_drift(site, deployed):
    file = check(deployed)
    assert (file.state, file.found, file.error) == ("in_place", None, "")
    assert file.next_check_at > timezone.now()
    assert tags() == []


def test_a_changed_file_is_shown_with_its_secrets_masked_and_told_once(site, deployed):
    path(site, deployed).write_text(OTHER)
    file = check(deployed)
    check(deployed)
    assert file.state == "changed"
    shown = drift.difference(file)
    assert "+    <featureID>9</featureID><featureLabel>Somebody else's" in shown
    assert "very-secret" not in shown
    assert tags() == ["phone-file-changed"]


def test_a_missing_file_is_found_missing_and_back_when_it_is_back(site, deployed):
    before = path(site, deployed).read_bytes()
    path(site, deployed).unlink()
    assert check(deployed).state == "missing"
    path(site, deployed).write_bytes(before)
    assert check(deployed).state == "in_place"
    assert tags() == ["phone-file-missing", "phone-file-in-place"]


def test_a_server_that_does_not_answer_says_nothing_about_its_files(site, deployed):
    path(site, deployed).write_text(OTHER)
    check(deployed)
    site.files.stop()
    file = check(deployed)
    assert (file.state, bool(file.error)) == ("changed", True)


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_put_back_restores_the_file_and_restarts_nobody(site, deployed, finish, damage):
    before, restarts = path(site, deployed).read_bytes(), deployed.fleet[deployed.mac].restarts
    if damage == "changed":
        path(site, deployed).write_text(OTHER)
    else:
        path(site, deployed).unlink()
    file = check(deployed)
    deployment = finish(put_back(file, actor=ACTOR))
    assert (deployment.kind, deployment.state) == ("upload", "uploaded")
    assert path(site, deployed).read_bytes() == before
    assert deployed.fleet[deployed.mac].restarts == restarts
    file.refresh_from_db()
    assert (file.state, file.found) == ("in_place", None)
    assert tags() == [f"phone-file-{damage}", "phone-file-in-place"]


def test_chosen_files_are_put_back_and_counted(site, deployed, root, no_inline_work):
    desk, phones = at_desk(root), reverse("admin:phones_app_phone_changelist")
    chosen = {"action": "put_back_selected", "_selected_action": [deployed.pk]}
    assert "0 files are being put back." in desk.post(phones, chosen, follow=True).content.decode()
    path(site, deployed).write_text(OTHER)
    check(deployed)
    assert "1 file is being put back." in desk.post(phones, chosen, follow=True).content.decode()
    assert Deployment.objects.get(kind="upload").state == "queued"


def test_what_is_queued_for_the_phone_is_not_superseded_by_its_former_file(site, deployed, alice, no_inline_work):
    path(site, deployed).write_text(OTHER)
    check(deployed)
    newer = deploy(phone=deployed, profile=site.profile("Newer", sip_file("1003")), actor=ACTOR)
    answer = of(alice).post(f"phones/{deployed.mac}/file/put-back")
    assert (answer.status_code, answer.json()["code"]) == (409, "deployment-queued")
    newer.refresh_from_db()
    assert newer.state == "queued"
    assert of(alice).post(f"deployments/{newer.uuid}/cancel").status_code == 200
    assert of(alice).post(f"phones/{deployed.mac}/file/put-back").status_code == 202


def test_adopting_makes_a_checked_revision_and_the_file_is_ours(site, deployed):
    path(site, deployed).write_text(OTHER)
    revision = adopt(check(deployed), actor=ACTOR)
    assert (revision.number, bytes(revision.content)) == (2, OTHER.encode())
    assert "Found on the file server" in revision.reason
    assert check(deployed).state == "in_place"


def test_what_was_found_is_not_adopted_over_an_upload_since(site, deployed):
    path(site, deployed).write_text(OTHER)
    file = check(deployed)
    PhoneFile.objects.update(uploaded_at=timezone.now(), state="in_place", found_sha256="", found=None)
    with pytest.raises(Refusal, match="meanwhile"):
        adopt(file, actor=ACTOR)
    assert PhoneFile.objects.get().revision.number == file.revision.profile.revisions.count() == 1


def test_a_broken_file_is_not_adopted(site, deployed):
    path(site, deployed).write_text("<device>")
    file = check(deployed)
    with pytest.raises(ProfileRefused):
        adopt(file, actor=ACTOR)
    file.refresh_from_db()
    assert (file.state, file.revision.number) == ("changed", 1)


def test_a_file_that_is_being_uploaded_is_not_judged(site, deployed):
    path(site, deployed).write_text(OTHER)
    [file] = drift.readable(PhoneFile.objects.all())
    with drift.closing(drift.FtpPool()) as pool:
        found = drift.read_back([file], pool)
    Deployment.objects.update(finished_at=None, state="uploading")
    assert drift.write_down(found) == []
    assert PhoneFile.objects.get().state == "in_place"


@pytest.mark.parametrize(
    "waits",
    [
        {"state": "queued", "next_attempt_at": None},
        {"state": "session_cleared", "waiting_for": "the call on the phone to end"},
    ],
)
def test_a_file_is_judged_while_a_deployment_of_its_phone_waits(site, deployed, waits):
    path(site, deployed).write_text(OTHER)
    Deployment.objects.update(finished_at=None, **waits)
    file = check(deployed)
    assert file.state == "changed"
    assert file.next_check_at > timezone.now() + timedelta(hours=1)
    assert tags() == ["phone-file-changed"]


def test_the_command_tells_what_has_drifted(site, deployed):
    assert run("check_drift", "--json").status == 0
    path(site, deployed).write_text(OTHER)
    ran = run("check_drift", deployed.mac, "--json", "--diff", "--sample", 10)
    assert ran.status == 1
    assert (ran.row["state"], ran.row["mac"]) == ("changed", deployed.mac_with_colons)
    assert "Somebody else's" in ran.row["diff"]
    assert "very-secret" not in ran.out
    assert "changed" in run("check_drift").out


def test_the_command_tells_of_each_named_phone_whose_file_it_has_not_read(site, deployed):
    new = site.phone()
    ran = run("check_drift", new.mac, deployed.mac, "02:00:00:00:00:99", "--json")
    assert ran.status == 1
    assert "2 of 3 files" in ran.err
    assert [(row["mac"], row["state"], row["error"]) for row in ran.rows] == [
        (deployed.mac_with_colons, "in_place", ""),
        (new.mac_with_colons, "unknown", "No file was uploaded for this phone yet."),
        ("02:00:00:00:00:99", "unknown", "There is no phone with this MAC address."),
    ]
    Deployment.objects.update(finished_at=None, state="uploading")
    ran = run("check_drift", deployed.mac, "--json", "--diff")
    assert (ran.status, ran.row["error"]) == (1, "The file is being uploaded.")
