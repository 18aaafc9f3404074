"""What becomes of the files of a load after it was added (boot server spec §8)."""

import pytest

from contacts_app.core.work.queue import run_queue
from phones_app.firmware.checks import FIRMWARE_CHECKS, FirmwareChecks
from phones_app.firmware.models import Firmware
from phones_app.firmware.services import is_complete
from phones_app.shared_files import services, store
from phones_app.shared_files.models import SharedFile
from profiles_app.events.models.outbox import Event
from tests.commands import run
from tests.phones_app.firmware import sets

pytestmark = pytest.mark.django_db(transaction=True)
LOAD, JAR, RESET = "SIP42.9-4-2SR3-1S", "jar42sip.9-4-2ES26.sbn", "term42.default.loads"


@pytest.fixture(autouse=True)
def package(contents, tmp_path, acme):
    package = sets.as_zip(sets.classic(default=RESET), tmp_path / "a.zip")
    assert run("add_firmware", package, "--account", acme.voip_id).status == 0
    return package


def faults() -> list[tuple[str, str]]:
    return [(fault["file"], fault["code"]) for fault in Firmware.objects.get(load=LOAD).faults]


def told() -> list[str]:
    return [event.tags[-1] for event in Event.objects.filter(data_type="firmware").order_by("pk")]


def replace(row: SharedFile) -> None:
    services.put(row.path, store.store([b"another"]), account=row.account)


def rename(row: SharedFile) -> None:
    row.path = row.path.upper()
    services.change(row, ["path"])


@pytest.mark.parametrize(
    ("do", "code"), [(lambda row: services.remove([row]), "missing"), (replace, "replaced"), (rename, "case")]
)
def test_a_change_of_a_component_is_found_at_once_and_told_once(package, acme, do, code):
    assert FirmwareChecks.due().count() == 0
    do(SharedFile.objects.get(path=JAR))
    run_queue(FIRMWARE_CHECKS)
    assert faults() == [(JAR, code)]
    assert not is_complete(LOAD, acme)
    Firmware.objects.update(due_at="2000-01-01T00:00Z")
    run_queue(FIRMWARE_CHECKS)
    assert told() == ["firmware-incomplete"]
    services.remove(SharedFile.objects.filter(path__iexact=JAR))
    assert run("add_firmware", package, "--account", acme.voip_id).status == 0
    assert (faults(), told()) == ([], ["firmware-incomplete", "firmware-complete"])


def test_what_is_lost_from_the_disk_is_found_by_the_next_round(acme):
    store.place_of(SharedFile.objects.get(path=JAR).sha256).unlink()
    assert (run_queue(FIRMWARE_CHECKS), faults()) == (0, [])
    Firmware.objects.update(due_at="2000-01-01T00:00Z")
    assert run_queue(FIRMWARE_CHECKS) == 1
    assert faults() == [(JAR, "lost")]
    event = Event.objects.get(data_type="firmware")
    assert JAR in event.stored_data
    # The next round is hours away.
    assert FirmwareChecks.due().count() == 0


def test_files_of_no_load_and_of_others_concern_no_load(other):
    services.put("Ringlist.xml", store.store([b"<a/>"]))
    services.put(JAR, store.store([b"of another account"]), account=other)
    assert FirmwareChecks.due().count() == 0


def test_a_newer_load_is_remarkable_while_phones_boot_from_another_after_a_reset(tmp_path, acme):
    newer = sets.as_zip(sets.classic("9-4-2SR4-1S", default=RESET, components="9-4-2ES27"), tmp_path / "b.zip")
    ran = run("add_firmware", newer, "--account", acme.voip_id, "--json")
    assert ran.row["kept"] == [RESET]
    [remark] = Firmware.objects.get(load="SIP42.9-4-2SR4-1S").remarks
    assert (remark["code"], remark["file"]) == ("other-default", RESET)
    assert f"get {LOAD} and not" in remark["message"]
    run("add_firmware", newer, "--account", acme.voip_id, "--replace-defaults")
    run_queue(FIRMWARE_CHECKS)
    assert Firmware.objects.get(load="SIP42.9-4-2SR4-1S").remarks == []
    assert len(Firmware.objects.get(load=LOAD).remarks) == 1
