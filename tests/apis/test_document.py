"""What clients generated from the OpenAPI document need: names that stay apart, words, separate requests."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.apis.routes import METHODS, document

REFERENCE = re.compile(r"'#/components/schemas/(\w+)'")
SCHEMAS: dict[str, Any] = document()["components"]["schemas"]
OPERATIONS = [item[method] for item in document()["paths"].values() for method in METHODS if method in item]


def inside(part: Any) -> Iterator[dict[str, Any]]:
    """All objects of a part of the document."""
    if isinstance(part, dict):
        yield part
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from inside(value)


def reached_from(part: Any) -> set[str]:
    """The schemas that a part of the document refers to, at any depth."""
    found: set[str] = set()
    new = set(REFERENCE.findall(str(part)))
    while new:
        found |= new
        new = {name for known in new for name in REFERENCE.findall(str(SCHEMAS[known]))} - found
    return found


ANSWERED = reached_from([operation["responses"] for operation in OPERATIONS])
SENT = reached_from([operation.get("requestBody") for operation in OPERATIONS])


def as_identifier(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").lower()


def test_operations_have_names_that_are_words():
    names = [operation["operationId"] for operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch("[a-z0-9]+(_[a-z0-9]+)*", name)] == []
    assert {"phones_list", "phone_profiles_switch", "events_callbacks_create", "phones_status_check"} <= set(names)


def test_every_operation_and_answer_is_described():
    for operation in OPERATIONS:
        assert operation["description"].strip(), operation["operationId"]
        for status, answer in operation["responses"].items():
            assert answer["description"].strip(), (operation["operationId"], status)


def test_the_document_says_where_the_portal_is():
    assert document()["servers"][0]["url"] == "/"


def test_no_two_members_or_parameters_become_one_name():
    named = [part["properties"] for part in inside(document()) if isinstance(part.get("properties"), dict)]
    parameters = [[one["name"] for one in operation.get("parameters", [])] for operation in OPERATIONS]
    for names in [*named, *parameters]:
        assert len({as_identifier(name) for name in names}) == len(names), names
    assert len({as_identifier(name) for name in SCHEMAS}) == len(SCHEMAS)


def test_requests_and_answers_are_separate():
    for name in ANSWERED & SENT:
        members = SCHEMAS[name].get("properties", {}).values()
        assert not any(member.get("readOnly") or member.get("writeOnly") for member in members), name
    assert not any(member.get("writeOnly") for name in ANSWERED for member in inside(SCHEMAS[name]))
    assert not any(member.get("readOnly") for name in SENT for member in inside(SCHEMAS[name]))
    # What may be left out of a request stands in the answer all the same.
    assert "name" not in SCHEMAS["PhoneRecordRequest"]["required"]
    assert {"name", "uuid", "created_at"} <= set(SCHEMAS["PhoneRecord"]["required"])


@pytest.mark.parametrize("combination", ["oneOf", "anyOf"])
def test_objects_in_unions_have_names(combination):
    for part in inside(document()):
        for one in part.get(combination, []):
            assert one.get("type") != "object", part


def test_colons_are_explained():
    for name in ("SubscriptionRecord", "SubscriptionRecordRequest"):
        assert "colon" in SCHEMAS[name]["properties"][":tags"]["description"]


def test_lists_of_rows_are_csv():
    for path in ("phones", "phone-profiles", "notification-contacts"):
        sheet = document()["paths"][f"/api/v1/{path}.csv"]
        assert sheet["get"]["responses"]["200"]["content"]["text/csv"]["schema"]["type"] == "string"
        assert sheet["post"]["requestBody"]["content"]["application/octet-stream"]["schema"]["format"] == "binary"
        assert "text/csv" in sheet["post"]["description"]
