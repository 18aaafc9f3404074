"""Every route of the OpenAPI document, which rows its URL names, and how its dialect words an error.

A new route needs a line here: which row its URL names, what of a tenant its answer shows, or that it shows nothing.
"""

import json
import re
from functools import cache
from typing import Any

import yaml
from django.conf import settings

METHODS = ("get", "post", "put", "patch", "delete")
EVENTS = "/v4/accounts/{voip_id}/integrations/events"

# The row that stands in the URL, by the path where it does; longer paths inherit it.
NAMED = {
    "/api/2.0/notification_contacts/{uuid}/": {"uuid": "contact"},
    "/api/v1/call-managers/{uuid}": {"uuid": "call_manager"},
    "/api/v1/calls/{uuid}": {"uuid": "call"},
    "/api/v1/deployments/{uuid}": {"uuid": "deployment"},
    "/api/v1/directory-entries/{uuid}": {"uuid": "directory_entry"},
    "/api/v1/enrolment-codes/{uuid}": {"uuid": "enrolment_code"},
    "/api/v1/enrolment-requests/{uuid}": {"uuid": "enrolment_request"},
    "/api/v1/extensions/{id}": {"id": "extension"},
    "/api/v1/file-servers/{uuid}": {"uuid": "file_server"},
    "/api/v1/files/{uuid}": {"uuid": "shared_file"},
    "/api/v1/firmware/{uuid}": {"uuid": "firmware"},
    "/api/v1/key-layouts/{uuid}": {"uuid": "key_layout"},
    "/api/v1/layers/{uuid}": {"uuid": "layer"},
    "/api/v1/left-files/{id}": {"id": "left_file"},
    "/api/v1/lines/{uuid}": {"uuid": "line"},
    "/api/v1/mobility/sessions/{uuid}": {"uuid": "mobility_session"},
    "/api/v1/me/directory-entries/{uuid}": {"uuid": "directory_entry"},
    "/api/v1/phone-profiles/{uuid}": {"uuid": "phone_profile", "number": "revision"},
    "/api/v1/phones/{mac}": {"mac": "mac"},
    "/api/v1/rollouts/{uuid}": {"uuid": "rollout"},
    "/api/v1/templates/{uuid}": {"uuid": "template"},
    "/api/v1/users/{uuid}": {"uuid": "user"},
    "/backend/api/v1/customers/{customer_id}/": {"customer_id": "voip_id"},
    "/backend/api/v1/myAccountCustomerProfiles/{profile_id}": {"profile_id": "myaccount_profile"},
    "/rest/lease/tn/{uuid}": {"uuid": "lease"},
    "/rest/profile/messaging/{uuid}": {"uuid": "messaging_profile"},
    "/rest/profile/outbound_voice/{uuid}": {"uuid": "voice_profile"},
    "/rest/sip/app/{uuid}": {"uuid": "sip_app"},
    "/rest/sip/connection/{uuid}": {"uuid": "sip_connection"},
    "/rest/tnorder/{uuid}": {"uuid": "number_order"},
    "/rest/profile/outbound_voice/{uuid}/admission": {"uuid": "voice_profile", "reservation": "reservation"},
    "/rest/sms/{uuid}": {"uuid": "message"},
    "/rest/token/{token}": {"token": "token"},
    f"{EVENTS}/callbacks/{{id}}": {"id": "callback"},
    f"{EVENTS}/listeners/{{id}}": {"id": "listener"},
    f"{EVENTS}/listeners/{{listener_id}}/": {"listener_id": "listener"},
    f"{EVENTS}/listeners/{{listener_id}}/filters/{{id}}": {"id": "filter", "listener_id": "listener"},
    f"{EVENTS}/listeners/{{listener_id}}/subscriptions/{{id}}": {"id": "subscription", "listener_id": "listener"},
    f"{EVENTS}/profiles/{{id}}": {"id": "event_profile"},
}
# Lists, and the row of the tenant that its owner finds there: by the name of the row, what the answer shows of it.
LISTS = {
    "/api/2.0/notification_contacts/": "contact",
    "/api/2.0/notification_contacts/detail/": "contact",
    "/api/2.0/notification_preferences/": "contact",
    "/api/v1/call-managers": "call_manager",
    "/api/v1/calls": "call",
    "/api/v1/calls.csv": "call_id",
    "/api/v1/changes": "extension_name",
    "/api/v1/deployments": "deployment",
    "/api/v1/directory-entries": "directory_entry",
    "/api/v1/directory-entries.csv": "directory_entry",
    "/api/v1/enrolment-codes": "enrolment_code",
    "/api/v1/enrolment-requests": "enrolment_request",
    "/api/v1/extensions": "voip_id",
    "/api/v1/file-servers": "file_server",
    "/api/v1/files": "shared_file",
    "/api/v1/firmware": "firmware",
    "/api/v1/key-layouts": "key_layout",
    "/api/v1/layers": "layer",
    "/api/v1/left-files": "left_reason",
    "/api/v1/lines": "line",
    "/api/v1/lines.csv": "line_label",
    "/api/v1/me": "user",
    "/api/v1/me/cisco-services/personal": "extension_name",
    "/api/v1/me/directory-entries": "directory_entry",
    "/api/v1/me/phones": "shown_mac",
    "/api/v1/mobility/sessions": "mobility_session",
    "/api/v1/mobility/sessions.csv": "shown_mac",
    "/api/v1/notification-contacts.csv": "account_email",
    "/api/v1/phone-profiles": "phone_profile",
    "/api/v1/phone-profiles.csv": "phone_profile_name",
    "/api/v1/phone-profiles/user/{user_uuid}": "phone_profile",
    "/api/v1/phones": "shown_mac",
    "/api/v1/phones.csv": "shown_mac",
    "/api/v1/rollouts": "rollout",
    "/api/v1/templates": "template",
    "/api/v1/users": "user",
    "/backend/api/v1/myAccountCustomerProfiles/": "myaccount_name",
    "/rest/auth": "account_email",
    "/rest/lease/tn": "lease",
    "/rest/profile/messaging": "messaging_profile",
    "/rest/profile/outbound_voice": "voice_profile",
    "/rest/sip/app": "sip_app",
    "/rest/sip/connection": "sip_connection",
    "/rest/tnorder": "number_order",
    "/rest/sms": "message",
    "/rest/token/list": "token",
    f"{EVENTS}/callbacks": "callback_name",
    f"{EVENTS}/listeners": "listens",
    f"{EVENTS}/overview": "callback_name",
    f"{EVENTS}/profiles": "event_profile_name",
}
# What a route wants in its query before it looks for the row.
QUERIES = {
    "/api/2.0/accounts/action/": "?do=login",
    "/api/v1/phone-profiles/{uuid}/preview": "?mac={mac}",
    "/api/v1/phone-profiles/{uuid}/revisions/compare": "?from=1&to=1",
    "/api/v1/phones/{mac}/log-file": "?name=/FS/messages",
}
# What no account may do for itself: refused whatever the body says.
FORBIDDEN = {("put", "/backend/api/v1/customers/{customer_id}/myAccountProfile")}
# The same, and before it is looked whose the row is: only people who were given the permission by name (`rights.toml`).
WITHHELD = {
    *(("get", f"/api/v1/phones/{{mac}}/{part}") for part in ("keys", "log", "log-file", "screen", "status-pages")),
    ("post", "/api/v1/phones/{mac}/keys"),
    # For those who may open the admin, of an account too: `tests/contacts_app/core/history/test_changes_api.py`.
    ("get", "/api/v1/changes"),
}
FORBIDDEN |= WITHHELD
# What is asked with the credential of a message gateway; any other one is a 401, before all else.
OF_GATEWAYS = {"/rest/sms/{uuid}/receipt"}
# GET routes that show nothing of any tenant.
OF_NOBODY = {
    "/api/2.0/notification_contacts/schema/",
    "/api/v1/default-file",
    "/api/v1/permissions",
    "/api/v1/rates.csv",
    "/api/v1/settings",
    "/backend/api/v1/presetValues",
    "/rest/tn",  # the operator's stock
    "/v4/oauth/access-token",
    "/v4/oauth/access-token/details",
    "/v4/ping",
}


@cache
def document() -> dict[str, Any]:
    """Read once, by the reader in C where PyYAML has it: the other one takes a second, in each process."""
    text = (settings.BASE_DIR / "docs" / "openapi.yaml").read_text()
    loaded: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path, and what the document says; the events of extensions stand for those of accounts, too."""
    return [
        (method, path, item[method])
        for path, item in document()["paths"].items()
        for method in METHODS
        if method in item and "{extension_id}" not in path
    ]


def rows_of(path: str) -> dict[str, str]:
    """Which row stands where in the URL."""
    best = max((prefix for prefix in NAMED if path.startswith(prefix)), key=len, default="")
    return NAMED.get(best, {})


def names_a_row(path: str) -> bool:
    return bool(rows_of(path))


def url_of(path: str, rows: dict[str, Any], **fixed: Any) -> str:
    named = {name: rows[key] for name, key in rows_of(path).items()} | fixed
    template = path + QUERIES.get(path, "")
    return re.sub(r"{(\w+)}", lambda found: str((rows | named)[found[1]]), template)


def is_error_of_its_dialect(response: Any, statuses: range = range(400, 500)) -> None:
    """JSON in the words of the dialect that the URL belongs to, never HTML, never our fault."""
    path, status = response.wsgi_request.path, response.status_code
    assert status in statuses, (path, status, response.content[:300])
    assert response["Content-Type"].startswith("application/json"), (path, response["Content-Type"])
    body = json.loads(response.content)
    if path.startswith("/api/2.0/"):
        assert body
        assert all(error.keys() == {"error_message", "error_point", "error_type"} for error in body)
    elif path.startswith("/backend/"):
        assert body.keys() == {"error"}
        assert body["error"].keys() == {"code", "message", "fields"}
    elif path.startswith("/rest/"):
        assert body.keys() == {"success", "message", "status"}
        assert (body["success"], body["status"]) == (False, status)
    elif path.startswith("/v4/"):
        assert body["@error"]["@httpStatusCode"] == status
    else:
        assert path.startswith("/api/v1/")
        assert body["success"] is False
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", body["code"]), body
        assert body.keys() <= {"success", "code", "message", "errors"}
