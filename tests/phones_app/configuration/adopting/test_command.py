"""adopt_folder: from a folder to rows, with the report as a table, JSON and a sentence."""

import pytest

from phones_app.configuration.adopting.report import AdoptResult
from phones_app.inventory.models import Phone
from profiles_app.phone.models import PhoneProfile
from tests.commands import run
from tests.profiles_app.phone.adopting.fleet import fleet, mac_of

pytestmark = pytest.mark.django_db
FILES = 6


@pytest.fixture
def folder(tmp_path):
    for file in fleet(FILES):
        (tmp_path / file.name).write_bytes(file.content)
    (tmp_path / "dialplan.xml").write_bytes(b"<DIALTEMPLATE/>")
    (tmp_path / "old").mkdir()
    return tmp_path


@pytest.fixture
def places(tmp_path_factory):
    file = tmp_path_factory.mktemp("places") / "places.csv"
    rows = [f"{each.mac};{each.location};{each.model}" for each in fleet(FILES)]
    file.write_text("\ufeff" + "\r\n".join(["MAC;Location;Model", *rows]))
    return file


def test_a_folder_is_adopted_and_the_second_run_changes_nothing(folder, places, alice):
    arguments = ("adopt_folder", folder, "--account", alice.account.voip_id, "--places", places)
    dry = run(*arguments, "--dry-run")
    assert (dry.status, Phone.objects.count()) == (0, 0)
    assert "7 files → 6 templates" in dry.out
    assert "Nothing of it is stored." in dry.out

    ran = run(*arguments, "--json")
    assert ran.status == 0
    assert {row["outcome"] for row in ran.rows if row["phone"]} == {AdoptResult.ADOPTED}
    [ignored] = [row for row in ran.rows if not row["phone"]]
    assert (ignored["outcome"], ignored["code"]) == ("ignored", "file-name")
    phone = Phone.objects.get(mac=mac_of(0))
    assert (phone.model, phone.location) == ("8845", "Munich")
    assert PhoneProfile.objects.filter(user=alice).count() == 6

    again = run(*arguments, "--json")
    assert {row["outcome"] for row in again.rows} == {AdoptResult.UNCHANGED, AdoptResult.IGNORED}


def test_refused_files_make_the_command_fail(folder, alice):
    (folder / f"SEP{mac_of(0)}.cnf.xml").write_bytes(b"<device>")
    ran = run("adopt_folder", folder, "--account", alice.account.voip_id, "--json")
    assert (ran.status, ran.err) == (1, "1 of 7 files were refused.\n")
    [refused] = [row for row in ran.rows if row["outcome"] == AdoptResult.REFUSED]
    assert (refused["code"], refused["line"]) == ("not-well-formed", 1)
    assert Phone.objects.count() == FILES - 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"mac;place\n", "Row 1"),
        (b"mac,location\nnothing,Munich\n", "Row 2"),
        (b"mac,location\n00005E005301," + b"x" * 300, "Row 2"),
        (b"mac,location\n00005E005301,\xff\n", "not UTF-8"),
    ],
)
def test_a_csv_file_of_places_that_cannot_be_read_stops_everything(folder, alice, tmp_path, content, told):
    (tmp_path / "places.csv").write_bytes(content)
    ran = run("adopt_folder", folder, "--account", alice.account.voip_id, "--places", tmp_path / "places.csv")
    assert ran.status == 1
    assert told in ran.err
    assert not Phone.objects.exists()


def test_wrong_usage_is_told(folder, alice, root):
    ran = run("adopt_folder", folder, "--account", alice.account.voip_id, "--owner", root.email)
    assert "belongs to no account" in ran.err
    assert not Phone.objects.exists()
    assert run("adopt_folder", folder).status == 2
    assert "no account" in run("adopt_folder", folder, "--account", 4711).err
    assert "cannot be read" in run("adopt_folder", folder / "nowhere", "--account", alice.account.voip_id).err
    assert "no user" in run("adopt_folder", folder, "--account", alice.account.voip_id, "--owner", "x@y.example").err
