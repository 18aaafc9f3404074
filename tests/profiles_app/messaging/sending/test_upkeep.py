"""Sending spec §7: how long messages are kept, and what the doctor says of an outbox that stands still."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts_app.core.doctor.checks import diagnose
from contacts_app.core.work.queue import run_queue
from profiles_app.messaging.models import InboundMessage
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway
from profiles_app.messaging.sending.outbox import OUTBOUND
from profiles_app.messaging.sending.upkeep import KEPT
from tests.commands import run
from tests.profiles_app.messaging.conftest import LONG_CODES
from tests.profiles_app.messaging.sending.conftest import SMS, TO

pytestmark = pytest.mark.django_db(transaction=True)


def found():
    return {one["code"] for one in diagnose() if one["check"] == "messages"}


def test_old_messages_go_and_queued_ones_stay(api, send, provider, http_gateway):
    send()
    api.payload("POST", "/rest/sms/inbound", {"from": TO, "to": str(LONG_CODES[0]), "message": "Hi"})
    provider.status = 503
    send("33100000001")
    old = timezone.now() - timedelta(days=100)
    Message.objects.update(created_at=old)
    InboundMessage.objects.update(created_at=old)
    assert KEPT.count(timezone.now() - timedelta(days=90)) == {"messages": 1, "inbound messages": 1}
    assert run("prune_history").status == 0
    assert [message.state for message in Message.objects.all()] == ["queued"]
    assert MessageAttempt.objects.count() == 1
    assert not InboundMessage.objects.exists()


def test_the_doctor_tells_of_messages_that_stand_still(send, provider, http_gateway):
    provider.status = 503
    send()
    assert found() == set()
    Message.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert found() == {"messages-stuck"}
    MessageGateway.objects.update(enabled=False)
    assert found() == {"messages-stuck", "no-gateway"}


def test_what_was_queued_before_its_gateway_was_disabled_still_goes_there(api, send, provider, http_gateway):
    """As the doctor's advice says."""
    provider.status = 503
    message = send()
    MessageGateway.objects.update(enabled=False)
    [told] = [one for one in diagnose() if one["code"] == "no-gateway"]
    assert told["message"] == "1 message is queued for a gateway that is disabled."
    assert told["advice"].startswith("They are still handed to it; messages that came later go to others.")
    provider.status = 200
    Message.objects.update(next_attempt_at=timezone.now())
    run_queue(OUTBOUND)
    assert api.payload("GET", f"{SMS}/{message['uuid']}")["state"] == "sent"
    assert found() == set()
