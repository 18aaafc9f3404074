"""Sending spec §3: SMPP 3.4 with a message centre on loopback."""

from datetime import timedelta

import pytest
from django.utils import timezone
from smpplib import consts

from contacts_app.core.work.queue import run_queue
from profiles_app.messaging.models import InboundMessage
from profiles_app.messaging.sending.models import Message, MessageGateway, OptOut
from profiles_app.messaging.sending.outbox import OUTBOUND
from profiles_app.messaging.sending.work import RECEIPTS
from tests.profiles_app.messaging.conftest import LONG_CODES
from tests.profiles_app.messaging.sending.conftest import SMS, TO

pytestmark = pytest.mark.django_db(transaction=True)


def visit(gateway):
    MessageGateway.objects.filter(pk=gateway.pk).update(listen_at=timezone.now())
    run_queue(RECEIPTS)


def plain(octets):
    return octets.decode().rstrip("\0")


def test_a_message_is_submitted_and_its_receipt_fetched(api, send, centre, smpp_gateway):
    message = send(text="Grüße €", **{"from": str(LONG_CODES[0])})
    [pdu] = centre.submitted
    assert (plain(pdu.source_addr), plain(pdu.destination_addr)) == (str(LONG_CODES[0]), "442079460123")
    assert (pdu.short_message, pdu.data_coding, pdu.registered_delivery) == (b"Gr~\x1ee \x1be", 0, 1)
    stored = api.payload("GET", f"{SMS}/{message['uuid']}")
    assert (stored["state"], stored["reference_id"], centre.binds) == ("sent", "c1", ["bind_transceiver"])
    centre.receipt("c1", "DELIVRD")
    visit(smpp_gateway)
    assert api.payload("GET", f"{SMS}/{message['uuid']}")["state"] == "delivered"
    assert centre.acknowledged == [0]


def test_a_disabled_gateway_is_asked_for_the_receipts_of_what_it_took_in_the_last_days(
    api, send, centre, smpp_gateway, provider, http_gateway
):
    MessageGateway.objects.filter(pk=smpp_gateway.pk).update(priority=1)
    first, second = send(), send("33100000001")
    MessageGateway.objects.filter(pk=smpp_gateway.pk).update(enabled=False)
    centre.receipt("c1", "DELIVRD")
    visit(smpp_gateway)
    assert api.payload("GET", f"{SMS}/{first['uuid']}")["state"] == "delivered"
    send("33100000002")
    assert (len(centre.submitted), len(provider.requests)) == (2, 1)
    Message.objects.filter(uuid=second["uuid"]).update(sent_at=timezone.now() - timedelta(days=4))
    visits = len(centre.binds)
    visit(smpp_gateway)
    assert len(centre.binds) == visits
    smpp_gateway.refresh_from_db()
    assert smpp_gateway.listen_at > timezone.now()


def test_a_receipt_that_comes_before_the_answer_counts(api, send, centre, smpp_gateway):
    centre.receipt("c1", "UNDELIV")
    message = api.payload("GET", f"{SMS}/{send()['uuid']}")
    assert (message["state"], message["error"]) == ("undelivered", "UNDELIV 000")


def test_a_long_message_is_submitted_in_parts_of_which_the_last_asks_for_a_receipt(send, centre, smpp_gateway):
    assert send(text="ж" * 100)["parts"] == 2
    first, second = centre.submitted
    assert [pdu.esm_class for pdu in (first, second)] == [consts.SMPP_GSMFEAT_UDHI] * 2
    assert [pdu.registered_delivery for pdu in (first, second)] == [0, 1]
    assert [pdu.short_message[:3] + pdu.short_message[4:6] for pdu in (first, second)] == [
        bytes([5, 0, 3, 2, 1]),
        bytes([5, 0, 3, 2, 2]),
    ]
    assert (first.short_message[6:] + second.short_message[6:]).decode("utf-16-be") == "ж" * 100


@pytest.mark.parametrize(
    ("status", "state"), [(consts.SMPP_ESME_RTHROTTLED, "queued"), (consts.SMPP_ESME_RINVDSTADR, "failed")]
)
def test_what_the_centre_refuses_for_good_is_not_submitted_again(api, send, centre, smpp_gateway, status, state):
    centre.statuses = [status]
    message = send()
    assert api.payload("GET", f"{SMS}/{message['uuid']}")["state"] == state
    Message.objects.update(next_attempt_at=timezone.now())
    run_queue(OUTBOUND)
    assert len(centre.submitted) == (2 if state == "queued" else 1)


def test_a_message_without_an_answer_is_not_submitted_twice(api, send, centre, smpp_gateway, settings):
    settings.GATEWAY_SECONDS = 3
    centre.silent = True
    message = api.payload("GET", f"{SMS}/{send()['uuid']}")
    assert (message["state"], message["error_code"], len(centre.submitted)) == ("failed", "in-doubt", 1)


def test_a_wrong_password_and_an_absent_centre_are_tried_again(api, send, centre, smpp_gateway):
    centre.password = "another"
    message = api.payload("GET", f"{SMS}/{send()['uuid']}")
    assert (message["state"], message["error_code"], centre.submitted) == ("queued", "bind", [])
    assert "s3cret" not in message["error"]
    visit(smpp_gateway)


def test_messages_of_people_are_taken_in(centre, smpp_gateway, pool):
    for text, coding in ((b"Hello", 0), ("Привет".encode("utf-16-be"), 8), (b"STOP", 0)):
        centre.waiting.append(
            {
                "source_addr": TO.removeprefix("+"),
                "destination_addr": str(LONG_CODES[0]),
                "short_message": text,
                "data_coding": coding,
            }
        )
    centre.waiting.append({"destination_addr": "nobody", "short_message": b"x"})
    visit(smpp_gateway)
    assert [row.text for row in InboundMessage.objects.order_by("pk")] == ["Hello", "Привет", "STOP"]
    assert OptOut.objects.get().recipient == TO.removeprefix("+")
    assert centre.acknowledged == [0] * 4


def test_media_do_not_travel_by_smpp(api, pool, smpp_gateway):
    body = {"to": TO, "media_urls": ["https://example.org/a"], "messaging_profile_uuid": str(pool.uuid)}
    api.refused(409, "POST", SMS, body)


def test_a_centre_inside_our_network_is_not_spoken_to(api, send, centre, smpp_gateway, settings):
    settings.GATEWAY_NETWORKS = ""
    message = api.payload("GET", f"{SMS}/{send()['uuid']}")
    assert (message["error_code"], centre.binds) == ("outside-networks", [])
