"""File servers and call managers over REST: their secrets, the shared ones, the default one, the test."""

import pytest

from phones_app.servers.models import CallManager, FileServer
from phones_app.transports.restart.ami import AmiSession, AmiTarget
from tests.peers import ftp
from tests.peers.asterisk import Asterisk
from tests.phones_app.rest import of_token
from tests.servers import free_port

pytestmark = pytest.mark.django_db

FILE_SERVER = {"name": "Files", "host": "192.0.2.1", "username": "portal", "password": "hidden-1"}
CALL_MANAGER = {"name": "PBX", "kind": "ami", "host": "192.0.2.2", "username": "ami", "password": "hidden-2"}
KINDS = [("file-servers", FILE_SERVER, FileServer), ("call-managers", CALL_MANAGER, CallManager)]


@pytest.fixture(params=KINDS, ids=["file-servers", "call-managers"])
def kind(request):
    return request.param


def test_a_server_is_added_changed_and_deleted(api, kind):
    path, body, model = kind
    created = api.post(path, body)
    assert created.status_code == 201
    record = created.json()["data"]
    assert {name: record[name] for name in body if name != "password"} == {
        name: value for name, value in body.items() if name != "password"
    }
    assert record["account"] == 1000001
    url = f"{path}/{record['uuid']}"
    assert api.get(url).json()["data"] == record
    changed = api.put(url, {"name": "Renamed"}).json()["data"]
    assert changed["name"] == "Renamed"
    assert model.objects.get().password == body["password"]
    assert api.patch(url, changed).status_code == 200
    assert api.put(url, {"nothing": 1}).status_code == 400
    gone = api.delete(url)
    assert gone.json()["data"] == {"uuid": record["uuid"], "name": "Renamed"}
    assert api.get(url).status_code == 404


def test_a_password_goes_in_and_never_comes_out(api, kind):
    path, body, model = kind
    created = api.post(path, body | {"password": " new pass "})
    assert model.objects.get().password == " new pass "
    url = f"{path}/{created.json()['data']['uuid']}"
    for response in (created, api.get(url), api.get(path), api.put(url, {"password": " new pass "})):
        assert b"new pass" not in response.content
        assert b'"password"' not in response.content


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("file-servers", "protocol", "sftp"),
        ("file-servers", "port", 0),
        ("file-servers", "keep_backups", -1),
        ("file-servers", "passive", "perhaps"),
        ("file-servers", "name", ""),
        ("file-servers", "host", None),
        ("call-managers", "kind", "sccp"),
        ("call-managers", "transport", "tls"),
        ("call-managers", "stamps", "no stamp at all"),
        ("call-managers", "action", "explode"),
        ("call-managers", "account", 1000002),
    ],
)
def test_a_wrong_value_is_refused(api, other, path, field, value):
    body = FILE_SERVER if path == "file-servers" else CALL_MANAGER
    response = api.post(path, body | {field: value})
    assert response.status_code == 400, response.content
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert not FileServer.objects.exists()
    assert not CallManager.objects.exists()


@pytest.mark.parametrize(("kind", "port"), [("ami", 5038), ("sip", 5060)])
def test_a_call_manager_has_the_usual_port_of_its_kind(api, kind, port):
    created = api.post("call-managers", {"name": "PBX", "kind": kind, "address": "pbx.example"})
    assert created.json()["data"]["port"] == port
    assert created.json()["data"]["host"] == "pbx.example"


def test_a_new_default_takes_the_place_of_the_former_one(api, stranger, staff):
    theirs = stranger.post("file-servers", FILE_SERVER | {"is_default": True}).json()["data"]
    shared = staff.post("file-servers", FILE_SERVER | {"is_default": True}).json()["data"]
    first = api.post("file-servers", FILE_SERVER | {"is_default": True}).json()["data"]
    second = api.post("file-servers", FILE_SERVER).json()["data"]
    assert api.put(f"file-servers/{second['uuid']}", {"is_default": True}).status_code == 200
    defaults = {str(uuid) for uuid in FileServer.objects.filter(is_default=True).values_list("uuid", flat=True)}
    assert defaults == {theirs["uuid"], shared["uuid"], second["uuid"]}
    assert first["uuid"] not in defaults


def test_tenants_see_shared_servers_but_not_how_staff_log_in(api, staff, kind):
    path, body, model = kind
    shared = staff.post(path, body).json()["data"]
    assert shared["account"] is None
    assert shared["username"] == body["username"]
    model.objects.update(test_result="portal was refused")
    url = f"{path}/{shared['uuid']}"
    for seen in (api.get(url).json()["data"], api.get(path).json()["data"][0]):
        assert seen["host"] == body["host"]
        assert seen["username"] == ""
        assert seen["test_result"] is None
    for response in (
        api.put(url, {"host": "evil.example"}),
        api.patch(url, {"host": "evil.example"}),
        api.delete(url),
        api.post(f"{url}/test"),
    ):
        assert response.status_code == 403
    assert model.objects.get().host == body["host"]


def test_the_embedded_file_server_stays(staff):
    server = FileServer.objects.create(name="Embedded", host="127.0.0.1", is_embedded=True)
    assert staff.delete(f"file-servers/{server.uuid}").status_code == 409
    assert staff.put(f"file-servers/{server.uuid}", {"is_embedded": False, "name": "E"}).status_code == 200
    assert FileServer.objects.get().is_embedded


def test_a_file_server_is_tested_for_good(api, tmp_path):
    with ftp.pyftpd(tmp_path) as server:
        body = {"host": server.host, "port": server.port, "username": server.username, "password": server.password}
        url = f"file-servers/{api.post('file-servers', FILE_SERVER | body).json()['data']['uuid']}"
        good = api.post(f"{url}/test")
        assert good.status_code == 200
        assert good.json()["data"]["ok"] is True
        assert "STOR" in good.json()["data"]["request"]
        assert server.password.encode() not in good.content
        assert api.get(url).json()["data"]["tested_at"]
        assert api.get(url).json()["data"]["test_result"] == ""
        api.put(url, {"password": "wrong"})
        bad = api.post(f"{url}/test").json()["data"]
        assert bad["ok"] is False
        assert api.get(url).json()["data"]["test_result"] == bad["message"]
    assert list(tmp_path.iterdir()) == []


def result_of_test(api, pbx, **fields):
    """The connection test of a call manager that leads to this Asterisk."""
    body = {"host": "127.0.0.1", "port": pbx.port, "username": pbx.username, "password": pbx.secret} | fields
    uuid = api.post("call-managers", CALL_MANAGER | body).json()["data"]["uuid"]
    return api.post(f"call-managers/{uuid}/test").json()["data"]


@pytest.mark.parametrize("channel", ["pjsip", "chan_sip"])
def test_an_asterisk_is_tested_by_what_restarts_need(api, channel):
    """Asterisk spec §F.3; the account has the least rights that restarts need, and no phone notices."""
    restarted = []
    with Asterisk(rights=("system", "call"), on_restart=restarted.append).running() as pbx:
        good = result_of_test(api, pbx, channel=channel)
        assert result_of_test(api, pbx, password="wrong")["ok"] is False
    assert (good["ok"], restarted) == (True, []), good
    assert ("PJSIPNotify" if channel == "pjsip" else "SIPnotify") in good["message"]
    assert pbx.secret not in str(good)


@pytest.mark.parametrize(
    ("changes", "channel", "told"),
    [
        ({"rights": ("call",)}, "pjsip", "may not use PJSIPNotify (manager.conf: write = system)"),
        ({"rights": ("system",)}, "chan_sip", "may not use Getvar (manager.conf: write = call)"),
        ({"modules": ("chan_sip",)}, "pjsip", "there is no PJSIPNotify (pjsip is not loaded)"),
        ({"modules": ("pjsip",)}, "chan_sip", "there is no SIPnotify (chan_sip is not loaded)"),
    ],
)
def test_the_test_of_an_asterisk_names_what_is_missing(api, changes, channel, told):
    with Asterisk(**changes).running() as pbx:
        bad = result_of_test(api, pbx, channel=channel)
    assert bad["ok"] is False
    assert told in bad["message"]


def test_an_asterisk_with_its_only_log_in_taken_is_not_called_a_wrong_password(api):
    with Asterisk(allow_multiple_login=False).running() as pbx:
        target = AmiTarget("127.0.0.1", pbx.port, pbx.username, pbx.secret)
        with AmiSession(target):
            assert "Login Already In Use" in result_of_test(api, pbx)["message"]


def test_no_sip_call_manager_is_at_the_host_of_an_asterisk(api):
    api.post("call-managers", CALL_MANAGER | {"host": "127.0.0.1"})
    wrong = api.post("call-managers", {"name": "S", "kind": "sip", "host": "127.0.0.1"}).json()["data"]
    result = api.post(f"call-managers/{wrong['uuid']}/test").json()["data"]
    assert (result["ok"], "is an Asterisk that is asked by AMI" in result["message"]) == (False, True)


@pytest.mark.parametrize(("host", "ok"), [("127.0.0.1", True), ("10.1.2.3", False)])
def test_a_sip_call_manager_is_only_looked_up_and_that_is_said(api, host, ok):
    created = api.post("call-managers", {"name": "S", "kind": "sip", "host": host}).json()["data"]
    result = api.post(f"call-managers/{created['uuid']}/test").json()["data"]
    assert result["ok"] is ok
    assert ("Nothing was sent" in result["message"]) is ok


def test_private_addresses_outside_the_phones_networks_are_not_spoken_to(api, settings):
    settings.PHONE_NETWORKS = "192.0.2.0/24"
    url = api.post("file-servers", FILE_SERVER | {"host": "127.0.0.1", "port": free_port()}).json()["data"]["uuid"]
    result = api.post(f"file-servers/{url}/test").json()["data"]
    assert result["ok"] is False
    assert "neither public nor in one of the networks of the setting PHONE_NETWORKS" in result["message"]


def test_read_only_tokens_and_tokens_of_one_extension(acme, kind):
    from contacts_app.accounts.services import ensure_extension

    path, body, _ = kind
    reader = of_token(account=acme, read_only=True)
    assert reader.get(path).status_code == 200
    assert reader.post(path, body).status_code == 403
    narrow = of_token(extension=ensure_extension(account=acme, number=101))
    assert narrow.get(path).status_code == 403
