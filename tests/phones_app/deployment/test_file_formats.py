"""Files with other names than SEP<MAC>.cnf.xml, all the way: uploaded, fetched, read back, left behind."""

from contextlib import closing

import pytest

from contacts_app.core.errors import Refusal
from phones_app.boot.models import FileFetch
from phones_app.deployment.left_files import remove
from phones_app.deployment.models import FileState, LeftFile, PhoneFile
from phones_app.deployment.preview import preview_file
from phones_app.deployment.request import deploy, deploy_many
from phones_app.drift.checks import check_files
from phones_app.drift.repair import adopt
from phones_app.transports.ftp.pool import FtpPool
from tests.phones_app.hands import switch_off, switch_on
from tests.phones_app.site import ACTOR, sccp_file, sip_file
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def text_file(line: str = "1001") -> str:
    return f"line1_name: {line}\nline1_authname: {line}\nline1_password: very-secret\nproxy1_address: 192.0.2.10\n"


@pytest.fixture
def old_phone(site):
    """A 7960 with SIP firmware that runs on its text file."""
    phone = site.phone(model="7960")
    (site.folder / f"SEP{phone.mac}.cnf.xml").unlink()
    (site.folder / f"SIP{phone.mac}.cnf").write_text(text_file())
    (site.folder / "SIPDefault.cnf").write_text("proxy1_address: 192.0.2.99\nimage_version: P0S3-8-12-00\n")
    return phone


def test_a_text_goes_to_its_phone_under_its_name(site, finish, old_phone):
    """No NOTIFY restarts it: the deployment ends with the upload, and the fetch confirms it."""
    profile = site.profile(content=text_file("1002"))
    with closing(FtpPool()) as pool:
        shown = preview_file(phone=old_phone, profile=profile, pool=pool)
    assert (shown.file_name, shown.refusal, shown.on_server.exists) == (f"SIP{old_phone.mac}.cnf", None, True)
    assert "switched on" in shown.restart.trouble
    assert "very-secret" not in shown.on_server.diff
    with site.alive(old_phone) as fleet:
        handset = fleet[old_phone.mac]
        deployment = finish(deploy(phone=old_phone, profile=profile, actor=ACTOR), until=lambda row: row.finished_at)
        assert (deployment.state, deployment.error_code) == ("uploaded", "by-hand")
        switch_off(fleet, old_phone.mac)
        switch_on(fleet, old_phone.mac)
        assert handset.line_users == ("1002",)
    fetches = FileFetch.objects.filter(sha256=deployment.sha256, followed_by="RINGLIST.DAT")
    wait_for(fetches.exists)
    deployment.refresh_from_db()
    assert (deployment.state, deployment.evidence["file"]) == ("confirmed", f"SIP{old_phone.mac}.cnf")
    assert not (site.folder / f"SEP{old_phone.mac}.cnf.xml").exists()


def test_a_text_is_read_back_and_what_is_none_is_not_adopted(site, finish, old_phone):
    finish(deploy(phone=old_phone, profile=site.profile(content=text_file("1002")), actor=ACTOR))
    path = site.folder / f"SIP{old_phone.mac}.cnf"
    assert [found.state for found in check_files(PhoneFile.objects.all())] == [FileState.IN_PLACE]
    path.write_text(sip_file())
    list(check_files(PhoneFile.objects.all()))
    with pytest.raises(Refusal) as refused:
        adopt(PhoneFile.objects.get(), actor=ACTOR)
    assert refused.value.code == "model-format"
    path.write_text(text_file("1003"))
    list(check_files(PhoneFile.objects.all()))
    assert adopt(PhoneFile.objects.get(), actor=ACTOR).facts["registration_user"] == "1003"


def test_with_other_firmware_the_former_file_is_left_behind(site, finish, settings, old_phone):
    settings.CONFIRM_SECONDS = 5
    old_phone.software_type = "SCCP"
    old_phone.save()
    finish(
        deploy(phone=old_phone, profile=site.profile(content=sccp_file()), actor=ACTOR),
        until=lambda row: row.finished_at,
    )
    old_phone.software_type = "SIP"
    old_phone.save()
    finish(
        deploy(phone=old_phone, profile=site.profile(content=text_file()), actor=ACTOR),
        until=lambda row: row.finished_at,
    )
    left = LeftFile.objects.get()
    assert (left.file_name, PhoneFile.objects.get().file_name) == (
        f"SEP{old_phone.mac}.cnf.xml",
        f"SIP{old_phone.mac}.cnf",
    )
    assert remove(left)
    assert (site.folder / f"SIP{old_phone.mac}.cnf").exists()
    assert not (site.folder / f"SEP{old_phone.mac}.cnf.xml").exists()


def test_an_ata_reads_xml_under_its_own_name(site, finish):
    """Beside another phone with the same profile, in one batch."""
    ata, phone = site.phone(model="ATA191"), site.phone()
    (site.folder / f"SEP{ata.mac}.cnf.xml").rename(site.folder / f"ATA{ata.mac}.cnf.xml")
    with site.alive(ata, phone):
        asked = deploy_many(phones=[ata, phone], profile=site.profile(content=sip_file("1002")), actor=ACTOR)
        for deployment in asked.deployments:
            assert finish(deployment).state == "confirmed"
    assert sip_file("1002") == (site.folder / f"ATA{ata.mac}.cnf.xml").read_text() == site.file_of(phone).decode()
    assert {file.file_name for file in PhoneFile.objects.select_related("phone")} == {
        f"ATA{ata.mac}.cnf.xml",
        f"SEP{phone.mac}.cnf.xml",
    }


@pytest.mark.parametrize(
    ("model", "content"), [("8845", text_file()), ("ATA187", text_file()), ("7960", sip_file()), ("ATA186", sip_file())]
)
def test_a_file_that_the_phone_does_not_read_is_refused(site, model, content):
    with pytest.raises(Refusal) as refused:
        deploy(phone=site.phone(model=model), profile=site.profile(content=content), actor=ACTOR)
    assert "reads" in refused.value.message
