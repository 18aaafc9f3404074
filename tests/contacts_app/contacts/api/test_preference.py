"""What contacts are notified of, over REST (notification contacts spec §8)."""

import pytest

from contacts_app.contacts.models.contact import (
    NotificationContact,
    NotificationPreference,
    NotificationType,
    event_classes,
    is_told_by_default,
)
from contacts_app.contacts.models.mail import Notice
from contacts_app.contacts.notification import News, notify
from tests.contacts_app.contacts.api.conftest import CONTACTS, PREFERENCES, refused

pytestmark = pytest.mark.django_db

DOCUMENTED, OWN = NotificationType.values, list(event_classes)
TYPES = [*DOCUMENTED, *OWN]
EACH = len(TYPES)
SENT = "deployment_failed"


@pytest.fixture
def contacts(api, main_uri, second):
    """The URIs of both contacts."""
    return [main_uri, second["resource_uri"]]


def test_there_is_one_for_every_contact_and_type(api, contacts):
    assert len(DOCUMENTED) == 2 * 11
    assert {SENT, "callback_failing", "token_created"} <= set(OWN)
    answer = api.get("?limit=0", path=PREFERENCES).json()
    assert answer["meta"] == {"limit": 0, "offset": 0, "total_count": 2 * EACH}
    assert answer["objects"] == [
        {"contact": contact, "medium": "email", "type": type_, "value": type_ in OWN and is_told_by_default(type_)}
        for contact in contacts
        for type_ in TYPES
    ]


LAST = 2 * EACH
PAGES = [(20, 0), (1, EACH - 1), (1, EACH), (5, EACH - 2), (EACH + 8, 10), (0, LAST - 1), (9, LAST - 4), (3, LAST)]


@pytest.mark.parametrize(("limit", "offset"), PAGES)
def test_pages_are_cut_from_the_whole(api, contacts, limit, offset):
    whole = api.get("?limit=0", path=PREFERENCES).json()["objects"]
    page = api.get(f"?limit={limit}&offset={offset}", path=PREFERENCES).json()
    assert page["objects"] == whole[offset : offset + limit if limit else None]
    assert page["meta"] == {"limit": limit, "offset": offset, "total_count": 2 * EACH}


def test_what_is_not_sent_stays(api, contacts):
    before = api.get("?limit=0", path=PREFERENCES).json()["objects"]
    sent = [{"contact": contact, "medium": "email", "type": SENT, "value": False} for contact in contacts]
    answer = api.put(PREFERENCES, sent)
    assert answer.status_code == 202
    assert answer.json() == {"objects": sent}
    back = {"contact": contacts[0], "type": SENT, "value": True}
    assert api.put(PREFERENCES, back).json() == {"objects": [back | {"medium": "email"}]}
    told = api.get("?limit=0", path=PREFERENCES).json()["objects"]
    assert [row for row in told if row not in before] == [sent[1]]


def test_what_nobody_sends_is_said_to_be_off_whatever_is_chosen(api, contacts):
    chosen = {"contact": contacts[0], "medium": "email", "type": "payment", "value": True}
    answer = api.put(PREFERENCES, chosen)
    assert (answer.status_code, answer.json()) == (202, {"objects": [chosen | {"value": False}]})
    assert chosen | {"value": False} in api.get("?limit=0", path=PREFERENCES).json()["objects"]


def test_who_chooses_to_be_told_hears_of_what_lasts(api, contacts, acme):
    api.put(PREFERENCES, {"contact": contacts[1], "type": SENT, "value": False})
    kind, key = event_classes[SENT], "SEP020000000001"
    title = f"Deployment to {key} failed"
    notify(News(acme, kind, title, path="/admin/", key=key))
    second = NotificationContact.objects.get(main=False)
    assert not second.notices.exists()
    for _ in range(2):
        api.put(PREFERENCES, [{"contact": contact, "type": SENT, "value": True} for contact in contacts])
    assert [(notice.title, notice.path) for notice in second.notices.all()] == [(title, "/admin/")]
    assert "It has lasted since" in second.notices.get().detail
    assert Notice.objects.count() == 2
    notify(News(acme, kind, f"Deployment to {key} succeeded after all", key=key, over=True))
    assert second.notices.filter(over=True).count() == 1
    api.put(PREFERENCES, {"contact": contacts[1], "type": SENT, "value": True})
    assert Notice.objects.count() == 4


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
    assert api.get(path=PREFERENCES).json()["meta"]["total_count"] == EACH


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
    assert stranger.get(path=PREFERENCES).json()["meta"]["total_count"] == EACH
    assert not NotificationPreference.objects.exists()


def test_other_methods_are_refused(api):
    for method in ("post", "patch", "delete"):
        refused(api.call(method, PREFERENCES, {}), 405, "validation", None)
