"""Messaging spec §4.2 and cases 6 to 19: messaging profiles as the document spells them, and as it misspells them."""

import re

import pytest

from profiles_app.messaging.models import MessagingProfile, NumberLease
from tests.profiles_app.messaging.conftest import LONG_CODES, MESSAGING, UNKNOWN

pytestmark = pytest.mark.django_db

URL = "https://hooks.example.org/messages"
KEYS = {
    "uuid", "created_on", "modified_on", "name", "callback_url", "callback_url2", "number_pool_enable",
    "long_code_weight", "tollfree_weight", "toll_free_weight", "skip_unhealthy_tns", "sticky_sender",
    "account", "created_by", "modified_by", "leases",
}  # fmt: skip
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def url_of(length):
    return "http://x.example/".ljust(length, "y")


def test_case_06_a_name_is_enough(api, alice):
    made = api.payload("POST", MESSAGING, {"name": "a"})
    assert isinstance(made, dict)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["uuid"])
    assert made.keys() == KEYS
    assert made["number_pool_enable"] is made["skip_unhealthy_tns"] is made["sticky_sender"] is False
    assert made["callback_url"] is made["callback_url2"] is None
    assert (made["long_code_weight"], made["tollfree_weight"], made["leases"]) == (1, 1, [])
    assert ISO.fullmatch(made["created_on"])
    assert made["account"].keys() == {
        "uuid", "name", "email", "level", "balance", "created_on", "modified_on", "deleted_on",
    }  # fmt: skip
    assert made["created_by"] == made["modified_by"]
    assert made["created_by"].keys() == {"uuid", "email", "first_name", "last_name", "role"}


@pytest.mark.parametrize("spelling", ["toll_free_weight", "tollfree_weight"])
def test_case_07_both_spellings_of_the_weight_are_taken(api, spelling):
    made = api.payload("POST", MESSAGING, {"name": "a", spelling: 3, "long_code_weight": 9})
    assert (made["tollfree_weight"], made["long_code_weight"], made["toll_free_weight"]) == (3, 9, 3)
    changed = api.payload("PATCH", f"{MESSAGING}/{made['uuid']}", {spelling: 0})
    assert (changed["tollfree_weight"], changed["toll_free_weight"]) == (0, 0)


def test_case_08_two_spellings_have_to_agree(api):
    api.refused(400, "POST", MESSAGING, {"name": "a", "toll_free_weight": 3, "tollfree_weight": 4})
    api.refused(400, "POST", MESSAGING, {"name": "a", "toll_free_weight": 3, "tollfree_weight": 10})
    made = api.payload("POST", MESSAGING, {"name": "a", "toll_free_weight": "3", "tollfree_weight": 3})
    assert made["tollfree_weight"] == 3


@pytest.mark.parametrize("name", ["long_code_weight", "tollfree_weight", "toll_free_weight"])
def test_case_09_a_weight_is_one_digit(api, name):
    for bad in (10, -1, 1.5, "x", "10", "", "²", None, True, [], {}, 10**400):
        api.refused(400, "POST", MESSAGING, {"name": "a", name: bad})
    assert not MessagingProfile.objects.exists()
    for good, stored in ((0, 0), (9, 9), ("7", 7), (2.0, 2)):
        assert api.payload("POST", MESSAGING, {"name": "a", name: good})[name] == stored


def test_case_10_a_name_has_1_to_255_characters(api):
    for bad in ({}, {"name": ""}, {"name": "n" * 256}, {"name": None}, {"name": 7}, {"name": "a\x00b"}):
        api.refused(400, "POST", MESSAGING, bad)
    assert api.payload("POST", MESSAGING, {"name": "n" * 255})["name"] == "n" * 255


@pytest.mark.parametrize("field", ["callback_url", "callback_url2"])
def test_case_11_a_callback_url_has_10_to_255_characters_or_is_null(api, field):
    for bad in ("http://ab", url_of(256), "", "ftp://x.example/", "https://", 7, "http://x.example/a b", []):
        api.refused(400, "POST", MESSAGING, {"name": "a", field: bad})
    assert api.payload("POST", MESSAGING, {"name": "a", field: "http://abc"})[field] == "http://abc"
    made = api.payload("POST", MESSAGING, {"name": "a", field: url_of(255)})
    assert made[field] == url_of(255)
    assert api.payload("PATCH", f"{MESSAGING}/{made['uuid']}", {field: None})[field] is None


def test_case_12_the_pool_flag_is_a_flag_or_the_second_callback_url(api):
    def made(value, **more):
        profile = api.payload("POST", MESSAGING, {"name": "a", "number_pool_enable": value, **more})
        return profile["number_pool_enable"], profile["callback_url2"]

    assert made(True) == made("true") == made("1") == made(1) == made("True") == (True, None)
    assert made(False) == made("false") == made("0") == made(0) == (False, None)
    assert made("https://backup.example.org/x") == (False, "https://backup.example.org/x")
    assert made("https://backup.example.org/x", callback_url2=URL) == (False, URL)
    for bad in ("short", "x" * 20, None, 2, [], {}, url_of(256)):
        api.refused(400, "POST", MESSAGING, {"name": "a", "number_pool_enable": bad})


def test_a_url_in_the_pool_flag_leaves_the_pool_as_it_was(api):
    made = api.payload("POST", MESSAGING, {"name": "a", "number_pool_enable": True})
    changed = api.payload("PATCH", f"{MESSAGING}/{made['uuid']}", {"number_pool_enable": URL})
    assert (changed["number_pool_enable"], changed["callback_url2"]) == (True, URL)


def test_case_13_the_list_is_a_plain_array_of_all_profiles(api, lease):
    made = [api.payload("POST", MESSAGING, {"name": name}) for name in "abc"]
    number = lease(profile=made[0])
    listed = api.payload("GET", MESSAGING)
    assert [one["name"] for one in listed] == ["a", "b", "c"]
    assert listed[1:] == made[1:]
    assert listed[0] == api.payload("GET", f"{MESSAGING}/{made[0]['uuid']}")
    assert listed[0]["leases"] == [{"uuid": str(number.uuid), "tn": {"tn": LONG_CODES[0]}}]


def test_case_14_one_profile_is_got_by_its_uuid(api, profile):
    assert api.payload("GET", f"{MESSAGING}/{profile['uuid']}") == profile
    assert api.payload("GET", f"{MESSAGING}/{profile['uuid'].upper()}") == profile
    api.refused(404, "GET", f"{MESSAGING}/{UNKNOWN}")
    for malformed in ("not-a-uuid", profile["uuid"].replace("-", ""), "%00", "1" * 5000):
        api.refused(400, "GET", f"{MESSAGING}/{malformed}")


def test_case_15_a_change_touches_what_it_names_only(api, profile):
    changed = api.payload("PATCH", f"{MESSAGING}/{profile['uuid']}", {"sticky_sender": True})
    assert changed["modified_on"] >= profile["modified_on"]
    assert changed == {**profile, "sticky_sender": True, "modified_on": changed["modified_on"]}
    assert api.payload("GET", f"{MESSAGING}/{profile['uuid']}") == changed


def test_an_empty_change_and_what_only_the_server_says_change_nothing(api, profile):
    url = f"{MESSAGING}/{profile['uuid']}"
    assert api.payload("PATCH", url, {}) == profile
    assert api.payload("PATCH", url, {"account": {"uuid": UNKNOWN}, "uuid": UNKNOWN}) == profile
    api.refused(400, "PATCH", url, {"sticky_sender": True, "colour": "red"})
    api.refused(400, "PATCH", url, {"name": None})
    api.refused(400, "PATCH", url, {"sticky_sender": True, "long_code_weight": 10})
    assert api.payload("GET", url) == profile


def test_what_was_got_can_be_sent_back(api, profile):
    url = f"{MESSAGING}/{profile['uuid']}"
    changed = api.payload("PATCH", url, {**profile, "name": "Back office"})
    assert changed == {**profile, "name": "Back office", "modified_on": changed["modified_on"]}


def test_case_16_an_unknown_profile_cannot_be_changed(api, profile):
    api.refused(404, "PATCH", f"{MESSAGING}/{UNKNOWN}", {"name": "b"})


def test_case_17_a_removed_profile_is_shown_once_more_and_gone(api, profile):
    url = f"{MESSAGING}/{profile['uuid']}"
    assert api.payload("DELETE", url) == profile
    api.refused(404, "GET", url)
    api.refused(404, "DELETE", url)
    assert api.payload("GET", MESSAGING) == []


@pytest.mark.parametrize("where", ["query", "body"])
def test_case_18_the_uuid_may_stand_in_the_query_or_the_body(api, profile, where):
    query, body = ("?uuid=" + profile["uuid"], {}) if where == "query" else ("", {"uuid": profile["uuid"]})
    for bad in (None, {}, {"uuid": None}, {"uuid": 7}, {"uuid": "nonsense"}, [], [profile["uuid"]]):
        api.refused(400, "DELETE", MESSAGING, bad)
        api.refused(400, "PATCH", MESSAGING, bad)
    api.refused(404, "DELETE", f"{MESSAGING}?uuid={UNKNOWN}")
    assert api.payload("PATCH", MESSAGING + query, {**body, "name": "b"})["name"] == "b"
    assert api.payload("GET", f"{MESSAGING}?uuid={profile['uuid']}")["name"] == "b"
    api.refused(404, "GET", f"{MESSAGING}?uuid={UNKNOWN}")
    api.refused(400, "GET", f"{MESSAGING}?uuid=")
    assert api.payload("DELETE", MESSAGING + query, body)["uuid"] == profile["uuid"]
    api.refused(404, "GET", f"{MESSAGING}/{profile['uuid']}")


def test_urls_without_a_uuid_can_be_switched_off(api, profile, settings):
    settings.MESSAGING_UUID_ANYWHERE = False
    api.refused(400, "DELETE", f"{MESSAGING}?uuid={profile['uuid']}")
    assert api.payload("GET", f"{MESSAGING}?uuid={profile['uuid']}") == [profile]


def test_status_and_second_spelling_of_answers_are_settings(api, settings):
    settings.MESSAGING_CREATED_STATUS = 201
    settings.MESSAGING_BOTH_SPELLINGS = False
    made = api.send("POST", MESSAGING, {"name": "a", "toll_free_weight": 2})
    assert made.status_code == 201
    assert made.json()["payload"].keys() == KEYS - {"toll_free_weight"}
    assert made.json()["payload"]["tollfree_weight"] == 2


def test_case_19_a_profile_of_another_account_does_not_exist(api, stranger, profile):
    url = f"{MESSAGING}/{profile['uuid']}"
    stranger.refused(404, "GET", url)
    stranger.refused(404, "GET", f"{url}/tnleases")
    stranger.refused(404, "PATCH", url, {"name": "mine"})
    stranger.refused(404, "DELETE", url)
    stranger.refused(404, "DELETE", f"{MESSAGING}?uuid={profile['uuid']}")
    stranger.refused(404, "POST", f"{url}/sender", {"to": "12025550199"})
    assert stranger.payload("GET", MESSAGING) == []
    assert api.payload("GET", url) == profile


def test_numbers_of_a_removed_profile_move_to_the_default_one(api, profile, lease):
    number = lease(profile=profile)
    api.payload("DELETE", f"{MESSAGING}/{profile['uuid']}")
    number.refresh_from_db()
    assert number.messaging_profile.is_default
    default = f"{MESSAGING}/{number.messaging_profile.uuid}"
    assert [one["name"] for one in api.payload("GET", MESSAGING)] == ["Default"]
    api.refused(409, "DELETE", default)
    assert api.payload("GET", default)["leases"][0]["tn"] == {"tn": number.tn}


def test_removing_a_profile_in_use_can_be_forbidden(api, profile, lease, settings):
    settings.MESSAGING_DELETE_MOVES_NUMBERS = False
    number = lease(profile=profile)
    api.refused(409, "DELETE", f"{MESSAGING}/{profile['uuid']}")
    assert NumberLease.objects.get().messaging_profile_id == number.messaging_profile_id


def test_callback_urls_are_encrypted_at_rest(api):
    from django.db import connection

    api.payload("POST", MESSAGING, {"name": "a", "callback_url": "https://user:hush@hooks.example.org/"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT callback_url FROM profiles_app_messagingprofile")
        assert "hush" not in cursor.fetchone()[0]
    assert api.payload("GET", MESSAGING)[0]["callback_url"] == "https://user:hush@hooks.example.org/"


def test_removing_the_account_takes_everything_along(api, profile, lease, acme):
    lease(profile=profile)
    acme.delete()
    assert not MessagingProfile.objects.exists()
    assert not NumberLease.objects.exists()
