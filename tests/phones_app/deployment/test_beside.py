"""What lies beside a phone's file on its server, or is missing there, is told before a deployment and at its upload."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import Deployment
from phones_app.deployment.preview import preview_deploy
from phones_app.deployment.request import deploy
from phones_app.firmware.models import Firmware
from phones_app.inventory.models import Phone
from phones_app.inventory.services import phones_by_mac
from phones_app.rollout.plan import make_plan
from phones_app.servers.models import FileServer
from phones_app.shared_files import copies, services, store
from tests.peers.ftp import pyftpd
from tests.phones_app.rest import of
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db(transaction=True)

LOAD = "sip8845_65.12-8-1-0001-455"
NAMING = (
    sip_file("1002")
    .replace("<sipLines>", "<dialTemplate>dialplan.xml</dialTemplate><softKeyFile>SoftKeys.xml</softKeyFile><sipLines>")
    .replace("<versionStamp>", f"<loadInformation>{LOAD}</loadInformation><versionStamp>")
)


@pytest.fixture
def phone(site):
    phone = site.phone()
    # Without an address the phone cannot be restarted, which is not what this is about.
    type(phone).objects.update(phone_ip=None)
    phone.refresh_from_db()
    return phone


def codes(findings) -> list[str]:
    return [finding["code"] for finding in findings if not finding["line"]]


def told_at_upload(deployment: Deployment) -> tuple[list[str], str]:
    step = deployment.steps.get(kind="upload")
    return codes(step.detail["warnings"]), step.message


def previewed(alice, phone, profile) -> list[str]:
    answer = of(alice).get(f"phone-profiles/{profile.uuid}/preview?mac={phone.mac}")
    assert answer.status_code == 200, answer.content
    return codes(answer.json()["data"]["findings"])


@pytest.mark.parametrize("ending", [".cnf.xml.sgn", ".cnf.xml.enc", ".cnf.xml.tlv"])
def test_a_signed_file_beside_the_plain_one_is_told(site, finish, phone, alice, ending):
    stale = f"SEP{phone.mac}{ending}"
    (site.folder / stale).write_bytes(b"\x01\x00\x02")
    (site.folder / f"SEP020000000099{ending}").write_bytes(b"another phone's")
    profile = site.profile(content=sip_file("1002"))
    assert previewed(alice, phone, profile) == ["stale-companion"]

    for _ in range(2):  # the second time the file is there already
        warned, message = told_at_upload(finish(deploy(phone=phone, profile=profile, actor=ACTOR)))
        assert warned == ["stale-companion"]
        assert f"{stale} lies beside the file" in message


def test_files_that_the_file_names_are_told_where_they_are_missing(site, finish, phone, alice):
    profile = site.profile(content=NAMING)
    assert previewed(alice, phone, profile) == ["load-set", "missing-companion", "missing-companion"]
    warned, message = told_at_upload(finish(deploy(phone=phone, profile=profile, actor=ACTOR)))
    assert warned == ["load-set", "missing-companion", "missing-companion"]
    assert f"the load {LOAD} is not on the file server" in message
    assert "dialplan.xml" in message

    for name in (f"{LOAD}.loads", "dialplan.xml", "SoftKeys.xml"):
        (site.folder / name).write_text("there")
    assert previewed(alice, phone, profile) == []


def test_a_load_that_the_phone_runs_already_need_not_be_there(site, alice, phone):
    phone.software_version = LOAD
    phone.save()
    assert "load-set" not in previewed(alice, phone, site.profile(content=NAMING))


def test_a_switch_tells_its_warnings_in_a_header(site, alice, phone, finish):
    (site.folder / f"SEP{phone.mac}.cnf.xml.sgn").write_bytes(b"\x01\x00\x02")
    profile = site.profile(content=NAMING)
    answer = of(alice).switch({"uuid": str(profile.uuid)}, phone.mac)

    assert set(answer.json()) == {"success", "message", "data"}
    told = json.loads(answer["X-Patchbay-Warnings"])
    assert any("authenticationURL is empty" in text for text in told)
    if answer.status_code == 200:  # else no worker was quick enough, and the upload is still to come
        assert any(".sgn lies beside the file" in text for text in told)


LANGUAGE = """<userLocale><name>German_Germany</name><langCode>de_DE</langCode></userLocale>
<networkLocale>Germany</networkLocale><networkLocaleInfo><name>Germany</name></networkLocaleInfo><versionStamp>"""
IN_GERMAN = NAMING.replace("<versionStamp>", LANGUAGE)
JAR, TONES = "German_Germany/sl-bev-sip.jar", "Germany/g3-tones.xml"


@pytest.fixture(autouse=True)
def kept(settings, tmp_path):
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"


def share(path: str, **owner: object) -> None:
    services.put(path, store.store([b"<x/>"]), kind="other", **owner)


def missing(alice, phone, profile) -> set[str]:
    answer = of(alice).get(f"phone-profiles/{profile.uuid}/preview?mac={phone.mac}")
    texts = [found["message"] for found in answer.json()["data"]["findings"] if not found["line"]]
    words = [text.replace(",", " ").split() for text in texts if "not on the file server" in text]
    return {word for text in words for word in text if "." in word}


def test_the_language_and_tones_of_a_file_are_looked_for_as_the_phones_family_asks_for_them(site, alice, phone):
    profile = site.profile(content=IN_GERMAN)
    assert {JAR, TONES} <= missing(alice, phone, profile)
    for folder, name in (path.split("/") for path in (JAR.lower(), TONES)):
        (site.folder / folder).mkdir()
        (site.folder / folder / name).write_text("there")
    # The embedded file server finds them in any case.
    assert not {JAR, TONES} & missing(alice, phone, profile)
    phone.model = "8851"
    phone.save()
    assert missing(alice, phone, profile) >= {"German_Germany/sl-be-sip.jar"}
    phone.model = "8831"  # of which the name is not known
    phone.save()
    assert not [name for name in missing(alice, phone, profile) if "German" in name]


def test_what_is_built_into_phones_is_not_looked_for(site, alice, phone):
    content = IN_GERMAN.replace("German_Germany", "English_United_States").replace("Germany", "United_States")
    assert missing(alice, phone, site.profile(content=content)) == missing(alice, phone, site.profile(content=NAMING))


def test_shared_files_are_there_for_phones_of_the_embedded_server(site, alice, phone, other, finish):
    profile = site.profile(content=NAMING)
    share("DialPlan.xml", account=other)
    assert "dialplan.xml" in missing(alice, phone, profile)
    share("DialPlan.xml")
    share("softkeys.xml", phone=phone)
    assert not {"dialplan.xml", "SoftKeys.xml"} & missing(alice, phone, profile)
    assert told_at_upload(finish(deploy(phone=phone, profile=profile, actor=ACTOR)))[0] == ["load-set"]
    other_phone = site.phone()
    assert "SoftKeys.xml" in missing(alice, other_phone, profile)


def test_the_folders_of_a_family_and_stored_firmware_count(site, alice, phone):
    profile = site.profile(content=NAMING)
    (site.folder / "8845").mkdir()
    (site.folder / "8845" / "dialplan.xml").write_text("there")
    share("88xx/SoftKeys.xml")
    assert codes_of(preview_deploy(phones=[phone], profile=profile, actor=ACTOR).notes) == ["load"]
    assert not {"dialplan.xml", "SoftKeys.xml"} & missing(alice, phone, profile)
    Firmware.objects.create(load=LOAD, size=1, folder="anywhere")
    assert preview_deploy(phones=[phone], profile=profile, actor=ACTOR).notes == []
    assert previewed(alice, phone, profile) == []
    # The list of an account's own load is there, and a component is not.
    share(f"{LOAD}.loads")
    fault = {"code": "missing", "file": "rootfs.sbn", "platform": "", "message": "it is not there"}
    own = Firmware.objects.create(load=LOAD, size=1, account=phone.account, faults=[fault])
    assert codes_of(preview_deploy(phones=[phone], profile=profile, actor=ACTOR).notes) == ["load"]
    assert previewed(alice, phone, profile) == ["load-set"]
    own.delete()
    assert previewed(alice, phone, profile) == []


def codes_of(notes) -> list[str]:
    return ["load" if "the load" in note else note for note in notes]


def test_many_phones_are_told_together_by_a_number_of_queries_that_does_not_grow(site):
    profile = site.profile(content=NAMING)
    share("DialPlan.xml")
    counts = []
    for number in (1, 8):
        phones = [site.phone() for _ in range(number)]
        with CaptureQueriesContext(connection) as caught:
            notes = preview_deploy(phones=phones, profile=profile, actor=ACTOR).notes
        counts.append(len([query for query in caught if "shared_file" in query["sql"] or "filecopy" in query["sql"]]))
        told = f"Embedded: the file names SoftKeys.xml, which is not on the file server ({number} phone"
        assert [note for note in notes if note.startswith(told)]
        assert not [note for note in notes if "ialplan" in note]
        chosen = phones_by_mac(Phone.objects.all(), [phone.mac for phone in phones])
        assert [note for note in make_plan(selection=chosen, profile=profile).notes if note.startswith(told)]
    assert counts[0] == counts[1] > 0


def test_of_an_ftp_server_is_told_what_was_missing_there_and_was_not_brought_since(site, phone, finish, tmp_path):
    profile = site.profile(content=NAMING)
    (tmp_path / "ftp").mkdir()
    with pyftpd(tmp_path / "ftp") as ftp:
        server = FileServer.objects.create(
            name="FTP",
            host="127.0.0.1",
            port=ftp.port,
            username=ftp.username,
            password=ftp.password,
            takes_shared_files=True,
        )
        type(phone).objects.update(file_server=server)
        phone.refresh_from_db()
        assert preview_deploy(phones=[phone], profile=profile, actor=ACTOR).notes == []
        assert len(told_at_upload(finish(deploy(phone=phone, profile=profile, actor=ACTOR)))[0]) == 3
        share("dialplan.xml")
        run_queue(copies.QUEUE)
    notes = preview_deploy(phones=[phone], profile=profile, actor=ACTOR).notes
    assert sorted(" ".join(note.split(" ")[1:5]) for note in notes) == [
        "the file names SoftKeys.xml,",
        f"the load {LOAD} is",
    ]
