"""The inventory over REST: phones by MAC address, their fields, filters and rights."""

import pytest

from contacts_app.accounts.models import Account
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from tests.phones_app.rest import MAC, of_token

pytestmark = pytest.mark.django_db


def test_a_phone_is_added_with_the_least_and_found_in_any_spelling(api):
    created = api.post("phones", {"mac": "aabb.ccdd.ee01"})
    assert created.status_code == 201
    assert created.json()["message"] == "Phone created"
    assert created.json()["metadata"] == {}
    assert created.json()["data"]["mac"] == MAC
    for spelling in (MAC, "aabbccddee01", "AA-BB-CC-DD-EE-01", "SEPAABBCCDDEE01", "aabb.ccdd.ee01"):
        assert api.get(f"phones/{spelling}").json()["data"] == created.json()["data"]


def test_every_writable_field_comes_back(api, acme):
    server = FileServer.objects.create(name="Files", host="127.0.0.1", account=acme)
    manager = CallManager.objects.create(name="PBX", kind="sip", host="127.0.0.1", port=5060)
    body = {
        "brand": "Cisco", "model": "8845", "name": "Desk", "description": "By the\nwindow", "hostname": "h",
        "location": "Lisbon", "phone_ip": "192.0.2.10", "phone_vlan": "20", "software_version": "sip88xx.14-2-1",
        "software_type": "SIPE", "is_active": False, "line_user": "1001", "sip_port": 5061, "web_port": 8080,
        "web_username": "push", "file_server": str(server.uuid), "call_manager": str(manager.uuid),
    }  # fmt: skip
    created = api.post("phones", body | {"mac": MAC, "web_password": " pass "}).json()["data"]
    assert {name: created[name] for name in body} == body
    assert "web_password" not in created
    assert Phone.objects.get().web_password == " pass "


def test_only_what_is_sent_changes(api, phone):
    before = api.get(f"phones/{MAC}").json()["data"]
    after = api.put(f"phones/{MAC}", {"location": "Porto", "phone_ip": "", "software_type": ""}).json()["data"]
    assert {name for name in before if before[name] != after[name]} == {
        "location", "phone_ip", "software_type", "updated_at"
    }  # fmt: skip
    assert after["phone_ip"] is None
    assert after["software_type"] is None
    assert api.patch(f"phones/{MAC}", {"name": None}).json()["data"]["name"] == ""


def test_the_whole_record_can_be_put_back(api, phone):
    record = api.get(f"phones/{MAC}").json()["data"]
    assert api.put(f"phones/{MAC}", record).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mac", "AABBCCDDEE02"),
        ("mac", "zz"),
        ("mac", 5),
        ("account", 1000002),
        ("software_type", "H323"),
        ("phone_ip", "300.1.1.1"),
        ("sip_port", 70000),
        ("sip_port", "x"),
        ("is_active", "maybe"),
        ("name", ["x"]),
        ("name", "x" * 256),
        ("name", "a\x00b"),
        ("file_server", "nowhere"),
        ("file_server", 7),
        ("call_manager", "9f1d0f6e-0000-4000-8000-000000000000"),
    ],
)
def test_a_wrong_value_changes_nothing(api, phone, other, field, value):
    before = api.get(f"phones/{MAC}").json()
    response = api.put(f"phones/{MAC}", {field: value, "location": "elsewhere"})
    assert response.status_code == 400, response.content
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert api.get(f"phones/{MAC}").json() == before


def test_servers_are_named_by_uuid_or_exact_name(api, phone, acme, other):
    own = FileServer.objects.create(name="Files", host="a", account=acme)
    FileServer.objects.create(name="Theirs", host="a", account=other)
    assert api.put(f"phones/{MAC}", {"file_server": "Files"}).json()["data"]["file_server"] == str(own.uuid)
    assert api.put(f"phones/{MAC}", {"file_server": "Theirs"}).status_code == 400
    assert api.put(f"phones/{MAC}", {"file_server": None}).json()["data"]["file_server"] is None
    FileServer.objects.create(name="Files", host="b")
    assert "Several" in api.put(f"phones/{MAC}", {"file_server": "Files"}).json()["message"]


def test_a_mac_address_exists_once(api, stranger, phone):
    assert api.post("phones", {"mac": "aabbccddee01"}).status_code == 409
    assert stranger.post("phones", {"mac": "aabbccddee01"}).status_code == 409
    assert Phone.objects.count() == 1


def test_staff_say_whose_phone_it_is_unless_there_is_one_account_only(staff, acme):
    assert staff.post("phones", {"mac": MAC}).json()["data"]["account"] == 1000001
    Account.objects.create(voip_id=7, name="Seven", email="s@example.org")
    refused = staff.post("phones", {"mac": "AABBCCDDEE02"})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "account"
    assert staff.post("phones", {"mac": "AABBCCDDEE02", "account": 7}).json()["data"]["account"] == 7
    assert staff.post("phones", {"mac": "AABBCCDDEE03", "account": 10**30}).status_code == 400


def test_account_tokens_add_to_their_own_account(acme, other):
    api = of_token(account=acme)
    assert api.post("phones", {"mac": MAC}).json()["data"]["account"] == 1000001
    assert api.post("phones", {"mac": "AABBCCDDEE02", "account": 1000001}).status_code == 201
    assert api.post("phones", {"mac": "AABBCCDDEE03", "account": 1000002}).status_code == 400


def test_deleting_a_phone(api, phone):
    response = api.delete("phones/aabbccddee01")
    assert response.json() == {
        "success": True, "message": "Phone deleted", "data": {"mac": MAC, "name": ""}, "metadata": {}
    }  # fmt: skip
    assert api.get(f"phones/{MAC}").status_code == 404
    assert api.delete(f"phones/{MAC}").status_code == 404


@pytest.fixture
def three(acme):
    rows = [
        ("AABBCCDDEE01", "8845", "SIP", True, "Lisbon", "Reception"),
        ("AABBCCDDEE02", "7962", "SCCP", True, "Porto", "Kitchen"),
        ("0200000000FF", "8845", "SIPE", False, "Lisbon", "Lobby"),
    ]
    for mac, model, software, active, location, name in rows:
        Phone.objects.create(
            mac=mac, model=model, software_type=software, is_active=active, location=location, name=name, account=acme
        )


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Lobby", "Reception", "Kitchen"]),
        ({"model": "8845"}, ["Lobby", "Reception"]),
        ({"software_type": "SCCP"}, ["Kitchen"]),
        ({"is_active": "true"}, ["Reception", "Kitchen"]),
        ({"is_active": "false"}, ["Lobby"]),
        ({"location": "Porto"}, ["Kitchen"]),
        ({"search": "kit"}, ["Kitchen"]),
        ({"search": "aa:bb:cc:dd:ee:02"}, ["Kitchen"]),
        ({"search": "sepaabb.ccdd"}, ["Reception", "Kitchen"]),
        ({"search": "00-ff"}, ["Lobby"]),
        ({"search": "nothing"}, []),
        ({"colour": "red", "format": "xml"}, ["Lobby", "Reception", "Kitchen"]),
        ({"limit": "1", "offset": "1"}, ["Reception"]),
        ({"offset": "3"}, []),
    ],
)
def test_the_list_shows_what_is_asked_for(api, three, query, names):
    body = api.get("phones", query).json()
    assert [row["name"] for row in body["data"]] == names
    total = 3 if "limit" in query or "offset" in query else len(names)
    assert body["message"] == f"{total} phone(s) found"
    assert body["metadata"]["total"] == total


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"}, {"limit": "-1"}, {"limit": "1001"}, {"limit": "x"}, {"limit": "9" * 40},
        {"offset": "-1"}, {"offset": "9" * 40}, {"software_type": "H323"}, {"is_active": "maybe"},
        {"search": "a\x00b"}, {"model": "\x00"},
    ],
)  # fmt: skip
def test_an_impossible_query_is_refused(api, three, query):
    response = api.get("phones", query)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] in query
