"""Logging in and out over REST, and what people see of themselves."""

import pytest

from contacts_app.people.models import LoginSession
from phones_app.inventory.models import Phone
from profiles_app.phone.models import PhoneProfile
from tests.phones_app.rest import MAC, Api, of, of_token

pytestmark = pytest.mark.django_db

ALICE = {"username": "alice@acme.example", "password": "correct horse"}
MEMBERS = {
    "uuid", "first_name", "last_name", "username", "email", "phone", "lang", "location", "nationality",
    "timezone", "last_uuid", "last_login_ip", "last_login_at", "last_logout_ip", "is_active", "created_at",
    "created_by", "updated_at", "created_ip", "updated_ip",
}  # fmt: skip


@pytest.mark.parametrize("name", ["alice@acme.example", "ALICE@ACME.EXAMPLE", "archer"])
def test_the_email_or_the_user_name_logs_in(nobody, alice, name):
    alice.username = "archer"
    alice.save()
    body = nobody.post("auth/login", ALICE | {"username": name}).json()
    assert list(body) == ["success", "message", "data", "metadata"]
    assert body["metadata"] == {}
    assert body["data"]["user"].keys() == MEMBERS
    assert body["data"]["user"]["email"] == "alice@acme.example"
    assert body["data"]["user"]["last_login_at"].endswith("Z")


@pytest.mark.parametrize(
    "body",
    [{}, {"username": "a"}, {"password": "a"}, ALICE | {"password": None}, ALICE | {"username": ["a"]},
     ALICE | {"username": "a\x00"}, {"username": "", "password": ""}],
)  # fmt: skip
def test_a_login_without_name_and_password(nobody, alice, body):
    response = nobody.post("auth/login", body)
    assert response.status_code == 400
    assert {error["field"] for error in response.json()["errors"]} <= {"username", "password"}


def test_a_credential_that_comes_along_with_a_login_is_not_looked_at(alice):
    assert Api("junk").post("auth/login", ALICE).status_code == 200


def test_wrong_unknown_and_suspended_are_told_alike(nobody, alice, bob):
    bob.is_active = False
    bob.save()
    answers = [
        nobody.post("auth/login", ALICE | change)
        for change in ({"password": "x"}, {"username": "x@y.z"}, {"username": bob.email})
    ]
    assert {response.status_code for response in answers} == {401}
    assert len({response.content for response in answers}) == 1


def test_too_many_failures_lock_out_in_the_dialects_words(nobody, alice, settings):
    settings.AXES_FAILURE_LIMIT = 3
    answers = [nobody.post("auth/login", ALICE | {"password": "x"}) for _ in range(4)]
    assert [response.status_code for response in answers] == [401, 401, 429, 429]
    assert answers[-1]["Content-Type"] == "application/json; charset=utf-8"
    assert answers[-1].json() == {
        "success": False,
        "code": "throttled",
        "message": "Too many failed logins; try again later",
    }
    for name in ("alice@acme.example", "Alice@Acme.Example", " alice@acme.example"):
        assert nobody.post("auth/login", ALICE | {"username": name}).status_code == 429


def test_refresh_gives_new_tokens_once(nobody, alice):
    tokens = nobody.post("auth/login", ALICE).json()["data"]
    fresh = nobody.post("auth/refresh", {"refreshToken": tokens["refreshToken"]})
    assert fresh.status_code == 200
    assert fresh.json()["data"].keys() == {"accessToken", "refreshToken"}
    assert Api(fresh.json()["data"]["accessToken"]).get("me").status_code == 200
    assert nobody.post("auth/refresh", {"refreshToken": tokens["refreshToken"]}).status_code == 401
    # Somebody has a copy, so nobody's is good any more.
    assert Api(fresh.json()["data"]["accessToken"]).get("me").status_code == 401


@pytest.mark.parametrize(("token", "status"), [(None, 400), ("", 400), ("junk", 401), (5, 400)])
def test_a_refresh_without_a_good_token(nobody, db, token, status):
    assert nobody.post("auth/refresh", {} if token is None else {"refreshToken": token}).status_code == status


def test_an_access_token_does_not_refresh_and_a_refresh_token_does_not_open(nobody, alice):
    tokens = nobody.post("auth/login", ALICE).json()["data"]
    assert nobody.post("auth/refresh", {"refreshToken": tokens["accessToken"]}).status_code == 401
    assert Api(tokens["refreshToken"]).get("me").status_code == 401


def test_logout_ends_the_session(nobody, alice):
    tokens = nobody.post("auth/login", ALICE).json()["data"]
    response = Api(tokens["accessToken"]).post("auth/logout")
    assert response.status_code == 200
    assert response.json() == {"success": True, "message": "Logout successful", "data": {}, "metadata": {}}
    assert Api(tokens["accessToken"]).get("me").status_code == 401
    assert nobody.post("auth/refresh", {"refreshToken": tokens["refreshToken"]}).status_code == 401
    alice.refresh_from_db()
    assert alice.last_logout_ip == "127.0.0.1"


def test_logout_ends_the_session_of_a_refresh_token_too_if_it_is_ones_own(nobody, alice, charlie):
    first, second = (nobody.post("auth/login", ALICE).json()["data"] for _ in range(2))
    theirs = nobody.post("auth/login", {"username": charlie.email, "password": "correct horse"}).json()["data"]
    api = Api(first["accessToken"])
    assert api.post("auth/logout", {"refreshToken": second["refreshToken"]}).status_code == 200
    assert Api(second["accessToken"]).get("me").status_code == 401
    assert of(alice).post("auth/logout", {"refreshToken": theirs["refreshToken"]}).status_code == 200
    assert Api(theirs["accessToken"]).get("me").status_code == 200
    assert LoginSession.objects.filter(revoked_at=None).count() == 1


def test_a_password_that_is_only_hashed_anew_ends_no_session(nobody, alice, settings):
    first = nobody.post("auth/login", ALICE).json()["data"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher", *settings.PASSWORD_HASHERS]
    assert nobody.post("auth/login", ALICE).status_code == 200
    alice.refresh_from_db()
    assert alice.password.startswith("scrypt")
    assert nobody.post("auth/refresh", {"refreshToken": first["refreshToken"]}).status_code == 200


def test_logout_needs_a_session(nobody, acme):
    assert nobody.post("auth/logout").status_code == 401
    assert of_token(account=acme).post("auth/logout").status_code == 400


def test_me(api, colleague, acme, alice):
    body = api.get("me").json()
    assert body["message"] == "User found"
    assert body["data"].keys() == MEMBERS
    assert body["data"]["uuid"] == str(alice.uuid)
    assert colleague.get("me").json()["data"]["email"] == "bob@acme.example"
    assert of_token(account=acme).get("me").status_code == 404


def test_my_phones_are_those_that_run_my_profiles(api, colleague, alice, bob, phone):
    profile = api.create_profile(bob)
    Phone.objects.update(current_profile=PhoneProfile.objects.get(uuid=profile["uuid"]))
    Phone.objects.create(mac="AABBCCDDEE02", account=alice.account)
    mine = colleague.get("me/phones").json()
    assert mine["message"] == "1 phone(s) found"
    assert mine["data"][0]["mac"] == MAC
    assert mine["data"][0]["is_cisco"] is True
    assert mine["data"][0]["cisco"]["mac"] == MAC
    assert mine["data"][0]["key_expansion_modules"] == []
    assert api.get("me/phones").json()["data"] == []


def test_a_lock_out_is_of_one_name_at_one_address(nobody, alice, bob, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for _ in range(3):
        nobody.post("auth/login", ALICE | {"password": "x"})
    assert nobody.post("auth/login", {"username": bob.email, "password": "correct horse"}).status_code == 200
