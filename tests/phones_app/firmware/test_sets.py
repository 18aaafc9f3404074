"""Sets of every family are proved complete, and what is wrong with one is named (boot server spec §2)."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from phones_app.firmware.sets.loads import DamagedLoads, read_loads
from phones_app.firmware.sets.package import open_package
from phones_app.firmware.sets.verdict import FirmwareSet, judge
from tests.phones_app.firmware import sets

JAR = "jar42sip.9-4-2ES26.sbn"
LOADS = "SIP42.9-4-2SR3-1S.loads"


def judged(files: dict[str, bytes], folder: Path) -> list[FirmwareSet]:
    return judge(open_package(sets.as_folder(files, folder)))


def faults(one: FirmwareSet) -> list[tuple[str, str]]:
    return [(fault.code, fault.file) for fault in one.faults]


@pytest.mark.parametrize(
    ("make", "load", "version", "protocol", "model", "number"),
    [
        (sets.classic, "SIP42.9-4-2SR3-1S", "9-4-2SR3-1S", "SIP", "7962", 5),
        (sets.wireless, "CP7921G-1.4.6.3", "1.4.6.3", "SCCP", "7921", 2),
        (sets.by_platform, "sip88xx.14-2-1-0101-14", "14-2-1-0101-14", "SIP", "8841", 3),
        (sets.by_platform_7811, "sip78xx.14-2-1-0101-14", "14-2-1-0101-14", "SIP", "7811", 3),
        (sets.old_6901, "SCCP6901.9-2-1-a", "9-2-1-a", "SCCP", "6901", 2),
        (sets.old_6945, "SCCP6945.9-3-1-3", "9-3-1-3", "SCCP", "6945", 4),
        (sets.old_9971, "sip9971.9-4-2SR4-1", "9-4-2SR4-1", "SIP", "9971", 5),
        (sets.old_7960_with_sccp, "P0030801SR02", "0801SR02", "SCCP", "7960", 2),
        (sets.old_6921, "SCCP69xx.9-4-1-3SR3", "9-4-1-3SR3", "SCCP", "6921", 3),
        (sets.old_8941, "SCCP894x.9-4-2SR1-2", "9-4-2SR1-2", "SCCP", "8945", 9),
        (sets.old_7940, "P0S3-8-12-00", "8-12-00", "SIP", "7960", 2),
    ],
)
def test_a_set_of_each_family_is_complete(make, load, version, protocol, model, number, tmp_path):
    files = make()
    [one] = judged(files, tmp_path)

    assert one.faults == one.remarks == ()
    assert (one.load, one.version, one.protocol, len(one.components)) == (load, version, protocol, number)
    assert model in one.models
    assert one.size == sum(len(content) for name, content in files.items() if name != "OS79XX.TXT")


def change(files: dict[str, bytes], name: str, to: Callable[[bytes], bytes]) -> None:
    files[name] = to(files[name])


SPOILT: list[tuple[str, Callable[[dict[str, bytes]], object], str, str]] = [
    ("missing", lambda files: files.pop(JAR), "missing", JAR),
    ("another case", lambda files: files.update({JAR.upper(): files.pop(JAR)}), "case", JAR),
    ("renamed", lambda files: files.update({"jar.sbn": files.pop(JAR)}), "renamed", JAR),
    ("another under its name", lambda files: files.update({JAR: files["cnu42.9-4-2ES26.sbn"]}), "renamed", JAR),
    ("in another folder", lambda files: files.update({f"old/{JAR}": files.pop(JAR)}), "elsewhere", JAR),
    ("empty", lambda files: change(files, JAR, lambda _: b""), "damaged", JAR),
    ("cut in its header", lambda files: change(files, JAR, lambda content: content[:200]), "damaged", JAR),
    ("a header alone", lambda files: change(files, JAR, lambda _: sets.header(JAR)), "damaged", JAR),
    ("a page of a web server", lambda files: change(files, JAR, lambda _: b"<html>404"), "damaged", JAR),
    ("other content", lambda files: change(files, JAR, lambda _: sets.signed(JAR, b"TiZp")), "damaged", JAR),
    ("renamed load", lambda files: change(files, LOADS, lambda c: c.replace(b"SIP42.9", b"SIP42.8")), "renamed", LOADS),
    ("empty load", lambda files: change(files, LOADS, lambda _: b""), "damaged", LOADS),
    (
        "load without names",
        lambda files: change(files, LOADS, lambda _: sets.loads_file(LOADS, ["#"])),
        "damaged",
        LOADS,
    ),
    (
        "names that lead away",
        lambda files: change(files, LOADS, lambda _: sets.loads_file(LOADS, ["../" + JAR])),
        "damaged",
        LOADS,
    ),
    ("bytes", lambda files: change(files, LOADS, lambda _: sets.signed(LOADS, b"\xff\xfe")), "damaged", LOADS),
    ("huge", lambda files: change(files, LOADS, lambda content: content + b"#\n" * 40_000), "damaged", LOADS),
]


@pytest.mark.parametrize(("spoil", "code", "named"), [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_what_is_wrong_with_a_set_is_named(spoil, code, named, tmp_path):
    files = sets.classic()
    spoil(files)
    [one] = judged(files, tmp_path)
    assert faults(one) == [(code, named)]
    assert not one.complete


def test_the_digest_is_what_the_payload_begins_with_and_not_that_of_the_file(tmp_path):
    files = sets.wireless()
    change(files, "APPS-1.4.6.3.SBN", lambda content: content.replace(sets.DIGEST, sets.LATE))
    [one] = judged(files, tmp_path)
    assert faults(one) == [("digest", "APPS-1.4.6.3.SBN")]


def test_a_size_that_differs_is_told_with_the_hardware_that_asks_for_the_file(tmp_path):
    files = sets.wireless()
    change(files, "WLAN-1.4.6.3.SBN", lambda content: content[:-1])
    [one] = judged(files, tmp_path)
    assert faults(one) == [("size", "WLAN-1.4.6.3.SBN")]
    assert "HW_REV 0-4.*, SW_CAP 2" in one.faults[0].message


def test_a_set_may_be_complete_for_one_platform_alone(tmp_path):
    files = sets.by_platform()
    del files["rootfs288xx.14-2-1.sbn"]
    [one] = judged(files, tmp_path)
    assert one.platforms == {"PLATFORM_1": True, "PLATFORM_2": False}
    assert [(fault.platform, fault.file) for fault in one.faults] == [("PLATFORM_2", "rootfs288xx.14-2-1.sbn")]


def test_a_link_is_no_component(tmp_path):
    sets.as_folder(sets.classic(), tmp_path)
    (tmp_path / JAR).rename(tmp_path / "elsewhere")
    (tmp_path / JAR).symlink_to(tmp_path / "elsewhere")
    [one] = judge(open_package(tmp_path))
    assert faults(one) == [("link", JAR)]


def test_another_version_after_a_factory_reset_is_remarked(tmp_path):
    default = "term42.default.loads"
    files = sets.classic("9-4-2SR3-1S") | sets.classic("9-4-2SR4-3S", default, components="9-4-2TH1-1")
    older, newer, reset = judged(files, tmp_path)

    assert (older.complete, newer.complete, reset.complete) == (True, True, True)
    assert (reset.version, newer.remarks) == ("9-4-2SR4-3S", ())
    assert [(remark.code, remark.file) for remark in older.remarks] == [("other-default", default)]
    assert "SIP42.9-4-2SR4-3S and not SIP42.9-4-2SR3-1S" in older.remarks[0].message


def test_names_that_write_on_the_terminal_are_not_repeated(tmp_path):
    files = sets.classic() | {"\x1b[2J.sbn": sets.signed(JAR, sets.CNU)}
    del files[JAR]
    [one] = judged(files, tmp_path)
    assert [(fault.code, fault.message) for fault in one.faults] == [("missing", "it is not there")]


def test_languages_of_the_soft_phone_are_no_load(tmp_path):
    files = {"Danish_Denmark/CIPC_Locale.loads": b"<AutoUpdateManifest/>"}
    assert judged(files, tmp_path) == []
    assert [one.load for one in judged(files | sets.old_8941(), tmp_path)] == ["SCCP894x.9-4-2SR1-2"]


def test_one_load_is_checked_beside_its_files(tmp_path):
    sets.as_folder(sets.classic() | sets.old_6921(), tmp_path)
    [one] = judge(open_package(tmp_path / LOADS))
    assert (one.load, one.complete) == ("SIP42.9-4-2SR3-1S", True)


REAL = os.environ.get("FIRMWARE_FOLDER", "")


@pytest.mark.skipif(not REAL, reason="FIRMWARE_FOLDER names no folder of real firmware")
def test_real_firmware_is_complete():
    """In a folder of untouched sets, each is complete."""
    found = judge(open_package(Path(REAL)))
    assert found
    assert {one.file: faults(one) for one in found if not one.complete} == {}


@pytest.mark.parametrize("line", [b"a" + b" " * 60_000 + b"!", b"a" + b" \t" * 30_000 + b"= x"])
def test_a_long_line_takes_no_longer_than_it_is_long(line):
    begun = time.process_time()
    with pytest.raises(DamagedLoads):
        read_loads(line)
    assert time.process_time() - begun < 1
