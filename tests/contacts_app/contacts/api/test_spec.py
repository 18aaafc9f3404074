"""The numbered conformance cases (notification contacts spec §11). Case 25 is `test_public_client`."""

import pytest

from tests.contacts_app.contacts.api.conftest import CONTACTS, MEMBERS, Api, basic, refused

pytestmark = pytest.mark.django_db

SENT = {"objects": [{"email": "some_email_2@example.com", "name": "Some Name 2", "phone": "+1 123 555 1234"}]}


def test_case_01_the_list_has_the_main_contact_in_the_documented_envelope(api):
    answer = api.get("?limit=0")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert answer.json().keys() == {"meta", "objects"}
    assert answer.json()["meta"] == {"limit": 0, "offset": 0, "total_count": 1}
    (only,) = answer.json()["objects"]
    assert only.keys() == MEMBERS
    assert (only["main"], only["phone"]) == (True, "")
    assert (only["email"], only["name"]) == ("office@acme.example", "Acme")
    assert list(only) == sorted(only)


def test_case_02_twenty_are_listed_if_nothing_is_said(api):
    assert api.get().json()["meta"]["limit"] == 20


def test_case_03_the_documented_contact_is_created(api):
    answer = api.post(SENT)
    assert answer.status_code == 201
    assert answer["Content-Type"].startswith("application/json")
    assert answer.json().keys() == {"objects"}
    (created,) = answer.json()["objects"]
    assert created.keys() == MEMBERS
    assert created["phone"] == "+11235551234"
    assert created["main"] is None
    assert created["resource_uri"] == f"{CONTACTS}{created['uuid']}/" == answer["Location"]


def test_case_04_two_are_created_in_the_order_of_the_request(api):
    answer = api.post({"objects": [{"email": "b@acme.example"}, {"email": "a@acme.example"}]})
    assert answer.status_code == 201
    first, second = answer.json()["objects"]
    assert (first["email"], second["email"]) == ("b@acme.example", "a@acme.example")
    assert first["uuid"] != second["uuid"]


def test_case_05_a_contact_without_email_is_refused(api):
    answer = api.post({"objects": [{"name": "x"}]})
    refused(answer, 400, "validation", "email")
    assert answer.json()[0]["error_message"] == "This field is required"


def test_case_06_half_a_body_is_refused(api):
    refused(api.post('{"objects": ['), 400, "validation", None)


def test_case_07_one_contact_is_a_bare_object(api, second):
    answer = api.get(path=second["resource_uri"])
    assert answer.status_code == 200
    assert answer.json() == second
    assert second.keys() == MEMBERS


def test_case_08_an_edit_keeps_what_is_not_sent(api, second):
    sent = {"email": "some_email_2@example.com", "name": "Some New Name"}
    answer = api.put(second["resource_uri"], sent)
    assert answer.status_code == 200
    assert answer.json() == second | sent | {"pk": second["uuid"]}
    assert answer.json()["phone"] == "+11235551234"


def test_case_09_the_key_is_in_the_answer_to_the_edit_alone(api, second):
    api.put(second["resource_uri"], {"name": "Some New Name"})
    assert api.get(path=second["resource_uri"]).json() == second | {"name": "Some New Name"}


def test_case_10_a_whole_record_can_be_put_back(api, second):
    answer = api.put(second["resource_uri"], second)
    assert answer.status_code == 200
    assert answer.json() == second | {"pk": second["uuid"]}
    assert api.put(second["resource_uri"], answer.json()).json() == answer.json()


def test_case_11_no_edit_moves_the_main_mark(api, second, main):
    assert api.put(second["resource_uri"], {"main": True}).json()["main"] is None
    assert [contact["uuid"] for contact in api.list() if contact["main"]] == [str(main.uuid)]


def test_case_12_an_edited_number_is_made_compact_too(api, second):
    answer = api.put(second["resource_uri"], {"phone": "(020) 7946-0958"})
    assert answer.status_code == 200
    assert answer.json()["phone"] == "02079460958"


def test_case_13_a_delete_answers_with_nothing(api, second):
    answer = api.delete(second["resource_uri"])
    assert answer.status_code == 204
    assert answer.content == b""
    assert answer["Content-Type"] == "text/html; charset=utf-8"


def test_case_14_what_was_deleted_is_absent(api, second):
    api.delete(second["resource_uri"])
    for method, body in (("get", None), ("put", {"name": "x"}), ("delete", None)):
        answer = api.call(method, second["resource_uri"], body)
        refused(answer, 404, "notexist", None)
        assert answer.json()[0]["error_message"] == f"Object with uuid {second['uuid']} does not exist"


def test_case_15_the_main_contact_cannot_be_deleted(api, main_uri):
    refused(api.delete(main_uri), 403, "permission", None)
    assert [contact["resource_uri"] for contact in api.list()] == [main_uri]


def test_case_16_the_last_page_holds_the_rest(api):
    api.post({"objects": [{"email": f"{n}@acme.example"} for n in range(24)]})
    answer = api.get("?limit=10&offset=20").json()
    assert len(answer["objects"]) == 5
    assert answer["meta"] == {"limit": 10, "offset": 20, "total_count": 25}


def test_case_17_fields_choose_the_members(api, second):
    for query in ("?limit=0&fields=uuid,email", "?limit=0&fields=uuid%2Cemail"):
        answer = api.get(query).json()
        assert [contact.keys() for contact in answer["objects"]] == [{"uuid", "email"}] * 2
        assert answer["meta"] == {"limit": 0, "offset": 0, "total_count": 2}


@pytest.mark.parametrize(("query", "point"), [("?limit=-1", "limit"), ("?offset=x", "offset")])
def test_case_18_impossible_pages_are_refused(api, query, point):
    refused(api.get(query), 400, "validation", point)


def test_case_19_who_is_nobody_is_challenged(nobody, alice):
    for caller in (nobody, Api(basic(alice.email, "wrong"))):
        answer = caller.get()
        refused(answer, 401, "permission", None)
        assert answer["WWW-Authenticate"] == 'Basic realm="users"'


def test_case_20_the_resource_describes_itself(api):
    description = api.get("schema/").json()
    assert description["default_limit"] == 20
    assert description["allowed_list_http_methods"] == ["get", "post"]
    assert description["allowed_detail_http_methods"] == ["get", "put", "delete"]
    assert description["fields"].keys() == MEMBERS
    assert description["fields"]["email"]["type"] == "string"
    entry = {"blank", "default", "help_text", "nullable", "readonly", "type", "unique"}
    assert all(field.keys() == entry for field in description["fields"].values())
    read_only = {name for name, field in description["fields"].items() if field["readonly"]}
    assert read_only == {"uuid", "resource_uri", "main"}


def test_case_21_the_long_form_is_as_the_list(api, second):
    assert api.get("detail/?limit=0").json() == api.get("?limit=0").json()
    refused(api.post(SENT, path=CONTACTS + "detail/"), 405, "validation", None)


def test_case_22_only_json_can_be_had(api):
    refused(api.get(accept="image/png"), 406, "validation", None)
    refused(api.get("?format=xml"), 406, "validation", None)
    refused(api.get("?format=json&format=xml", accept="*/*"), 406, "validation", None)
    good = [("", "*/*"), ("", ""), ("", "application/xml, */*;q=0.1"), ("?format=json", "image/png")]
    for query, accept in [*good, ("?format=xml&format=json", "image/png")]:
        answer = api.get(query, accept=accept)
        assert answer.status_code == 200, (query, accept)
        assert answer["Content-Type"] == "application/json; charset=utf-8"


def test_case_23_other_methods_are_refused(api, second):
    changed = api.call("patch", second["resource_uri"], {"name": "x"})
    refused(changed, 405, "validation", None)
    assert {"GET", "PUT", "DELETE"} <= {method.strip() for method in changed["Allow"].split(",")}
    for method in ("delete", "put"):
        answer = api.call(method)
        refused(answer, 405, "validation", None)
        assert {"GET", "POST"} <= {method.strip() for method in answer["Allow"].split(",")}
    assert len(api.list()) == 2


def test_case_24_a_body_type_without_a_body_means_nothing(api, second):
    assert api.get(content_type="application/json").status_code == 200
    assert api.client.generic(
        "GET", CONTACTS, b"", "application/json", headers=api.headers
    ).status_code == 200  # fmt: skip
    assert api.client.generic(
        "DELETE", second["resource_uri"], b"", "application/json", headers=api.headers
    ).status_code == 204  # fmt: skip


def test_case_26_the_main_contact_comes_first_and_the_others_as_they_were_made(api, main):
    for name in ("zoe", "adam"):
        api.create(email=f"{name}@acme.example")
    api.post({"objects": [{"email": f"{name}@acme.example"} for name in ("mary", "bert")]})
    emails = [contact["email"].partition("@")[0] for contact in api.list()]
    assert emails == ["office", "zoe", "adam", "mary", "bert"]
