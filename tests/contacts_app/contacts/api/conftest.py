"""Clients of /api/2.0: Alice with her password, and others. Account `acme` has its main contact and no other."""

import base64
import json

import pytest
from django.test import Client

from contacts_app.tokens.services import create_token

CONTACTS = "/api/2.0/notification_contacts/"
PREFERENCES = "/api/2.0/notification_preferences/"
MEMBERS = {"email", "main", "name", "phone", "resource_uri", "uuid"}


def basic(name: str, password: str = "correct horse") -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Api:
    """One caller, with a credential or without."""

    def __init__(self, authorization: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": authorization} if authorization else {}

    def call(self, method: str, path: str = CONTACTS, body=None, *, content_type="application/json", **headers):
        extra = {"headers": self.headers | {name.replace("_", "-"): text for name, text in headers.items()}}
        if body is not None:
            data = body if isinstance(body, bytes | str) else json.dumps(body)
            extra |= {"data": data, "content_type": content_type}
        answer = getattr(self.client, method)(path, **extra)
        assert answer["X-REQUEST-ID"]
        return answer

    def get(self, query: str = "", path: str = CONTACTS, **headers):
        return self.call("get", path + query, **headers)

    def list(self, query: str = "?limit=0") -> list:
        return self.get(query).json()["objects"]

    def post(self, body, path: str = CONTACTS):
        return self.call("post", path, body)

    def put(self, uri: str, body):
        return self.call("put", uri, body)

    def delete(self, uri: str):
        return self.call("delete", uri)

    def create(self, **fields) -> dict:
        answer = self.post({"objects": [{"email": "second@acme.example"} | fields]})
        assert answer.status_code == 201, answer.content
        return answer.json()["objects"][0]


def of_token(**scope) -> Api:
    return Api(f"Bearer {create_token(**scope)[1]}")


def refused(answer, status: int, kind: str, *points: str | None) -> None:
    """The answer is an error in this dialect's words, and blames exactly these fields."""
    assert answer.status_code == status, (answer.status_code, answer.content)
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    errors = answer.json()
    assert isinstance(errors, list)
    assert [error["error_point"] for error in errors] == list(points)
    for error in errors:
        assert error.keys() == {"error_message", "error_point", "error_type"}
        assert error["error_type"] == kind
        assert error["error_message"]


@pytest.fixture
def api(alice):
    return Api(basic(alice.email))


@pytest.fixture
def main(acme):
    return acme.notification_contacts.get(main=True)


@pytest.fixture
def main_uri(main):
    return f"{CONTACTS}{main.uuid}/"


@pytest.fixture
def nobody():
    return Api()


@pytest.fixture
def stranger(charlie):
    """Charlie: level 0 in another account."""
    return Api(basic(charlie.email))


@pytest.fixture
def second(api):
    """A contact beside the main one, as its owner sees it."""
    return api.create(name="Second", phone="+1 123 555 1234")
