"""The provider's limits on requests, which are off unless asked for (events spec §6)."""

import time

import pytest

from profiles_app.events.api import dialect


@pytest.fixture
def limited(settings, monkeypatch):
    """Three requests an endpoint, five in all, and a clock that stands at the begin of a window."""
    settings.EVENTS_RATE_LIMITS = True
    now = time.time() // 60 * 60
    monkeypatch.setattr(dialect.time, "time", lambda: now)
    per_endpoint = dialect.RequestLimit(3, 30, per_endpoint=True, per_account=True)
    per_address = dialect.RequestLimit(5, 60, per_endpoint=False, per_account=False)
    monkeypatch.setattr(dialect, "RULES", (per_endpoint, per_address))
    return int(now)


def test_beyond_the_limit_the_client_is_told_when_to_come_back(at, limited):
    for _ in range(3):
        assert at.get("profiles").status_code == 200
    refused = at.get("profiles")
    assert refused.status_code == 429
    assert refused["Retry-After"] == "30"
    error = refused.json()["@error"]
    assert error["@message"] == "Too much requests"
    assert error["@rateLimit"] == {
        "RateLimit-Limit": 3,
        "RateLimit-Remaining": 0,
        "RateLimit-Reset": limited + 30,
        "Retry-After": 30,
    }


def test_another_endpoint_counts_apart_until_the_address_has_had_enough(at, limited):
    answers = [
        at.get(path).status_code for path in ("profiles", "callbacks", "listeners", "overview", "profiles", "profiles")
    ]
    assert answers == [200, 200, 200, 200, 200, 429]


def test_without_the_setting_nobody_counts(at, limited, settings):
    settings.EVENTS_RATE_LIMITS = False
    assert all(at.get("profiles").status_code == 200 for _ in range(8))
