"""A row about another phone or place than the one deployed to is not deployed, and its old file can be removed."""

from contextlib import closing

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from contacts_app.core.errors import Refusal
from contacts_app.core.work.claim import Claims
from contacts_app.core.work.lease import LeaseLost
from contacts_app.core.work.queue import run_queue
from phones_app.deployment.left_files import remove
from phones_app.deployment.models import Deployment, LastDeployment, LeftFile, PhoneFile, State
from phones_app.deployment.request import DEPLOYMENTS, deploy
from phones_app.deployment.run import SingleDeployments, run_one
from phones_app.inventory.models import Phone
from phones_app.inventory.services import Selection
from phones_app.rollout.plan import make_plan
from phones_app.servers.models import FileServer
from phones_app.servers.services import save_file_server
from phones_app.transports.ftp.pool import FtpPool
from tests.admin_people import at_desk
from tests.phones_app.rest import of_token
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def deployed(site, finish):
    """A phone that runs its profile; the folder of its file server is the embedded one's."""
    phone, profile = site.phone(), site.profile(content=sip_file("1002"))
    with site.alive(phone):
        finish(deploy(phone=phone, profile=profile, actor=ACTOR))
    assert not planned(profile)
    FileServer.objects.update(is_embedded=False)
    return Phone.objects.get()


def planned(profile) -> int:
    """How many phones a rollout of the profile would give the file to."""
    return make_plan(selection=Selection(Phone.objects.all()), profile=profile).total


def another_mac(phone: Phone, site) -> None:
    phone.mac = "0200000000EE"
    phone.save()


def another_server(phone: Phone, site) -> None:
    phone.file_server = FileServer.objects.create(name="Other", host="127.0.0.1", port=1)
    phone.save()


def another_directory(phone: Phone, site) -> None:
    server = FileServer.objects.get()
    server.directory = "elsewhere"
    server.save()


def another_default(phone: Phone, site) -> None:
    save_file_server(FileServer(name="Other", host="127.0.0.1", port=1, is_default=True, account=phone.account))


def another_shared_default(phone: Phone, site) -> None:
    save_file_server(FileServer(name="Other", host="127.0.0.1", port=1, is_default=True))


def in_bulk(phone: Phone, site) -> None:
    from contacts_app.core.history.records import update_recorded

    server = FileServer.objects.create(name="Other", host="127.0.0.1", port=1)
    update_recorded(Phone.objects.all(), file_server=server)


@pytest.mark.parametrize("change", [another_mac, another_server, another_directory, another_default, in_bulk])
def test_a_changed_identity_is_not_deployed(site, deployed, change):
    profile, old = deployed.current_profile, deployed.mac
    change(deployed, site)
    assert not LastDeployment.objects.exists()
    assert not PhoneFile.objects.exists()
    assert planned(profile) == 1
    left = LeftFile.objects.get()
    assert (left.mac, left.directory, left.profile_name) == (old, "", profile.name)
    # What was confirmed then stays on record for the phone that it was.
    assert Deployment.objects.get().mac == old


def test_a_default_that_is_not_the_phones_is_no_change(deployed):
    FileServer.objects.update(is_default=True, account=deployed.account)
    another_shared_default(deployed, None)
    assert LastDeployment.objects.exists()
    assert not LeftFile.objects.exists()


def test_the_old_file_is_removed_with_its_backups_when_somebody_asks_for_it(site, deployed):
    assert list(site.folder.glob("*.bak"))
    another_mac(deployed, site)
    name = f"SEP{LeftFile.objects.get().mac}.cnf.xml"
    assert (site.folder / name).exists(), "nothing is deleted without being asked for"
    assert remove(LeftFile.objects.get())[0] == name
    assert list(site.folder.glob(f"{name}*")) == []
    assert not LeftFile.objects.exists()


@pytest.fixture
def moved(site, deployed, finish):
    """Give the file server another directory, and the phone its file there; what lies in the former one."""

    def move(directory: str) -> LeftFile:
        (site.folder / directory.lstrip("/")).mkdir(exist_ok=True)
        server = FileServer.objects.get()
        server.directory = directory
        server.save()
        with site.alive(deployed):
            again = deploy(phone=deployed, profile=deployed.current_profile, actor=ACTOR)
            finish(again, until=lambda row: row.uploaded_at)
        return LeftFile.objects.get()

    return move


def test_the_old_file_is_removed_when_the_phone_has_its_file_in_another_directory(site, moved):
    left = moved("elsewhere")
    assert remove(left)[0] == left.file_name
    assert not (site.folder / left.file_name).exists()
    assert (site.folder / "elsewhere" / left.file_name).exists()


def test_the_phones_own_file_is_not_removed_under_another_name_of_its_directory(site, moved):
    left = moved("/")
    with pytest.raises(Refusal, match="is that of the phone"):
        remove(left)
    assert (site.folder / left.file_name).exists()


def test_the_owner_removes_it_over_rest(site, deployed, alice):
    owner = of_token(account=deployed.account, created_by=alice)
    another_mac(deployed, site)
    [left] = owner.get("left-files").json()["data"]
    assert (left["reason"], left["profile"]) == ("its MAC address was changed", deployed.current_profile.name)
    answer = owner.delete(f"left-files/{left['id']}")
    assert answer.status_code == 200, answer.content
    assert answer.json()["data"]["removed"][0] == f"SEP{left['mac'].replace(':', '').upper()}.cnf.xml"
    assert not LeftFile.objects.exists()
    written = LogEntry.objects.get()
    assert (written.user, written.object_id) == (alice, str(left["id"]))
    assert written.change_message == "Deleted the file and its backups from the file server. Over REST."
    assert owner.delete(f"left-files/{left['id']}").status_code == 404


def test_a_file_that_somebody_else_has_put_there_is_not_removed(site, deployed):
    another_mac(deployed, site)
    left = LeftFile.objects.get()
    (site.folder / f"SEP{left.mac}.cnf.xml").write_text("<device/>")
    with pytest.raises(Refusal, match="somebody has changed it"):
        remove(left)
    assert LeftFile.objects.exists()


def test_deleting_a_phone_offers_the_removal_and_the_page_does_it(site, root, deployed):
    desk = at_desk(root)
    delete = reverse("admin:phones_app_phone_delete", args=[deployed.pk])
    page = desk.post(delete, {"post": "yes"}, follow=True).content.decode()
    assert "Remove what was left behind" in page
    left = LeftFile.objects.get()
    assert left.reason == "its phone was deleted"
    listed = desk.get(reverse("admin:phones_app_leftfile_changelist")).content.decode()
    assert f"SEP{left.mac}.cnf.xml" in listed
    name = next(action.action_name for action in _actions(left))
    desk.post(reverse(f"admin:{name}", args=[left.pk]), follow=True)
    assert not LeftFile.objects.exists()
    assert list(site.folder.glob(f"SEP{left.mac}*")) == []
    entry = LogEntry.objects.filter(user=root).latest("pk")  # after that of the deleted phone
    assert entry.get_change_message() == "Deleted the file and its backups from the file server."
    assert left.mac in entry.object_repr.replace(":", "")


def _actions(left: LeftFile):
    from django.contrib import admin
    from django.test import RequestFactory

    from contacts_app.people.models import User

    request = RequestFactory().get("/")
    request.user = User.objects.get(email="root@example.org")
    return admin.site._registry[LeftFile].get_actions_detail(request, left.pk)


def test_deleting_a_profile_says_which_phones_run_it(root, deployed):
    url = reverse("admin:profiles_app_phoneprofile_delete", args=[deployed.current_profile.pk])
    page = at_desk(root).get(url).content.decode()
    running = f"is the profile of a phone, which keeps its file: {deployed.mac_with_colons}"
    assert running in page
    answer = of_token(account=deployed.account).delete(f"phone-profiles/{deployed.current_profile.uuid}").json()
    assert (answer["success"], set(answer["data"])) == (True, {"uuid", "name"})
    assert answer["message"].startswith("Phone profile deleted. ")
    assert running in answer["message"]


def test_the_same_place_again_is_no_change(deployed):
    deployed.file_server = FileServer.objects.get()
    deployed.save()
    assert LastDeployment.objects.exists()
    assert not LeftFile.objects.exists()


def test_a_phone_of_another_account_brings_nothing_of_what_was_done_before(site, deployed, other, no_inline_work):
    waiting = deploy(phone=deployed, profile=deployed.current_profile, actor=ACTOR)
    deployed.account, deployed.current_profile = other, None
    deployed.save()
    found = of_token(account=other).get(f"phones/{deployed.mac}").json()["data"]
    assert found["last_deployment"] is None
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == ("cancelled", "The phone went to another account.")
    assert Deployment.objects.filter(account=site.account).count() == 2


@pytest.mark.parametrize("until", [State.QUEUED, State.UPLOADING, State.SESSION_CLEARED])
def test_what_a_worker_holds_for_a_phone_that_goes_to_another_account_ends(site, other, no_inline_work, until):
    phone = site.phone()
    with site.alive(phone) as fleet, closing(FtpPool()) as pool:
        deployment = deploy(phone=phone, profile=site.profile(content=sip_file("1002")), actor=ACTOR)
        claim = Claims(SingleDeployments("worker")).take()
        run_one(*claim.keys, "worker", pool, until=until)
        phone.refresh_from_db()
        phone.account, phone.current_profile = other, None
        phone.save()
        with pytest.raises(LeaseLost):
            run_one(*claim.keys, "worker", pool)
        run_queue(DEPLOYMENTS)
        assert fleet[phone.mac].notifies == 0
    deployment.refresh_from_db()
    assert deployment.state == (State.FAILED if until == State.UPLOADING else State.CANCELLED)
    assert (deployment.error, deployment.error_code) == ("The phone went to another account.", "phone-changed")
    phone.refresh_from_db()
    assert phone.current_profile is None
    assert not PhoneFile.objects.exists()
    assert LeftFile.objects.filter(account=site.account).exists() is (until == State.SESSION_CLEARED)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_file_of_a_phone_that_goes_to_another_account_stays_behind_as_the_former_ones(
    site, deployed, root, other, elsewhere
):
    server = FileServer.objects.get()
    server.account = deployed.account
    server.save()
    shared = FileServer.objects.create(name="Shared", host="127.0.0.1", port=1)
    deployed.account, deployed.current_profile = other, None
    deployed.file_server = shared if elsewhere else None
    deployed.save()
    assert not PhoneFile.objects.exists()
    assert of_token(account=other).get("left-files").json()["data"] == []
    [left] = of_token(account=site.account).get("left-files").json()["data"]
    assert left["file_server"] == str(server.uuid)
    assert of_token(account=site.account).delete(f"left-files/{left['id']}").status_code == 200
