"""What contacts are notified of, over REST (notification contacts spec §8)."""

import pytest

from contacts_app.contacts.models.contact import NotificationPreference, NotificationType
from tests.contacts_app.contacts.api.conftest import CONTACTS, PREFERENCES, refused

pytestmark = pytest.mark.django_db

TYPES = NotificationType.values


@pytest.fixture
def contacts(api, main_uri, second):
    """The URIs of both contacts."""
    return [main_uri, second["resource_uri"]]


def test_there_is_one_for_every_contact_and_type(api, contacts):
    assert len(TYPES) == 22
    answer = api.get("?limit=0", path=PREFERENCES).json()
    assert answer["meta"] == {"limit": 0, "offset": 0, "total_count": 44}
    assert answer["objects"] == [
        {"contact": contact, "medium": "email", "type": type_, "value": True} for contact in contacts for type_ in TYPES
    ]


@pytest.mark.parametrize(("limit", "offset"), [(20, 0), (1, 21), (1, 22), (5, 20), (30, 10), (0, 43), (9, 40), (3, 44)])
def test_pages_are_cut_from_the_whole(api, contacts, limit, offset):
    whole = api.get("?limit=0", path=PREFERENCES).json()["objects"]
    page = api.get(f"?limit={limit}&offset={offset}", path=PREFERENCES).json()
    assert page["objects"] == whole[offset : offset + limit if limit else None]
    assert page["meta"] == {"limit": limit, "offset": offset, "total_count": 44}


def test_what_is_not_sent_stays(api, contacts):
    sent = [{"contact": contact, "medium": "email", "type": "payment", "value": False} for contact in contacts]
    answer = api.put(PREFERENCES, sent)
    assert answer.status_code == 202
    assert answer.json() == {"objects": sent}
    back = {"contact": contacts[0], "type": "payment", "value": True}
    assert api.put(PREFERENCES, back).json() == {"objects": [back | {"medium": "email"}]}
    told = api.get("?limit=0", path=PREFERENCES).json()["objects"]
    assert [row for row in told if not row["value"]] == [sent[1]]


def test_a_whole_list_can_be_put_back(api, contacts):
    whole = api.get("?limit=0", path=PREFERENCES).json()
    assert api.put(PREFERENCES, whole).json() == {"objects": whole["objects"]}
    assert api.put(PREFERENCES, whole["objects"]).json() == {"objects": whole["objects"]}


def test_of_two_about_the_same_the_last_counts(api, contacts):
    sent = [{"contact": contacts[0], "type": "payment", "value": value} for value in (True, False)]
    assert api.put(PREFERENCES, sent).status_code == 202
    assert NotificationPreference.objects.get().value is False


def test_they_go_with_their_contact(api, contacts):
    api.put(PREFERENCES, {"contact": contacts[1], "type": "payment", "value": False})
    assert NotificationPreference.objects.count() == 1
    api.delete(contacts[1])
    assert NotificationPreference.objects.count() == 0
    assert api.get(path=PREFERENCES).json()["meta"]["total_count"] == 22


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contact", None),
        ("contact", 5),
        ("contact", "x"),
        ("contact", CONTACTS),
        ("medium", "pigeon"),
        ("medium", []),
        ("type", "weather"),
        ("type", {"a": 1}),
        ("value", None),
        ("value", "true"),
        ("value", 1),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_is_stored(api, contacts, field, value):
    good = {"contact": contacts[0], "medium": "email", "type": "payment", "value": False}
    refused(api.put(PREFERENCES, [good, good | {field: value}]), 400, "validation", field)
    assert not NotificationPreference.objects.exists()


def test_to_change_nothing_is_no_mistake(api):
    for body in ("[]", {"objects": []}):
        answer = api.put(PREFERENCES, body)
        assert (answer.status_code, answer.json()) == (202, {"objects": []})


def test_an_absent_contact_is_absent_here_too(api, contacts):
    good = {"contact": contacts[0], "type": "payment", "value": False}
    absent = good | {"contact": f"{CONTACTS}0103f398-9f85-446a-a285-fe63cf9f0f28/"}
    refused(api.put(PREFERENCES, [good, absent]), 404, "notexist", None)
    assert not NotificationPreference.objects.exists()


@pytest.mark.parametrize("body", ["null", '"x"', '{"objects": {}}', "[[]]", "[null]", "{"])
def test_a_body_that_is_no_preference_is_refused(api, body):
    refused(api.put(PREFERENCES, body), 400, "validation", None)


def test_an_empty_preference_says_what_is_missing(api):
    refused(api.put(PREFERENCES, {}), 400, "validation", "contact", "type", "value")


def test_contacts_of_others_are_unknown(stranger, contacts):
    sent = {"contact": contacts[1], "type": "payment", "value": False}
    refused(stranger.put(PREFERENCES, sent), 404, "notexist", None)
    assert stranger.get(path=PREFERENCES).json()["meta"]["total_count"] == 22
    assert not NotificationPreference.objects.exists()


def test_other_methods_are_refused(api):
    for method in ("post", "patch", "delete"):
        refused(api.call(method, PREFERENCES, {}), 405, "validation", None)
