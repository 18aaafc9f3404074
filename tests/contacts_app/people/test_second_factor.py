"""The second factor: set up, asked for, throttled, demanded by roles, reset; and no way around it."""

import re
from base64 import b32decode, b64encode
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import hotp, totp

from contacts_app.people.models import LoginSession, SecondFactor, User
from contacts_app.tokens.services import create_token
from tests.admin_people import at_desk, clerk
from tests.commands import run

pytestmark = pytest.mark.django_db
PAGE, INDEX, LOGIN = (reverse(name) for name in ("second_factor", "admin:index", "admin:login"))


def code_of(key: str, *, later: int = 0) -> str:
    """What the app shows now, or some steps later: within one step it is taken."""
    return f"{totp(b32decode(key), drift=later):06d}"


def set_up(desk: Client) -> tuple[str, list[str]]:
    """The way of a person: the key that the page shows, and the recovery codes."""
    key = re.search(r"data-key>(\w+)<", desk.get(PAGE).text)[1]
    answer = desk.post(PAGE, {"wish": "enter", "code": code_of(key)})
    assert answer["Cache-Control"].startswith("max-age=0")
    codes = re.findall(r"(\d{4}) (\d{4}) (\d{4})", answer.text)
    return key, ["".join(parts) for parts in codes]


def by_password(user: User) -> Client:
    client = Client()
    client.post(LOGIN, {"username": user.email, "password": "correct horse"})
    return client


def enter(client: Client, code: str, wish: str = "enter") -> str:
    """The words of the answer, or where it leads."""
    answer = client.post(PAGE, {"wish": wish, "code": code})
    return answer.url if answer.status_code == 302 else answer.text


def waited(user: User) -> None:
    SecondFactor.objects.filter(user=user).update(throttling_failure_timestamp=timezone.now() - timedelta(hours=1))


def test_it_is_set_up_and_asked_for(root):
    desk = at_desk(root)
    assert "svg" in desk.get(PAGE).text
    assert "not the code" in enter(desk, "000000")
    assert not SecondFactor.objects.exists()
    key, codes = set_up(desk)
    assert len(set(codes)) == 10
    assert desk.get(INDEX).status_code == 200, "whoever has set it up has shown it"
    assert not set(codes) & set(re.findall(r"\d{12}", desk.get(PAGE).text.replace(" ", ""))), "they are shown once"
    client = by_password(root)
    assert client.get(INDEX, follow=True).redirect_chain[-1][0].startswith(PAGE)
    assert enter(client, code_of(key, later=1)) == INDEX
    assert client.get(INDEX).status_code == 200


def test_the_database_tells_neither_key_nor_codes(root):
    key, codes = set_up(at_desk(root))
    with connection.cursor() as cursor:
        for table in (SecondFactor._meta.db_table, SecondFactor.history.model._meta.db_table):
            cursor.execute(f"SELECT * FROM {table}")
            stored = repr(cursor.fetchall())
            assert stored != "[]"
            assert not [secret for secret in (key, b32decode(key).hex(), *codes) if secret in stored]


def test_the_key_is_in_the_session_encrypted_while_it_is_set_up(root):
    desk = at_desk(root)
    key = re.search(r"data-key>(\w+)<", desk.get(PAGE).text)[1]
    assert key not in repr(dict(desk.session.items()))


def test_no_code_is_good_twice(root):
    key, codes = set_up(at_desk(root))
    used = f"{hotp(b32decode(key), SecondFactor.objects.get().last_step):06d}"
    assert "wrong, or was used" in enter(by_password(root), used)
    waited(root)
    assert enter(by_password(root), f"{codes[0][:4]} {codes[0][4:8]} {codes[0][8:]}") == INDEX
    assert "wrong, or was used" in enter(by_password(root), codes[0])
    waited(root)
    assert enter(by_password(root), codes[1]) == INDEX


def test_guessing_is_slow(root):
    key, codes = set_up(at_desk(root))
    client = by_password(root)
    for _ in range(4):
        enter(client, "123456")
        waited(root)
    enter(client, "123456")
    assert re.search(r"try again in 1[0-6] s", enter(client, code_of(key, later=1))), "1, 2, 4, 8, 16"
    assert "try again in" in enter(client, codes[0])
    waited(root)
    assert enter(client, code_of(key, later=1)) == INDEX


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_password_alone_opens_no_page(root, method):
    set_up(at_desk(root))
    client = by_password(root)
    names = ("index", "password_change", "jsi18n", "search", "contacts_app_user_changelist", "contacts_app_user_add")
    for name in names:
        answer = getattr(client, method)(reverse(f"admin:{name}"))
        assert (answer.status_code, answer.url.partition("?")[0]) == (302, LOGIN), name
    assert client.get("/api/v1/me").status_code == 401


def test_a_code_of_another_persons_app_is_no_good(root):
    key, _ = set_up(at_desk(root))
    other = User.objects.create_superuser("other@example.org", "correct horse")
    set_up(at_desk(other))
    assert "wrong" in enter(by_password(other), code_of(key, later=1))


def test_with_a_code_one_has_new_recovery_codes_or_removes_all(root):
    desk = at_desk(root)
    _, codes = set_up(desk)
    assert "wrong" in enter(desk, "0" * 12, "remove")
    waited(root)
    renewed = ["".join(parts) for parts in re.findall(r"(\d{4}) (\d{4}) (\d{4})", enter(desk, codes[0], "renew"))]
    assert len(renewed) == 10
    assert "wrong" in enter(desk, codes[1], "remove")
    waited(root)
    assert enter(desk, renewed[0], "remove") == INDEX
    assert not SecondFactor.objects.exists()
    assert desk.get(INDEX).status_code == 200


@pytest.mark.parametrize("role", ["superuser", "Administrators"])
def test_a_role_demands_it(root, acme, settings, role):
    settings.SECOND_FACTOR_ROLES = [role]
    if role == "Administrators":
        root.groups.add(Group.objects.create(name=role))
    client = by_password(root)
    page = client.get(INDEX, follow=True)
    assert "Your role demands" in page.text
    _, codes = set_up(client)
    assert client.get(INDEX).status_code == 200
    assert "Your role demands" in enter(client, codes[0], "remove")
    assert SecondFactor.objects.exists()
    assert by_password(clerk(acme)).get(INDEX).status_code == 200, "others need none"


def test_a_session_that_is_open_when_the_role_begins_to_demand_it_stops(root, settings):
    desk = at_desk(root)
    assert desk.get(INDEX).status_code == 200
    settings.SECOND_FACTOR_ROLES = ["superuser"]
    assert desk.get(INDEX).status_code == 302


def test_one_leaves_without_a_code(root):
    set_up(at_desk(root))
    client = by_password(root)
    assert enter(client, "", "leave") == LOGIN
    assert client.get(PAGE).url.startswith(LOGIN)


def test_an_administrator_resets_it_and_history_tells(root, acme):
    user = clerk(acme)
    set_up(at_desk(user))
    before = by_password(user)
    url = reverse("admin:contacts_app_user_reset_second_factor", args=[user.pk])
    assert at_desk(root).post(url).status_code == 302
    assert not SecondFactor.objects.exists()
    assert before.get(INDEX).status_code == 200
    gone = SecondFactor.history.filter(history_type="-").get()
    assert (gone.history_actor, gone.user_id) == (root.email, user.pk)
    history = at_desk(root).get(reverse("admin:contacts_app_user_history", args=[user.pk])).text
    assert "Second factor" in history


def test_nobody_resets_their_own_or_that_of_somebody_with_more_rights(root, acme):
    set_up(desk := at_desk(root))
    url = reverse("admin:contacts_app_user_reset_second_factor", args=[root.pk])
    assert desk.post(url).status_code == 403
    assert at_desk(clerk(acme)).post(url).status_code in (403, 404)
    assert SecondFactor.objects.exists()


def test_the_command_resets_it(root):
    set_up(at_desk(root))
    assert run("reset_second_factor", root.email, "--dry-run", "--json").row["reset"] is False
    assert SecondFactor.objects.exists()
    assert run("reset_second_factor", "Root@example.org", "--json").row["reset"] is True
    assert not SecondFactor.objects.exists()
    assert run("reset_second_factor", root.email).status == 1


def doors(user: User, client_id: str, secret: str) -> dict[str, int]:
    """Each way of the APIs from a password to a session, and what it answers."""
    password = {"username": user.email, "password": "correct horse"}
    grant = {"grant_type": "password", "client_id": client_id, "client_secret": secret} | password
    basic = Client(headers={"Authorization": "Basic " + basic_of(user)})
    post = {"content_type": "application/json"}
    return {
        "login": Client().post("/api/v1/auth/login", password, **post).status_code,
        "oauth": Client().post("/v4/oauth/access-token", grant, **post).status_code,
        "basic": basic.get("/api/v1/me").status_code,
        "messaging": basic.get("/rest/auth").status_code,
    }


def basic_of(user: User) -> str:
    return b64encode(f"{user.email}:correct horse".encode()).decode()


def test_a_password_alone_opens_no_session_of_the_apis_but_tokens_work(acme):
    user = clerk(acme)
    token, text = create_token(account=acme, created_by=user)
    assert doors(user, token.key_id, text) == {"login": 200, "oauth": 201, "basic": 200, "messaging": 200}
    sessions = LoginSession.objects.filter(user=user, revoked_at=None)
    tokens = Client().post(
        "/api/v1/auth/login", {"username": user.email, "password": "correct horse"}, content_type="application/json"
    )
    access = Client(headers={"Authorization": f"Bearer {tokens.json()['data']['accessToken']}"})
    assert access.get("/api/v1/me").status_code == 200
    set_up(at_desk(user))
    assert not sessions.exists()
    assert access.get("/api/v1/me").status_code == 401
    assert doors(user, token.key_id, text) == {"login": 401, "oauth": 400, "basic": 401, "messaging": 401}
    assert Client(headers={"Authorization": f"Bearer {text}"}).get("/api/v1/phones").status_code == 200


@pytest.mark.parametrize("way", ["refresh token", "access token"])
def test_where_a_role_begins_to_demand_it_a_session_is_not_renewed(acme, settings, way):
    user = clerk(acme)
    user.groups.add(Group.objects.create(name="Operators"))
    body = {"username": user.email, "password": "correct horse"}
    tokens = Client().post("/api/v1/auth/login", body, content_type="application/json").json()["data"]
    bearer = Client(headers={"Authorization": f"Bearer {tokens['accessToken']}"})
    assert bearer.get("/rest/auth").status_code == 200
    settings.SECOND_FACTOR_ROLES = ["Operators"]
    again = {"refreshToken": tokens["refreshToken"]}
    if way == "refresh token":
        answer = Client().post("/api/v1/auth/refresh", again, content_type="application/json")
    else:
        answer = bearer.get("/rest/auth")
    assert answer.status_code == 401
    assert not LoginSession.objects.filter(user=user, revoked_at=None).exists()
    assert bearer.get("/api/v1/me").status_code == 401
