"""The unmodified public client `cloudsigma` against our web server (notification contacts spec §9 and §11, case 25)."""

import os

import pytest
from django.conf import global_settings

from contacts_app.accounts.services import create_account
from contacts_app.people.services import create_owner
from tests.contacts_app.contacts.api.conftest import MEMBERS
from tests.processes import processes

EMAIL, PASSWORD = "owner@harbour.example", "correct horse battery"


@pytest.fixture
def owner(transactional_db, settings):
    """An account's owner, whose password the web server's process can check as well."""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    account = create_account(name="Harbour", email=EMAIL)
    create_owner(account, PASSWORD)
    return account


@pytest.fixture
def portal(owner, tmp_path):
    """Our web server, as operators run it."""
    with processes(tmp_path) as running:
        yield running.start_web()


@pytest.fixture
def cloudsigma(monkeypatch):
    """The client's package, without the settings that somebody may have at home."""
    monkeypatch.setenv("CLOUDSIGMA_CONFIG", os.devnull)
    return pytest.importorskip("cloudsigma", reason="the Python package cloudsigma is not installed")


def connect(resource, portal, password=PASSWORD, login="basic"):
    return resource(api_endpoint=f"{portal}/api/2.0/", username=EMAIL, password=password, login_method=login)


def test_case_25_the_public_client_manages_contacts(portal, cloudsigma):
    manage_contacts(portal, cloudsigma, "basic")


def test_the_public_client_does_the_same_by_cookies(owner, live_server, cloudsigma):
    manage_contacts(live_server.url, cloudsigma, "session")


def manage_contacts(portal, cloudsigma, login):
    contacts = connect(cloudsigma.resource.NotificationContact, portal, login=login)
    (main,) = contacts.list()
    assert main.keys() == MEMBERS
    assert (main["main"], main["email"]) == (True, EMAIL)
    assert contacts.get() == main

    one = contacts.create({"email": "one@harbour.example", "name": "One", "phone": "+1 123 555 1234"})
    assert (one["phone"], one["main"]) == ("+11235551234", None)
    many = contacts.create([{"email": "two@harbour.example"}, {"email": "three@harbour.example"}])
    assert [contact["email"] for contact in many] == ["two@harbour.example", "three@harbour.example"]
    assert contacts.create({"objects": [{"email": "four@harbour.example"}]})["email"].startswith("four")

    assert contacts.get(one["uuid"]) == one
    assert contacts.get_from_url(one["resource_uri"]) == one
    assert len(contacts.list()) == len(contacts.list_detail()) == len(contacts.get()) == 5
    page = contacts.list(query_params={"limit": 1, "fields": "uuid,email", "offset": 1})
    assert page == [{"uuid": one["uuid"], "email": one["email"]}]
    assert contacts.get_schema()["fields"]["email"]["type"] == "string"

    one["name"] = "Somebody else"
    assert contacts.update(one["uuid"], one) == one | {"pk": one["uuid"]}
    assert contacts.update(one["uuid"], {"phone": ""})["phone"] == ""

    answers = []
    contacts.attach_response_hook(lambda answer, *args, **kwargs: answers.append(answer))
    assert contacts.delete(one["uuid"]) is None
    assert [answer.headers["Content-Type"] for answer in answers] == ["text/html; charset=utf-8"]
    with pytest.raises(cloudsigma.errors.ClientError) as absent:
        contacts.get(one["uuid"])
    assert absent.value.status_code == 404
    assert absent.value.request_id
    with pytest.raises(cloudsigma.errors.PermissionError) as kept:
        contacts.delete(main["uuid"])
    assert kept.value.request_id != absent.value.request_id
    assert contacts.list()[0] == main
    with pytest.raises(cloudsigma.errors.AuthError):
        connect(cloudsigma.resource.NotificationContact, portal, "wrong", login).list()


def test_the_public_client_manages_preferences(owner, live_server, cloudsigma):
    preferences = connect(cloudsigma.resource.NotificationPreference, live_server.url)
    before = preferences.list()
    assert {row["type"] for row in before} >= {"payment", "new_account"}
    changed = preferences.update([row | {"value": False} for row in before[:2]])
    assert changed == [row | {"value": False} for row in before[:2]]
    assert preferences.list() == changed + before[2:]
