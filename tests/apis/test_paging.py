"""No list of /api/v1 is without pages, but what cannot be long; and those whose document knows no pages are streamed."""

import json
from typing import Any

import pytest

from contacts_app.core.api import viewset
from profiles_app.phone.models import PhoneProfile
from tests.apis.routes import document
from tests.phones_app.rest import of

# Lists without pages, and why they need none.
SHORT = {
    "/api/v1/me/cisco-services/personal": "one person's directory, as a phone shows it",
    "/api/v1/me/phones": "one person's phones",
    "/api/v1/permissions": "levels that the code knows",
    "/api/v1/phones/{mac}/keys": "the keys of one phone",
    "/api/v1/phones/{mac}/status-pages": "the pages of one phone",
    "/api/v1/settings": "settings that the code knows",
}
# Rows of many tables, which no offset finds: each page names the place of the next one.
BY_PLACE = {"/api/v1/changes"}
# Their document shows neither pages nor metadata (phone profiles spec §2).
STREAMED = {"/api/v1/phone-profiles", "/api/v1/phone-profiles/user/{user_uuid}"}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def lists() -> dict[str, set[str]]:
    """The routes whose answer is a list, with the names of their parameters."""
    found = {}
    for path, methods in document()["paths"].items():
        operation = methods.get("get", {})
        content = operation.get("responses", {}).get("200", {}).get("content", {})
        if not path.startswith("/api/v1/") or "application/json" not in content:
            continue
        whole = resolved(content["application/json"]["schema"])
        data = resolved(whole.get("properties", {}).get("data", {}))
        if "array" in (whole.get("type"), data.get("type")):
            found[path] = {parameter["name"] for parameter in operation.get("parameters", [])}
    return found


def test_every_list_has_pages_or_is_known_to_need_none():
    assert len(lists()) > 20
    without = {path for path, names in lists().items() if not names >= {"limit", "offset"}}
    assert without == SHORT.keys() | STREAMED | BY_PLACE
    assert all(lists()[path] >= {"limit", "after"} for path in BY_PLACE)


@pytest.mark.parametrize("where", ["phone-profiles", "phone-profiles/user/{uuid}"])
def test_a_long_list_without_pages_is_streamed(alice, bob, where, monkeypatch):
    monkeypatch.setattr(viewset, "LONGEST", 2)
    PhoneProfile.objects.bulk_create(
        PhoneProfile(user=alice, name=f"Desk “{place}”", software_type="SIP", compatible_models=["8845"])
        for place in range(5)
    )
    url = where.format(uuid=alice.uuid)
    answer = of(alice).get(url)
    assert answer.streaming
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    parts = list(answer.streaming_content)
    assert len(parts) > 5
    monkeypatch.setattr(viewset, "LONGEST", 5)
    whole = of(alice).get(url)
    assert not whole.streaming
    assert b"".join(parts) == whole.content
    assert len(json.loads(whole.content)["data"]) == 5
    PhoneProfile.objects.all().delete()
    assert of(alice).get(url).json()["data"] == []
