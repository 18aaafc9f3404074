"""What the dry run of a rollout of firmware says: the way of each phone, doubts with their sources, and refusals."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contacts_app.core.errors import Refusal
from phones_app.configuration.load_in_file import with_load
from phones_app.firmware.models import Firmware
from phones_app.firmware.services import remove_firmware
from phones_app.inventory.models import Phone, Presence
from phones_app.inventory.services import Selection
from phones_app.rollout import planning
from phones_app.rollout.models import Rollout, RolloutState
from phones_app.rollout.plan import make_plan
from phones_app.rollout.rollout import cancel, start
from phones_app.servers.models import FileServer
from phones_app.shared_files.models import FileCopy, SharedFile
from phones_app.upgrades.judgement import fetched_of
from phones_app.upgrades.models import Upgrade
from profiles_app.phone.services import create_profile
from tests.admin_people import at_desk
from tests.phones_app.configuration.data import TEMPLATE, layer, line, made_profile
from tests.phones_app.rest import of
from tests.phones_app.site import ACTOR
from tests.phones_app.upgrades.conftest import GATE, OLD, TARGET, naming

pytestmark = pytest.mark.django_db
FIELD_NOTICE = "Source: Cisco's field notice FN63772."


@pytest.fixture
def shelf(db):
    """Loads that the portal has, and the file server that gives them."""
    FileServer.objects.create(name="Embedded", host="127.0.0.1", is_default=True, is_embedded=True)
    for load in (OLD, GATE, TARGET):
        Firmware.objects.create(load=load, size=1)


@pytest.fixture
def phone(acme, alice):
    def phone(number: int = 1, *, content: str = naming(OLD), **fields) -> Phone:
        values = {"model": "7962", "software_type": "SIP", "software_version": OLD} | fields
        if "current_profile" not in values:
            file = content.encode()
            values["current_profile"] = create_profile(actor=ACTOR, user=alice, name=f"Desk {number}", content=file)
        return Phone.objects.create(account=acme, mac=f"0200000200{number:02X}", **values)

    return phone


def planned(load: str = TARGET, profile=None, **pace):
    return make_plan(selection=Selection(Phone.objects.all()), profile=profile, pace=Rollout(load=load, **pace))


def refused(load: str = TARGET) -> tuple[str, str]:
    plan = planned(load)
    assert (plan.total, plan.unchanged) == (0, 0)
    [group] = plan.refused
    return group["code"], group["message"]


def test_ways_are_counted_and_phones_on_the_target_are_skipped(shelf, phone):
    phone(1)
    phone(2)
    phone(3, software_version=GATE)
    phone(4, software_version=TARGET)
    plan = planned()
    assert (plan.total, plan.unchanged, plan.refused) == (3, 1, [])
    assert plan.ways == [(f"{GATE} → {TARGET}", 2), (TARGET, 1)]
    [first, second, _] = plan.notes
    assert first.startswith("3 phones: Phones of this model may not start again")
    assert first.endswith(FIELD_NOTICE)
    assert second.startswith(f"2 phones: {GATE} comes first. A phone with a load before 8.3(3)")
    assert "Source: Cisco's release notes of 9.2(3)" in second


def test_never_back_across_a_gate(shelf, phone):
    phone(software_version=TARGET)
    code, message = refused(OLD)
    assert code == "upgrade-refused"
    assert f"{OLD} is older than the gate" in message
    assert "Source: " in message


@pytest.mark.parametrize(
    ("gone", "code", "text"),
    [
        (TARGET, "load-missing", f"There is no firmware {TARGET} in the portal."),
        (GATE, "load-missing", f"There is no firmware {GATE} in the portal. {GATE} comes first."),
    ],
)
def test_every_load_of_the_way_has_to_be_there(gone, code, text, shelf, phone):
    phone()
    row = Firmware.objects.get(load=gone)
    row.faults = [{"code": "missing", "name": "dsp42.sbn"}]
    row.save()
    assert refused()[0] == "load-incomplete"
    row.delete()
    found, message = refused()
    assert found == code
    assert message.startswith(text)


def test_a_file_of_the_account_in_the_place_of_one_of_the_load_is_named(shelf, phone, acme):
    phone()
    Firmware.objects.filter(load=TARGET).update(components=[{"name": "dsp42.sbn", "sha256": "a" * 64}])
    SharedFile.objects.create(account=acme, path="DSP42.sbn", kind="firmware", size=1, sha256="b" * 64)
    told = f"In the place of files of {TARGET} its phones get other files of the account: DSP42.sbn."
    assert refused() == ("load-incomplete", told)


def test_firmware_of_another_account_is_none(shelf, phone, other):
    phone()
    Firmware.objects.filter(load=TARGET).update(account=other)
    assert refused()[0] == "load-missing"


def test_a_file_that_several_phones_have_is_not_changed_for_one_of_them(shelf, phone):
    one = phone(1)
    phone(2, current_profile=one.current_profile, software_version=TARGET)
    plan = planned()
    assert (plan.total, plan.unchanged, plan.refused[0]["code"]) == (0, 1, "profile-of-several")
    assert "that 2 phones have" in plan.refused[0]["message"]


def test_a_person_who_is_logged_in_with_a_file_written_by_hand(shelf, phone, alice):
    one = phone()
    one.base_profile = create_profile(actor=ACTOR, user=alice, name="Nobody", content=naming(OLD).encode())
    one.save()
    assert refused()[0] == "logged-in"


@pytest.mark.parametrize("text", ["", "<loadInformation>a</loadInformation><loadInformation>b</loadInformation>"])
def test_a_file_that_names_no_load_once_is_refused(text, shelf, phone):
    phone(content=naming(OLD).replace(f"<loadInformation>{OLD}</loadInformation>", text))
    assert refused()[0] == "no-load-in-file"


def test_what_the_layers_of_a_phone_do_not_allow(shelf, phone, acme, alice):
    template = TEMPLATE.replace("<versionStamp>", "<loadInformation>{{ load }}</loadInformation><versionStamp>")
    of_account = layer(acme, values={"pbx": "127.0.0.1", "ntp_servers": "ntp.example", "load": OLD}, locks=["load"])
    one = phone(current_profile=made_profile(alice, text=template))
    layer(acme, kind="phone", phone=one, lines=[line(acme)])
    assert refused() == (
        "load-locked",
        f"The load is locked by account {acme.name}: take the lock away, or give that the load.",
    )
    of_account.locks = []
    of_account.save()
    assert planned().total == 1
    template_row = one.current_profile.template
    template_row.text = TEMPLATE
    template_row.save()
    assert refused()[0] == "load-not-used"


def test_what_is_not_known_is_said(shelf, phone):
    phone(software_version="", presence=Presence.UNREACHABLE)
    Phone.objects.update(
        file_server=FileServer.objects.create(name="Elsewhere", host="192.0.2.1"), presence_since=timezone.now()
    )
    plan = planned()
    assert plan.ways == [(TARGET, 1)]
    told = "\n".join(plan.notes)
    assert "The version of what the phone runs is unknown, and with it whether another load has to come first." in told
    assert "Whether Elsewhere has the files of these loads is not known." in told
    assert "It does not answer now. It is waited for" in told


def test_a_file_server_has_to_have_what_is_copied_to_it(shelf, phone):
    phone()
    server = FileServer.objects.create(name="Branch", host="192.0.2.1", takes_shared_files=True)
    Phone.objects.update(file_server=server)
    Firmware.objects.update(components=[{"name": "dsp42.sbn", "sha256": ""}], folder="7962")
    copy = FileCopy.objects.create(server=server, path="7962/dsp42.sbn", sha256="0" * 64)
    code, message = refused()
    assert (code, message) == ("load-not-on-server", f"Branch does not have all of {GATE} yet: 7962/dsp42.sbn.")
    copy.state = "in-place"
    copy.save()
    plan = planned()
    assert plan.total == 1
    assert "is not known" not in "".join(plan.notes)


def test_another_file_in_the_place_of_a_loads_is_no_copy_of_it(shelf, phone):
    phone()
    server = FileServer.objects.create(name="Branch", host="192.0.2.1", takes_shared_files=True)
    Phone.objects.update(file_server=server)
    names = ("apps42.sbn", "dsp42.sbn")
    Firmware.objects.update(components=[{"name": name, "sha256": "1" * 64} for name in names])
    for name, sha256 in zip(names, ("1" * 64, "2" * 64), strict=True):
        FileCopy.objects.create(server=server, path=name, sha256=sha256, state="in-place")
    assert refused() == ("load-not-on-server", f"Branch does not have all of {GATE} yet: dsp42.sbn.")
    FileCopy.objects.filter(path="dsp42.sbn").update(sha256="1" * 64)
    assert planned().total == 1


def test_a_plan_for_more_phones_takes_no_more_statements(shelf, phone):
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert not planned().refused
        return len(queries)

    Firmware.objects.update(components=[{"name": "dsp42.sbn", "sha256": "0" * 64}])
    phone(1)
    phone(2)
    few = statements()
    for number in range(3, 9):
        phone(number)
    assert statements() == few


def test_another_accounts_rollout_keeps_no_load_of_ones_own_and_is_not_named(shelf, phone, acme, other):
    one = phone()
    held = Firmware.objects.get(load=TARGET)
    ours, theirs = (Firmware.objects.create(load=TARGET, size=1, account=owner) for owner in (acme, other))
    phones = Selection(Phone.objects.filter(pk=one.pk))
    rollout = start(selection=phones, profile=None, actor=ACTOR, pace=Rollout(load=TARGET, name="Hall"))
    for row in (held, ours):
        with pytest.raises(Refusal, match=f"The rollout {rollout} brings phones to it"):
            remove_firmware(row)
    remove_firmware(theirs)


def test_a_load_that_phones_are_planned_to_get_is_not_removed(shelf, phone, acme, root, monkeypatch):
    monkeypatch.setattr(planning, "AT_ONCE", 0)
    one = phone()
    rollout = start(
        selection=Selection(Phone.objects.filter(pk=one.pk)),
        profile=None,
        actor=ACTOR,
        pace=Rollout(load=TARGET, name="Hall"),
    )
    assert rollout.state == RolloutState.PLANNING
    told = "The rollout Hall brings phones to it."
    for load in (GATE, TARGET):
        held = Firmware.objects.get(load=load)
        answer = of(root).delete(f"firmware/{held.uuid}")
        assert (answer.status_code, answer.json()["message"]) == (409, told)
        delete = reverse("admin:phones_app_firmware_delete", args=[held.pk])
        assert told in at_desk(root).post(delete, {"post": "yes"}, follow=True).content.decode()
    remove_firmware(Firmware.objects.get(load=OLD))
    cancel(rollout)
    remove_firmware(Firmware.objects.get(load=GATE))
    assert list(Firmware.objects.values_list("load", flat=True)) == [TARGET]


def test_firmware_takes_no_profile_and_its_end_is_to_come(shelf, phone):
    one = phone()
    with pytest.raises(Refusal, match="choose none"):
        planned(profile=one.current_profile)
    with pytest.raises(Refusal, match="in the past"):
        planned(ends_at=timezone.now() - timedelta(hours=1))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<loadInformation>A.1</loadInformation>", "<loadInformation>B.2</loadInformation>"),
        (
            "<loadInformation model='a>b'>\r\n A.1 </loadInformation >",
            "<loadInformation model='a>b'>B.2</loadInformation >",
        ),
        ("<loadInformation/>", "<loadInformation>B.2</loadInformation>"),
        ("<loadInformation  />", "<loadInformation>B.2</loadInformation>"),
    ],
)
def test_of_a_file_written_by_hand_one_text_alone_is_changed(before, after):
    for declared, codec in (("UTF-8", "utf-8"), ("ISO-8859-1", "latin-1")):
        head = f'<?xml version="1.0" encoding="{declared}"?>\r\n<device >\n<x>Büro\t</x>'
        file = head + "{}<!-- <loadInformation>no --></device>\n"
        assert with_load(file.format(before).encode(codec), "B.2") == file.format(after).encode(codec)


def test_what_a_phone_fetches_of_a_load_is_its_accounts_before_the_portals(acme, other):
    for owner, name in ((acme, "Ours.sbn"), (other, "Theirs.sbn"), (None, "Portal.sbn")):
        Firmware.objects.create(load=TARGET, size=1, account=owner, components=[{"name": name}])
    upgrade = Upgrade(account=acme, mac="020000002001", way=[TARGET])
    assert fetched_of(upgrade, timezone.now()).part == {"ours.sbn"}
    Firmware.objects.filter(account=acme).delete()
    assert fetched_of(upgrade, timezone.now()).part == {"portal.sbn"}
