"""What staff may do over REST is what the admin lets them do: their permissions, whatever their level."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts_app.people.models import User
from contacts_app.tokens.models import ApiToken
from tests.commands import run
from tests.phones_app.rest import Api, of
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
SECRET = "very-secret-1001"


def permissions(*names: str):
    found = Permission.objects.filter(codename__in=names)
    assert found.count() == len(names)
    return found


@pytest.fixture
def helper(db):
    """Portal staff of the default level, who see no rows by it."""
    return User.objects.create_user("helper@example.org", "correct horse", is_staff=True)


def allow(user: User, *names: str) -> Api:
    user.user_permissions.set(permissions(*names))
    return of(User.objects.get(pk=user.pk))


@pytest.fixture
def profile(api, alice):
    return api.create_profile(alice)


def test_looking_is_looking(helper, phone, profile):
    """A person with nothing but view permissions read all SIP passwords, and deleted a phone."""
    eyes = allow(helper, "view_phone", "view_phoneprofile", "view_user", "view_profilerevision")
    assert [row["mac"] for row in eyes.get("phones").json()["data"]] == [phone.mac_with_colons]
    for path in (
        "phone-profiles",
        f"phone-profiles/{profile['uuid']}",
        f"phone-profiles/{profile['uuid']}/revisions/1",
    ):
        answer = eyes.get(path)
        assert answer.status_code == 200
        assert "********" in answer.content.decode()
        assert SECRET not in answer.content.decode()
    for method, path, body in [
        ("delete", f"phones/{phone.mac}", None),
        ("patch", f"phones/{phone.mac}", {"name": "Mine"}),
        ("post", "phones", {"mac": "020000000001", "account": 1000001}),
        ("delete", f"phone-profiles/{profile['uuid']}", None),
        ("patch", f"phone-profiles/{profile['uuid']}", {"name": "Mine"}),
        ("post", f"phone-profiles/{profile['uuid']}/revisions/1/restore", {}),
        ("post", "phone-profiles/switch", {"profile_uuid": profile["uuid"], "mac": phone.mac}),
        ("post", "users", {"email": "x@example.org", "password": "tr0ub4dor & 3"}),
    ]:
        assert eyes.call(method, path, body).status_code == 403, (method, path)
    phone.refresh_from_db()
    assert phone.name != "Mine"


def test_passwords_are_for_those_who_may_see_them(helper, profile):
    names = ("view_phoneprofile", "reveal_secrets")
    assert SECRET in allow(helper, *names).get(f"phone-profiles/{profile['uuid']}").content.decode()


def test_a_file_that_was_shown_masked_is_not_stored_masked(helper, profile, api):
    url = f"phone-profiles/{profile['uuid']}"
    hands = allow(helper, "view_phoneprofile", "change_phoneprofile", "add_phoneprofile")
    shown = hands.get(url).json()["data"]
    renamed = hands.put(url, shown | {"name": "Renamed"})
    assert renamed.status_code == 200
    assert SECRET not in renamed.content.decode()
    now = api.get(url).json()["data"]
    assert (now["name"], now["cnf_xml"]) == ("Renamed", profile["cnf_xml"])
    assert hands.put(url, {"cnf_xml": shown["cnf_xml"].replace("********", "mine")}).status_code == 403
    assert api.get(url).json()["data"]["cnf_xml"] == profile["cnf_xml"]
    new = hands.post("phone-profiles", {"user_uuid": profile["user_uuid"], "name": "New", "cnf_xml": sip_file()})
    assert new.status_code == 201
    assert SECRET not in new.content.decode()


def test_what_goes_along_needs_its_permission_too(helper, alice, profile):
    hands = allow(helper, "view_user", "delete_user", "reveal_secrets")
    assert hands.delete(f"users/{alice.uuid}").status_code == 403
    hands = allow(helper, "view_user", "delete_user", "delete_phoneprofile", "reveal_secrets")
    assert hands.delete(f"users/{alice.uuid}").status_code == 200


def test_who_is_not_shown_passwords_takes_over_nobody_who_is(helper, alice, bob):
    hands = allow(helper, "view_user", "change_user")
    word = {"password": "tr0ub4dor & 3"}
    assert hands.put(f"users/{alice.uuid}", word).status_code == 403
    assert hands.put(f"users/{bob.uuid}", word).status_code == 200


def test_a_permission_that_is_taken_away_is_gone_at_once(helper, phone):
    group = Group.objects.create(name="Watch")
    group.permissions.set(permissions("view_phone"))
    helper.groups.add(group)
    eyes = of(User.objects.get(pk=helper.pk))
    assert eyes.get("phones").status_code == 200
    group.permissions.clear()
    assert eyes.get("phones").status_code == 403
    group.permissions.set(permissions("view_phone"))
    assert eyes.get("phones").status_code == 200
    group.delete()
    assert eyes.get("phones").status_code == 403


def test_permissions_are_remembered_with_the_credential(helper, phone):
    eyes = allow(helper, "view_phone")
    assert eyes.get("phones").status_code == 200
    with CaptureQueriesContext(connection) as asked:
        assert eyes.get("phones").status_code == 200
    assert len(asked) == 1
    assert "permission" not in str(asked.captured_queries)


def test_staff_of_an_account_stay_in_it_whatever_their_level(acme, other, phone, alice):
    user = User.objects.create_user("desk@other.example", "correct horse", account=other, is_staff=True)
    assert allow(user, "view_phone").get("phones").json()["data"] == []
    assert allow(user, "view_phone").get(f"phones/{phone.mac}").status_code == 404
    mine = User.objects.create_user("desk@acme.example", "correct horse", account=acme, is_staff=True)
    assert len(allow(mine, "view_phone").get("phones").json()["data"]) == 1


def test_rows_are_not_remembered_beyond_a_person_s_rights(acme, alice, profile):
    mine = User.objects.create_user("desk@acme.example", "correct horse", account=acme, is_staff=True)
    desk = allow(mine, "view_phoneprofile")
    assert len(desk.get("phone-profiles").json()["data"]) == 1
    mine.is_staff = False
    mine.save()
    assert desk.get("phone-profiles").json()["data"] == []


def make_token(client: Api, **body):
    path = "/rest/token"
    return client.client.post(path, {"name": "x"} | body, headers=client.headers, content_type="application/json")


def test_a_token_for_every_account_is_a_superuser_s_over_rest_too(helper, root, staff):
    hands = allow(helper, "add_apitoken", "reveal_secrets")
    assert make_token(hands, ttl=3600).status_code == 403
    assert make_token(staff).status_code == 400
    made = make_token(staff, ttl=3600)
    assert made.status_code == 200
    # It is no person, so it makes none by itself, unless a superuser has made it.
    assert make_token(Api(made.json()["payload"]["token"]), ttl=60).status_code == 200
    assert make_token(Api(run("create_token", "--staff", "--json").row["token"]), ttl=60).status_code == 403


def test_a_token_shows_passwords_so_who_makes_one_may_see_them(acme):
    desk = User.objects.create_user("desk@acme.example", "correct horse", account=acme, is_staff=True)
    assert make_token(allow(desk, "add_apitoken")).status_code == 403
    assert make_token(allow(desk, "add_apitoken", "reveal_secrets")).status_code == 200


def test_the_command_s_token_for_every_account_ends(db):
    assert run("create_token", "--staff", "--json").row["expires_at"]
    assert ApiToken.objects.get().expires_at is not None
