"""Whatever comes in, the answer is the dialect's own error, nothing is stored, and nothing falls over."""

import json
import uuid
from wsgiref.util import setup_testing_defaults

import pytest

from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from profiles_app.phone.models import PhoneProfile

pytestmark = pytest.mark.django_db

UNKNOWN = uuid.UUID("5b6e7c1e-9f0a-4c43-8f3e-0d6f8a1b2c3d")
WRITES = [
    "auth/login",
    "auth/refresh",
    "phone-profiles",
    "phone-profiles/switch",
    "phones",
    "deployments",
    "file-servers",
    "call-managers",
]
BODIES = {
    "cut": b"{",
    "array": b"[]",
    "string": b'"x"',
    "number": b"1e999",
    "null": b"null",
    "nothing": b"",
    "not-utf-8": b'{"name": "\xff"}',
    "utf-16": '{"name": "x"}'.encode("utf-16"),
    "nan": b'{"name": NaN}',
    "deep": b"[" * 100_000,
    "half-a-character": b'{"username": "\\ud800", "name": "\\ud800", "mac": "\\ud800", "software_type": "\\ud800"}',
    "nul": b'{"username": "\\u0000", "password": "\\u0000", "name": "\\u0000", "mac": "\\u0000", "kind": "\\u0000"}',
    "wrong-types": b'{"name": {}, "mac": [], "host": 1, "profile_uuid": true, "username": 1, "refreshToken": {}}',
    "long-number": b'{"port": ' + b"9" * 5000 + b"}",
    "other-keys": b'{"__proto__": 1, "": 2}',
}


def is_our_error(response, *statuses: int) -> None:
    assert response.status_code in statuses, (response.status_code, response.content[:300])
    assert response["Content-Type"] == "application/json; charset=utf-8"
    body = json.loads(response.content)
    assert body["success"] is False
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["code"]
    assert body.keys() <= {"success", "code", "message", "errors"}
    assert ("errors" in body) <= (response.status_code == 400)


def nothing_was_stored() -> None:
    for model in (PhoneProfile, Phone, Deployment, FileServer, CallManager):
        assert not model.objects.exists()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_cannot_be(api, body):
    for path in WRITES:
        response = api.client.post(f"/api/v1/{path}", body, content_type="application/json", headers=api.headers)
        is_our_error(response, 400)
    nothing_was_stored()


@pytest.mark.parametrize("charset", ["zip", "rot13", "utf-7", "undefined", "no-such"])
def test_json_is_utf_8_whatever_the_content_type_says(api, charset):
    def post(body: bytes):
        # Not `post`, which would encode the body in that very charset.
        content_type = f"application/json; charset={charset}"
        return api.client.generic("POST", "/api/v1/phones", body, content_type, headers=api.headers)

    is_our_error(post(b"\x00"), 400)
    assert post('{"mac": "AABBCCDDEE01", "name": "é"}'.encode()).json()["data"]["name"] == "é"


@pytest.mark.parametrize("charset", ["zip", "rot13", "undefined", "no-such", "iso-8859-1"])
def test_a_query_string_is_text_whatever_the_content_type_says(charset):
    from config.wsgi import application

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/v1/phones", "QUERY_STRING": "a=%20"}
    setup_testing_defaults(environ)
    environ["CONTENT_TYPE"] = f"text/plain; charset={charset}"
    started: list[str] = []
    body = b"".join(application(environ, lambda status, headers: started.append(status)))
    assert started == ["401 Unauthorized"]
    assert json.loads(body)["success"] is False


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data", "nonsense"])
def test_a_content_type_that_is_not_spoken(api, content_type):
    for path in WRITES:
        response = api.client.post(
            f"/api/v1/{path}", b'{"mac": "AABBCCDDEE01"}', content_type=content_type, headers=api.headers
        )
        is_our_error(response, 415)
    nothing_was_stored()


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_ten_megabytes(api, alice, announced):
    body = json.dumps({"user_uuid": str(alice.uuid), "name": "x", "cnf_xml": "x" * 10_000_000}).encode()
    extra = {} if announced else {"CONTENT_LENGTH": "0", "wsgi.input_terminated": True}
    response = api.client.post(
        "/api/v1/phone-profiles", body, content_type="application/json", headers=api.headers, **extra
    )
    is_our_error(response, *([413] if announced else [400, 413]))
    nothing_was_stored()


def test_a_file_that_is_too_large_or_no_sep_file(api, alice):
    for text, words in [
        ("<device>" + "x" * 600_000 + "</device>", "limit"),
        ("<device>\n<a></device>", "line 2, column"),
        ("<flat-profile/>", "MPP"),
        ("<!DOCTYPE device><device/>", "DOCTYPE"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><device>电</device>', "cannot be written"),
        (" ", "empty"),
    ]:
        response = api.post("phone-profiles", {"user_uuid": str(alice.uuid), "name": "x", "cnf_xml": text})
        is_our_error(response, 400)
        error = response.json()["errors"][0]
        assert error["field"] == "cnf_xml"
        assert words in error["message"]
    nothing_was_stored()


def test_a_changed_file_is_checked_like_a_new_one(api, alice):
    profile = api.create_profile(alice)
    response = api.put(f"phone-profiles/{profile['uuid']}", {"cnf_xml": "<device>", "name": "other"})
    is_our_error(response, 400)
    is_our_error(api.put(f"phone-profiles/{profile['uuid']}", {"software_type": "SCCP"}), 400)
    assert api.get(f"phone-profiles/{profile['uuid']}").json()["data"] == profile


BAD_IDS = ["not-a-uuid", "1", "%00", "..%2f..", "{" + str(UNKNOWN) + "}", UNKNOWN.hex, "é", "x" * 5000]
BY_ID = [
    "phone-profiles/{}",
    "phone-profiles/user/{}",
    "file-servers/{}",
    "call-managers/{}",
    "deployments/{}",
    "phones/{}",
]


@pytest.mark.parametrize("path", BY_ID)
def test_an_id_that_is_none(api, path):
    for bad in BAD_IDS:
        is_our_error(api.get(path.format(bad)), 400, 404)


@pytest.mark.parametrize("path", [path for path in BY_ID if "user" not in path and "phones" not in path])
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_an_id_that_nothing_has(api, path, method):
    if path.startswith("deployments") and method != "get":
        is_our_error(api.call(method, path.format(UNKNOWN), {}), 405)
    else:
        # The body is looked at last.
        is_our_error(api.call(method, path.format(UNKNOWN), {}), 404)


def test_a_url_or_method_that_does_not_exist(api, nobody):
    is_our_error(api.get("nothing"), 404)
    is_our_error(nobody.get("nothing"), 404)
    is_our_error(api.delete("phones"), 405)
    is_our_error(api.call("options", "phones"), 405)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "*/*"])
def test_there_is_json_whatever_is_accepted(api, accept):
    assert api.call("get", "phones", Accept=accept).status_code == 200
    is_our_error(api.call("get", "phones/zz", Accept=accept), 400)


@pytest.mark.parametrize(
    "header",
    ["Bearer \xff", "Basic !!!", "Basic " + "A" * 9000, "Digest x", "Bearer a.b.c", "bearer", " ", "Basic w7/="],
)
def test_an_authorization_header_that_cannot_be(nobody, header):
    is_our_error(nobody.call("get", "phones", Authorization=header), 401)
