"""check_firmware, on packages as they come (boot server spec §2, §3)."""

import pytest

from tests.commands import run
from tests.phones_app.firmware import sets

JAR = "jar42sip.9-4-2ES26.sbn"


@pytest.fixture
def complete(tmp_path):
    return sets.as_zip(sets.classic(), tmp_path / "cmterm-7962.zip")


@pytest.fixture
def incomplete(tmp_path):
    files = sets.classic()
    del files[JAR]
    return sets.as_folder(files, tmp_path / "tftpboot")


def test_a_complete_set_is_told_with_what_it_is_for(complete):
    ran = run("check_firmware", complete, "--json")
    assert ran.status == 0
    row = ran.row
    assert (row["load"], row["version"], row["protocol"]) == ("SIP42.9-4-2SR3-1S", "9-4-2SR3-1S", "SIP")
    assert (row["models"], row["files"], row["complete"], row["faults"]) == (["7942", "7962"], 5, True, [])


def test_what_is_missing_is_named_and_the_status_is_1(complete, incomplete):
    ran = run("check_firmware", complete, incomplete)
    assert (ran.status, ran.err) == (1, "1 of 2 are not complete.\n")
    assert f"{JAR}: it is not there" in ran.out


def test_what_is_no_firmware_is_a_row_of_its_own(tmp_path, complete):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    packages = [tmp_path / name for name in ("notes.txt", "empty", "nowhere.zip")]
    ran = run("check_firmware", *packages, complete, "--json")
    assert ran.status == 1
    codes = [[fault["code"] for fault in row["faults"]] for row in ran.rows]
    assert codes == [["no-package"], ["no-loads"], ["no-package"], []]


def test_what_the_embedded_file_server_has_is_checked(settings, incomplete, tmp_path):
    settings.PHONE_FILES_DIR = incomplete
    assert run("check_firmware", "--served", "--json").row["faults"][0]["file"] == JAR

    settings.PHONE_FILES_DIR = tmp_path / "none yet"
    assert run("check_firmware", "--served").status == 0
    settings.PHONE_FILES_DIR.mkdir()
    assert run("check_firmware", "--served", "--json").rows == []


def test_the_way_from_a_load_has_the_load_of_the_gate(complete, tmp_path):
    of_others = sets.as_zip(sets.old_6921(), tmp_path / "cmterm-6921.zip")
    row, other = run("check_firmware", complete, of_others, "--from", "SIP42.8-2-1S", "--json").rows
    way = row["path"]
    assert "path" not in other
    assert [step["load"] for step in way["steps"]] == ["SIP42.8-5-2S", "SIP42.9-4-2SR3-1S"]
    assert "Way: SIP42.8-5-2S → SIP42.9-4-2SR3-1S" in run("check_firmware", complete, "--from", "SIP42.8-2-1S").out


@pytest.mark.parametrize("arguments", [[], ["--from", "SIP42.8-2-1S"], ["package.zip", "--from", "nonsense"]])
def test_wrong_usage_is_status_2(arguments):
    assert run("check_firmware", *arguments).status == 2
