"""What the checker warns of reaches the client that stores a file over REST: in the envelope and in a header."""

import json

import pytest

from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db(transaction=True)

URL = "http://192.0.2.1/authenticate"
SOUND = sip_file(authentication_url=URL)
DOUBTFUL = SOUND.replace("<webAccess>0", "<webAccess>off").replace("<sipPort>5060", "<sipPort>sixty")
HEADER = "X-Patchbay-Warnings"


def told(answer) -> set[str]:
    body = answer.json()
    in_header = json.loads(answer[HEADER])
    assert len(in_header) == len(body["warnings"])
    for finding, text in zip(body["warnings"], in_header, strict=True):
        assert finding.keys() == {"code", "severity", "message", "line", "column"}
        assert finding["message"] in text
    return {finding["code"] for finding in body["warnings"]}


def test_a_sound_file_has_no_warnings(api, alice):
    answer = api.post("phone-profiles", {"user_uuid": str(alice.uuid), "name": "Desk", "cnf_xml": SOUND})

    assert answer.status_code == 201
    assert set(answer.json()) == {"success", "message", "data"}
    assert HEADER not in answer


def test_warnings_come_with_what_was_stored(api, alice):
    created = api.post("phone-profiles", {"user_uuid": str(alice.uuid), "name": "Desk", "cnf_xml": DOUBTFUL})
    assert told(created) == {"value", "port"}
    path = f"phone-profiles/{created.json()['data']['uuid']}"
    assert told(api.put(path, {"name": "Another"})) == {"value", "port"}
    mended = api.patch(path, {"cnf_xml": SOUND})
    assert "warnings" not in mended.json()
    assert HEADER not in mended
    assert told(api.post(f"{path}/revisions/1/restore")) == {"value", "port"}
    assert HEADER not in api.get(path)


@pytest.mark.parametrize(("models", "codes"), [(["7960"], {"model-format"}), (["7960", "8845"], set()), ([], set())])
def test_a_profile_for_one_model_is_judged_for_it(api, alice, models, codes):
    body = {"user_uuid": str(alice.uuid), "name": "Desk", "cnf_xml": SOUND, "compatible_models": models}
    answer = api.post("phone-profiles", body)

    assert answer.status_code == 201
    assert {finding["code"] for finding in answer.json().get("warnings", [])} == codes


def test_a_refusal_has_its_errors_and_no_warnings(api, alice):
    unfilled = DOUBTFUL.replace("127.0.0.1", "###SERVER###")
    answer = api.post("phone-profiles", {"user_uuid": str(alice.uuid), "name": "Desk", "cnf_xml": unfilled})

    assert answer.status_code == 400
    assert "“###SERVER###” was not filled in" in answer.json()["errors"][0]["message"]
    assert HEADER not in answer


def test_a_header_has_room_for_some_and_counts_the_others(api, alice):
    many = SOUND.replace("<versionStamp>", "<sshAccess>on</sshAccess>" * 200 + "<versionStamp>")
    answer = api.post("phone-profiles", {"user_uuid": str(alice.uuid), "name": "Desk", "cnf_xml": many})

    assert len(answer[HEADER]) < 4_000
    assert json.loads(answer[HEADER])[-1].startswith("and ")
    assert len(answer.json()["warnings"]) == 201
