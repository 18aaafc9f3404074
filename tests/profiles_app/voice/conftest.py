"""The same callers as in messaging: both are parts of one dialect. And a profile that calls are made by."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from contacts_app.core.work import clock
from profiles_app.voice.models.admission import Admission
from tests.profiles_app.messaging.conftest import VOICE, Rest, anybody, api, lease, profile, stranger  # noqa: F401


@dataclass
class Pbx:
    """Asks for calls of one profile, as a PBX does."""

    rest: Rest
    profile: dict[str, Any]

    def __post_init__(self) -> None:
        self.url = f"{VOICE}/{self.profile['uuid']}/admission"
        self.calls = count(1)

    def ask(self, destination: str = "12025550123", **more: Any) -> Any:
        body = {"destination": destination, "call_id": f"call-{next(self.calls)}", **more}
        return self.rest.payload("POST", self.url, body)

    def admitted(self, **more: Any) -> str:
        answer = self.ask(**more)
        assert answer["allowed"] is True, answer
        return f"{self.url}/{answer['reservation']}"

    def refused(self, **more: Any) -> tuple[str, str]:
        answer = self.ask(**more)
        assert answer["allowed"] is False, answer
        return answer["reason"], answer["code"]

    def renewed(self, call: str, **body: Any) -> Any:
        return self.rest.payload("PUT", call, body)

    def closed(self, call: str, **body: Any) -> Any:
        return self.rest.payload("DELETE", call, body)

    def limit(self, **limits: Any) -> None:
        self.rest.payload("PATCH", f"{VOICE}/{self.profile['uuid']}", limits)


@pytest.fixture
def pbx(api):  # noqa: F811
    return Pbx(api, api.payload("POST", VOICE, {"name": "Calls", "tech_prefix": 123456}))


@pytest.fixture
def later():
    """Lets time pass for calls: all their times are set back."""

    def passes(**time: float) -> None:
        for made in Admission.objects.filter(reason=""):
            for name in ("created_at", "expires_at", "lost_at", "answered_at", "ended_at"):
                if moment := getattr(made, name):
                    setattr(made, name, moment - timedelta(**time))
            made.save()

    return passes


@pytest.fixture
def ago():
    return lambda **time: (clock.now() - timedelta(**time)).isoformat()
