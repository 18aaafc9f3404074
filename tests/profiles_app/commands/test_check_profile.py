"""check_profile. No test here asks for the database, so that touching it would fail them."""

import os

import pytest

from tests.commands import manage, run
from tests.phones_app.site import sccp_file, sip_file


@pytest.fixture
def files(tmp_path):
    written = {
        "good.xml": sip_file(authentication_url="http://192.0.2.1/auth"),
        "broken.xml": "<device>\n  <sipProfile>\n</device>",
        "bare.xml": sip_file(),
        "sep001122334455.cnf.xml": sip_file(),
        "sccp.xml": sccp_file(),
    }
    for name, content in written.items():
        (tmp_path / name).write_text(content)
    return {name: tmp_path / name for name in written}


def test_good_file_is_good(files):
    ran = run("check_profile", files["good.xml"], "--json")
    assert ran.status == 0
    assert ran.row == {"file": str(files["good.xml"]), "ok": True, "findings": []}
    assert "Nothing to remark" in run("check_profile", files["good.xml"]).out


def test_errors_are_told_with_their_place(files):
    ran = run("check_profile", files["good.xml"], files["broken.xml"], "--json")

    assert ran.status == 1
    assert ran.err == "1 of 2 files have errors.\n"
    good, broken = ran.rows
    assert (good["ok"], broken["ok"]) == (True, False)
    [finding] = broken["findings"]
    assert (finding["code"], finding["line"], finding["column"]) == ("not-well-formed", 3, 3)


def test_warnings_alone_are_no_failure(files):
    ran = run("check_profile", files["bare.xml"], "--json")
    assert ran.status == 0
    assert [finding["code"] for finding in ran.row["findings"]] == ["authentication-url-empty"]


@pytest.mark.parametrize(
    ("arguments", "code"), [(("--software", "SCCP"), "software-mismatch"), (("--model", "6841"), "model-format")]
)
def test_file_is_judged_for_the_phone_that_is_named(files, arguments, code):
    ran = run("check_profile", files["good.xml"], *arguments, "--json")
    assert [finding["code"] for finding in ran.row["findings"]] == [code]


def test_name_that_no_phone_asks_for_is_an_error(files):
    ran = run("check_profile", files["sep001122334455.cnf.xml"], "--json")
    assert ran.status == 1
    assert ran.row["findings"][0]["code"] == "file-name"


@pytest.mark.parametrize(
    "name", ["SIP0200000000AA.cnf", "ATA0200000000AA", "SIPDefault.cnf", "SEP0200000000AA.cnf.xml.sgn"]
)
def test_the_name_of_another_kind_of_file_is_told(tmp_path, name):
    (tmp_path / name).write_text("<device/>")
    ran = run("check_profile", tmp_path / name, "--json")
    assert ran.status == 1
    assert ran.row["findings"][0]["code"] == "file-name"


def test_what_cannot_be_read_is_an_error(tmp_path):
    ran = run("check_profile", tmp_path, tmp_path / "missing", "--json")
    assert ran.status == 1
    assert [row["findings"][0]["code"] for row in ran.rows] == ["unreadable", "unreadable"]


@pytest.mark.parametrize("arguments", [(), ("--software", "H323", "x")])
def test_wrong_usage(arguments):
    assert run("check_profile", *arguments).status == 2


def test_standard_input_is_checked_without_any_database(tmp_path):
    environment = {"DATA_DIR": str(tmp_path), "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}
    ran = manage("check_profile", "-", "--json", environment=environment, stdin="<flat-profile/>")

    assert (ran.status, ran.err) == (1, "CommandError: 1 of 1 files have errors.\n")
    assert "MPP/3PCC" in ran.row["findings"][0]["message"]
    assert "patchbay.sqlite3" not in os.listdir(tmp_path)
