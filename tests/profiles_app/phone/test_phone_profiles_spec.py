"""The conformance cases of the phone profiles spec §9, by their numbers. A is Alice, U is Bob, P the phone."""

import re
import uuid

import pytest
from django.test import Client

from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone, ServiceSession
from phones_app.mobility.services import open_service_session
from profiles_app.phone.models import PhoneProfile
from tests.phones_app.rest import MAC, Api, of
from tests.phones_app.site import sccp_file, sip_file

pytestmark = pytest.mark.django_db(transaction=True)

MEMBERS = [
    "uuid",
    "user_uuid",
    "name",
    "description",
    "cnf_xml",
    "compatible_models",
    "software_type",
    "created_at",
    "updated_at",
]
SEED_FILE = "<device>\n  <deviceType>...</deviceType>...\n</device>"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def seed_body(user) -> dict:
    return {
        "user_uuid": str(user.uuid),
        "name": "Reception Desk",
        "description": "Config for reception",
        "cnf_xml": SEED_FILE,
        "compatible_models": ["8845", "8851"],
        "software_type": "SIP",
    }


def failed(response, status: int) -> dict:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json; charset=utf-8"
    body = response.json()
    assert body["success"] is False
    assert body["code"]
    assert body["message"]
    return body


EXPIRED = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0eXAiOiJhY2Nlc3MiLCJleHAiOjE3MDAwMDAwMDB9."
    "hChdpjWubsqv4qSuZqiOTOBfUXhfsokSAjLeiD4BgCo"
)


@pytest.mark.parametrize("header", [None, "Basic", "Bearer ", "Bearer junk", f"Bearer {EXPIRED}", "Bearer pb_1_2"])
def test_case_01_without_a_good_credential(db, header):
    headers = {"Authorization": header} if header is not None else {}
    failed(Client().get("/api/v1/phone-profiles", headers=headers), 401)


def test_case_01_an_expired_token(alice, settings):
    settings.ACCESS_TOKEN_SECONDS = -1
    failed(of(alice).get("phone-profiles"), 401)


def test_case_02_login(nobody, alice):
    right = nobody.post("auth/login", {"username": "alice@acme.example", "password": "correct horse"})
    assert right.status_code == 200
    assert right.json()["message"] == "Login successful"
    assert {"user", "accessToken", "refreshToken"} == right.json()["data"].keys()
    assert Api(right.json()["data"]["accessToken"]).get("phone-profiles").status_code == 200
    wrong = nobody.post("auth/login", {"username": "alice@acme.example", "password": "wrong"})
    assert failed(wrong, 401)["message"] == "Invalid credentials"
    failed(nobody.post("auth/login", {"username": "alice@acme.example"}), 400)


def test_case_03_an_empty_store(api):
    response = api.get("phone-profiles")
    assert response.status_code == 200
    assert response.content == b'{"success":true,"data":[]}'


def test_case_04_create_with_the_documents_body(api, alice):
    response = api.post("phone-profiles", seed_body(alice))
    assert response.status_code == 201
    data = response.json()["data"]
    assert uuid.UUID(data["uuid"]).version == 4
    assert {name: data[name] for name in seed_body(alice)} == seed_body(alice)
    assert INSTANT.fullmatch(data["created_at"])
    assert INSTANT.fullmatch(data["updated_at"])


@pytest.mark.parametrize("missing", ["user_uuid", "name", "cnf_xml"])
def test_case_05_create_without_a_required_field(api, alice, missing):
    body = seed_body(alice)
    del body[missing]
    assert failed(api.post("phone-profiles", body), 400)["errors"][0]["field"] == missing
    assert not PhoneProfile.objects.exists()


def test_case_06_create_with_the_least(api, alice):
    data = api.create_profile(alice)
    assert data["description"] is None
    assert data["compatible_models"] == []
    assert data["software_type"] is None


@pytest.mark.parametrize(("field", "value"), [("software_type", "H323"), ("compatible_models", "8845")])
def test_case_07_create_with_a_wrong_value(api, alice, field, value):
    body = failed(api.post("phone-profiles", seed_body(alice) | {field: value}), 400)
    assert body["errors"][0]["field"] == field
    assert not PhoneProfile.objects.exists()


def test_case_08_get_has_exactly_the_nine_members(api, alice):
    created = api.create_profile(alice)
    response = api.get(f"phone-profiles/{created['uuid']}")
    assert response.status_code == 200
    assert list(response.json()["data"]) == MEMBERS
    assert response.json()["data"] == created
    assert list(api.get("phone-profiles").json()["data"][0]) == MEMBERS


def test_case_09_get_what_is_not_there(api):
    failed(api.get(f"phone-profiles/{uuid.uuid4()}"), 404)
    failed(api.get("phone-profiles/not-a-uuid"), 400)


def test_case_10_get_by_owner(api, alice, bob):
    first, second = api.create_profile(alice), api.create_profile(bob)
    for owner, profile in ((alice, first), (bob, second)):
        response = api.get(f"phone-profiles/user/{owner.uuid}")
        assert response.json() == {"success": True, "data": [profile]}
    assert api.get(f"phone-profiles/user/{uuid.uuid4()}").json() == {"success": True, "data": []}


@pytest.mark.parametrize("method", ["put", "patch"])
def test_case_11_change_one_field(api, alice, method):
    before = api.create_profile(alice, cnf_xml=sip_file() + "\r\n")
    response = getattr(api, method)(f"phone-profiles/{before['uuid']}", {"name": "X"})
    assert response.status_code == 200
    after = response.json()["data"]
    assert {name for name in MEMBERS if before[name] != after[name]} == {"name", "updated_at"}
    assert after["name"] == "X"


def test_case_12_put_the_whole_record_back(api, alice):
    before = api.create_profile(alice)
    response = api.put(f"phone-profiles/{before['uuid']}", before | {"uuid": str(uuid.uuid4()), "created_at": "x"})
    assert response.status_code == 200
    after = response.json()["data"]
    assert {name for name in MEMBERS if before[name] != after[name]} == {"updated_at"}


@pytest.mark.parametrize("body", [{}, {"colour": "red"}, {"uuid": "x", "created_at": "y"}])
def test_case_13_change_nothing_known(api, alice, body):
    failed(api.put(f"phone-profiles/{api.create_profile(alice)['uuid']}", body), 400)


def test_case_14_lift_all_restrictions(api, alice, switch_site):
    profile = api.create_profile(alice, compatible_models=["7962"], software_type="SIPE")
    failed(api.switch(profile), 409)
    lifted = api.put(f"phone-profiles/{profile['uuid']}", {"compatible_models": [], "software_type": None})
    assert lifted.status_code == 200
    assert lifted.json()["data"]["compatible_models"] == []
    assert lifted.json()["data"]["software_type"] is None
    assert api.switch(profile).status_code == 200


BYTES = [
    pytest.param(sip_file(label="Grüße 电话").replace("\n", "\r\n") + "\t\r\n\n", id="crlf-tab-utf8"),
    pytest.param("\ufeff" + sip_file(), id="byte-order-mark"),
    pytest.param(sip_file(label="Büro").replace("UTF-8", "ISO-8859-1"), id="latin-1"),
    pytest.param(f"  \n{SEED_FILE}", id="leading-space"),
]


@pytest.mark.parametrize("text", BYTES)
def test_case_15_the_file_is_kept_and_deployed_byte_for_byte(api, alice, switch_site, text):
    profile = api.create_profile(alice, cnf_xml=text)
    assert profile["cnf_xml"] == text
    assert api.get(f"phone-profiles/{profile['uuid']}").json()["data"]["cnf_xml"] == text
    assert api.switch(profile).status_code == 200
    assert switch_site.file() == text.encode("iso-8859-1" if "ISO-8859-1" in text else "utf-8")


def test_case_16_switch(api, alice, any_site):
    profile = api.create_profile(alice)
    response = api.switch(profile)
    assert response.status_code == 200, response.content
    assert response.json() == {
        "success": True,
        "message": "Profile switched",
        "data": {"profile": "Reception Desk", "mac": MAC, "restart": "ok"},
    }
    assert any_site.file() == profile["cnf_xml"].encode()
    assert Phone.objects.get(mac="AABBCCDDEE01").current_profile.uuid == uuid.UUID(profile["uuid"])


@pytest.mark.parametrize("mac", ["aabbccddee01", "AA-BB-CC-DD-EE-01", "aabb.ccdd.ee01", "SEPAABBCCDDEE01"])
def test_case_17_switch_with_any_spelling_of_the_mac(api, alice, switch_site, mac):
    profile = api.create_profile(alice)
    response = api.switch(profile, mac)
    assert response.json()["data"]["mac"] == MAC
    assert [path.name for path in switch_site.server.root.iterdir()] == ["SEPAABBCCDDEE01.cnf.xml"]


def test_case_18_switch_again_keeps_the_old_file_as_a_backup(api, alice, any_site):
    first = api.create_profile(alice, cnf_xml=sip_file("1001"))
    second = api.create_profile(alice, cnf_xml=sip_file("1002"))
    assert api.switch(first).status_code == 200
    assert any_site.backups() == []
    assert api.switch(second).status_code == 200
    assert any_site.file() == second["cnf_xml"].encode()
    assert any_site.backups() == [first["cnf_xml"].encode()]


def test_case_19_switch_while_the_phone_does_not_answer(api, alice, switch_site):
    switch_site.sip.status = 0
    open_service_session(phone=switch_site.phone, user=alice, address="127.0.0.1")
    profile = api.create_profile(alice)
    response = api.switch(profile)
    assert response.status_code == 200
    assert response.json()["success"] is True
    assert response.json()["message"] == "Profile switched"
    assert response.json()["data"]["restart"] not in ("ok", "pending", "")
    assert switch_site.file() == profile["cnf_xml"].encode()
    assert not ServiceSession.objects.exists()


def test_case_20_switch_while_the_file_server_is_down(api, alice, any_site):
    open_service_session(phone=any_site.phone, user=alice, address="127.0.0.1")
    any_site.server.stop()
    assert failed(api.switch(api.create_profile(alice)), 502)["code"] == Deployment.objects.get().error_code
    assert any_site.sip.notifies == []
    assert ServiceSession.objects.exists()
    assert Phone.objects.get().current_profile is None


def test_case_21_a_sip_phone_gets_a_notify(api, alice, switch_site):
    assert api.switch(api.create_profile(alice)).status_code == 200
    assert len(switch_site.sip.transactions) == 1
    notify = switch_site.sip.notifies[0]
    assert notify.startswith("NOTIFY sip:1001@127.0.0.1")
    assert re.search(r"^Event: service-control\r?$", notify, re.MULTILINE)
    assert "action=restart" in notify.partition("\r\n\r\n")[2]


def test_case_22_an_sccp_phone_gets_key_presses(api, alice, switch_site, quick_keys):
    Phone.objects.update(model="7962", software_type="SCCP")
    response = api.switch(api.create_profile(alice, cnf_xml=sccp_file(), software_type="SCCP"))
    assert response.json()["data"]["restart"] == "ok", response.content
    posts = [request for request in switch_site.web.requests if request[0] == "POST"]
    assert posts
    for _, path, headers, body in posts:
        assert path == "/CGI/Execute"
        assert headers["Authorization"].startswith("Basic ")
        assert body.startswith(b"XML=")
    assert switch_site.sip.notifies == []


def test_case_23_switch_ends_the_service_session_of_that_phone_alone(api, alice, switch_site, client):
    alice.set_pin("1234")
    alice.save()
    other = Phone.objects.create(mac="AABBCCDDEE02", account=alice.account, phone_ip="127.0.0.2")
    for phone in (switch_site.phone, other):
        opened = client.get("/cisco/services/pdir", {"mac": phone.mac, "user": alice.email, "pin": "1234"})
        assert b"CiscoIPPhoneDirectory" in opened.content
    assert api.switch(api.create_profile(alice)).status_code == 200
    assert b"CiscoIPPhoneInput" in client.get("/cisco/services/pdir", {"mac": switch_site.phone.mac}).content
    assert b"CiscoIPPhoneDirectory" in client.get("/cisco/services/pdir", {"mac": other.mac}).content


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({"compatible_models": ["7962"]}, 409),
        ({"compatible_models": ["7962", "CP-8845"]}, 200),
        ({"compatible_models": ["cisco 8845"]}, 200),
        ({"software_type": "SCCP", "cnf_xml": sccp_file()}, 409),
        ({"software_type": "SIP"}, 200),
        ({"compatible_models": [], "software_type": ""}, 200),
    ],
)
def test_case_24_only_compatible_phones(api, alice, switch_site, limits, status):
    assert api.switch(api.create_profile(alice, **limits)).status_code == status
    assert Deployment.objects.count() == (status == 200)


def test_case_25_switch_that_names_no_phone_or_profile(api, alice, switch_site):
    profile = api.create_profile(alice)
    failed(api.switch(profile, "zz"), 400)
    failed(api.switch(profile, "AABBCCDDEE0"), 400)
    failed(api.post("phone-profiles/switch", {"profile_uuid": profile["uuid"]}), 400)
    failed(api.post("phone-profiles/switch", {"mac": MAC}), 400)
    failed(api.switch({"uuid": str(uuid.uuid4())}), 404)
    failed(api.switch(profile, "AA:BB:CC:DD:EE:99"), 404)
    assert not Deployment.objects.exists()


def test_case_26_delete(api, alice, switch_site):
    profile = api.create_profile(alice)
    assert api.switch(profile).status_code == 200
    response = api.delete(f"phone-profiles/{profile['uuid']}")
    assert response.status_code == 200
    assert response.json()["data"] == {"uuid": profile["uuid"], "name": profile["name"]}
    failed(api.get(f"phone-profiles/{profile['uuid']}"), 404)
    failed(api.delete(f"phone-profiles/{profile['uuid']}"), 404)
    assert api.get(f"phones/{MAC}").json()["data"]["current_profile"] is None


def test_case_27_others_have_their_own_profiles_only(api, colleague, alice, bob, switch_site):
    theirs = api.create_profile(alice)
    failed(colleague.post("phone-profiles", seed_body(alice)), 400)
    failed(colleague.put(f"phone-profiles/{theirs['uuid']}", {"name": "X"}), 403)
    failed(colleague.delete(f"phone-profiles/{theirs['uuid']}"), 403)
    mine = colleague.create_profile(bob)
    assert colleague.put(f"phone-profiles/{mine['uuid']}", {"name": "X"}).json()["data"]["name"] == "X"
    failed(colleague.put(f"phone-profiles/{mine['uuid']}", {"user_uuid": str(alice.uuid)}), 400)
    assert colleague.delete(f"phone-profiles/{mine['uuid']}").status_code == 200
    assert api.get("phone-profiles").json()["data"] == [theirs]


def test_case_27_others_read_and_switch_only_where_ops_say_so(api, colleague, alice, bob, switch_site, settings):
    settings.OWN_PHONE_PROFILES = False
    mine, theirs = api.create_profile(bob), api.create_profile(alice)
    failed(colleague.get(f"phone-profiles/{theirs['uuid']}"), 403)
    failed(colleague.get(f"phone-profiles/user/{alice.uuid}"), 403)
    failed(colleague.post("phone-profiles", seed_body(bob)), 403)
    failed(colleague.put(f"phone-profiles/{mine['uuid']}", {"name": "X"}), 403)
    failed(colleague.delete(f"phone-profiles/{mine['uuid']}"), 403)
    failed(colleague.switch(theirs), 403)
    assert colleague.get("phone-profiles").json()["data"] == [mine]
    assert colleague.get(f"phone-profiles/{mine['uuid']}").json()["data"] == mine
    assert colleague.switch(mine).json()["data"]["restart"] == "ok"


@pytest.mark.parametrize("body", ["{", "[]", "", "null", '"x"', "{'a': 1}"])
def test_case_28_a_body_that_is_no_object(api, body):
    response = api.client.post("/api/v1/phone-profiles", body, content_type="application/json", headers=api.headers)
    failed(response, 400)
    assert not PhoneProfile.objects.exists()
