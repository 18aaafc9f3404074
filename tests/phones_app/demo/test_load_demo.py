"""load_demo: a believable customer, made once, followed when the portal's address changes."""

from collections import Counter

import pytest

from contacts_app.accounts.models import Account, Extension
from contacts_app.core.actor import system
from contacts_app.people.models import User
from phones_app.boot.fetches import Fetch
from phones_app.boot.recording import record_fetch
from phones_app.configuration.admin.confirm import work_out
from phones_app.configuration.changes import outdated
from phones_app.configuration.models import Layer, PhoneConfiguration
from phones_app.configuration.rendering import rendering_of, revisions_for
from phones_app.deployment.models import Deployment, PhoneFile
from phones_app.deployment.request import check_compatible
from phones_app.inventory.models import Phone
from phones_app.mobility.enrolment_file import for_unknown
from phones_app.mobility.own_keys import own_keys_of
from phones_app.servers.models import FileServer
from profiles_app.messaging.models import NumberLease
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, ProfileRevision, Source
from profiles_app.phone.services import update_profile
from tests.admin_people import at_desk
from tests.commands import run

pytestmark = pytest.mark.django_db
URL, ELSEWHERE = "http://192.0.2.80:8000", "https://portal.example"


@pytest.fixture
def folder(settings, tmp_path):
    settings.PHONE_FILES_DIR = tmp_path / "phones"
    return settings.PHONE_FILES_DIR


@pytest.fixture
def demo(folder):
    assert run("load_demo", "--url", URL).status == 0


def files(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def it_has_people_phones_profiles_and_a_server(folder):
    account = Account.objects.get()
    assert account.name == "Harbour Hotel"
    assert Extension.objects.filter(account=account).exists()
    people = User.objects.filter(account=account)
    assert people.count() == 5
    assert [user.permission_level for user in people].count(0) == 1
    assert all(user.first_name and user.last_name and user.phone and user.pin_hash for user in people)
    assert not any(user.is_staff or user.is_superuser for user in people)
    # The one who can log in to the self-service portal, with a password that is made anew and said once.
    assert [user.permission_level for user in people if user.has_usable_password()] == [0]
    assert PhoneProfile.objects.count() >= 6
    assert FileServer.objects.get().is_embedded
    assert FileServer.objects.get().is_default
    assert not Deployment.objects.exists()


def phones_differ_and_can_be_played(folder):
    phones = list(Phone.objects.all())
    assert (len(phones), len({phone.model for phone in phones})) == (9, 8)
    assert {phone.software_type for phone in phones} == {"SIP", "SIPE", "SCCP"}
    assert all(phone.is_simulated for phone in phones)
    assert len({phone.phone_ip for phone in phones}) == 9
    assert [phone.phone_ip for phone in phones if phone.current_profile is None] == ["127.0.0.1"]
    assert all(phone.web_username and phone.web_password and phone.location for phone in phones)
    assert len({phone.sip_port for phone in phones} | {phone.web_port for phone in phones}) == 18


def most_phones_are_made_from_data(folder):
    made = Phone.objects.exclude(current_profile=None).exclude(current_profile__source=Source.FILE)
    assert made.count() == 6
    assert len(set(made.values_list("model", flat=True))) >= 3
    assert set(made.values_list("current_profile__source", flat=True)) == {Source.BUILT_IN, Source.TEMPLATE}
    assert Counter(Layer.objects.exclude(kind="phone").values_list("kind", flat=True)) == {
        "account": 1,
        "location": 2,
        "model": 2,
        "profile": 1,
    }
    assert set(made.values_list("location", flat=True)) == set(
        Layer.objects.filter(kind="location").values_list("name", flat=True)
    )
    restaurant = rendering_of(Phone.objects.get(name="Restaurant"))
    assert restaurant.values["ntp_servers"].layer == "location Boathouse"
    assert b"<name>192.0.2.12</name>" in restaurant.content
    assert [profile.render_error for profile in PhoneProfile.objects.all()] == [""] * PhoneProfile.objects.count()
    # What the workers work out is the file that the phone has.
    work_out(Phone.objects.all())
    assert not PhoneConfiguration.objects.exclude(error="", due_at=None).exists()
    assert not outdated().exists()


def its_customer_sets_keys(folder):
    manager = User.objects.get(permission_level=0)
    own = own_keys_of(Phone.objects.get(name="Manager"), manager)
    kinds = {place: key.kind for place, key in own.keys.items()}
    assert list(kinds.values()) == ["line", "line", "blf", "speed-dial", "do-not-disturb"]
    assert own.kinds


def every_file_is_without_fault_and_fits_its_phone(folder):
    there = files(folder)
    assert len(there) == 8
    phones = Phone.objects.exclude(current_profile=None).select_related("account", "current_profile__revision")
    wanted = revisions_for(list(phones), store=False)
    for phone in phones:
        content = there[sep.file_name(phone.mac)]
        assert content == wanted[phone.pk].content
        assert check_compatible(phone, phone.current_profile) == []
        assert sep.check(content, model=phone.model, software_type=phone.software_type) == []
        assert f"<authenticationURL>{URL}/cisco/services/authenticate<" in content.decode()


def every_profile_fits_some_phone(folder):
    phones = list(Phone.objects.all())
    for profile in PhoneProfile.objects.select_related("revision"):
        assert any(
            (phone.model in profile.compatible_models and phone.software_type == profile.software_type)
            or (profile.source != Source.FILE and phone.current_profile_id == profile.pk)
            for phone in phones
        ), profile.name


def again_it_changes_nothing(folder):
    before = files(folder), list(ProfileRevision.objects.values_list("pk", flat=True))
    ran = run("load_demo", "--url", URL, "--json")

    assert (ran.status, ran.row["state"], ran.row["renewed"], ran.row["files"]) == (0, "was there", [], [])
    assert (files(folder), list(ProfileRevision.objects.values_list("pk", flat=True))) == before
    assert (Account.objects.count(), User.objects.count(), Phone.objects.count()) == (1, 5, 9)


def test_the_demo_is_whole(demo, folder):
    """Made once for all that only look at it."""
    it_has_people_phones_profiles_and_a_server(folder)
    phones_differ_and_can_be_played(folder)
    its_customer_sets_keys(folder)
    every_file_is_without_fault_and_fits_its_phone(folder)
    every_profile_fits_some_phone(folder)
    again_it_changes_nothing(folder)
    most_phones_are_made_from_data(folder)


def test_phones_that_hold_their_files_are_not_called_undeployed(demo, root):
    phones = list(Phone.objects.exclude(current_profile=None))
    assert dict(PhoneFile.objects.filter(state="in_place").values_list("phone", "sha256")) == {
        key: wanted.sha256 for key, wanted in revisions_for(phones, store=False).items()
    }
    Phone.objects.filter(current_profile=None).delete()  # the new one
    desk = at_desk(root)
    overview = desk.get("/admin/").content.decode()
    assert "hold their first file" in overview
    assert "not deployed" not in overview
    assert "not deployed" not in desk.get("/admin/phones_app/phone/").content.decode()


def test_another_address_gives_revisions_and_fresh_files(demo, folder):
    ran = run("load_demo", "--url", ELSEWHERE + "/", "--json")

    assert len(ran.row["renewed"]) == PhoneProfile.objects.filter(source=Source.FILE).count()
    assert len(ran.row["files"]) == 8
    for content in files(folder).values():
        assert f"<authenticationURL>{ELSEWHERE}/cisco/services/authenticate<" in content.decode()
    of_files = PhoneProfile.objects.filter(source=Source.FILE)
    assert {profile.revision.number for profile in of_files} == {2}


def test_what_people_changed_stays_theirs(demo, folder):
    concierge = PhoneProfile.objects.get(name="Concierge")
    own = concierge.content + b"<!-- ours -->"
    update_profile(concierge, actor=system("admin"), content=own)
    phone = Phone.objects.get(name="Manager")
    (folder / sep.file_name(phone.mac)).write_bytes(b"<device>deployed by hand</device>")
    User.objects.filter(first_name="Tom").delete()
    Phone.objects.filter(name="Pantry 2").delete()
    ran = run("load_demo", "--url", ELSEWHERE, "--json")

    assert ran.status == 0
    concierge.refresh_from_db()
    assert concierge.content == own
    assert files(folder)[sep.file_name(phone.mac)] == b"<device>deployed by hand</device>"
    # With Tom goes his profile; its phones keep the files that they have.
    assert (User.objects.count(), Phone.objects.count()) == (4, 8)


def test_the_new_phone_is_enrolled_with_the_code_of_the_last_run(demo, folder, settings, client, no_inline_work):
    settings.ENROLMENT_NETWORKS = "127.0.0.1/32"
    first, last = (run("load_demo", "--url", URL, "--json").row for _ in range(2))
    new = Phone.objects.get(current_profile=None)
    assert (last["new_phone"], first["code"] != last["code"]) == (new.mac_with_colons, True)
    fetch = Fetch(sep.file_name(new.mac), "127.0.0.1", "http", complete=True, agent="Cisco-CP-8851")
    assert b"/cisco/services/enrol" in for_unknown(fetch)
    fetch.sent(b"")
    record_fetch(fetch)

    def typed(code: str) -> str:
        return client.get("/cisco/services/enrol/code", {"device": f"SEP{new.mac}", "code": code}).content.decode()

    assert "This code is not good" in typed(first["code"])
    assert "is being set up" in typed(last["code"])
    assert Deployment.objects.get(phone=new).profile.name == "Front desk day"
    assert run("load_demo", "--url", URL, "--json").row["code"] == ""


def test_missing_file_comes_back(demo, folder):
    path = next(folder.iterdir())
    content = path.read_bytes()
    path.unlink()
    ran = run("load_demo", "--url", URL, "--json")
    assert ran.row["files"] == [path.name]
    assert path.read_bytes() == content


def test_dry_run_leaves_no_trace(folder):
    ran = run("load_demo", "--dry-run", "--json")
    assert (ran.status, ran.row["state"], ran.row["dry_run"]) == (0, "created", True)
    assert [model.objects.count() for model in (Account, User, Phone, FileServer, NumberLease)] == [0] * 5
    assert not folder.exists()


@pytest.mark.parametrize("url", ["portal.example", "ftp://portal.example", "http://", ""])
def test_address_has_to_be_one(db, url):
    assert run("load_demo", "--url", url).status == 2


def test_server_that_is_default_already_stays_so(folder):
    FileServer.objects.create(name="Ours", host="192.0.2.1", is_default=True)
    run("load_demo")
    assert FileServer.objects.get(is_default=True).name == "Ours"
