"""`/api/v1/firmware` (boot server spec §8)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from phones_app.firmware.models import Firmware
from phones_app.shared_files.models import SharedFile
from tests.apis.conftest import of
from tests.phones_app.firmware import sets
from tests.phones_app.firmware.test_adding import JAR, LOAD, RESET, hostile, nothing_is_left, spoilt

pytestmark = pytest.mark.django_db
URL = "/api/v1/firmware"


@pytest.fixture
def owner(alice):
    return of(alice).http


def files(contents: dict[str, bytes]) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(name, content) for name, content in contents.items()]


def zipped(tmp_path, contents: dict[str, bytes]) -> list[SimpleUploadedFile]:
    return files({"cmterm.zip": sets.as_zip(contents, tmp_path / "cmterm.zip").read_bytes()})


def test_a_package_is_added_shown_found_and_deleted(owner, acme, tmp_path):
    added = owner.post(URL, {"file": zipped(tmp_path, sets.classic(default=RESET)), "into": "79xx"})
    assert added.status_code == 201, added.content
    [load] = added.json()["data"]["loads"]
    assert (load["load"], load["account"], load["models"]) == (LOAD, acme.voip_id, ["7942", "7962"])
    assert (load["complete"], load["folder"], load["package"]) == (True, "79xx", "cmterm.zip")
    assert [one["name"] for one in load["components"]][:2] == [f"{LOAD}.loads", JAR]
    assert owner.get(f"{URL}/{load['uuid']}").json()["data"] == load
    for query, found in {"load": LOAD, "model": "CP-7962G", "protocol": "SIP", "search": "cmterm"}.items():
        assert [one["load"] for one in owner.get(URL, {query: found}).json()["data"]] == [LOAD]
    for query, absent in {"load": LOAD[:-1], "model": "7975", "protocol": "SCCP"}.items():
        assert owner.get(URL, {query: absent}).json()["data"] == []
    assert owner.delete(f"{URL}/{load['uuid']}").json()["data"]["load"] == LOAD
    assert not SharedFile.objects.exists()


def test_a_loads_file_comes_with_what_it_names(owner):
    added = owner.post(URL, {"file": files(sets.by_platform())})
    assert added.status_code == 201, added.content
    [load] = added.json()["data"]["loads"]
    assert load["platforms"] == {"PLATFORM_1": True, "PLATFORM_2": True}


@pytest.mark.parametrize("how", ["missing", "case", "renamed"])
def test_an_incomplete_set_is_refused_with_its_faults(owner, tmp_path, settings, how):
    refused = owner.post(URL, {"file": zipped(tmp_path, spoilt(how))})
    assert (refused.status_code, refused.json()["code"]) == (409, "incomplete-firmware")
    [fault] = refused.json()["faults"]
    assert (fault["load"], fault["file"], fault["code"]) == (LOAD, JAR, how)
    assert nothing_is_left(settings)


@pytest.mark.parametrize("how", ["bomb", "huge", "link", "../out.sbn", "/etc/out.sbn", "cut short"])
def test_a_hostile_archive_is_refused_and_nothing_is_left_behind(owner, tmp_path, settings, how):
    package = hostile(how, tmp_path / "a.zip").read_bytes()
    refused = owner.post(URL, {"file": files({"a.zip": package})})
    assert refused.status_code == 409
    assert refused.json()["code"] in ("too-large", "no-plain-file", "bad-path", "bad-archive")
    assert nothing_is_left(settings)
    assert not list(settings.DATA_DIR.glob("tmp*"))


@pytest.mark.parametrize("body", [{}, {"file": "text"}, {"file": [], "into": "x"}])
def test_a_form_without_files_is_a_400(owner, body):
    refused = owner.post(URL, body)
    assert (refused.status_code, refused.json()["success"]) == (400, False)


def test_json_is_not_taken(owner):
    assert owner.post(URL, {"file": "x"}, content_type="application/json").status_code == 415


def test_a_dry_run_stores_nothing(owner, tmp_path, settings):
    said = owner.post(URL, {"file": zipped(tmp_path, sets.classic()), "dry_run": "true"})
    assert said.json()["message"] == "Checked; nothing was stored"
    assert said.json()["data"]["loads"][0]["load"] == LOAD
    assert nothing_is_left(settings)


def test_firmware_for_all_accounts_is_seen_by_tenants_and_deleted_by_staff_alone(owner, charlie, root, acme, tmp_path):
    shared = of(root).http.post(URL, {"file": zipped(tmp_path, sets.classic())}).json()["data"]["loads"][0]
    assert shared["account"] is None
    assert owner.get(f"{URL}/{shared['uuid']}").status_code == 200
    assert owner.delete(f"{URL}/{shared['uuid']}").status_code == 403
    own = owner.post(URL, {"file": zipped(tmp_path, sets.classic())}).json()["data"]["loads"][0]
    stranger = of(charlie).http
    assert stranger.get(f"{URL}/{own['uuid']}").status_code == 404
    assert stranger.delete(f"{URL}/{own['uuid']}").status_code == 404
    assert stranger.post(URL, {"file": zipped(tmp_path, sets.classic()), "account": acme.voip_id}).status_code == 400
    assert Firmware.objects.count() == 2
