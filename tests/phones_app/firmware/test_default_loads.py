"""Default loads, how far the fleet is, and what the page of a phone says of its firmware (boot server spec §8)."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts_app.core.errors import Refusal
from phones_app.configuration.default_loads import default_loads, set_default
from phones_app.configuration.models import Layer, PhoneConfiguration
from phones_app.configuration.wanted import Configurations
from phones_app.firmware.models import Firmware
from phones_app.firmware.services import remove_firmware
from phones_app.inventory.models import Phone
from phones_app.inventory.services import Selection
from phones_app.rollout.plan import make_plan
from phones_app.servers.models import FileServer
from phones_app.shared_files import services as shared_files
from phones_app.shared_files import store
from profiles_app.phone.models import Line, PhoneProfile, Source
from tests.admin_people import at_desk, clerk
from tests.commands import run
from tests.phones_app.firmware import sets
from tests.phones_app.firmware.test_adding import JAR, LOAD, hostile, nothing_is_left, spoilt

pytestmark = pytest.mark.django_db
DEFAULTS = "admin:phones_app_firmware_default_loads"
ADD = "admin:phones_app_firmware_package"


@pytest.fixture
def held(tmp_path):
    assert run("add_firmware", sets.as_zip(sets.classic(), tmp_path / "cmterm.zip")).status == 0
    return Firmware.objects.get()


@pytest.fixture
def profile(alice):
    return PhoneProfile.objects.create(user=alice, name="Made", source=Source.BUILT_IN)


@pytest.fixture
def phones(acme, profile, alice):
    Line.objects.create(account=acme, extension="1001", auth_password="secret", user=alice)
    Layer.objects.create(kind="account", account=acme, values={"call_managers": "192.0.2.9"})
    loads = ("SIP42.8-2-1S", LOAD, "")
    return [
        Phone.objects.create(
            account=acme, mac=f"02000000020{number}", model="CP-7962G", software_version=load, current_profile=profile
        )
        for number, load in enumerate(loads)
    ]


def work() -> None:
    Configurations("test").do(list(Phone.objects.values_list("pk", flat=True)))
    assert not PhoneConfiguration.objects.exclude(error="").values_list("error", flat=True)


def counts(account) -> dict[str, tuple[int, int, int]]:
    [model] = [one for one in default_loads(account) if one.model == "7962"]
    return {one.load: (one.have, one.should, one.will_fetch) for one in model.counts}


def test_a_default_load_comes_into_the_files_of_its_model_unless_a_stronger_layer_says_otherwise(acme, phones, held):
    set_default("7962", LOAD, None)
    Layer.objects.create(kind="phone", account=acme, phone=phones[2], values={"load": "SIP42.9-3-1S"})
    work()
    named = PhoneConfiguration.objects.order_by("phone__mac").values_list("load", flat=True)
    assert list(named) == [LOAD, LOAD, "SIP42.9-3-1S"]
    PhoneConfiguration.objects.filter(phone=phones[0]).update(file_load=LOAD)
    assert counts(acme) == {"SIP42.8-2-1S": (1, 0, 0), LOAD: (1, 2, 1), "SIP42.9-3-1S": (0, 1, 0)}
    [model] = default_loads(acme)
    assert (model.load, model.said_by, model.phones) == (LOAD, "model 7962", 3)
    assert model.firmware == held
    set_default("7962", "", None)
    assert default_loads(acme)[0].load == ""


def test_a_load_that_is_not_complete_becomes_no_default_and_one_that_is_default_is_not_removed(acme, phones, held):
    with pytest.raises(Refusal, match="does not have"):
        set_default("7962", "SIP42.9-3-1S", None)
    with pytest.raises(Refusal, match="does not have"):
        set_default("8845", LOAD, None)
    set_default("7962", LOAD, acme)
    with pytest.raises(Refusal, match="Model 7962"):
        remove_firmware(held)
    set_default("7962", "", acme)
    remove_firmware(held)


def test_the_counts_take_as_many_statements_for_many_phones_as_for_few(acme, phones, held):
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            default_loads(None)
        return len(queries)

    few = statements()
    Phone.objects.bulk_create(
        Phone(account=acme, mac=f"0200000003{number:02X}", model=model, software_version=f"load-{number}")
        for number in range(40)
        for model in ("7962",)
    )
    assert statements() == few <= 6


def test_the_page_shows_defaults_and_sets_one(root, acme, phones, held):
    desk, url = at_desk(root), reverse(DEFAULTS)
    shown = desk.get(url).content.decode()
    assert "No default load: phones keep their own." in shown
    assert "1 has it" in shown
    desk.post(url, {"model": "7962", "load": LOAD})
    assert Layer.objects.get(kind="model").values == {"load": LOAD}
    shown = desk.get(f"{url}?account={acme.voip_id}").content.decode()
    assert "complete in the portal" in shown
    for unknown in ("4711", "acme", "9" * 40):
        told = desk.post(f"{url}?account={unknown}", {"model": "7962", "load": ""}, follow=True).content.decode()
        assert f"There is no account with the VoIP id {unknown[:18]}." in told
    assert Layer.objects.get(kind="model").values == {"load": LOAD}
    refused = desk.post(url, {"model": "7962", "load": "SIP42.9-3-1S"}, follow=True)
    assert "does not have SIP42.9-3-1S" in refused.content.decode()
    blind = at_desk(clerk(acme, "blind@acme.example", without="change_layer"))
    assert blind.get(url).status_code == 200
    assert blind.post(url, {"model": "7962", "load": LOAD}).status_code == 403


def test_the_page_of_a_phone_shows_what_it_has_should_have_and_the_way(root, acme, phones, held):
    FileServer.objects.filter(is_embedded=True).delete()
    FileServer.objects.create(name="Embedded", host="127.0.0.1", is_embedded=True, is_default=True)
    set_default("7962", LOAD, None)
    work()
    page = at_desk(root).get(reverse("admin:phones_app_phone_change", args=[phones[0].pk])).content.decode()
    assert f"SIP42.8-5-2S → {LOAD}" in page
    assert "The portal does not have SIP42.8-5-2S." in page
    there = at_desk(root).get(reverse("admin:phones_app_phone_change", args=[phones[1].pk])).content.decode()
    assert "The portal does not have" not in there


def upload(desk, path, **fields: object):
    with path.open("rb") as file:
        return desk.post(reverse(ADD), {"chosen": [file], "folder": "", **fields}, follow=True)


def test_a_package_is_added_on_the_page_and_its_files_are_shown(root, tmp_path):
    desk = at_desk(root)
    shown = upload(desk, sets.as_zip(sets.classic(default="term42.default.loads"), tmp_path / "a.zip"))
    text = shown.content.decode()
    row = Firmware.objects.get()
    assert shown.redirect_chain[-1][0] == reverse("admin:phones_app_firmware_change", args=[row.pk])
    assert JAR in text
    assert "term42.default.loads" in text
    assert "complete, and added" in text
    assert "8.3(3) before 9.x" in desk.get(reverse("admin:phones_app_firmware_gates")).content.decode()
    desk.post(reverse("admin:phones_app_firmware_delete", args=[row.pk]), {"post": "yes"})
    assert not Firmware.objects.exists()


@pytest.mark.parametrize("how", ["missing", "bomb", "link", "../out.sbn"])
def test_what_is_refused_on_the_page_is_named_and_nothing_is_left_behind(root, tmp_path, settings, how):
    package = tmp_path / "a.zip"
    if how == "missing":
        sets.as_zip(spoilt(how), package)
    else:
        hostile(how, package)
    text = upload(at_desk(root), package).content.decode()
    said = {"missing": JAR, "bomb": "Too much comes out", "link": "a link or a device", "../out.sbn": "leads out of it"}
    assert said[how] in text
    assert nothing_is_left(settings)


def test_the_script_of_the_page_is_told_what_is_wrong_and_where_to_go(root, tmp_path):
    desk, by_script = at_desk(root), {"x-requested-with": "XMLHttpRequest"}
    for files, said in ((spoilt("missing"), "errors"), (sets.classic(), "go")):
        with sets.as_zip(files, tmp_path / "a.zip").open("rb") as file:
            answer = desk.post(reverse(ADD), {"chosen": [file]}, headers=by_script).json()
        assert list(answer) == [said]
        assert JAR in str(answer) or said == "go"


def test_firmware_in_use_is_not_deleted_on_its_page(root, held):
    set_default("7962", LOAD, None)
    url = reverse("admin:phones_app_firmware_delete", args=[held.pk])
    assert "is what phones are to run" in at_desk(root).post(url, {"post": "yes"}, follow=True).content.decode()
    assert Firmware.objects.exists()


def test_of_chosen_firmware_all_is_deleted_or_none(root, held):
    desk, other = at_desk(root), Firmware.objects.create(load="SIP42.8-4-1S", size=1)
    chosen = {"action": "delete_selected", "_selected_action": [held.pk, other.pk], "post": "yes"}
    set_default("7962", LOAD, None)
    told = desk.post(reverse("admin:phones_app_firmware_changelist"), chosen, follow=True).content.decode()
    assert "Nothing was deleted." in told
    assert "is what phones are to run" in told
    assert "Successfully deleted" not in told
    assert (Firmware.objects.count(), LogEntry.objects.count()) == (2, 0)
    set_default("7962", "", None)
    told = desk.post(reverse("admin:phones_app_firmware_changelist"), chosen, follow=True).content.decode()
    assert "Successfully deleted 2" in told
    assert not Firmware.objects.exists()


def test_a_load_that_the_account_hides_a_file_of_is_no_default_for_it(held, acme):
    shared_files.put(JAR, store.store([b"another"]), account=acme)
    with pytest.raises(Refusal, match="or not all of it"):
        set_default("7962", LOAD, acme)
    set_default("7962", LOAD, None)


def test_what_a_default_would_lead_phones_across_is_told_before_it_is_set_and_before_they_get_it(root, phones, held):
    FileServer.objects.filter(is_embedded=True).delete()
    FileServer.objects.create(name="Embedded", host="127.0.0.1", is_embedded=True, is_default=True)
    Phone.objects.filter(pk=phones[2].pk).update(software_version="SIP42.9-5-1S")
    Firmware.objects.create(load="SIP42.8-4-1S", size=1, phone_models=["7962"])
    [model] = default_loads(None)
    assert [(one.load, one.gated, one.barred) for one in model.gated] == [("SIP42.8-4-1S", 0, 2), (LOAD, 1, 0)]
    shown = at_desk(root).get(reverse(DEFAULTS)).content.decode()
    assert "1 phone needs another load before it" in shown
    assert "2 phones cannot go to it" in shown
    set_default("7962", LOAD, None)
    planned = [make_plan(selection=Selection(Phone.objects.all()), profile=None).notes]
    work()
    # Made for the plan before, known from the work after.
    planned.append(make_plan(selection=Selection(Phone.objects.all()), profile=None).notes)
    for notes in planned:
        [told] = [note for note in notes if "rollout of firmware" in note]
        assert told.startswith(f"1 phone: {LOAD} cannot be taken from SIP42.8-2-1S: upgrade by a rollout of firmware, ")


def test_firmware_that_somebody_else_has_just_deleted_is_gone_without_more(held):
    again = Firmware.objects.get(pk=held.pk)
    assert remove_firmware(held) > 0
    assert remove_firmware(again) == 0
