"""What lies beside a phone's file on its server, or is missing there, is told before a deployment and at its upload."""

import json

import pytest

from phones_app.deployment.models import Deployment
from phones_app.deployment.request import deploy
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
