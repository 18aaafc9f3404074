"""Sending spec §1, §2 and §5: messages over REST, who sends them, and what becomes of them.

Cases 1, 2, 4 and 6 are those of the sending spec §8.
"""

import json
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts_app.core.actor import system
from contacts_app.core.work.queue import run_queue
from profiles_app.messaging.models import NumberLease, StickySender
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway, OptOut
from profiles_app.messaging.sending.outbox import OUTBOUND, Draft, submit
from profiles_app.messaging.services import move_number_lease
from tests.profiles_app.messaging.conftest import LONG_CODES, MESSAGING, TOLLFREE, UNKNOWN
from tests.profiles_app.messaging.sending.conftest import SMS, TO

pytestmark = pytest.mark.django_db(transaction=True)
INBOUND = "/rest/sms/inbound"


def due_now():
    Message.objects.update(next_attempt_at=timezone.now())
    run_queue(OUTBOUND)


def test_case_1_six_hundred_messages_go_out_by_the_weights(pool, acme, simulated):
    drafts = [Draft(to=f"33100{number:06}", text="Hello") for number in range(600)]
    for begin in range(0, 600, 200):
        submit(acme, drafts[begin : begin + 200], profile=pool, actor=system("test"))
    counts = Counter(Message.objects.values_list("sender", flat=True))
    assert (counts[str(TOLLFREE)], sum(counts.values())) == (100, 600)
    assert {counts[str(tn)] for tn in LONG_CODES} <= {166, 167}


def test_the_answer_says_who_sends_and_why(api, send, pool, simulated):
    message = send()
    assert (message["chosen_because"], message["left_out"], message["parts"]) == ("weight", [], 1)
    assert (message["to"], message["message"], message["type"]) == ("442079460123", "Hello", "sms")
    assert send(**{"from": str(LONG_CODES[1])})["chosen_because"] == "given"
    api.payload("PATCH", f"{MESSAGING}/{pool.uuid}", {"tollfree_weight": 0, "skip_unhealthy_tns": True})
    NumberLease.objects.filter(tn=LONG_CODES[0]).update(sent_count=5, delivered_count=1)
    NumberLease.objects.filter(tn=LONG_CODES[1]).update(expires_at=timezone.now(), autorenew=False)
    last = send()
    assert (last["from"], last["chosen_because"]) == (str(LONG_CODES[2]), "only-one")
    assert last["left_out"] == [
        {"tn": str(LONG_CODES[0]), "why": "unhealthy"},
        {"tn": str(LONG_CODES[1]), "why": "lease-ended"},
        {"tn": str(TOLLFREE), "why": "weight-0"},
    ]


def test_a_message_is_sent_and_its_state_is_told(api, send, simulated):
    message = api.payload("GET", f"{SMS}/{send()['uuid']}")
    assert (message["state"], message["attempts"], message["error"]) == ("delivered", 1, "")
    assert message["reference_id"] == f"sim-{message['uuid']}"
    assert message["sent_on"] <= message["finalized_on"]
    states = [api.payload("GET", f"{SMS}/{send(to)['uuid']}")["state"] for to in ("3310000099", "3310000097")]
    assert states == ["undelivered", "failed"]


def test_case_2_a_sticky_sender_stays_across_failures_of_the_gateway(api, send, pool, provider, http_gateway):
    api.payload("PATCH", f"{MESSAGING}/{pool.uuid}", {"sticky_sender": True})
    provider.status = 503
    first = send()
    assert (first["chosen_because"], api.payload("GET", f"{SMS}/{first['uuid']}")["state"]) == ("weight", "queued")
    send("33100000001")
    again = send()
    assert (again["from"], again["chosen_because"]) == (first["from"], "sticky")
    provider.status = 200
    due_now()
    sent = api.payload("GET", f"{SMS}/{first['uuid']}")
    assert (sent["state"], sent["from"], sent["attempts"]) == ("sent", first["from"], 2)


def test_a_sender_is_forgotten_after_8_days_and_when_it_leaves_the_profile(api, send, pool, acme, simulated):
    api.payload("PATCH", f"{MESSAGING}/{pool.uuid}", {"sticky_sender": True})
    first = send()["from"]
    StickySender.objects.update(updated_at=timezone.now() - timedelta(days=8, seconds=1))
    second = send()
    assert second["chosen_because"] == "weight"
    assert second["from"] != first
    StickySender.objects.update(updated_at=timezone.now() - timedelta(days=7))
    assert send()["chosen_because"] == "sticky"
    other = api.payload("POST", MESSAGING, {"name": "other"})
    lease = NumberLease.objects.get(tn=second["from"])
    move_number_lease(lease, type(pool).objects.get(uuid=other["uuid"]), actor=system("test"))
    assert send()["chosen_because"] == "weight"


def test_case_4_stop_ends_messages_and_start_allows_them(api, send, pool, simulated):
    def writes(text):
        api.payload("POST", INBOUND, {"from": TO, "to": str(LONG_CODES[0]), "message": text})

    body = {"to": "+44 20 7946 0123", "text": "Hello", "messaging_profile_uuid": str(pool.uuid)}
    writes("please do not stop")
    assert not OptOut.objects.exists()
    writes(" Stop. ")
    assert "opted out" in api.refused(409, "POST", SMS, body)
    shown = api.payload("GET", f"{MESSAGING}/{pool.uuid}/optouts")
    assert [(one["recipient"], one["word"]) for one in shown["recipients"]] == [("442079460123", "STOP")]
    send("33100000001")
    writes("START")
    api.payload("POST", SMS, body)
    api.payload("PATCH", f"{MESSAGING}/{pool.uuid}", {"opt_out_words": "genug, basta"})
    writes("STOP")
    api.payload("POST", SMS, body)
    writes("Basta!")
    api.refused(409, "POST", SMS, body)


def test_a_message_that_waits_is_not_sent_after_a_stop(api, send, provider, http_gateway):
    provider.status = 503
    message = send()
    api.payload("POST", INBOUND, {"from": TO, "to": str(LONG_CODES[0]), "message": "STOP"})
    provider.status = 200
    due_now()
    failed = api.payload("GET", f"{SMS}/{message['uuid']}")
    assert (failed["state"], failed["error_code"], len(provider.requests)) == ("failed", "opted-out", 1)


def test_case_6_another_accounts_profile_number_and_message_are_404(api, send, stranger, pool, simulated):
    message = send()
    stranger.refused(404, "POST", SMS, {"to": TO, "text": "a", "messaging_profile_uuid": str(pool.uuid)})
    stranger.refused(404, "POST", SMS, {"to": TO, "text": "a", "from": str(LONG_CODES[0])})
    for path in (f"{SMS}/{message['uuid']}", f"{SMS}/{UNKNOWN}", f"{MESSAGING}/{pool.uuid}/optouts"):
        stranger.refused(404, "GET", path)
    stranger.refused(404, "POST", f"{SMS}/{message['uuid']}/cancel")
    assert stranger.payload("GET", SMS) == []


def test_only_a_queued_message_can_be_cancelled(api, send, provider, http_gateway):
    provider.status = 503
    message = send()
    assert api.payload("POST", f"{SMS}/{message['uuid']}/cancel")["state"] == "cancelled"
    api.refused(409, "POST", f"{SMS}/{message['uuid']}/cancel")
    due_now()
    assert len(provider.requests) == 1


def test_a_message_whose_request_has_no_known_end_cannot_be_cancelled(api, send, provider, http_gateway):
    provider.status = 503
    message = send()
    # As a worker leaves it that dies before the answer.
    Message.objects.update(submitted_at=timezone.now())
    api.refused(409, "POST", f"{SMS}/{message['uuid']}/cancel")
    assert Message.objects.get().state == "queued"


def test_lists_are_filtered(api, send, simulated):
    first, second = send(), send("33100000099")
    assert [one["uuid"] for one in api.payload("GET", SMS)] == [second["uuid"], first["uuid"]]
    for query, found in (
        ("state=delivered", first),
        ("to=%2B44%2020%2079460123", first),
        (f"from={second['from']}", second),
        ("take=1", second),
        ("take=1&skip=1", first),
        ("limit=1", second),
        ("limit=1&offset=1", first),
        ("to=33100000099&state=undelivered", second),
    ):
        assert [one["uuid"] for one in api.payload("GET", f"{SMS}?{query}")] == [found["uuid"]], query
    assert api.payload("GET", f"{SMS}?created_before=2020-01-01T00:00:00Z") == []
    for query in ("state=odd", "take=0", "skip=x", "limit=0", "limit=1001", "offset=-1", "messaging_profile_uuid=1"):
        api.refused(400, "GET", f"{SMS}?{query}")


def test_bad_messages_are_refused_and_nothing_is_stored(api, pool, simulated):
    good = {"to": TO, "text": "Hello", "messaging_profile_uuid": str(pool.uuid)}
    for bad in (
        [],
        {},
        good | {"to": "nobody"},
        good | {"to": "1" * 16},
        good | {"to": None},
        good | {"text": ""},
        good | {"text": "m" * 919},
        good | {"text": "a\0b"},
        good | {"message": "something else"},
        good | {"media_urls": ["ftp://example.org/a"]},
        good | {"media_urls": ["https://example.org/a"] * 11},
        good | {"webhook_url": "x"},
        good | {"messaging_profile_uuid": "x"},
        good | {"colour": "red"},
    ):
        api.refused(400, "POST", SMS, bad)
    api.refused(404, "POST", SMS, good | {"from": "12025550999"})
    api.refused(404, "POST", SMS, good | {"messaging_profile_uuid": UNKNOWN})
    assert not Message.objects.exists()
    MessageGateway.objects.all().delete()
    assert "gateway" in api.refused(409, "POST", SMS, good)


def test_the_providers_spellings_are_taken(api, pool, simulated):
    sent = api.payload("POST", SMS, {"to": TO, "message": "Hello", "tn": LONG_CODES[1]})
    assert (sent["from"], sent["message"]) == (str(LONG_CODES[1]), "Hello")


def test_an_account_uses_its_own_gateway_first(api, send, acme, simulated, provider, http_gateway):
    MessageGateway.objects.filter(pk=http_gateway.pk).update(account=acme)
    send()
    assert len(provider.requests) == 1
    assert MessageAttempt.objects.get().status == 200
    assert json.loads(provider.requests[0].body)["from"].startswith("+")
