"""Whatever is sent: an error in this dialect's words with the right status, and nothing stored."""

import pytest

from contacts_app.accounts.models import Extension
from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.people.models import User
from tests.contacts_app.contacts.api.conftest import CONTACTS, PREFERENCES, Api, basic, of_token, refused

pytestmark = pytest.mark.django_db

GOOD = {"email": "good@acme.example"}

WRONG_VALUES = [
    ("email", ""),
    ("email", None),
    ("email", 5),
    ("email", ["a@b"]),
    ("email", "nobody"),
    ("email", "@acme.example"),
    ("email", "a@"),
    ("email", "a@b@c"),
    ("email", "a b@acme.example"),
    ("email", " a@acme.example"),
    ("email", "a@acme.example\n"),
    ("email", "a\x00@acme.example"),
    ("email", "a" * 243 + "@acme.example"),
    ("name", 5),
    ("name", True),
    ("name", {"first": "Ann"}),
    ("name", "x" * 256),
    ("name", "a\x00b"),
    ("phone", 11235551234),
    ("phone", "12"),
    ("phone", "+"),
    ("phone", "++4420794609"),
    ("phone", "44+20794609"),
    ("phone", "1" * 21),
    ("phone", "1 " * 20 + "1"),
    ("phone", "ask Ann"),
    ("phone", "٠١٢٣٤"),
    ("phone", "123\x00456"),
]


@pytest.mark.parametrize(("field", "value"), WRONG_VALUES)
def test_a_wrong_value_is_refused_and_nothing_of_the_bulk_is_stored(api, field, value):
    refused(api.post({"objects": [GOOD, GOOD | {field: value}]}), 400, "validation", field)
    assert len(api.list()) == 1


@pytest.mark.parametrize(("field", "value"), WRONG_VALUES)
def test_a_wrong_value_changes_nothing(api, second, field, value):
    refused(api.put(second["resource_uri"], {"name": "Other", field: value}), 400, "validation", field)
    assert api.get(path=second["resource_uri"]).json() == second


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "a@b", "name": "", "phone": ""},
        {"email": "ANN@acme.example", "name": "Änn  ", "phone": None},
        {"email": "a" * 241 + "@acme.example", "name": "x" * 255, "phone": "1" * 20},
        {"phone": "00 44.20\t7946-0958"},
        {"phone": "112"},
        {"uuid": "x", "resource_uri": 5, "main": True, "pk": None},
    ],
)
def test_everything_else_is_stored_as_it_came(api, fields):
    created = api.create(**fields)
    kept = {name: value for name, value in fields.items() if name in ("email", "name")}
    assert created | kept == created
    assert created["main"] is None
    assert created["phone"] == (fields.get("phone") or "").translate(str.maketrans("", "", " \t.-"))


def test_each_bad_member_is_named_by_its_field(api):
    answer = api.post({"objects": [{"name": 5}, GOOD, {"email": "x", "phone": "y"}, "text"]})
    refused(answer, 400, "validation", "email", "name", "email", "phone", None)


@pytest.mark.parametrize(
    ("body", "point"),
    [
        ("", "email"),
        ("[]", None),
        ('"text"', None),
        ("null", None),
        ("5", None),
        ("{}", "email"),
        ('{"objects": []}', "objects"),
        ('{"objects": {"email": "a@b"}}', "objects"),
        ('{"objects": null}', "objects"),
        ('{"objects": [null]}', None),
        ('{"objects": [[]]}', None),
        ('{"email": "a@b", "email": NaN}', None),
        ('{"name": "\\ud800", "email": "a@b"}', None),
        (b'{"name": "\xff"}', None),
        ("[" * 100_000, None),
        ('{"email": ', None),
    ],
)
def test_a_body_that_is_no_contact_is_refused(api, body, point):
    refused(api.post(body), 400, "validation", point)
    assert len(api.list()) == 1


def test_one_contact_may_come_without_the_envelope(api):
    answer = api.post(GOOD)
    assert answer.status_code == 201
    assert [contact["email"] for contact in answer.json()["objects"]] == ["good@acme.example"]


def test_an_edit_of_nothing_is_no_mistake(api, second):
    for body in ({}, {"uuid": "x", "main": True}):
        assert api.put(second["resource_uri"], body).json() == second | {"pk": second["uuid"]}
    refused(api.put(second["resource_uri"], {"name": "x", "colour": "red"}), 400, "validation", "colour")
    for body in ("[]", "null", '"x"'):
        refused(api.put(second["resource_uri"], body), 400, "validation", None)


@pytest.mark.parametrize("clear", ["", None, " - "])
def test_a_number_can_be_cleared(api, second, clear):
    assert api.put(second["resource_uri"], {"phone": clear}).json()["phone"] == ""


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 10 * 1024 * 1024])
def test_a_body_beyond_a_mebibyte_is_refused(api, size):
    body = '{"email": "a@b", "name": "' + "x" * size + '"}'
    refused(api.post(body), 413, "validation", None)
    refused(api.call("put", PREFERENCES, body), 413, "validation", None)
    assert len(api.list()) == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "x"])
def test_other_types_of_body_are_refused(api, content_type):
    answer = api.call("post", body='{"email": "a@b"}', content_type=content_type)
    refused(answer, 415, "validation", None)


@pytest.mark.parametrize("uuid", ["x", "0103f398-9f85-446a-a285-fe63cf9f0f28", "%00", "None", "detailed"])
def test_every_unknown_id_is_absent(api, uuid):
    for method, body in (("get", None), ("put", {}), ("delete", None)):
        refused(api.call(method, f"{CONTACTS}{uuid}/", body), 404, "notexist", None)


def test_unknown_urls_speak_the_dialect_too(api, nobody):
    for caller in (api, nobody):
        refused(caller.get(path="/api/2.0/servers/"), 404, "notexist", None)
    refused(api.get(path=f"{CONTACTS}a/b/"), 404, "notexist", None)


def test_a_uri_without_its_slash_is_as_good(api, second):
    assert api.get(path=CONTACTS.rstrip("/")).json()["meta"]["total_count"] == 2
    assert api.get(path=second["resource_uri"].rstrip("/")).json() == second
    assert api.post(GOOD, path=CONTACTS.rstrip("/")).status_code == 201


def test_the_methods_can_be_asked_for(api, second):
    for path, methods in ((CONTACTS, {"GET", "POST"}), (second["resource_uri"], {"GET", "PUT", "DELETE"})):
        answer = api.call("options", path)
        assert answer.status_code == 200
        assert methods <= set(answer.content.decode().split(","))
        assert methods <= {method.strip() for method in answer["Allow"].split(",")}


def test_every_answer_has_an_id_of_its_own(api, nobody):
    answers = [api.get(), api.get(), nobody.get(), api.get("?limit=x"), api.get(path="/api/2.0/x/")]
    assert len({answer["X-REQUEST-ID"] for answer in answers}) == len(answers)
    assert api.get(x_request_id="of-the-proxy-1")["X-REQUEST-ID"] == "of-the-proxy-1"
    assert api.get(x_request_id="<of nobody>")["X-REQUEST-ID"] != "<of nobody>"


def test_contacts_of_others_are_absent(api, stranger, second, main_uri):
    for uri in (second["resource_uri"], main_uri):
        for method, body in (("get", None), ("put", {"name": "x"}), ("delete", None)):
            refused(stranger.call(method, uri, body), 404, "notexist", None)
    assert [contact["email"] for contact in stranger.list()] == ["office@other.example"]
    assert stranger.list(f"?uuid={second['uuid']}") == []
    assert api.get(path=second["resource_uri"]).json() == second


def test_only_those_who_manage_the_account_know_its_contacts(bob, acme):
    extension = Extension.objects.create(account=acme, number=1001)
    for caller in (Api(basic(bob.email)), of_token(account=acme, extension=extension)):
        refused(caller.get(), 403, "permission", None)
        refused(caller.post(GOOD), 403, "permission", None)
    outsider = User.objects.create_user("nobody@example.org", "correct horse")
    refused(Api(basic(outsider.email)).get(), 403, "permission", None)


def test_every_credential_is_as_good_as_a_password(acme):
    token = of_token(account=acme)
    assert token.create()["email"] == "second@acme.example"
    assert len(token.list()) == 2
    same = Api()
    same.headers = {"X-Auth-Token": token.headers["Authorization"].split()[1]}
    assert len(same.list()) == 2


def test_a_token_that_may_only_read_only_reads(acme, main_uri):
    reader = of_token(account=acme, read_only=True)
    assert len(reader.list()) == 1
    for answer in (reader.post(GOOD), reader.put(main_uri, {"name": "x"}), reader.delete(main_uri)):
        refused(answer, 403, "permission", None)
    assert NotificationContact.objects.get().name == "Acme"


def test_staff_see_all_contacts_and_name_the_account_of_a_new_one(acme, other):
    staff = of_token()
    assert len(staff.list()) == 2
    assert [contact["name"] for contact in staff.list(f"?account={other.uuid}")] == ["Other"]
    refused(staff.post(GOOD), 400, "validation", "account")
    assert staff.post(GOOD, path=f"{CONTACTS}?account={other.uuid}").status_code == 201
    assert other.notification_contacts.count() == 2
    refused(staff.get("?account=x"), 400, "validation", "account")
    refused(staff.get("?account=0103f398-9f85-446a-a285-fe63cf9f0f28"), 404, "notexist", None)


def test_a_tenant_names_no_account_but_its_own(api, acme, other):
    assert [contact["name"] for contact in api.list(f"?account={acme.uuid}")] == ["Acme"]
    refused(api.get(f"?account={other.uuid}"), 404, "notexist", None)
    refused(api.post(GOOD, path=f"{CONTACTS}?account={other.uuid}"), 404, "notexist", None)
    refused(api.get("?account="), 400, "validation", "account")
