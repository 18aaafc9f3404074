"""Voice admission spec §1, §2 and §5: which calls may be made, and what a PBX says of them afterwards."""

import pytest

from contacts_app.core.work.queue import run_queue
from profiles_app.calls.models import CallRecord
from profiles_app.voice.lost_calls import LOST_CALLS
from profiles_app.voice.models.admission import Admission, VoiceUsage
from profiles_app.voice.models.profile import OutboundVoiceProfile
from tests.profiles_app.messaging.conftest import UNKNOWN, VOICE

pytestmark = pytest.mark.django_db


def test_a_call_is_admitted_and_told_how_to_record_it(pbx):
    pbx.limit(record_calls=1, filemat="mp3", audio_track_type=1)
    answer = pbx.ask(caller="12025550100", tech_prefix=123456)
    assert answer.keys() == {"allowed", "reservation", "expires_on", "record"}
    assert answer["record"] == {"mode": 1, "on": True, "format": "mp3", "track": 1}
    made = Admission.objects.get(uuid=answer["reservation"])
    assert (made.destination, made.caller, made.call_id) == ("12025550123", "12025550100", "call-1")
    assert answer["expires_on"] > made.created_at.isoformat()


@pytest.mark.parametrize(
    ("mode", "caller", "on"),
    [
        (0, "12025550100", False),
        (1, "", True),
        (2, "+1 (202) 555-0100", True),
        (2, "12025550101", False),
        (2, "", False),
    ],
)
def test_which_calls_are_recorded(pbx, mode, caller, on):
    OutboundVoiceProfile.objects.update(record_calls=mode, recorded_callers="+1 202 555 0100\n+44 20 7946 0958")
    assert pbx.ask(caller=caller)["record"] == {"mode": mode, "on": on, "format": "wav", "track": 0}


def test_a_profile_is_found_by_its_tech_prefix(pbx):
    pbx.url = f"{VOICE}/123456/admission"
    pbx.closed(pbx.admitted(tech_prefix="123456"))
    assert "another profile" in pbx.rest.refused(
        400, "POST", pbx.url, {"destination": "1", "call_id": "x", "tech_prefix": 654321}
    )
    pbx.rest.refused(404, "POST", f"{VOICE}/654321/admission", {"destination": "1", "call_id": "x"})


def test_case_5_the_profile_of_another_account_is_absent(pbx, stranger):
    call = pbx.admitted()
    body = {"destination": "12025550123", "call_id": "x"}
    for url in (pbx.url, f"{VOICE}/123456/admission", f"{VOICE}/{UNKNOWN}/admission"):
        stranger.refused(404, "POST", url, body)
    for url in (call, f"{VOICE}/123456/admission/{call.rpartition('/')[2]}"):
        stranger.refused(404, "PUT", url, {})
        stranger.refused(404, "DELETE", url, {})
    own = stranger.payload("POST", VOICE, {"name": "v"})
    stranger.refused(404, "DELETE", f"{VOICE}/{own['uuid']}/admission/{call.rpartition('/')[2]}", {})
    assert Admission.objects.get().ended_at is None


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"destination": "1"},
        {"call_id": "x"},
        {"destination": "", "call_id": "x"},
        {"destination": 1, "call_id": "x"},
        {"destination": "1" * 65, "call_id": "x"},
        {"destination": "1\n2", "call_id": "x"},
        {"destination": "1", "call_id": "x" * 129},
        {"destination": "1", "call_id": "x", "rate": -1},
        {"destination": "1", "call_id": "x", "rate": "0.1"},
        {"destination": "1", "call_id": "x", "rate": 10**9},
        {"destination": "1", "call_id": "x", "tech_prefix": 99},
        {"destination": "1", "call_id": "x", "tech_prefix": "12345x"},
        {"destination": "1", "call_id": "x", "channels": 1},
    ],
)
def test_a_body_that_cannot_be(pbx, body):
    pbx.rest.refused(400, "POST", pbx.url, body)
    assert not Admission.objects.exists()


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PUT", {"answered_on": "yesterday"}),
        ("PUT", {"answered_on": 7}),
        ("PUT", {"seconds": 7}),
        ("DELETE", {"seconds": -1}),
        ("DELETE", {"seconds": 1.5}),
        ("DELETE", {"seconds": 10**9}),
        ("DELETE", {"cost": -1}),
        ("DELETE", {"cost": "1"}),
        ("DELETE", {"ended_on": ""}),
    ],
)
def test_a_message_about_a_call_that_cannot_be(pbx, method, body):
    call = pbx.admitted()
    before = Admission.objects.values().get()
    pbx.rest.refused(400, method, call, body)
    assert Admission.objects.values().get() == before


def test_a_reservation_that_there_is_not(pbx):
    pbx.rest.refused(400, "PUT", f"{pbx.url}/x", {})
    pbx.rest.refused(404, "PUT", f"{pbx.url}/{UNKNOWN}", {})
    pbx.limit(channel_limit=0)
    pbx.refused()
    # What was refused has no reservation, whoever has seen its UUID.
    pbx.rest.refused(404, "DELETE", f"{pbx.url}/{Admission.objects.get().uuid}", {})


def test_channels_are_counted(pbx):
    pbx.limit(channel_limit=2.9)
    calls = [pbx.admitted(), pbx.admitted()]
    answer = pbx.ask()
    assert answer == {
        "allowed": False,
        "reason": "channel-limit",
        "code": "D2",
        "message": "2 of 2.9 channels are in use",
    }
    pbx.closed(calls[0])
    pbx.admitted()
    assert pbx.refused() == ("channel-limit", "D2")
    pbx.limit(channel_limit=None)
    pbx.admitted()


def test_a_blocked_profile_and_no_channels_at_all(pbx):
    pbx.limit(channel_limit=0)
    assert pbx.refused() == ("channel-limit", "D2")
    pbx.limit(is_active=False)
    assert pbx.refused() == ("profile-inactive", "D17")


def test_calls_that_are_too_dear(pbx):
    pbx.limit(max_rate=0.1)
    assert pbx.refused(rate=0.11) == ("max-rate", "D24")
    pbx.admitted(rate=0.1)
    # Of what nobody knows the price of, nobody knows that it is too high.
    pbx.admitted()


def test_case_2_a_reservation_expires_unless_it_is_renewed(pbx, later, settings):
    settings.VOICE_LEASE_SECONDS = 60
    pbx.limit(channel_limit=1)
    call = pbx.admitted()
    later(seconds=59)
    pbx.renewed(call)
    later(seconds=59)
    assert pbx.refused() == ("channel-limit", "D2")
    later(seconds=2)
    pbx.admitted()
    assert "has expired" in pbx.rest.refused(409, "PUT", call, {})
    # The end of a call that outlived its lease is still worth to be known.
    assert pbx.closed(call, seconds=130)["seconds"] == 130


@pytest.mark.django_db(transaction=True)
def test_a_call_of_a_dead_pbx_is_ended_with_its_last_lease(pbx, later, ago, settings):
    settings.VOICE_LEASE_SECONDS = 60
    call = pbx.admitted(rate=0.6)
    pbx.renewed(call, answered_on=ago())
    later(seconds=119)
    run_queue(LOST_CALLS)
    assert Admission.objects.get().ended_at is None
    later(seconds=2)
    run_queue(LOST_CALLS)
    made = Admission.objects.get()
    assert (made.ended_at, made.seconds, made.cost) == (made.expires_at, 60, made.price)
    usage = VoiceUsage.objects.get()
    assert (usage.calls, usage.seconds, usage.spent) == (1, 60, made.price)
    assert pbx.closed(call, seconds=1000)["seconds"] == 60


def test_closing_twice_is_closing_once(pbx, ago):
    call = pbx.admitted(rate=0.6)
    pbx.renewed(call, answered_on=ago())
    first = pbx.closed(call, seconds=61)
    assert (first["seconds"], first["cost"]) == (61, 1.2)
    assert pbx.closed(call, seconds=600, cost=9) == first
    assert "is closed" in pbx.rest.refused(409, "PUT", call, {})
    assert VoiceUsage.objects.values_list("calls", "seconds").get() == (1, 61)


def test_what_an_end_says_of_itself(pbx, later, ago):
    answered, unanswered, told = pbx.admitted(rate=0.6), pbx.admitted(rate=0.6), pbx.admitted(rate=0.6)
    later(seconds=100)
    pbx.renewed(answered, answered_on=ago(seconds=90))
    shown = pbx.closed(answered, ended_on=ago(seconds=20))
    assert (shown["seconds"], shown["cost"]) == (70, 1.2)
    shown = pbx.closed(unanswered)
    assert (shown["seconds"], shown["cost"], shown["answered_on"]) == (0, 0, None)
    assert pbx.closed(told, seconds=10, cost=0.07)["cost"] == 0.07
    # A PBX whose clock is ahead has no calls in the future, nor before they were asked for.
    early, late = pbx.admitted(), pbx.admitted()
    assert pbx.closed(late, ended_on="2999-01-01T00:00:00Z")["ended_on"] < "2999"
    assert pbx.closed(early, ended_on="1999-01-01T00:00:00Z")["ended_on"] > "2000"


def test_the_end_of_a_call_writes_its_record(pbx, later, ago, acme):
    call = pbx.admitted(rate=0.6, caller="12025550100")
    later(seconds=100)
    pbx.renewed(call, answered_on=ago(seconds=90))
    pbx.closed(call, seconds=85)
    record = CallRecord.objects.get()
    assert (record.account, record.call_id, record.direction) == (acme, "call-1", "outbound")
    assert (record.caller, record.called, record.disposition) == ("12025550100", "12025550123", "answered")
    assert (record.seconds, float(record.cost), record.currency) == (85, 1.2, "USD")
    assert str(record.voice_profile) == pbx.profile["uuid"]
    pbx.closed(pbx.admitted())
    assert CallRecord.objects.get(call_id="call-2").disposition == "no_answer"
    pbx.limit(channel_limit=0)
    pbx.refused()
    assert CallRecord.objects.count() == 2


def test_what_only_posts_may_say_the_same(pbx, ago):
    call = pbx.admitted(rate=0.6)
    assert pbx.rest.payload("POST", f"{call}/answered", {"answered_on": ago()})["answered_on"]
    assert pbx.rest.payload("POST", f"{call}/ended", {"seconds": 3})["cost"] == 0.6
