"""Users, permissions and registering over REST: who may, whom, and that no password comes out."""

import pytest
from django.contrib.auth.models import Permission

from contacts_app.people.models import User
from tests.admin_people import clerk
from tests.contacts_app.core.api.test_bad_input import is_our_error
from tests.phones_app.rest import of, of_token

pytestmark = pytest.mark.django_db

DORA = {"email": "Dora@Acme.example", "password": "tr0ub4dor&3", "first_name": "Dora", "last_name": "Drake"}
REGISTRATION = DORA | {"username": "dora"}


@pytest.fixture
def dora(api) -> dict:
    response = api.post("users", DORA)
    assert response.status_code == 201, response.content
    return response.json()["data"]


def test_a_person_is_made_and_logs_in(api, nobody, acme, alice, dora):
    assert (dora["email"], dora["username"]) == ("dora@acme.example", "dora@acme.example")
    assert (dora["account"], dora["permission_level"], dora["lang"]) == (acme.voip_id, 1, "en")
    assert dora["created_by"] == str(alice.uuid)
    login = {"username": "dora@acme.example", "password": DORA["password"]}
    assert nobody.post("auth/login", login).status_code == 200
    assert api.get(f"users/{dora['uuid']}").json()["data"].keys() == dora.keys()


def test_no_answer_has_a_password(api, dora):
    answers = [api.get("users"), api.get(f"users/{dora['uuid']}"), api.put(f"users/{dora['uuid']}", DORA)]
    for answer in answers:
        assert answer.status_code == 200
        assert "password" not in answer.content.decode().lower()
        assert DORA["password"] not in answer.content.decode()


def test_the_list_is_by_email_and_in_pages(api, alice, bob, charlie, dora):
    body = api.get("users", {"limit": 2, "offset": 1}).json()
    assert [user["email"] for user in body["data"]] == ["bob@acme.example", "dora@acme.example"]
    assert (body["metadata"]["total"], body["message"]) == (3, "3 user(s) found")


def test_what_is_not_sent_stays(api, dora):
    changed = api.put(f"users/{dora['uuid']}", {"location": "Lisbon"}).json()["data"]
    differing = {name for name in dora if dora[name] != changed[name]}
    assert differing == {"location", "updated_at"}
    whole = api.put(f"users/{dora['uuid']}", changed)
    assert whole.status_code == 200
    assert whole.json()["data"] | {"updated_at": ""} == changed | {"updated_at": ""}
    is_our_error(api.put(f"users/{dora['uuid']}", {}), 400)


def test_the_user_name_follows_the_email(api, dora):
    path = f"users/{dora['uuid']}"
    assert api.put(path, {"email": "d@acme.example"}).json()["data"]["username"] == "d@acme.example"
    assert api.put(path, {"username": "dora"}).json()["data"]["username"] == "dora"
    assert api.put(path, {"email": "e@acme.example"}).json()["data"]["username"] == "dora"


@pytest.mark.parametrize(
    "name", [{"email": "BOB@acme.example"}, {"email": "reception@desk.example"}, {"username": "Reception@Desk.example"}]
)
def test_two_people_cannot_log_in_with_one_name(api, bob, dora, name):
    bob.username = "reception@desk.example"
    bob.save()
    is_our_error(api.put(f"users/{dora['uuid']}", name), 409)
    is_our_error(api.post("users", DORA | {"email": "else@acme.example"} | name), 409)
    assert User.objects.filter(account=bob.account).count() == 3


@pytest.mark.parametrize("password", ["short", "password", "dora@acme.example", "", None, 5])
def test_a_password_that_is_none(api, dora, password):
    for response in (
        api.post("users", DORA | {"email": "else@acme.example", "password": password}),
        api.put(f"users/{dora['uuid']}", {"password": password}),
    ):
        is_our_error(response, 400)
        assert response.json()["errors"][0]["field"] == "password"
    assert User.objects.get(uuid=dora["uuid"]).check_password(DORA["password"])


def test_another_password_ends_the_sessions(api, dora):
    session = of(User.objects.get(uuid=dora["uuid"]))
    assert session.get("me").status_code == 200
    api.put(f"users/{dora['uuid']}", {"password": "c0rrect&horse"})
    assert session.get("me").status_code == 401


def test_a_suspended_person_is_out_at_once(api, dora):
    session = of(User.objects.get(uuid=dora["uuid"]))
    assert api.put(f"users/{dora['uuid']}", {"is_active": False}).status_code == 200
    assert session.get("me").status_code == 401


def test_people_go_but_nobody_goes_by_their_own_hand(api, alice, dora):
    assert api.delete(f"users/{dora['uuid']}").json()["data"]["email"] == "dora@acme.example"
    is_our_error(api.get(f"users/{dora['uuid']}"), 404)
    is_our_error(api.delete(f"users/{alice.uuid}"), 409)
    is_our_error(api.put(f"users/{alice.uuid}", {"is_active": False}), 409)
    assert api.get("me").status_code == 200


def test_people_stay_in_their_account(api, staff, other, dora):
    made = api.post("users", DORA | {"email": "x@acme.example", "account": other.voip_id})
    is_our_error(made, 400)
    for caller in (api, staff):
        is_our_error(caller.put(f"users/{dora['uuid']}", {"account": other.voip_id}), 400)
        is_our_error(caller.put(f"users/{dora['uuid']}", {"account": None}), 400)


def test_only_level_0_manages_people(colleague, bob, dora):
    for method, path in [("get", "users"), ("post", "users"), ("put", f"users/{bob.uuid}")]:
        is_our_error(colleague.call(method, path, {"permission_level": 0}), 403)
    bob.refresh_from_db()
    assert bob.permission_level == 1


@pytest.mark.parametrize("field", ["is_staff", "is_superuser", "groups", "user_permissions", "uuid", "created_by"])
def test_rights_in_the_admin_are_not_handed_out_here(api, dora, field):
    user = User.objects.get(uuid=dora["uuid"])
    before = User.objects.filter(pk=user.pk).values().get()
    api.put(f"users/{dora['uuid']}", {field: True, "location": None})
    assert User.objects.filter(pk=user.pk).values().get() | {"updated_at": 0} == before | {"updated_at": 0}
    assert not user.user_permissions.exists()


def test_a_person_with_more_rights_is_not_taken_over(api, acme, alice, root):
    """Who sets a password can log in with it."""
    powerful = clerk(acme)
    boss = User.objects.create_superuser("boss@acme.example", "correct horse", account=acme)
    word = {"password": "tr0ub4dor&3"}
    for user in (powerful, boss):
        for caller in (api, of_token(account=acme), of_token()):
            is_our_error(caller.put(f"users/{user.uuid}", word), 403)
            is_our_error(caller.delete(f"users/{user.uuid}"), 403)
    colleague_at_desk = of(clerk(acme, "second@acme.example"))
    assert colleague_at_desk.put(f"users/{powerful.uuid}", word).status_code == 200
    powerful.user_permissions.add(Permission.objects.get(codename="reveal_secrets"))
    is_our_error(colleague_at_desk.put(f"users/{powerful.uuid}", word), 403)
    assert of(root).put(f"users/{boss.uuid}", word).status_code == 200


def test_staff_make_people_anywhere_and_staff(staff, acme):
    inside = staff.post("users", DORA | {"account": acme.voip_id}).json()["data"]
    assert inside["account"] == acme.voip_id
    outside = staff.post("users", DORA | {"email": "ops@example.org"}).json()["data"]
    assert outside["account"] is None


def test_registering_needs_an_administrator(api, nobody, colleague, acme):
    is_our_error(nobody.post("auth/register", REGISTRATION), 401)
    is_our_error(colleague.post("auth/register", REGISTRATION), 403)
    for right in ({"permission_level": 0}, {"account": 5}, {"is_staff": True}):
        is_our_error(api.post("auth/register", REGISTRATION | right), 400)
    response = api.post("auth/register", REGISTRATION)
    assert response.status_code == 201
    user = User.objects.get(username="dora")
    assert (user.account, user.permission_level, user.is_staff) == (acme, 1, False)
    data = response.json()["data"]
    defaults = {"phone": None, "lang": "en", "location": None, "nationality": None, "timezone": "UTC"}
    assert {name: data[name] for name in defaults} == defaults


@pytest.mark.parametrize("missing", REGISTRATION)
def test_registering_needs_five_members(api, missing):
    for body in (
        {name: value for name, value in REGISTRATION.items() if name != missing},
        REGISTRATION | {missing: ""},
    ):
        is_our_error(api.post("auth/register", body), 400)
    assert not User.objects.filter(first_name="Dora").exists()


def test_the_public_registers_where_it_may_and_sees_nothing(nobody, api, alice, settings):
    settings.PUBLIC_REGISTER = True
    api.create_profile(alice)
    is_our_error(nobody.post("auth/register", REGISTRATION | {"permission_level": 0}), 400)
    assert nobody.post("auth/register", REGISTRATION).status_code == 201
    user = User.objects.get(username="dora")
    assert (user.account, user.permission_level, user.is_staff) == (None, 9, False)
    assert of(user).get("phone-profiles").json()["data"] == []
    is_our_error(of(user).get("users"), 403)
    is_our_error(nobody.post("auth/register", REGISTRATION), 409)


def test_permission_levels_are_told(api):
    levels = api.get("permissions").json()["data"]
    assert [level["level"] for level in levels] == list(range(10))
    is_our_error(api.post("permissions", {}), 405)


def test_ones_own_directory(api, colleague, acme, bob):
    bob.phone = "+15550100"
    bob.save()
    api.post("extensions", {"number": 101, "name": "Reception"})
    for caller in (api, colleague):
        shown = caller.get("me/cisco-services/personal").json()["data"]
        assert shown == [{"name": "Bob Baker", "number": "+15550100"}, {"name": "Reception", "number": "101"}]
    is_our_error(of_token(account=acme).get("me/cisco-services/personal"), 404)
