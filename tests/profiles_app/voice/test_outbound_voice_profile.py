"""Messaging spec §4.5 and cases 20 to 24: outbound voice profiles of both generations of the API."""

import pytest

from profiles_app.voice import services as service
from profiles_app.voice.models.profile import OutboundVoiceProfile
from tests.profiles_app.messaging.conftest import LONG_CODES, UNKNOWN, VOICE

pytestmark = pytest.mark.django_db

FULL = {
    "name": "v",
    "tech_prefix": 123456,
    "channel_limit": 2,
    "max_rate": 0.05,
    "record_calls": 1,
    "daily_spend_limit": 10.5,
    "filemat": "mp3",
    "audio_track_type": 1,
}
DEFAULTS = {
    "is_active": True,
    "channel_limit": None,
    "max_rate": None,
    "record_calls": 0,
    "daily_spend_limit": None,
    "filemat": "wav",
    "audio_track_type": 0,
    "product": None,
    "tn_lease": None,
    "class4_ingress_trunk_settings": None,
    "sip_domains": [],
}


@pytest.fixture
def voice(api):
    return api.payload("POST", VOICE, FULL)


def test_case_20_every_field_comes_back_as_it_was_sent(voice):
    assert {name: voice[name] for name in FULL} == FULL
    assert [type(voice[name]) for name in FULL] == [type(value) for value in FULL.values()]
    assert voice["account"]["name"] == "Acme"
    assert voice["created_by"]["email"] == "alice@acme.example"


def test_a_name_is_enough(api):
    made = api.payload("POST", VOICE, {"name": "v"})
    assert {name: made[name] for name in DEFAULTS} == DEFAULTS
    api.refused(400, "POST", VOICE, {})
    api.refused(400, "POST", VOICE, {"name": "n" * 256})


def test_case_21_a_tech_prefix_has_six_digits_and_is_given_when_absent(api):
    for bad in (99999, 1000000, "123456", 123456.5, True, -1):
        api.refused(400, "POST", VOICE, {"name": "v", "tech_prefix": bad})
    for good in (100000, 999999):
        assert api.payload("POST", VOICE, {"name": "v", "tech_prefix": good})["tech_prefix"] == good
    for absent in ({}, {"tech_prefix": None}):
        assert 100000 <= api.payload("POST", VOICE, {"name": "v", **absent})["tech_prefix"] <= 999999


def test_a_tech_prefix_is_given_once(api, stranger, voice):
    assert "123456" in stranger.refused(409, "POST", VOICE, FULL)
    mine = stranger.payload("POST", VOICE, {"name": "v"})
    stranger.refused(409, "PATCH", f"{VOICE}/{mine['uuid']}", {"tech_prefix": 123456, "name": "w"})
    assert stranger.payload("GET", VOICE) == [mine]
    kept = api.payload("PATCH", f"{VOICE}/{voice['uuid']}", {"tech_prefix": None})
    assert kept["tech_prefix"] == 123456


def test_without_a_free_tech_prefix_nothing_is_made(api, voice, monkeypatch):
    monkeypatch.setattr(service, "MIN_TECH_PREFIX", 123456)
    monkeypatch.setattr(service, "MAX_TECH_PREFIX", 123456)
    api.refused(409, "POST", VOICE, {"name": "v"})
    assert OutboundVoiceProfile.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("record_calls", (3, -1, "1", True, None)),
        ("filemat", ("ogg", "", 1, None, True, [])),
        ("audio_track_type", (2, -1, "1", 1.0, None, [])),
        ("channel_limit", (-1, "2", True, 10**400)),
        ("max_rate", (-0.1, "0.05", True, 10**400, [])),
        ("daily_spend_limit", (-1, "x", {})),
        ("is_active", (None, "maybe")),
        ("product", (-1, "x")),
        ("class4_ingress_trunk_settings", ({"media_type": "Loud"}, "Bypass Media")),
        ("tn_lease", (UNKNOWN, "x", 7, {})),
    ],
)
def test_case_22_values_out_of_range_are_refused(api, field, bad):
    for value in bad:
        api.refused(400, "POST", VOICE, {"name": "v", field: value})
    assert not OutboundVoiceProfile.objects.exists()


def test_an_infinite_rate_is_refused(api):
    answer = api.client.generic("POST", VOICE, b'{"name": "v", "max_rate": 1e400}', "application/json")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"daily_spent_limit": 7}, {"daily_spend_limit": 7}),
        ({"daily_spend_limit": 7}, {"daily_spend_limit": 7}),
        ({"file_format": "mp3"}, {"filemat": "mp3"}),
        ({"file_format": "wav"}, {"filemat": "wav"}),
        ({"format": "mp3"}, {"filemat": "mp3"}),
        ({"filemat": "mp3", "format": "mp3"}, {"filemat": "mp3"}),
        ({"audio_track_type": True}, {"audio_track_type": 1}),
        ({"audio_track_type": False}, {"audio_track_type": 0}),
        ({"channel_limit": 0}, {"channel_limit": 0}),
        ({"channel_limit": 2.0}, {"channel_limit": 2}),
        ({"channel_limit": 2.5}, {"channel_limit": 2.5}),
        ({"channel_limit": 2**31}, {"channel_limit": 2**31}),
    ],
)
def test_case_23_every_spelling_is_taken(api, sent, shown):
    made = api.payload("POST", VOICE, {"name": "v", **sent})
    assert {name: made[name] for name in shown} == shown


def test_spellings_that_disagree_are_refused(api):
    for both in (
        {"daily_spent_limit": 7, "daily_spend_limit": 8},
        {"filemat": "wav", "format": "mp3"},
        {"filemat": "wav", "file_format": "mp3"},
    ):
        api.refused(400, "POST", VOICE, {"name": "v", **both})


def test_case_24_voice_profiles_are_listed_shown_changed_and_removed(api, voice):
    url = f"{VOICE}/{voice['uuid']}"
    assert api.payload("GET", VOICE) == [voice]
    assert api.payload("GET", url) == voice
    changed = api.payload("PATCH", url, {"daily_spend_limit": None})
    assert changed == {**voice, "daily_spend_limit": None, "modified_on": changed["modified_on"]}
    by_body = api.payload("PATCH", VOICE, {"uuid": voice["uuid"], "name": "w"})
    assert by_body["name"] == "w"
    api.refused(400, "PATCH", VOICE, {"name": "x"})
    api.refused(400, "DELETE", VOICE)
    api.refused(404, "PATCH", f"{VOICE}/{UNKNOWN}", {"name": "x"})
    assert api.payload("DELETE", url) == by_body
    api.refused(404, "GET", url)
    api.refused(404, "DELETE", url)
    assert api.payload("GET", VOICE) == []


def test_case_24_a_voice_profile_of_another_account_does_not_exist(api, stranger, voice):
    url = f"{VOICE}/{voice['uuid']}"
    stranger.refused(404, "GET", url)
    stranger.refused(404, "PATCH", url, {"name": "mine"})
    stranger.refused(404, "DELETE", url)
    assert stranger.payload("GET", VOICE) == []
    assert api.payload("GET", url) == voice


def test_the_second_generation_is_taken_too(api, stranger, lease):
    number = lease()
    media = {"media_type": "Proxy Media + Transcoding"}
    second = {"is_active": False, "product": 7, "class4_ingress_trunk_settings": media}
    made = api.payload("POST", VOICE, {"name": "v", **second, "tn_lease": str(number.uuid)})
    assert {name: made[name] for name in second} == second
    assert made["tn_lease"] == {"uuid": str(number.uuid), "tn": {"tn": LONG_CODES[0]}}
    assert api.payload("PATCH", f"{VOICE}/{made['uuid']}", made)["tn_lease"] == made["tn_lease"]
    assert api.payload("PATCH", f"{VOICE}/{made['uuid']}", {"tn_lease": None})["tn_lease"] is None
    stranger.refused(400, "POST", VOICE, {"name": "v", "tn_lease": str(number.uuid)})
