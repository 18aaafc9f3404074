"""Rows of another account are not there, and programs without the right credential get nowhere."""

import pytest

from contacts_app.accounts.services import ensure_extension
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from profiles_app.phone.models import PhoneProfile
from tests.phones_app.rest import of_token

pytestmark = pytest.mark.django_db

ROUTES = [
    ("get", "phone-profiles"), ("post", "phone-profiles"), ("get", "phone-profiles/{profile}"),
    ("put", "phone-profiles/{profile}"), ("patch", "phone-profiles/{profile}"),
    ("delete", "phone-profiles/{profile}"), ("get", "phone-profiles/user/{user}"),
    ("get", "phone-profiles/{profile}/preview?mac={mac}"),
    ("post", "phone-profiles/switch"), ("get", "phones"), ("post", "phones"), ("get", "phones/{mac}"),
    ("put", "phones/{mac}"), ("patch", "phones/{mac}"), ("delete", "phones/{mac}"),
    ("get", "deployments"), ("post", "deployments"), ("get", "deployments/{deployment}"),
    ("post", "deployments/{deployment}/cancel"), ("post", "deployments/{deployment}/retry"),
    ("get", "file-servers"), ("post", "file-servers"), ("get", "file-servers/{file_server}"),
    ("put", "file-servers/{file_server}"), ("patch", "file-servers/{file_server}"),
    ("delete", "file-servers/{file_server}"), ("post", "file-servers/{file_server}/test"),
    ("get", "call-managers"), ("post", "call-managers"), ("get", "call-managers/{call_manager}"),
    ("put", "call-managers/{call_manager}"), ("patch", "call-managers/{call_manager}"),
    ("delete", "call-managers/{call_manager}"), ("post", "call-managers/{call_manager}/test"),
]  # fmt: skip
BY_ID = [(method, path) for method, path in ROUTES if "{" in path and "user" not in path]
LISTS = ["phone-profiles", "phones", "deployments", "file-servers", "call-managers"]
# What people without level 0 may do, with their own rows.
OWN = {
    ("get", "phone-profiles"), ("get", "phone-profiles/{profile}"), ("get", "phone-profiles/user/{user}"),
    ("post", "phone-profiles"), ("post", "phone-profiles/switch"),
    ("get", "deployments"), ("get", "deployments/{deployment}"),
}  # fmt: skip


@pytest.fixture
def rows(api, alice, acme, no_inline_work):
    """One row of everything in Alice's account, by what stands in URLs."""
    from phones_app.deployment.request import deploy
    from tests.phones_app.site import ACTOR

    server = FileServer.objects.create(name="F", host="127.0.0.1", port=1, account=acme, is_default=True)
    manager = CallManager.objects.create(name="C", host="127.0.0.1", port=1, kind="sip", account=acme)
    phone = Phone.objects.create(mac="AABBCCDDEE01", account=acme)
    profile = PhoneProfile.objects.get(uuid=api.create_profile(alice)["uuid"])
    deployment = deploy(phone=phone, profile=profile, actor=ACTOR)
    return {
        "profile": profile.uuid, "user": alice.uuid, "mac": phone.mac, "deployment": deployment.uuid,
        "file_server": server.uuid, "call_manager": manager.uuid,
    }  # fmt: skip


def snapshot():
    models = (PhoneProfile, Phone, Deployment, FileServer, CallManager)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_a_strangers_row_is_not_there(stranger, rows):
    refuses(stranger, rows, 404, BY_ID)


@pytest.mark.parametrize("path", LISTS)
def test_a_strangers_rows_are_in_no_list(api, stranger, staff, rows, path):
    assert stranger.get(path).json()["data"] == []
    assert len(api.get(path).json()["data"]) == 1
    assert len(staff.get(path).json()["data"]) == 1


def test_a_strangers_profiles_phones_and_people_cannot_be_named(stranger, charlie, rows):
    profile = {"user_uuid": str(rows["user"]), "name": "x", "cnf_xml": "<device/>"}
    assert stranger.post("phone-profiles", profile).json()["errors"][0]["field"] == "user_uuid"
    assert stranger.get(f"phone-profiles/user/{rows['user']}").json()["data"] == []
    own = stranger.create_profile(charlie)
    Phone.objects.create(mac="AABBCCDDEE02", account=charlie.account)
    assert stranger.switch(own, "AABBCCDDEE01").status_code == 404
    assert stranger.switch({"uuid": str(rows["profile"])}, "AABBCCDDEE02").status_code == 404
    body = {"profile_uuid": own["uuid"], "macs": ["AABBCCDDEE01"]}
    assert stranger.post("deployments", body).json()["data"]["refused"][0]["code"] == "unknown-phone"
    asked = {"profile_uuid": str(rows["profile"]), "macs": ["AABBCCDDEE02"]}
    assert stranger.post("deployments", asked).status_code == 404


def refuses(caller, rows, status: int, routes) -> None:
    """Every one of these routes answers so and changes nothing."""
    before = snapshot()
    for method, path in routes:
        response = caller.call(method, path.format(**rows), {})
        assert response.status_code == status, (method, path, response.content)
        assert response.json()["success"] is False
    assert snapshot() == before


def test_without_a_credential_there_is_nothing(nobody, rows):
    refuses(nobody, rows, 401, ROUTES)


def test_a_token_of_one_extension_has_no_part_in_this(acme, rows):
    refuses(of_token(extension=ensure_extension(account=acme, number=101)), rows, 403, ROUTES)


def test_people_without_level_0_manage_nothing(colleague, rows):
    refuses(colleague, rows, 403, [route for route in ROUTES if route not in OWN])


def test_a_read_only_token_writes_nothing(acme, rows):
    writes = [route for route in ROUTES if route[0] != "get"]
    refuses(of_token(account=acme, read_only=True), rows, 403, writes)


@pytest.mark.parametrize("scope", ["account", "staff", "read-only"])
def test_tokens_read_everything_in_their_scope(acme, rows, scope):
    fields = {"account": {"account": acme}, "staff": {}, "read-only": {"account": acme, "read_only": True}}
    token = of_token(**fields[scope])
    for path in (path for method, path in ROUTES if method == "get"):
        assert token.get(path.format(**rows)).status_code == 200, path


def test_basic_and_x_auth_token_open_the_same_doors(nobody, alice, acme, rows):
    import base64

    from contacts_app.tokens.services import create_token

    basic = base64.b64encode(b"alice@acme.example:correct horse").decode()
    assert nobody.call("get", "phones", Authorization=f"Basic {basic}").status_code == 200
    assert nobody.call("get", "phones", **{"X-Auth-Token": create_token(account=acme)[1]}).status_code == 200
