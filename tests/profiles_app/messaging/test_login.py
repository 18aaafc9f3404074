"""Messaging spec §2 and cases 1 to 5: who may come in, and how."""

from datetime import datetime, timedelta

import jwt
import pytest
from django.utils import timezone

from contacts_app.people.models import LoginSession, User
from contacts_app.tokens.models import ApiToken
from contacts_app.tokens.services import create_token
from tests.profiles_app.messaging.conftest import MESSAGING, basic, is_error

pytestmark = pytest.mark.django_db


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_case_01_good_basic_credentials_get_a_token_of_a_day(api, alice):
    person = api.payload("GET", "/rest/auth")
    assert person["token"].count(".") == 2
    assert person["email"] == alice.email
    assert claims(person["token"])["exp"] - claims(person["token"])["iat"] == 86400
    assert claims(person["token"])["uuid"] == person["uuid"] == str(alice.uuid)
    assert person["role"] == claims(person["token"])["role"] == "Admin"
    assert "password" not in person
    assert person["account"]["name"] == "Acme"
    assert person["gender"] is None


def test_case_02_bad_basic_credentials_are_refused(anybody, alice):
    is_error(anybody.send("GET", "/rest/auth", HTTP_AUTHORIZATION=basic(alice.email, "wrong")), 401)


def test_case_03_missing_garbled_and_expired_credentials_are_refused(anybody, api, settings):
    is_error(anybody.send("GET", MESSAGING), 401)
    is_error(anybody.send("GET", MESSAGING, HTTP_X_AUTH_TOKEN="garbage"), 401)
    is_error(anybody.send("GET", f"{MESSAGING}?jwt=garbage"), 401)
    settings.ACCESS_TOKEN_SECONDS = -1
    expired = api.payload("GET", "/rest/auth")["token"]
    is_error(anybody.send("GET", MESSAGING, HTTP_X_AUTH_TOKEN=expired), 401)


def test_case_04_every_carrier_of_a_credential_is_taken(anybody, api, alice):
    token = api.payload("GET", "/rest/auth")["token"]
    bearer = api.payload("POST", "/rest/token", {"name": "script"})["token"]
    ways = [
        anybody.send("GET", MESSAGING, HTTP_X_AUTH_TOKEN=token),
        anybody.send("GET", MESSAGING, HTTP_AUTHORIZATION=f"Bearer {token}"),
        anybody.send("GET", MESSAGING, HTTP_AUTHORIZATION=f"Bearer {bearer}"),
        anybody.send("GET", MESSAGING, HTTP_AUTHORIZATION=basic(alice.email)),
        anybody.send("GET", f"{MESSAGING}?jwt={token}"),
        anybody.send("GET", f"{MESSAGING}?bearer={bearer}"),
    ]
    assert [way.status_code for way in ways] == [200] * 6


def test_authorization_counts_before_the_token_header_and_that_before_the_query(anybody, api, alice):
    token = api.payload("GET", "/rest/auth")["token"]
    good = basic(alice.email)
    bad_header = anybody.send("GET", MESSAGING, HTTP_AUTHORIZATION="Bearer no", HTTP_X_AUTH_TOKEN=token)
    is_error(bad_header, 401)
    assert anybody.send("GET", MESSAGING, HTTP_AUTHORIZATION=good, HTTP_X_AUTH_TOKEN="no").status_code == 200
    assert anybody.send("GET", f"{MESSAGING}?jwt=no", HTTP_X_AUTH_TOKEN=token).status_code == 200


def test_a_query_token_opens_no_other_dialect(anybody, api):
    token = api.payload("GET", "/rest/auth")["token"]
    assert anybody.send("GET", f"/api/v1/me?jwt={token}").status_code == 401


def test_authenticating_with_a_token_stays_in_the_same_login(anybody, api, alice):
    token = api.payload("GET", "/rest/auth")["token"]
    again = anybody.send("GET", "/rest/auth", HTTP_X_AUTH_TOKEN=token).json()["payload"]["token"]
    assert claims(again)["sid"] == claims(token)["sid"]
    assert LoginSession.objects.filter(user=alice).count() == 1


def test_an_api_token_is_nobody_who_could_log_in(anybody, acme):
    _, text = create_token(account=acme)
    is_error(anybody.send("GET", "/rest/auth", HTTP_X_AUTH_TOKEN=text), 401)


def test_case_05_a_token_lives_as_long_as_asked_or_until_it_is_deleted(anybody, api):
    made = api.payload("POST", "/rest/token", {"name": "script", "ttl": 60})
    end = datetime.fromisoformat(made["expired_on"])
    assert abs(end - timezone.now() - timedelta(seconds=60)) < timedelta(seconds=30)
    assert 30 < made["ttl"] <= 60
    api.refused(400, "POST", "/rest/token", {"name": "script", "ttl": 59})
    assert anybody.send("GET", f"{MESSAGING}?bearer={made['token']}").status_code == 200
    gone = api.payload("DELETE", f"/rest/token/{made['token']}")
    assert (gone["uuid"], gone["token"]) == (made["uuid"], None)
    is_error(anybody.send("GET", f"{MESSAGING}?bearer={made['token']}"), 401)
    api.refused(404, "DELETE", f"/rest/token/{made['token']}")


@pytest.mark.parametrize(
    "body", [{}, {"ttl": 60}, {"name": ""}, {"name": "a", "ttl": True}, {"name": "a", "ttl": 10**12}, []]
)
def test_malformed_tokens_are_refused_and_none_is_made(api, body):
    api.refused(400, "POST", "/rest/token", body)
    assert not ApiToken.objects.exists()


def test_tokens_are_listed_without_their_text_and_can_be_changed(api, stranger):
    made = api.payload("POST", "/rest/token", {"name": "script"})
    assert made["ttl"] is made["expired_on"] is None
    listed = api.payload("GET", "/rest/token/list")
    assert listed == [{**made, "token": None}]
    changed = api.payload("PATCH", f"/rest/token/{made['uuid']}", {"name": "cron", "ttl": 600})
    assert changed["name"] == "cron"
    assert 570 < changed["ttl"] <= 600
    assert stranger.payload("GET", "/rest/token/list") == []
    stranger.refused(404, "PATCH", f"/rest/token/{made['uuid']}", {"name": "mine"})
    stranger.refused(404, "DELETE", f"/rest/token/{made['uuid']}")
    stranger.refused(404, "DELETE", f"/rest/token/{made['token']}")


def test_deleting_all_tokens_leaves_those_of_others(api, stranger):
    for name in "ab":
        api.payload("POST", "/rest/token", {"name": name})
    stranger.payload("POST", "/rest/token", {"name": "c"})
    assert [token["name"] for token in api.payload("DELETE", "/rest/token/all")] == ["a", "b"]
    assert api.payload("GET", "/rest/token/list") == []
    assert len(stranger.payload("GET", "/rest/token/list")) == 1


def test_a_token_made_with_a_token_reaches_no_further(anybody, acme, alice):
    end = timezone.now() + timedelta(hours=1)
    _, parent = create_token(account=acme, expires_at=end, networks="127.0.0.0/8", created_by=alice)
    made = anybody.send("POST", "/rest/token", {"name": "child", "ttl": 10**6}, HTTP_X_AUTH_TOKEN=parent)
    child = ApiToken.objects.get(uuid=made.json()["payload"]["uuid"])
    assert (child.expires_at, child.networks, child.account) == (end, "127.0.0.0/8", acme)
    longer = anybody.send("PATCH", f"/rest/token/{child.uuid}", {"ttl": 10**6}, HTTP_X_AUTH_TOKEN=parent)
    assert longer.status_code == 200
    child.refresh_from_db()
    assert child.expires_at == end


def test_a_token_that_has_ended_is_not_brought_back(api):
    made = api.payload("POST", "/rest/token", {"name": "script"})
    api.payload("PATCH", f"/rest/token/{made['uuid']}", {"name": "cron"})
    # Which are good is not remembered from the request before.
    ApiToken.objects.update(expires_at=timezone.now())
    api.refused(404, "PATCH", f"/rest/token/{made['uuid']}", {"ttl": 600})


def test_people_without_rights_and_tokens_of_one_extension_have_no_part_here(anybody, bob, acme):
    from contacts_app.accounts.models import Extension

    extension = Extension.objects.create(account=acme, number=201)
    _, text = create_token(extension=extension)
    for method, path in [("GET", MESSAGING), ("POST", "/rest/token"), ("GET", "/rest/lease/tn")]:
        is_error(anybody.send(method, path, {"name": "a"}, HTTP_AUTHORIZATION=basic(bob.email)), 403)
        is_error(anybody.send(method, path, {"name": "a"}, HTTP_X_AUTH_TOKEN=text), 403)
    assert anybody.send("GET", "/rest/auth", HTTP_AUTHORIZATION=basic(bob.email)).json()["success"] is True


def test_a_read_only_token_only_reads(anybody, acme):
    _, text = create_token(account=acme, read_only=True)
    assert anybody.send("GET", MESSAGING, HTTP_X_AUTH_TOKEN=text).status_code == 200
    is_error(anybody.send("POST", MESSAGING, {"name": "a"}, HTTP_X_AUTH_TOKEN=text), 403)


def test_staff_name_the_account_that_they_mean(anybody, root, acme, other):
    staff = {"HTTP_AUTHORIZATION": basic(root.email)}
    is_error(anybody.send("POST", MESSAGING, {"name": "a"}, **staff), 400)
    is_error(anybody.send("POST", f"{MESSAGING}?account=nonsense", {"name": "a"}, **staff), 400)
    made = anybody.send("POST", f"{MESSAGING}?account={acme.uuid}", {"name": "a"}, **staff).json()["payload"]
    assert made["account"]["uuid"] == str(acme.uuid)
    assert len(anybody.send("GET", MESSAGING, **staff).json()["payload"]) == 1
    assert anybody.send("GET", f"{MESSAGING}?account={other.uuid}", **staff).json()["payload"] == []


def test_an_account_named_by_a_tenant_changes_nothing(api, stranger, other):
    made = api.payload("POST", f"{MESSAGING}?account={other.uuid}", {"name": "a"})
    assert made["account"]["name"] == "Acme"
    assert stranger.payload("GET", MESSAGING) == []


def test_the_work_of_a_token_is_signed_by_who_made_it(anybody, acme, alice):
    _, text = create_token(account=acme, created_by=alice)
    made = anybody.send("POST", MESSAGING, {"name": "a"}, HTTP_X_AUTH_TOKEN=text).json()["payload"]
    assert made["created_by"]["uuid"] == made["modified_by"]["uuid"] == str(alice.uuid)
    _, nobodys = create_token(account=acme)
    made = anybody.send("POST", MESSAGING, {"name": "a"}, HTTP_X_AUTH_TOKEN=nobodys).json()["payload"]
    assert made["created_by"] is None
    assert User.objects.count() == 1


def test_the_text_of_a_token_in_a_path_is_not_logged(acme):
    from config.logs import SHARED, without_tokens

    token, text = create_token(account=acme)
    path = f"/rest/token/{text}"
    logged = without_tokens(None, "info", {"event": f"Not Found: {path}", "request": f"DELETE {path}"})
    assert logged["event"] == f"Not Found: /rest/token/pb_{token.key_id}_…"
    assert logged["request"] == f"DELETE /rest/token/pb_{token.key_id}_…"
    assert without_tokens in SHARED
