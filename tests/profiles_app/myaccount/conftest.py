"""Keys of /backend/api/v1, and what they call it with."""

from typing import Any

import pytest
from django.test import Client

from contacts_app.accounts.models import Account
from contacts_app.tokens.services import create_token

BASE = "/backend/api/v1/"
PROFILES = "myAccountCustomerProfiles/"


class Key:
    """One caller with its key, or with whatever stands in its Authorization header; "" for none."""

    def __init__(self, authorization: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": authorization} if authorization else {}

    def send(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        extra = {} if body is None else {"data": body, "content_type": content_type}
        return getattr(self.client, method)(BASE + path, headers=self.headers, **extra)

    def get(self, path: str = PROFILES) -> Any:
        return self.send("get", path)

    def list(self, query: str = "") -> list[dict[str, Any]]:
        answer = self.get(PROFILES + query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def post(self, body: Any) -> Any:
        return self.send("post", PROFILES, body)

    def create(self, name: str = "Residential", **members: Any) -> dict[str, Any]:
        answer = self.post({"name": name, **members})
        assert answer.status_code == 201, answer.content
        return answer.json()

    def patch(self, profile: dict[str, Any], body: Any) -> Any:
        return self.send("patch", PROFILES + profile["id"], body)

    def change(self, profile: dict[str, Any], **members: Any) -> dict[str, Any]:
        answer = self.patch(profile, members)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def delete(self, profile: dict[str, Any]) -> Any:
        return self.send("delete", PROFILES + profile["id"])


def refused(answer: Any, status: int, code: str = "") -> dict[str, Any]:
    """The error, after a look at its form: JSON of this dialect, whatever went wrong."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json"
    assert answer.json().keys() == {"error"}
    error = answer.json()["error"]
    assert error.keys() == {"code", "message", "fields"}
    assert error["message"]
    if code:
        assert error["code"] == code
    return error


def key_of(account: Account | None, **options: Any) -> Key:
    return Key(f"Bearer {create_token(account=account, **options)[1]}")


@pytest.fixture
def staff(db):
    return key_of(None)


@pytest.fixture
def acme_key(acme):
    return key_of(acme)


@pytest.fixture
def other_key(other):
    return key_of(other)


@pytest.fixture(params=["a key of an account", "a key of staff"])
def holder(request, acme):
    """Whose keys W and R are: every conformance case holds for both."""
    return acme if request.param == "a key of an account" else None


@pytest.fixture
def w(holder):
    return key_of(holder)


@pytest.fixture
def r(holder):
    return key_of(holder, read_only=True)


@pytest.fixture
def customer_of(acme):
    """A customer beneath an account, Acme unless told otherwise."""

    def make(voip_id: int = 2000001, parent: Account | None = acme, **fields: Any) -> Account:
        return Account.objects.create(
            voip_id=voip_id, **{"name": f"Customer {voip_id}", "email": "c@example.org", "parent": parent} | fields
        )

    return make
