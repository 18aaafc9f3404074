"""Members of bodies: none is left out in silence, and what was read can be edited and sent back."""

import json
from typing import Any

import pytest

from tests.apis.conftest import everything
from tests.apis.routes import EVENTS, FORBIDDEN, OF_GATEWAYS, document, is_error_of_its_dialect, operations, url_of

pytestmark = pytest.mark.django_db

ODD_ONE = "no_such_member"
# OAuth has unknown parameters ignored (RFC 6749 §3.2).
IGNORES = {"/v4/oauth/access-token"}
# URLs that the provider's document prints without what names the row.
NAMED_IN_BODY = {"/rest/profile/messaging": "messaging_profile", "/rest/profile/outbound_voice": "voice_profile"}


@pytest.fixture
def urls(rows):
    return lambda path: url_of(path, rows, voip_id=rows["voip_id"], user_uuid=rows["user"])


def writes() -> list[tuple[str, str]]:
    return [
        (method, path)
        for method, path, said in operations()
        if "application/json" in said.get("requestBody", {}).get("content", {})
        and path not in IGNORES | OF_GATEWAYS
        and (method, path) not in FORBIDDEN
    ]


def test_an_unknown_member_is_refused_by_its_name(owner, urls, rows):
    before = everything()
    for method, path in writes():
        named = {"uuid": str(rows[NAMED_IN_BODY[path]])} if method != "post" and path in NAMED_IN_BODY else {}
        response = owner.send(method, urls(path), named | {ODD_ONE: 1})
        is_error_of_its_dialect(response)
        assert response.status_code in (400, 422), (method, path, response.status_code)
        assert ODD_ONE.encode() in response.content, (method, path, response.content[:300])
    assert everything() == before


def record_of(answer: Any) -> Any:
    """The record within the envelope of the dialect."""
    for name in ("data", "payload"):
        if name in answer:
            return answer[name]
    return answer


def test_what_was_read_can_be_sent_back(owner, urls):
    read = {path for method, path, _ in operations() if method == "get"}
    sent_back = 0
    for method, path in writes():
        if method not in ("put", "patch") or path not in read or "{" not in path.rpartition("/")[2].strip("/"):
            continue
        answer = owner.send("get", urls(path))
        assert answer.status_code == 200, path
        response = owner.send(method, urls(path), record_of(answer.json()))
        assert response.status_code == 200, (method, path, response.content[:300])
        sent_back += 1
    assert sent_back > 10, document()["info"]


def test_unknown_members_within_members_are_named_where_they_are(owner, rows, settings):
    settings.CALLBACK_NETWORKS = "127.0.0.0/8"
    base = EVENTS.format(voip_id=rows["voip_id"])
    overview = {"callback_id": rows["callback"], ":subscriptions": [{":tags": ["call"], "tagz": 1}]}
    for url, body, field in (
        (f"{base}/overview", overview, ":subscriptions.0.tagz"),
        (f"{base}/callbacks", {"config": {"url": "http://127.0.0.1:9/", "urll": "x"}}, "config.urll"),
        (f"{base}/listeners", {"callback_id": rows["callback"], "subscriptions": "x"}, "subscriptions"),
    ):
        response = owner.send("post", url, body)
        assert response.status_code == 422, response.content
        assert response.json()["@error"]["fields"] == {field: ["There is no such field."]}
    wrong = owner.send("post", f"{base}/overview", overview | {":subscriptions": "x"})
    assert ":subscriptions" in json.dumps(wrong.json()["@error"]["fields"])


def test_many_long_names_do_not_make_a_long_answer(owner):
    body = {f"{number}{'x' * 1000}": 1 for number in range(1000)}
    response = owner.send("post", "/api/v1/extensions", {"number": 5} | body)
    assert response.status_code == 400
    assert len(response.content) < 5_000


def test_a_misspelt_member_is_told_beside_others_that_are_wrong(owner):
    response = owner.send("post", "/api/v1/phones", {"mac": "AABBCCDDEE77", "modell": "8845"})
    assert (response.status_code, response.json()["errors"]) == (
        400,
        [{"field": "modell", "message": "There is no such field."}],
    )
