"""Who may use which URL, and which objects are seen there (events spec §3.1 and §9, cases 14 and 15)."""

import base64

import pytest

from contacts_app.accounts.models import Extension
from contacts_app.tokens.services import create_token
from tests.profiles_app.events.api.client import EventsClient
from tests.profiles_app.events.api.test_profile import GOOD


def test_case_14_another_accounts_urls_are_forbidden(at, other):
    for path in (
        f"/v4/accounts/{other.voip_id}/integrations/events/profiles",
        "/v4/accounts/7/integrations/events/profiles",
    ):
        response = at.get(path)
        assert response.status_code == 403
        assert response.json()["@error"]["@message"] == "Forbidden"


def test_case_14_an_extensions_token_is_for_its_extensions_urls(acme, at, at_extension):
    Extension.objects.create(account=acme, number=101)
    assert at_extension.get("profiles").status_code == 200
    assert at_extension.get(f"{at.base}/profiles").status_code == 403
    assert at_extension.get(at_extension.base.replace("/100/", "/101/") + "/profiles").status_code == 403
    assert at_extension.get(at_extension.base.replace("/100/", "/102/") + "/profiles").status_code == 403


def test_case_15_an_extensions_objects_are_its_own(at, at_extension, profile):
    created = at_extension.post("profiles", GOOD)
    assert created.status_code == 201
    assert created.json()["extension_id"] == 100
    assert at_extension.items("profiles") == [created.json()]
    assert at_extension.get(f"profiles/{profile['id']}").status_code == 404


def test_the_account_sees_and_changes_what_its_extensions_have(at, at_extension, profile):
    theirs = at_extension.post("profiles", GOOD).json()
    assert at.items("profiles") == [theirs, profile]
    assert at.patch(f"profiles/{theirs['id']}", {"name": "n2"}).json() == theirs | {"name": "n2"}
    assert at.delete(f"profiles/{theirs['id']}").status_code == 200


def test_an_extension_cannot_use_what_is_the_accounts(at_extension, profile, callback, receiver):
    wanted = {"config": {"url": receiver.url}}
    assert at_extension.post("callbacks", wanted | {"profile_id": profile["id"]}).status_code == 422
    assert at_extension.post("callbacks", wanted | {"fallback_callback_id": callback["id"]}).status_code == 422
    assert at_extension.post("listeners", {"callback_id": callback["id"]}).status_code == 422
    assert at_extension.items("callbacks") == []


def test_everything_exists_at_extensions_too(at_extension, receiver):
    callback = at_extension.post("callbacks", {"config": {"url": receiver.url}}).json()
    listener = at_extension.post("listeners", {"callback_id": callback["id"]}).json()
    part = f"listeners/{listener['id']}"
    subscription = at_extension.post(f"{part}/subscriptions", {":tags": ["call"]}).json()
    changed = at_extension.patch(f"{part}/subscriptions/{subscription['id']}", {":tags": ["message"]})
    assert changed.json()[":tags"] == ["message"]
    number = {"filter_type": "number", "filter_value": {"eq": "100"}}
    assert at_extension.post(f"{part}/filters", number).status_code == 201
    assert at_extension.items("overview")[0][":filters"][0]["filter_value"] == {"eq": "100"}
    assert at_extension.get(f"callbacks/{callback['id']}/health").status_code == 200
    assert callback["extension_id"] == listener["extension_id"] == 100


def test_objects_of_another_account_are_not_found(at, other, profile, listener):
    token = create_token(account=other)[1]
    stranger = EventsClient(token, f"/v4/accounts/{other.voip_id}")
    number = listener["id"]
    for path in (
        f"profiles/{profile['id']}",
        f"callbacks/{listener['callback_id']}",
        f"callbacks/{listener['callback_id']}/health",
        f"listeners/{number}",
        f"listeners/{number}/subscriptions",
        f"listeners/{number}/filters",
    ):
        assert stranger.get(path).status_code == 404
    assert stranger.post("listeners", {"callback_id": listener["callback_id"]}).status_code == 422
    assert stranger.post(f"listeners/{number}/subscriptions", {":tags": ["call"]}).status_code == 404
    assert stranger.items("overview") == []


def test_staff_use_every_accounts_urls(acme, profile):
    staff = EventsClient(create_token()[1], f"/v4/accounts/{acme.voip_id}")
    assert staff.items("profiles") == [profile]
    assert staff.get("/v4/accounts/7/integrations/events/profiles").status_code == 404


@pytest.mark.parametrize(("person", "status"), [("alice", 200), ("bob", 403), ("charlie", 403), ("root", 200)])
def test_people_need_permission_level_0_in_the_account(acme, person, status, request):
    user = request.getfixturevalue(person)
    nobody = EventsClient(base=f"/v4/accounts/{acme.voip_id}")
    basic = base64.b64encode(f"{user.email}:correct horse".encode()).decode()
    response = nobody.send("get", "profiles", headers={"Authorization": f"Basic {basic}"})
    assert response.status_code == status
