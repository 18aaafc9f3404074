"""Sending spec §4: receipts, and the health of numbers by them (sending spec §8, case 3)."""

import pytest

from profiles_app.messaging.models import NumberLease
from profiles_app.messaging.sending.models import Message, MessageGateway
from profiles_app.messaging.sending.receipts import new_credential
from profiles_app.messaging.services import WINDOW, give_another_chance, record_outcome
from tests.profiles_app.messaging.conftest import LONG_CODES, MESSAGING, UNKNOWN
from tests.profiles_app.messaging.sending.conftest import SMS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gives(anybody, http_gateway):
    """Gives a receipt with the gateway's credential, or another one."""
    own = new_credential(http_gateway)

    def receipt(message, body, credential=own):
        path = f"{SMS}/{message['uuid']}/receipt"
        return anybody.send("POST", path, body, HTTP_AUTHORIZATION=f"Bearer {credential}")

    return receipt


def test_a_receipt_ends_a_message_once(api, send, gives):
    message = send()
    assert gives(message, {"state": "enroute"}).json()["payload"]["state"] == "sent"
    answer = gives(message, {"status": "DELIVRD"})
    assert answer.json() == {"success": True, "payload": {"uuid": message["uuid"], "state": "delivered"}}
    assert gives(message, {"state": "failed"}).json()["payload"]["state"] == "delivered"
    lease = NumberLease.objects.get(tn=message["from"])
    assert (lease.sent_count, lease.delivered_count, lease.spam_count) == (1, 1, 0)


def test_a_gateway_that_is_disabled_still_gives_the_receipts_of_its_messages(send, gives):
    message = send()
    MessageGateway.objects.update(enabled=False)
    assert gives(message, {"state": "delivered"}).json()["payload"]["state"] == "delivered"


def test_case_3_a_number_is_left_out_from_receipts_alone(api, send, gives, pool):
    api.payload("PATCH", f"{MESSAGING}/{pool.uuid}", {"skip_unhealthy_tns": True, "tollfree_weight": 0})
    sick = str(LONG_CODES[1])
    for _ in range(4):
        gives(send(**{"from": sick}), {"state": "undelivered", "error": "No such subscriber"})
    senders = [send() for _ in range(6)]
    assert {one["from"] for one in senders} == {str(LONG_CODES[0]), str(LONG_CODES[2])}
    assert {"tn": sick, "why": "unhealthy"} in senders[0]["left_out"]
    lease = NumberLease.objects.get(tn=sick)
    NumberLease.objects.update(outcome_at=lease.created_at.replace(year=2020))
    assert give_another_chance() == 1
    assert sick in {send()["from"] for _ in range(3)}


def test_spam_counts_against_the_number(send, gives):
    message = send()
    gives(message, {"state": "delivered", "spam": True})
    lease = NumberLease.objects.get(tn=message["from"])
    assert (lease.delivered_count, lease.spam_count) == (1, 1)
    assert Message.objects.get().error_code == "spam"


def test_old_outcomes_weigh_less_and_less(pool):
    lease = NumberLease.objects.filter(messaging_profile=pool).first()
    NumberLease.objects.filter(pk=lease.pk).update(sent_count=WINDOW, delivered_count=WINDOW)
    record_outcome(lease, delivered=False, spam=False)
    lease.refresh_from_db()
    assert (lease.sent_count, lease.delivered_count) == (WINDOW // 2 + 1, WINDOW // 2)


def test_only_the_gateway_that_took_a_message_gives_its_receipt(api, send, gives, http_gateway):
    message = send()
    other = new_credential(MessageGateway.objects.create(name="Other", kind="simulated", priority=99))
    assert gives(message, {"state": "delivered"}, other).status_code == 404
    assert gives({"uuid": UNKNOWN}, {"state": "delivered"}).status_code == 404
    for wrong in ("", "pbg_wrong", "pb_x_y"):
        assert gives(message, {"state": "delivered"}, wrong).status_code == 401
    # The account's own credential says nothing for the gateway.
    api.refused(401, "POST", f"{SMS}/{message['uuid']}/receipt", {"state": "delivered"})
    for bad in ({}, {"state": "odd"}, {"state": 7}, [], {"state": "delivered", "more": 1}):
        assert gives(message, bad).status_code == 400
    former = new_credential(http_gateway)
    assert gives(message, {"state": "delivered"}).status_code == 401
    assert gives(message, {"state": "delivered"}, former).status_code == 200


def test_gateways_of_an_account_do_not_see_each_others_messages(api, send, gives, http_gateway):
    """Also not what was remembered of the query that another one has asked."""
    gateway = MessageGateway.objects.create(name="Other", kind="simulated", priority=99, account=http_gateway.account)
    mine, other = send(), new_credential(gateway)
    theirs = send()
    Message.objects.filter(uuid=theirs["uuid"]).update(gateway=gateway)
    for _ in range(2):
        assert gives(mine, {"state": "sent"}).status_code == 200
        assert gives(mine, {"state": "sent"}, other).status_code == 404
        assert gives(theirs, {"state": "sent"}, other).status_code == 200
        assert gives(theirs, {"state": "sent"}).status_code == 404


def test_the_credential_opens_nothing_else(anybody, http_gateway):
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {new_credential(http_gateway)}"}
    for path in (SMS, "/rest/lease/tn", MESSAGING):
        assert anybody.send("GET", path, **bearer).status_code == 401
