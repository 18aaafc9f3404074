"""Voice admission spec §7, case 1: never one call too many, however many are asked for at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from profiles_app.voice.models.admission import Admission
from profiles_app.voice.models.profile import OutboundVoiceProfile
from tests.profiles_app.messaging.conftest import VOICE, client_of

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS, ASKS = 20, 10


def crowd(user, url, bodies):
    """200 requests: 20 clients, each with a database connection of its own, ask ten times without a pause."""
    barrier = Barrier(CLIENTS)

    def ask(client):
        try:
            rest = client_of(user)
            barrier.wait()
            return [rest.payload("POST", url, body) for body in bodies(client)]
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [answer for answers in pool.map(ask, range(CLIENTS)) for answer in answers]


def test_case_1_ten_of_200_calls_at_once_get_the_ten_channels(api, alice):
    profile = api.payload("POST", VOICE, {"name": "v", "channel_limit": 10})
    url = f"{VOICE}/{profile['uuid']}/admission"
    answers = crowd(
        alice, url, lambda client: [{"destination": "12025550123", "call_id": f"{client}-{n}"} for n in range(ASKS)]
    )
    assert len(answers) == 200
    assert sum(answer["allowed"] for answer in answers) == 10
    assert {answer.get("reason") for answer in answers} == {None, "channel-limit"}
    assert Admission.objects.filter(reason="").count() == 10


def test_a_crowd_spends_no_more_than_the_day_allows(api, alice):
    profile = api.payload("POST", VOICE, {"name": "v", "daily_spend_limit": 0.7})
    url = f"{VOICE}/{profile['uuid']}/admission"
    body = {"destination": "12025550123", "call_id": "x", "rate": 0.1}
    answers = crowd(alice, url, lambda client: [body] * 2)
    assert sum(answer["allowed"] for answer in answers) == 7
    assert Admission.objects.filter(reason="daily-spend-limit").count() == 2 * CLIENTS - 7


def test_a_limit_that_is_lowered_at_this_moment_holds(api):
    """What decides reads the limit, not what the request has read of the profile before."""
    from profiles_app.voice.admission import CallRequest, admit

    uuid = api.payload("POST", VOICE, {"name": "v", "channel_limit": 2})["uuid"]
    read_before = OutboundVoiceProfile.objects.get(uuid=uuid)
    assert admit(read_before, CallRequest("1", "a")).is_admitted
    OutboundVoiceProfile.objects.update(channel_limit=1)
    assert admit(read_before, CallRequest("1", "b")).reason == "channel-limit"
