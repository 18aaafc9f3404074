"""Over all routes of the OpenAPI document: rows of another account are not there; no credential, no way in."""

import pytest

from tests.apis.conftest import everything
from tests.apis.routes import (
    EVENTS,
    LISTS,
    NAMED,
    OF_GATEWAYS,
    OF_NOBODY,
    WITHHELD,
    is_error_of_its_dialect,
    names_a_row,
    operations,
    url_of,
)

pytestmark = pytest.mark.django_db

# A body that would do, where the body is looked at before the row is.
OPEN = {
    *("/api/v1/auth/login", "/api/v1/auth/refresh", "/api/2.0/accounts/action/"),
    *("/v4/ping", "/v4/oauth/access-token"),
}


def test_every_route_has_its_line():
    known = LISTS.keys() | OF_NOBODY
    gets = {path for method, path, _ in operations() if method == "get"}
    braced = {path for _, path, _ in operations() if "{" in path.replace("{voip_id}", "")}
    assert {path for path in gets if not names_a_row(path)} == known
    assert {path for path in braced if not names_a_row(path)} <= LISTS.keys()
    for prefix in NAMED:
        assert any(path.startswith(prefix) for _, path, _ in operations()), f"{prefix} is no route any more"


def test_a_row_of_another_account_is_not_there(stranger, owner, charlie, rows):
    before = everything()
    for method, path, _ in operations():
        if not names_a_row(path) or path in OF_GATEWAYS:
            continue
        url = url_of(path, rows, voip_id=charlie.account.voip_id)
        response = stranger.send(method, url, None if method == "get" else {})
        expected = 403 if (method, path) in WITHHELD else 404
        assert response.status_code == expected, (method, url, response.status_code, response.content)
        is_error_of_its_dialect(response)
    assert everything() == before
    for method, path, _ in operations():
        if method == "get" and names_a_row(path):
            # And it is there for those whose it is: nothing above was a slip of the pen.
            url = url_of(path, rows, voip_id=rows["voip_id"])
            there = (403,) if (method, path) in WITHHELD else (200, 400, 409)
            assert owner.send("get", url).status_code in there, url


def test_a_list_shows_nothing_of_another_account(stranger, owner, charlie, rows):
    for path, row in LISTS.items():
        for caller, voip_id, there in ((owner, rows["voip_id"], True), (stranger, charlie.account.voip_id, False)):
            response = caller.send("get", url_of(path, rows, voip_id=voip_id, user_uuid=rows["user"]))
            if ("get", path) in WITHHELD:
                assert response.status_code == 403, path
                continue
            assert response.status_code == 200, (path, response.getvalue())
            assert (str(rows[row]) in response.getvalue().decode()) is there, (path, response.getvalue())


def test_the_events_of_another_account_are_closed(stranger, rows):
    for method, path, _ in operations():
        if path.startswith(EVENTS):
            response = stranger.send(
                method, url_of(path, rows, voip_id=rows["voip_id"]), None if method == "get" else {}
            )
            assert response.status_code == 403, (method, path)
            is_error_of_its_dialect(response)


def test_without_a_credential_there_is_nothing(client, rows):
    before = everything()
    for method, path, _ in operations():
        if path in OPEN:
            continue
        url = url_of(path, rows, voip_id=rows["voip_id"], user_uuid=rows["user"])
        response = getattr(client, method)(url, *([] if method == "get" else [{}]), content_type="application/json")
        assert response.status_code == 401, (method, path, response.status_code)
        is_error_of_its_dialect(response)
        assert response["WWW-Authenticate"], path
    assert everything() == before


# What a body names, by the route and what it would do to rows of one's own.
REFERENCES = [
    ("post", "/api/v1/phone-profiles", {"user_uuid": "user", "name": "=x", "cnf_xml": "=<device/>"}),
    ("post", "/api/v1/phone-profiles/switch", {"profile_uuid": "phone_profile", "mac": "mac"}),
    ("post", "/api/v1/deployments", {"profile_uuid": "phone_profile", "macs": ["mac"]}),
    ("post", "/api/v1/rollouts", {"profile_uuid": "phone_profile", "macs": ["mac"]}),
    ("post", "/api/v1/phones", {"mac": "=020000000001", "file_server": "file_server"}),
    ("post", "/api/v1/phones", {"mac": "=020000000001", "call_manager": "call_manager"}),
    ("post", "/api/v1/phones", {"mac": "=020000000001", "account": "voip_id"}),
    ("post", "/api/v1/users", {"email": "=x@y.example", "password": "=tr0ub4dor&3", "account": "voip_id"}),
    ("post", "/api/v1/extensions", {"number": 7, "account": "voip_id"}),
    ("post", "/api/v1/file-servers", {"name": "=x", "host": "=h", "account": "voip_id"}),
    ("post", "/api/v1/call-managers", {"name": "=x", "kind": "=sip", "host": "=h", "account": "voip_id"}),
    ("put", "/api/2.0/notification_preferences/", {"contact": "contact", "type": "=system", "medium": "=email"}),
    ("post", "/backend/api/v1/myAccountCustomerProfiles/", {"name": "=x", "customerID": "voip_id"}),
    ("patch", "/rest/profile/messaging", {"uuid": "messaging_profile", "name": "=x"}),
    ("delete", "/rest/profile/messaging", {"uuid": "messaging_profile"}),
    ("patch", "/rest/profile/outbound_voice", {"uuid": "voice_profile", "name": "=x"}),
    ("delete", "/rest/profile/outbound_voice", {"uuid": "voice_profile"}),
    ("post", "/rest/sip/app", {"name": "=x", "outbound_voice_profile": "voice_profile"}),
    ("post", "/rest/tnorder", {"messaging_profile": "messaging_profile"}),
    ("post", "/rest/tnorder", {"sip_connection": "sip_connection"}),
    (
        "post",
        f"{EVENTS}/callbacks",
        {"name": "=x", "config": {"url": "=http://127.0.0.1:9"}, "profile_id": "event_profile"},
    ),
    ("post", f"{EVENTS}/listeners", {"callback_id": "callback"}),
]


def filled(value, rows):
    if isinstance(value, dict):
        return {name: filled(item, rows) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, rows) for item in value]
    if not isinstance(value, str):
        return value
    return value[1:] if value.startswith("=") else rows[value] if isinstance(rows[value], int) else str(rows[value])


def test_a_body_cannot_name_a_row_of_another_account(stranger, charlie, rows):
    """All of them within one test, for which the rows are made once."""
    before = everything()
    for method, path, body in REFERENCES:
        print(method, path, body)
        url = url_of(path, rows, voip_id=charlie.account.voip_id)
        is_error_of_its_dialect(stranger.send(method, url, filled(body, rows)))
        assert everything() == before
