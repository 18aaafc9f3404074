"""import_profiles: a folder of device files becomes profiles, the good ones, byte for byte."""

import pytest

from contacts_app.people.models import User
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from profiles_app.phone.models import PhoneProfile, ProfileRevision
from tests.commands import run
from tests.phones_app.site import sccp_file, sip_file

pytestmark = pytest.mark.django_db
KNOWN, UNKNOWN, BROKEN = "02AA00000001", "02AA00000002", "02AA00000003"
# A file of CUCM's own: an undeclared prefix, CRLF, no final line end.
EXACT = sip_file("1001", label="Café").replace("<device>", '<device xsi:type="axl:XIPPhone">').replace("\n", "\r\n")


@pytest.fixture
def phone(alice):
    return Phone.objects.create(mac=KNOWN, account=alice.account, model="8845", software_type="SIPE")


@pytest.fixture
def folder(tmp_path):
    content = {
        f"SEP{KNOWN}.cnf.xml": EXACT.strip().encode(),
        f"SEP{BROKEN}.cnf.xml": b"<device>\n  <oops>\n</device>",
        f"SEP{KNOWN}.cnf.xml.20260101T000000Z.bak": b"<device/>",
        f".SEP{KNOWN}.cnf.xml.part": b"<dev",
        f"sep{KNOWN.lower()}.cnf.xml": b"<device/>",
        "dialplan.xml": b"<DIALTEMPLATE/>",
    }
    for name, octets in content.items():
        (tmp_path / name).write_bytes(octets)
    (tmp_path / f"SEP{UNKNOWN}.cnf.xml.d").mkdir()
    return tmp_path


def result_of(ran) -> dict[str, tuple[str, str]]:
    return {row["file"].rpartition("/")[2]: (row["result"], row["code"]) for row in ran.rows}


def test_good_files_are_stored_and_bad_ones_told_with_code_and_line(folder, phone, alice):
    ran = run("import_profiles", folder, "--json")

    assert (ran.status, ran.err) == (1, "1 of 6 files were refused.\n")
    assert result_of(ran) == {
        f"SEP{KNOWN}.cnf.xml": ("created", ""),
        f"SEP{BROKEN}.cnf.xml": ("refused", "not-well-formed"),
        f"SEP{KNOWN}.cnf.xml.20260101T000000Z.bak": ("ignored", "file-name"),
        f".SEP{KNOWN}.cnf.xml.part": ("ignored", "file-name"),
        f"sep{KNOWN.lower()}.cnf.xml": ("ignored", "file-name"),
        "dialplan.xml": ("ignored", "file-name"),
    }
    [refused] = [row for row in ran.rows if row["result"] == "refused"]
    assert refused["line"] == 3
    profile = PhoneProfile.objects.get()
    assert (profile.user, profile.name, profile.software_type) == (alice, f"SEP{KNOWN}", "SIP")
    assert profile.description == "Café"


def test_warnings_are_told_for_the_phone_that_the_file_is_of(folder, phone):
    file = folder / f"SEP{KNOWN}.cnf.xml"
    file.write_text(sip_file("1001").replace("<webAccess>0", "<webAccess>on"))
    phone.model = "7921"
    phone.save()

    warnings = run("import_profiles", file, "--json").row["warnings"]

    assert any("webAccess takes 0, 1 or 2" in text for text in warnings)
    assert any("no SIP firmware is known for the 7921" in text for text in warnings)
    assert "webAccess takes" in run("import_profiles", file).out.replace("\n", " ")


def test_files_for_other_devices_are_named_for_what_they_are(folder, phone):
    for name in (f"ATA{KNOWN}", "SIPDefault.cnf", f"SEP{KNOWN}.cnf.xml.sgn"):
        (folder / name).write_bytes(b"x")
    reasons = {row["file"].rpartition("/")[2]: row["reason"] for row in run("import_profiles", folder, "--json").rows}

    assert "ATA 186 or 188" in reasons[f"ATA{KNOWN}"]
    assert "shared files" in reasons["SIPDefault.cnf"]
    assert "signed" in reasons[f"SEP{KNOWN}.cnf.xml.sgn"]


def test_files_of_every_format_are_those_of_their_phones(tmp_path, alice):
    """Under the name of one format there is no other; of XML the phone's model says which one it reads."""
    text = "line1_name: 1001\nproxy1_address: 192.0.2.10\n"
    old, ata, _ = (Phone.objects.create(mac=mac, account=alice.account) for mac in (KNOWN, UNKNOWN, BROKEN))
    Phone.objects.filter(pk=ata.pk).update(model="ATA191")
    for name, content in {
        f"SIP{KNOWN}.cnf": text,
        f"SEP{KNOWN}.cnf.xml": text,
        f"ATA{UNKNOWN}.cnf.xml": sip_file(),
        f"ATA{BROKEN}.cnf.xml": sip_file(),
        "ATA02AA00000004.cnf.xml": sip_file(),
        "ATA02AA00000005.cnf.xml": sip_file().replace(
            "</device>", "<loadInformation>ATA187.9-2-3</loadInformation></device>"
        ),
    }.items():
        (tmp_path / name).write_text(content)
    ran = run("import_profiles", tmp_path, "--account", alice.account.voip_id, "--create-phones", "--json")
    assert result_of(ran) == {
        f"SIP{KNOWN}.cnf": ("created", ""),
        f"SEP{KNOWN}.cnf.xml": ("refused", "file-name"),
        f"ATA{UNKNOWN}.cnf.xml": ("created", ""),
        f"ATA{BROKEN}.cnf.xml": ("refused", "model-format"),
        "ATA02AA00000004.cnf.xml": ("refused", "model-format"),
        "ATA02AA00000005.cnf.xml": ("created", ""),
    }
    old.refresh_from_db()
    assert (old.current_profile.name, old.current_profile.software_type) == (f"SIP{KNOWN}", "SIP")
    assert Phone.objects.get(mac="02AA00000005").model == "ATA187"
    assert not Phone.objects.filter(mac="02AA00000004").exists()


def test_content_stays_as_it_is_byte_for_byte(folder, phone):
    run("import_profiles", folder)
    assert PhoneProfile.objects.get().content == (folder / f"SEP{KNOWN}.cnf.xml").read_bytes()


def test_phone_has_it_as_its_profile_and_nothing_is_deployed(folder, phone):
    run("import_profiles", folder)
    phone.refresh_from_db()
    assert phone.current_profile == PhoneProfile.objects.get()
    assert not Deployment.objects.exists()


def test_phone_that_has_a_profile_keeps_it(folder, phone, alice):
    phone.current_profile = PhoneProfile.objects.create(user=alice, name="Deployed from here")
    phone.save()
    run("import_profiles", folder)
    phone.refresh_from_db()
    assert phone.current_profile.name == "Deployed from here"


def test_second_import_changes_nothing_and_a_changed_file_is_a_revision(folder, phone):
    file = folder / f"SEP{KNOWN}.cnf.xml"
    run("import_profiles", file)
    again = run("import_profiles", file, "--json")
    file.write_text(sip_file("1002"))
    changed = run("import_profiles", file, "--json")

    assert [ran.status for ran in (again, changed)] == [0, 0]
    assert [ran.row["result"] for ran in (again, changed)] == ["unchanged", "revised"]
    assert ProfileRevision.objects.filter(profile=PhoneProfile.objects.get()).count() == 2
    assert PhoneProfile.objects.get().content == sip_file("1002").encode()
    assert set(ProfileRevision.objects.values_list("channel", flat=True)) == {"command"}


def test_dry_run_says_the_same_and_stores_nothing(folder, phone):
    ran = run("import_profiles", folder, "--create-phones", "--dry-run", "--json")

    assert ran.status == 1
    assert result_of(ran)[f"SEP{KNOWN}.cnf.xml"] == ("created", "")
    assert not PhoneProfile.objects.exists()
    assert Phone.objects.get().current_profile is None


@pytest.fixture
def stray(folder):
    """A file of a phone that is not in the inventory."""
    file = folder / f"SEP{UNKNOWN}.cnf.xml"
    file.write_text(sccp_file().replace("<vendor", "<loadInformation>SCCP75.9-4-2SR3-1S</loadInformation><vendor"))
    return file


def test_file_without_a_phone_needs_somebody_to_belong_to(stray, alice):
    nobody = run("import_profiles", stray, "--json")
    owner = run("import_profiles", stray, "--owner", "ALICE@acme.example", "--json")

    assert (nobody.status, nobody.row["code"]) == (1, "no-owner")
    assert (owner.status, owner.row["result"], owner.row["phone"]) == (0, "created", "")
    assert PhoneProfile.objects.get().user == alice
    assert not Phone.objects.exists()


def test_missing_phone_is_made_when_asked_for(stray, acme, alice):
    ran = run("import_profiles", stray, "--account", acme.voip_id, "--create-phones")

    phone = Phone.objects.get()
    assert ran.status == 0
    assert (phone.mac, phone.account, phone.software_type, phone.model) == (UNKNOWN, acme, "SCCP", "7975")
    assert phone.current_profile == PhoneProfile.objects.get()


def test_owner_without_an_account_needs_one_named_for_new_phones(stray, root, acme):
    arguments = ("import_profiles", stray, "--owner", root.email, "--create-phones", "--json")
    assert run(*arguments).row["code"] == "no-account"
    assert not PhoneProfile.objects.exists()
    assert run(*arguments, "--account", acme.voip_id).status == 0


def test_file_does_not_come_into_the_hands_of_another_account(folder, phone, charlie, other):
    file = folder / f"SEP{KNOWN}.cnf.xml"
    for arguments in (("--owner", charlie.email), ("--account", other.voip_id)):
        ran = run("import_profiles", file, *arguments, "--json")
        assert (ran.status, ran.row["code"]) == (1, "other-account")
    assert not PhoneProfile.objects.exists()


def test_account_whose_users_are_all_of_a_lower_level_owns_nothing(folder, phone, alice):
    User.objects.update(permission_level=1)
    ran = run("import_profiles", folder / f"SEP{KNOWN}.cnf.xml", "--json")
    assert ran.row["code"] == "no-owner"


def test_file_that_is_not_there_is_refused_and_the_next_one_taken(folder, phone):
    ran = run("import_profiles", folder / f"SEP{UNKNOWN}.cnf.xml", folder / f"SEP{KNOWN}.cnf.xml", "--json")
    assert ran.status == 1
    assert [row["result"] for row in ran.rows] == ["refused", "created"]
    assert ran.rows[0]["code"] == "unreadable"


def test_file_too_large_for_any_phone_is_refused(folder, phone):
    (folder / f"SEP{KNOWN}.cnf.xml").write_bytes(b"<device>" + b" " * 600_000 + b"</device>")
    assert run("import_profiles", folder / f"SEP{KNOWN}.cnf.xml", "--json").row["code"] == "too-large"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [((), 2), (("{}", "--owner", "nobody@acme.example"), 1), (("{}", "--account", "99"), 1), (("{}",), 1)],
)
def test_wrong_usage_and_nothing_to_import(tmp_path, db, arguments, status):
    assert run("import_profiles", *(part.format(tmp_path) for part in arguments)).status == status
