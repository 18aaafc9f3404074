"""A session by cookies on /api/2.0 (notification contacts spec §6)."""

import pytest
from django.test import Client

from contacts_app.accounts.services import create_account
from contacts_app.people.models import LoginSession, User
from contacts_app.people.services import create_owner

CONTACTS, ACTION = "/api/2.0/notification_contacts/", "/api/2.0/accounts/action/"
BODY = {"email": "one@harbour.example"}


@pytest.fixture
def owner(db):
    return create_owner(create_account(name="Harbour", email="owner@harbour.example"), "secret")


def act(client, do, body, **headers):
    return client.post(f"{ACTION}?do={do}", body, content_type="application/json", headers=headers)


@pytest.fixture
def browser(owner):
    """Logged in, with CSRF enforced as for any browser."""
    client = Client(enforce_csrf_checks=True)
    answer = act(client, "login", {"username": owner.email, "password": "secret"})
    assert (answer.status_code, answer.json()) == (200, {"action": "login", "result": "success"})
    return client


def add(client, **headers):
    return client.post(CONTACTS, BODY, content_type="application/json", headers=headers)


def told(client):
    return client.cookies["csrftoken"].value


def test_cookies_go_to_this_dialect_alone_and_scripts_do_not_see_the_session(browser):
    for name, is_hidden in (("sessionid", True), ("csrftoken", False)):
        cookie = browser.cookies[name]
        assert (cookie["path"], cookie["samesite"], bool(cookie["httponly"])) == ("/api/2.0/", "Lax", is_hidden)
    assert browser.get(CONTACTS).status_code == 200
    browser.cookies["sessionid"]["path"] = "/"
    assert browser.get("/admin/").status_code == 302
    assert browser.get("/api/v1/me").status_code == 401


def test_a_change_needs_the_token_that_the_login_told(browser):
    for wrong in ({}, {"X-CSRFToken": ""}, {"X-CSRFToken": "x" * 64}, {"X-CSRFToken": "ü"}):
        answer = add(browser, **wrong)
        assert (answer.status_code, answer.json()[0]["error_type"]) == (403, "permission")
    assert add(browser, **{"X-CSRFToken": told(browser)}).status_code == 201


@pytest.mark.parametrize("header", ["Origin", "Referer"])
def test_a_change_cannot_come_from_another_site(browser, header):
    token = {"X-CSRFToken": told(browser)}
    assert add(browser, **token, **{header: "https://elsewhere.example/api/2.0/"}).status_code == 403
    assert add(browser, **token, **{header: "http://testserver/api/2.0/"}).status_code == 201


def test_the_token_of_another_session_is_none(browser, owner):
    other = Client()
    act(other, "login", {"username": owner.email, "password": "secret"})
    assert add(browser, **{"X-CSRFToken": told(other)}).status_code == 403


def test_logout_ends_the_session(browser):
    session = browser.cookies["sessionid"].value
    assert act(browser, "logout", {}).status_code == 403
    answer = act(browser, "logout", {}, **{"X-CSRFToken": told(browser)})
    assert (answer.status_code, answer.json()) == (200, {"action": "logout", "result": "success"})
    assert browser.cookies["sessionid"].value == ""
    browser.cookies["sessionid"] = session
    assert browser.get(CONTACTS).status_code == 401


def test_a_session_ends_with_its_row_and_its_person(browser, owner):
    assert browser.get(CONTACTS).status_code == 200
    User.objects.get(pk=owner.pk).delete()
    assert not LoginSession.objects.exists()
    assert browser.get(CONTACTS).status_code == 401


@pytest.mark.parametrize(
    ("do", "body", "status", "point"),
    [
        ("login", {"username": "owner@harbour.example", "password": "wrong"}, 401, None),
        ("login", {"username": "nobody@harbour.example", "password": "secret"}, 401, None),
        ("login", {"username": "owner@harbour.example"}, 400, "password"),
        ("login", {}, 400, "password"),
        ("login", {"username": 1, "password": "secret"}, 400, "username"),
        ("login", {"username": "x", "password": "y", "remember": True}, 400, "remember"),
        ("logout", {}, 401, None),
        ("dance", {}, 400, "do"),
        ("", {}, 400, "do"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_dialect(owner, do, body, status, point):
    answer = act(Client(), do, body)
    assert (answer.status_code, answer.json()[0]["error_point"]) == (status, point)


def test_a_login_does_not_mind_the_cookies_of_a_session_that_is_over(browser, owner):
    LoginSession.objects.all().delete()
    assert act(browser, "login", {"username": owner.email, "password": "secret"}).status_code == 200
    assert browser.get(CONTACTS).status_code == 200
