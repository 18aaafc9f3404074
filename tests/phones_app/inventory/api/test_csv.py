"""`/phones.csv` and its siblings: export, edit, import over REST; all or nothing, every error with row and column."""

import pytest

from contacts_app.contacts.models.contact import NotificationContact
from phones_app.inventory.models import Phone
from tests.phones_app.rest import of_token

pytestmark = pytest.mark.django_db
SHEETS = ("phones.csv", "phone-profiles.csv", "notification-contacts.csv")


def exported(api, path: str) -> bytes:
    response = api.get(path)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return b"".join(response.streaming_content)


def send(api, path: str, content: bytes | str, content_type: str = "text/csv"):
    return api.client.post(f"/api/v1/{path}", content, content_type=content_type, headers=api.headers)


@pytest.mark.parametrize("path", SHEETS)
def test_unedited_export_changes_nothing(api, phone, alice, path):
    api.create_profile(alice)
    content = exported(api, path)
    rows = len(content.splitlines()) - 1
    for content_type in ("text/csv", "application/octet-stream"):
        response = send(api, path, content, content_type)
        assert response.status_code == 200
        assert response.json()["data"] == {"created": 0, "updated": 0, "unchanged": rows, "stored": True}
    assert rows == 1


def test_phones_are_edited_and_the_history_says_by_whom(api, phone, alice):
    edited = exported(api, "phones.csv").replace(b"8845", b"8851")
    checked = send(api, "phones.csv?dry_run=true", edited).json()["data"]
    assert checked == {"created": 0, "updated": 1, "unchanged": 0, "stored": False}
    phone.refresh_from_db()
    assert phone.model == "8845"
    assert send(api, "phones.csv", edited).json()["data"]["stored"]
    phone.refresh_from_db()
    assert phone.model == "8851"
    latest = phone.history.latest()
    assert (latest.history_channel, latest.history_actor) == ("rest", alice.email)


def test_every_error_is_answered_and_nothing_stored(api, phone):
    response = send(api, "phones.csv", "mac,sip_port,oops\n020000000001,5060,\nbad,0,\n")
    body = response.json()
    assert (response.status_code, body["success"]) == (400, False)
    assert [(one["row"], one["column"]) for one in body["errors"]] == [(1, "oops"), (3, "mac"), (3, "sip_port")]
    assert Phone.objects.count() == 1


def test_another_tenant_gets_nothing_and_changes_nothing(stranger, phone, acme, alice, api):
    profile = api.create_profile(alice)
    contact = NotificationContact.objects.get(account=acme)
    for path in SHEETS:
        assert b"cme" not in exported(stranger, path)
    for path, row in (
        ("phones.csv", "mac,name\nAABBCCDDEE01,x\n"),
        ("phone-profiles.csv", f"uuid,name\n{profile['uuid']},x\n"),
        ("notification-contacts.csv", f"uuid,name\n{contact.uuid},x\n"),
    ):
        assert send(stranger, path, row).status_code == 400


@pytest.mark.parametrize("path", SHEETS)
def test_only_for_those_who_manage_the_account_and_may_write(nobody, colleague, acme, path):
    reader = of_token(account=acme, read_only=True, name="reader")
    assert [caller.get(path).status_code for caller in (nobody, colleague, reader)] == [401, 403, 200]
    assert [send(caller, path, "mac\n").status_code for caller in (nobody, colleague, reader)] == [401, 403, 403]


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", "text/csv", 400),
        (b"\xff\x00", "text/csv", 400),
        (b"{}", "application/json", 415),
        (b"mac\n" + b"0" * 33_554_432, "text/csv", 413),
    ],
)
def test_bad_bodies_are_the_dialects_own_errors(api, content, content_type, status):
    response = send(api, "phones.csv", content, content_type)
    assert (response.status_code, response.json()["success"]) == (status, False)


def test_impossible_dry_run_stores_nothing(api, acme):
    assert send(api, "phones.csv?dry_run=perhaps", "mac\n020000000001\n").status_code == 400
    assert not Phone.objects.exists()
