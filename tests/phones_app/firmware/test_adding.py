"""Firmware that is added to the portal: complete sets alone, whole or not at all (boot server spec §8)."""

import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from phones_app.firmware.models import Firmware
from phones_app.firmware.services import is_complete, loads_of, register_blocker, remove_firmware
from phones_app.shared_files import store
from phones_app.shared_files.models import SharedFile
from tests.commands import run
from tests.phones_app.firmware import sets

pytestmark = pytest.mark.django_db
LOAD, OLD = "SIP42.9-4-2SR3-1S", "SIP42.8-5-2S"
JAR = "jar42sip.9-4-2ES26.sbn"
RESET = "term42.default.loads"


def paths(**owner: object) -> set[str]:
    return set(SharedFile.objects.filter(**owner).values_list("path", flat=True))


def contents(folder: Path) -> set[str]:
    return {each.name for each in folder.rglob("*") if each.is_file()}


def nothing_is_left(settings) -> bool:
    return not (Firmware.objects.exists() or SharedFile.objects.exists() or contents(settings.SHARED_FILES_DIR))


def test_a_complete_set_is_stored_with_its_files(tmp_path, settings):
    files = sets.classic(default=RESET)
    package = sets.as_zip(files | {"readme.txt": b"not of the load"}, tmp_path / "cmterm-7962.zip")
    ran = run("add_firmware", package, "--json")
    assert (ran.status, ran.err) == (0, "")
    assert (ran.row["result"], ran.row["load"], ran.row["models"]) == ("added", LOAD, ["7942", "7962"])
    row = Firmware.objects.get()
    assert (row.load, row.version, row.protocol, row.package) == (LOAD, "9-4-2SR3-1S", "SIP", "cmterm-7962.zip")
    assert row.components[0]["name"] == f"{LOAD}.loads"
    assert row.size == sum(len(content) for name, content in files.items() if name != RESET)
    assert paths() == files.keys()
    for name, content in files.items():
        with store.read(SharedFile.objects.get(path=name, kind="firmware").sha256) as stored:
            assert stored.read() == content
    assert contents(settings.SHARED_FILES_DIR) == set(SharedFile.objects.values_list("sha256", flat=True))
    assert is_complete(LOAD, None)


@pytest.mark.parametrize("form", ["folder", "loads", "zip", "tgz", "cop"])
def test_a_load_comes_in_every_form(tmp_path, form, acme):
    files = sets.wireless()
    [loads] = [name for name in files if name.endswith(".LOADS")]
    if form in ("folder", "loads"):
        package = sets.as_folder(files, tmp_path / "tftp") / (loads if form == "loads" else "")
    elif form == "zip":
        package = sets.as_zip(files, tmp_path / "a.zip")
    else:
        archive = sets.tar_gz({f"usr/local/cm/tftp/{name}": content for name, content in files.items()})
        package = tmp_path / "cmterm.cop.sgn"
        package.write_bytes(archive if form == "tgz" else sets.signed(package.name, archive))
    ran = run("add_firmware", package, "--account", acme.voip_id, "--into", "79xx")
    assert (ran.status, ran.err) == (0, "")
    assert paths(account=acme) == {f"79xx/{name}" for name in files}
    assert loads_of(acme).keys() == {"CP7921G-1.4.6.3"}
    assert loads_of(None) == {}
    assert is_complete("CP7921G-1.4.6.3", acme)
    assert not is_complete("CP7921G-1.4.6.3", None)


def spoilt(how: str) -> dict[str, bytes]:
    files = sets.classic()
    content = files.pop(JAR)
    another = {"missing": {}, "case": {JAR.capitalize(): content}, "renamed": {"jar.sbn": content}}
    return files | another[how]


@pytest.mark.parametrize("how", ["missing", "case", "renamed"])
def test_an_incomplete_set_is_refused_and_the_component_named(tmp_path, settings, how):
    ran = run("add_firmware", sets.as_zip(spoilt(how), tmp_path / "a.zip"), "--json")
    assert (ran.status, ran.row["result"], ran.row["code"]) == (1, "refused", "incomplete-firmware")
    [fault] = ran.row["faults"]
    assert (fault["load"], fault["file"], fault["code"]) == (LOAD, JAR, how)
    assert JAR in ran.row["what"]
    assert nothing_is_left(settings)


def test_a_set_for_some_hardware_alone_is_refused_and_says_for_which(tmp_path, settings):
    files = sets.by_platform()
    del files["rootfs288xx.14-2-1.sbn"]
    ran = run("add_firmware", sets.as_zip(files, tmp_path / "a.zip"), "--json")
    assert "PLATFORM_2: rootfs288xx.14-2-1.sbn: it is not there" in ran.row["what"]
    assert "complete for PLATFORM_1 alone" in ran.row["what"]
    assert nothing_is_left(settings)


def hostile(how: str, path: Path) -> Path:
    link = tarfile.TarInfo("jar.sbn")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    huge = tarfile.TarInfo("huge.sbn")
    huge.size = 2 * 1024**3
    if how == "bomb":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros.sbn", bytes(40_000_000))
    elif how in ("link", "huge"):
        path.write_bytes(sets.tar_gz_of(link if how == "link" else huge))
    elif how == "cut short":
        whole = sets.as_zip(sets.classic(), path).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    else:
        sets.as_zip(sets.classic() | {how: b"x"}, path)
    return path


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("bomb", "too-large"),
        ("huge", "too-large"),
        ("link", "no-plain-file"),
        ("../out.sbn", "bad-path"),
        ("/etc/out.sbn", "bad-path"),
        ("C:\\out.sbn", "bad-path"),
        ("cut short", "bad-archive"),
    ],
)
def test_what_an_archive_must_not_have_is_refused_and_nothing_is_left_behind(tmp_path, settings, how, code):
    package = hostile(how, tmp_path / "a.zip")
    ran = run("add_firmware", package, "--json")
    assert (ran.status, ran.row["code"]) == (1, code)
    assert nothing_is_left(settings)


def test_a_component_that_several_loads_have_is_shared_and_stays_while_one_needs_it(tmp_path):
    for load in (LOAD, "SIP42.9-4-2SR4-1S"):
        files = sets.classic(load.removeprefix("SIP42."))
        assert run("add_firmware", sets.as_zip(files, tmp_path / f"{load}.zip")).status == 0
    assert len(paths()) == 7
    assert remove_firmware(Firmware.objects.get(load=LOAD)) == 1
    assert is_complete("SIP42.9-4-2SR4-1S", None)
    assert remove_firmware(Firmware.objects.get()) == 6
    assert paths() == set()


def test_a_file_of_another_content_at_the_same_path_is_refused_and_both_loads_named(tmp_path, acme):
    run("add_firmware", sets.as_zip(sets.classic(), tmp_path / "a.zip"))
    before = paths()
    files = sets.classic("9-4-2SR4-1S")
    files[JAR] += b"another build"
    ran = run("add_firmware", sets.as_zip(files, tmp_path / "b.zip"), "--json")
    assert (ran.status, ran.row["code"]) == (1, "other-content")
    assert JAR in ran.row["what"]
    assert LOAD in ran.row["what"]
    assert paths() == before
    # For an account it is a file of its own.
    assert run("add_firmware", tmp_path / "b.zip", "--account", acme.voip_id).status == 0
    assert is_complete(LOAD, None)


def test_what_phones_boot_from_after_a_factory_reset_stays_unless_told_otherwise(tmp_path, acme):
    def reset() -> str:
        return SharedFile.objects.get(path=RESET).sha256

    old = sets.classic("8-5-2S", default=RESET, components="8-5-2ES1")
    run("add_firmware", sets.as_zip(old, tmp_path / "old.zip"))
    first = reset()
    new = sets.as_zip(sets.classic(default=RESET), tmp_path / "new.zip")
    ran = run("add_firmware", new, "--json")
    assert (ran.status, ran.row["kept"], reset()) == (0, [RESET], first)
    assert run("add_firmware", new, "--replace-defaults").status == 0
    assert reset() != first
    # It goes with the load that it holds.
    assert remove_firmware(Firmware.objects.get(load=OLD)) == 6
    assert RESET in paths()
    remove_firmware(Firmware.objects.get())
    assert paths() == set()


def test_a_dry_run_stores_nothing(tmp_path, settings):
    ran = run("add_firmware", sets.as_zip(sets.classic(), tmp_path / "a.zip"), "--dry-run", "--json")
    assert (ran.status, ran.row["result"], ran.row["load"]) == (0, "would be added", LOAD)
    assert nothing_is_left(settings)


def test_adding_it_again_brings_back_what_was_lost(tmp_path):
    package = sets.as_zip(sets.classic(), tmp_path / "a.zip")
    run("add_firmware", package)
    os.unlink(store.place_of(SharedFile.objects.get(path=JAR).sha256))
    SharedFile.objects.filter(path__startswith="cnu").delete()
    assert run("add_firmware", package).status == 0
    assert Firmware.objects.count() == 1
    assert store.place_of(SharedFile.objects.get(path=JAR).sha256).exists()
    assert len(paths()) == 6


def test_a_file_of_the_account_before_that_of_the_portal_makes_its_load_incomplete(tmp_path, acme, other):
    run("add_firmware", sets.as_zip(sets.classic(), tmp_path / "a.zip"))
    stored = store.store([b"something else"])
    SharedFile.objects.create(account=acme, path=JAR, sha256=stored.sha256, size=stored.size)
    assert not is_complete(LOAD, acme)
    assert is_complete(LOAD, other)


def test_what_is_in_use_is_not_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("phones_app.firmware.services._blockers", [])
    register_blocker(lambda rows: [f"{rows[0].load} is being installed."])
    run("add_firmware", sets.as_zip(sets.classic(), tmp_path / "a.zip"))
    with pytest.raises(Exception, match="being installed"):
        remove_firmware(Firmware.objects.get())
    assert len(paths()) == 6


def test_more_loads_than_any_package_has_are_not_looked_through(tmp_path, settings):
    files = {f"SIP42.9-4-2SR{number}.loads": b"missing.sbn\n" for number in range(101)}
    ran = run("add_firmware", sets.as_zip(files, tmp_path / "a.zip"), "--json")
    assert (ran.status, ran.row["code"]) == (1, "too-many-loads")
    assert nothing_is_left(settings)


@pytest.mark.parametrize(("name", "what"), [("SIP42." + "9" * 130, "load"), ("SIP42." + "9" * 70, "version")])
def test_a_load_has_a_name_that_rows_have_room_for(tmp_path, settings, name, what):
    files = sets.classic()
    files[f"{name}.loads"] = sets.signed(f"{name}.loads", b"jar.sbn\n")
    files["jar.sbn"] = sets.signed("jar.sbn", b"CNU_File_Archive_3.0")
    ran = run("add_firmware", sets.as_zip(files, tmp_path / "a.zip"), "--json")
    assert (ran.status, ran.row["code"]) == (1, "long-name")
    assert f"name of a {what}" in ran.row["what"]
    assert nothing_is_left(settings)
