"""Access tokens: minting by each grant type, what they are good for, ending them (events spec §3)."""

import time

import pytest

from contacts_app.tokens.models import ApiToken
from contacts_app.tokens.services import create_token, revoke_token
from tests.profiles_app.events.api.client import EventsClient, fields

PATH = "/v4/oauth/access-token"


@pytest.fixture
def nobody(db):
    return EventsClient()


@pytest.fixture
def client(acme):
    """An OAuth client of `acme`: the row and its credentials."""
    token, text = create_token(account=acme)
    return token, {"client_id": token.key_id, "client_secret": text.rpartition(f"{token.key_id}_")[2]}


def test_ping_needs_no_token(nobody):
    assert abs(nobody.get("/v4/ping").json()["pong"] - time.time()) < 60


@pytest.mark.parametrize("whole", [False, True])
def test_client_credentials_become_a_token(nobody, client, acme, whole, settings):
    token, credentials = client
    if whole:
        credentials["client_secret"] = f"pb_{token.key_id}_{credentials['client_secret']}"
    response = nobody.post(PATH, {"grant_type": "client_credentials", **credentials})
    assert response.status_code == 201
    body = response.json()
    assert body == {
        "access_token": body["access_token"],
        "token_type": "Bearer",
        "scope": "account-owner",
        "refresh_token": None,
        "expires_in": settings.ACCESS_TOKEN_SECONDS,
    }
    bearer = EventsClient(body["access_token"], f"/v4/accounts/{acme.voip_id}")
    assert bearer.get("profiles").status_code == 200
    details = bearer.get(f"{PATH}/details").json()
    assert abs(details.pop("expires_at") - time.time() - settings.ACCESS_TOKEN_SECONDS) < 60
    assert details == {
        "scope": "account-owner",
        "scope_details": [{"scope": "account-owner", "voip_id": acme.voip_id, "extension_id": None}],
    }
    revoke_token(token)
    assert bearer.get("profiles").status_code == 401


def test_a_minted_token_has_no_more_rights_than_its_client(nobody, extension, acme):
    token, text = create_token(extension=extension, read_only=True)
    wanted = {"grant_type": "client_credentials", "client_id": token.key_id, "client_secret": text}
    body = nobody.send("post", f"{PATH}?mode=details", wanted).json()
    assert body["scope"] == "extension-user"
    assert body["scope_details"] == [{"scope": "extension-user", "voip_id": acme.voip_id, "extension_id": 100}]
    minted = ApiToken.objects.get(parent=token)
    assert (minted.extension, minted.read_only) == (extension, True)
    again = {"grant_type": "client_credentials", "client_id": minted.key_id, "client_secret": body["access_token"]}
    assert nobody.post(PATH, again).status_code == 401


def test_a_password_becomes_a_session_that_can_be_refreshed_once(nobody, client, alice, acme):
    credentials = client[1]
    wanted = {"grant_type": "password", "username": alice.email, "password": "correct horse", **credentials}
    first = nobody.post(PATH, wanted).json()
    bearer = EventsClient(first["access_token"], f"/v4/accounts/{acme.voip_id}")
    assert bearer.get("profiles").status_code == 200
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], **credentials}
    second = nobody.post(PATH, refresh)
    assert second.status_code == 201
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert nobody.post(PATH, refresh).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password", "username": "alice@acme.example", "password": "wrong"}, 400, "invalid_grant"),
        ({"grant_type": "password", "username": "nobody", "password": "wrong"}, 400, "invalid_grant"),
        (
            {"grant_type": "password", "username": "charlie@other.example", "password": "correct horse"},
            400,
            "invalid_grant",
        ),
        ({"grant_type": "refresh_token", "refresh_token": "nonsense"}, 400, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "invalid_grant"),
        ({"scope": "account-owner billing-api"}, 400, "invalid_scope"),
    ],
)
def test_a_refused_grant_says_why_in_oauths_words(nobody, client, alice, charlie, change, status, error):
    response = nobody.post(PATH, {"grant_type": "client_credentials", **client[1]} | change)
    assert response.status_code == status
    body = response.json()
    assert body["error"] == error
    assert body["error_description"] == body["@error"]["@details"]
    assert body["@error"]["@code"] == f"oauth2.{error}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"grant_type": "wish"}, "grant_type"),
        ({"grant_type": None}, "grant_type"),
        ({"client_id": None}, "client_id"),
        ({"client_secret": ["x"]}, "client_secret"),
        ({"client_secret": "a\x00b"}, "client_secret"),
        ({"grant_type": "password", "username": "alice"}, "password"),
        ({"grant_type": "refresh_token"}, "refresh_token"),
    ],
)
def test_a_malformed_grant_is_a_validation_error(nobody, client, change, field):
    wanted = {"grant_type": "client_credentials", **client[1]} | change
    assert list(fields(nobody.post(PATH, wanted))) == [field]


def test_the_scope_may_be_asked_for(nobody, client):
    wanted = {"grant_type": "client_credentials", "scope": "account-owner", **client[1]}
    assert nobody.post(PATH, wanted).json()["scope"] == "account-owner"


def test_a_token_is_looked_at_and_ended_by_its_bearer(nobody, client, at, alice):
    assert at.get(PATH).json()["expires_at"] is None
    assert at.delete(PATH).json() == {"success": True}
    assert at.get(PATH).status_code == 401
    wanted = {"grant_type": "password", "username": alice.email, "password": "correct horse", **client[1]}
    session = EventsClient(nobody.post(PATH, wanted).json()["access_token"])
    assert session.get(PATH).json()["expires_at"] > time.time()
    assert session.delete(PATH).status_code == 200
    assert session.get(PATH).status_code == 401
    assert nobody.get(PATH).status_code == nobody.get(f"{PATH}/details").status_code == 401
