"""A small client of /rest, and numbers to send from."""

import base64
from dataclasses import dataclass
from typing import Any

import pytest
from rest_framework.test import APIClient

from contacts_app.core.actor import system
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.services import save_number_lease

MESSAGING, VOICE = "/rest/profile/messaging", "/rest/profile/outbound_voice"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
LONG_CODES = (12025550101, 12025550102, 12025550103)
TOLLFREE = 18005550100


def basic(email: str, password: str = "correct horse") -> str:
    return "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()


@dataclass
class Rest:
    """One person's client; `payload` and `refused` check the envelope on the way."""

    client: APIClient

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.generic(method, path, self._encoded(body), content_type="application/json", **headers)

    def _encoded(self, body: Any) -> Any:
        return b"" if body is None else self.client._encode_data(body, "json")[0]

    def payload(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.send(method, path, body)
        assert answer.status_code in (200, 201), answer.content
        assert answer.json().keys() == {"success", "payload"}
        assert answer.json()["success"] is True
        return answer.json()["payload"]

    def refused(self, status: int, method: str, path: str, body: Any = None) -> str:
        return is_error(self.send(method, path, body), status)


def is_error(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.content
    assert answer.json().keys() == {"success", "message", "status"}
    assert answer.json()["success"] is False
    assert answer.json()["status"] == status
    message = answer.json()["message"]
    assert isinstance(message, str)
    assert message
    return message


def client_of(user: Any) -> Rest:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=basic(user.email))
    return Rest(client)


@pytest.fixture
def api(alice):
    return client_of(alice)


@pytest.fixture
def stranger(charlie):
    return client_of(charlie)


@pytest.fixture
def anybody(db):
    return Rest(APIClient())


@pytest.fixture
def profile(api):
    return api.payload("POST", MESSAGING, {"name": "Front desk"})


@pytest.fixture
def lease(acme):
    """Makes a number of acme, for the profile that is given as REST shows it."""

    def make(tn: int = LONG_CODES[0], profile: dict[str, Any] | None = None, **fields: Any) -> NumberLease:
        used = MessagingProfile.objects.get(uuid=profile["uuid"]) if profile else None
        row = NumberLease(account=acme, tn=tn, messaging_profile=used, **fields)
        return save_number_lease(row, actor=system("test"))

    return make
