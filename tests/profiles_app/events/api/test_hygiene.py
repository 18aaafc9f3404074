"""Whatever is sent: the dialect's own error body with the right status, nothing stored (case 30 of the events spec)."""

import json

import pytest

from profiles_app.events.models.setup import Callback, EventProfile, Listener
from tests.profiles_app.events.api.test_profile import GOOD

LISTS = ["profiles", "callbacks", "listeners", "overview"]


@pytest.mark.parametrize(
    "path", ["", "snakes", "profiles/", "profiles/1/2", "callbacks/x", "listeners/x/filters", "overview/1"]
)
def test_case_30_an_unknown_path_is_not_found(at, path):
    response = at.get(path)
    assert response.status_code == 404
    assert response.json()["@error"]["@message"] == "Not found"


@pytest.mark.parametrize("path", ["/v4/", "/v4/accounts/x/integrations/events/profiles", "/v4/nothing"])
def test_case_30_so_it_is_above_the_accounts(at, path):
    assert at.get(path).status_code == 404


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_a_known_path_with_another_method_is_not_allowed(at, path, method):
    assert at.send(method, path).status_code == 405


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("name=n&support_email=a@example.org", "application/x-www-form-urlencoded", 415),
        ("<profile/>", "text/xml", 415),
        ("{}", "text/plain", 415),
        ("x" * 10_000_000, "application/json", 413),
        ("{", "application/json", 400),
        ("[{}]", "application/json", 400),
        ('{"name": NaN}', "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (json.dumps({"name": "a\x00", "support_email": "\x00", "callback_id": "\x00"}), "application/json", 422),
        ("{}", "application/json; charset=utf-16", 422),
    ],
)
def test_what_is_no_json_of_the_right_size_is_refused(at, path, body, content_type, status):
    response = at.http.generic("POST", f"{at.base}/{path}", body, content_type=content_type)
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response.json()["@error"]["@httpStatusCode"] == status
    for model in (Callback, EventProfile, Listener):
        assert not model.objects.exists()


def test_neither_accept_nor_format_matters(at):
    response = at.send("get", "profiles", query_params={"format": "xml"}, headers={"Accept": "text/html"})
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"


def test_nothing_is_stored_when_the_database_refuses(at, receiver, monkeypatch):
    """Express create is one transaction: what was written before a failure goes with it."""

    def fail(*_, **__):
        raise RuntimeError("the database is gone")

    monkeypatch.setattr(Listener.objects, "create", fail)
    wanted = {":callback": {"config": {"url": receiver.url}, ":profile": GOOD}, ":subscriptions": [{":tags": ["call"]}]}
    response = at.post("overview", wanted)
    assert response.status_code == 500
    assert response.json()["@error"]["@code"] == "oauth2.server_error"
    assert not Callback.objects.exists()
    assert not EventProfile.objects.exists()
