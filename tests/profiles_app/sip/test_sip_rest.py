"""SIP connections and control apps over REST, and the numbers that are assigned to them (messaging spec §4.6)."""

import json

import pytest

from profiles_app.messaging.models import NumberLease
from profiles_app.sip.models import NumberRouting, SipConnection, SipControlApp
from tests.profiles_app.messaging.conftest import LONG_CODES, UNKNOWN, VOICE, basic

pytestmark = pytest.mark.django_db

APP, CONNECTION = "/rest/sip/app", "/rest/sip/connection"
BOTH = pytest.mark.parametrize(("base", "model"), [(APP, SipControlApp), (CONNECTION, SipConnection)])


@pytest.fixture
def numbers(lease):
    return [str(lease(tn).uuid) for tn in LONG_CODES]


def test_the_code_example_of_the_document_works_as_printed(api, client, alice, numbers):
    """`curl -X POST …/rest/sip/app/{uuid}/tnlease -H "X-Auth-Token: …" -d '{"add":["…"],"remove":["…"]}'`"""
    app = api.payload("POST", APP, {"name": "Night desk"})["uuid"]
    token = client.get("/rest/auth", headers={"Authorization": basic(alice.email)}).json()["payload"]["token"]
    headers = {"accept": "application/json", "X-Auth-Token": token}
    for add, remove, there in ((numbers[:2], [], numbers[:2]), (numbers[2:], numbers[:1], numbers[1:])):
        body = json.dumps({"add": add, "remove": remove})
        answer = client.post(f"{APP}/{app}/tnlease", body, "application/json", headers=headers)
        assert answer.status_code == 200, answer.content
        assert answer.json()["success"] is True
        leases = answer.json()["payload"]
        assert [one["uuid"] for one in leases] == there
        assert {one["sip_control_app"]["uuid"] for one in leases} == {app}
    assert [one["uuid"] for one in api.payload("GET", f"{APP}/{app}")["tnleases"]] == numbers[1:]


@BOTH
def test_a_record_is_made_shown_changed_and_removed(api, stranger, base, model):
    voice = api.payload("POST", VOICE, {"name": "Sales", "tech_prefix": 123456})
    more = {"ip": "192.0.2.20", "port": 5080} if base == CONNECTION else {}
    body = {"name": "Office", "subdomain": "office", "outbound_voice_profile_uuid": voice["uuid"], **more}
    made = api.payload("POST", base, body)
    assert made["outbound_voice_profile"] == {"uuid": voice["uuid"], "name": "Sales", "tech_prefix": 123456}
    assert (made["name"], made["is_active"], made["subdomain"], made["tnleases"]) == ("Office", True, "office", [])
    assert more.items() <= made.items()
    if base == CONNECTION:
        assert (made["tech_prefix"], made["sipusers"]) == (123456, [])
    url = f"{base}/{made['uuid']}"
    assert api.payload("GET", url) == made
    assert api.payload("GET", base) == [made]
    changed = api.payload("PATCH", url, {"is_active": False, "outbound_voice_profile": None})
    assert (changed["is_active"], changed["outbound_voice_profile"], changed["subdomain"]) == (False, None, "office")
    api.refused(409, "POST", base, {"name": "Copy", "subdomain": "office"})
    assert stranger.payload("GET", base) == []
    assert api.payload("DELETE", url)["uuid"] == made["uuid"]
    api.refused(404, "GET", url)
    assert not model.objects.exists()


@BOTH
@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"name": ""},
        {"name": "x", "subdomain": "Not A Label"},
        {"name": "x", "outbound_voice_profile": "nonsense"},
        {"name": "x", "nonsense": 1},
    ],
    ids=str,
)
def test_a_bad_body_stores_nothing(api, base, model, bad):
    api.refused(400, "POST", base, bad)
    assert not model.objects.exists()


def test_a_bad_address_of_a_connection_is_refused(api):
    for bad in ({"ip": "somewhere"}, {"port": 0}, {"port": 65_536}, {"port": True}):
        api.refused(400, "POST", CONNECTION, {"name": "x", **bad})


def test_a_number_is_assigned_by_its_own_record_too(api, stranger, numbers):
    app = api.payload("POST", APP, {"name": "Night desk"})
    connection = api.payload("POST", CONNECTION, {"name": "Office"})
    url = f"/rest/lease/tn/{numbers[0]}"
    body = {"sip_connection_uuid": connection["uuid"], "sip_control_app": app["uuid"], "site": "Pier 4"}
    changed = api.payload("PATCH", url, body)
    assert (changed["sip_connection"]["name"], changed["sip_control_app"]["name"]) == ("Office", "Night desk")
    assert changed["site"] == "Pier 4"
    assert api.payload("GET", "/rest/lease/tn")[0] == changed
    assert api.payload("PATCH", url, changed)["sip_connection"] == changed["sip_connection"]
    assert api.payload("PATCH", url, {"sip_connection": None})["sip_connection"] is None
    theirs = stranger.payload("POST", APP, {"name": "Theirs"})
    api.refused(404, "PATCH", url, {"sip_control_app": theirs["uuid"], "site": "Elsewhere"})
    assert api.payload("GET", url)["site"] == "Pier 4"
    api.payload("DELETE", f"{APP}/{app['uuid']}")
    assert api.payload("GET", url)["sip_control_app"] is None


def test_assignments_are_all_or_nothing(api, stranger, lease, numbers):
    app = api.payload("POST", APP, {"name": "Night desk"})["uuid"]
    url = f"{APP}/{app}/tnlease"
    api.refused(404, "POST", url, {"add": [numbers[0], UNKNOWN]})
    api.refused(400, "POST", url, {"add": numbers[:1], "remove": numbers[:1]})
    for bad in ({"add": "x"}, {"add": ["x"]}, {"add": None}, {"ad": []}):
        api.refused(400, "POST", url, bad)
    assert not NumberRouting.objects.exists()
    stranger.refused(404, "POST", url, {"add": []})
    theirs = stranger.payload("POST", APP, {"name": "Theirs"})["uuid"]
    stranger.refused(404, "POST", f"{APP}/{theirs}/tnlease", {"add": numbers[:1]})
    assert api.payload("POST", url, {"remove": numbers[:1]}) == []
    assert api.payload("POST", url, {}) == []


def test_a_number_moves_and_is_taken_off_only_where_it_is(api, numbers):
    first, second = (api.payload("POST", APP, {"name": name})["uuid"] for name in ("First", "Second"))
    api.payload("POST", f"{APP}/{first}/tnlease", {"add": numbers})
    api.payload("POST", f"{APP}/{second}/tnlease", {"add": numbers[:1]})
    api.payload("POST", f"{APP}/{first}/tnlease", {"remove": numbers[:2]})
    assert [one["uuid"] for one in api.payload("GET", f"{APP}/{second}")["tnleases"]] == numbers[:1]
    assert [one["uuid"] for one in api.payload("GET", f"{APP}/{first}")["tnleases"]] == numbers[2:]
    lease = NumberLease.objects.get(uuid=numbers[0])
    assert NumberRouting.history.filter(lease_id=lease.pk).count() == 2
