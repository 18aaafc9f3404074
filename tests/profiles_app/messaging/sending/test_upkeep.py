"""Sending spec §7: how long messages are kept, and what the doctor says of an outbox that stands still."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from contacts_app.core.doctor.checks import diagnose
from contacts_app.core.work.queue import run_queue
from profiles_app.events.models.outbox import Event
from profiles_app.events.models.setup import Callback
from profiles_app.messaging.models import InboundMessage
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway
from profiles_app.messaging.sending.outbox import OUTBOUND
from profiles_app.messaging.sending.upkeep import KEPT
from tests.admin_people import at_desk
from tests.commands import run
from tests.peers.http_receiver import Receiver
from tests.profiles_app.messaging.conftest import LONG_CODES, MESSAGING
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
    assert KEPT.count(timezone.now() - timedelta(days=90)) == {"messages": 1, "inbound messages": 1, "webhooks": 0}
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


@pytest.fixture
def hooks(loopback, api, pool, simulated):
    """Where the profile posts to, and where messages say; the latter answer as they are told."""
    with Receiver().running() as profiles, Receiver().running() as first, Receiver().running() as second:
        api.payload("PATCH", f"{MESSAGING}/{pool.uuid}", {"callback_url": profiles.url, "callback_url2": first.url})
        yield profiles, first, second


def pruned_long_after():
    """What a daily run deletes when all that there is has become old."""
    old = timezone.now() - timedelta(days=100)
    Message.objects.update(created_at=old)
    Event.objects.update(created_at=old)
    ran = run("prune_history", "--json")
    assert ran.status == 0, ran.err
    return next(row["deleted"] for row in ran.rows if row["what"] == "webhooks")


def webhooks():
    return sorted(callback.config["url"] for callback in Callback.objects.all())


def test_webhooks_that_only_old_messages_have_named_go_and_the_profiles_stay(send, hooks):
    profiles, first, second = hooks
    send()
    send(webhook_url=f"{second.url}?order=1")
    mine = sorted([profiles.url, first.url])
    assert webhooks() == sorted([*mine, f"{second.url}?order=1"])
    # Not yet found by anything, but whoever has found it before may still be about to use it.
    assert (pruned_long_after(), len(webhooks())) == (0, 3)
    send(webhook_url=f"{second.url}?order=1")
    assert len(second.requests) == 6
    assert pruned_long_after() == 1
    assert pruned_long_after() == 1
    assert webhooks() == mine
    assert pruned_long_after() == 0
    send()
    assert len(profiles.requests) == 6


def test_a_webhook_to_which_something_is_to_be_delivered_stays(send, hooks):
    _, _, second = hooks
    second.status = 500
    send(webhook_url=second.url)
    for _ in range(2):
        assert pruned_long_after() == 0
    assert webhooks() == [second.url]


def test_a_webhook_that_a_person_has_disabled_stays(root, send, hooks):
    _, _, second = hooks
    send(webhook_url=second.url)
    chosen = {"action": "disable", "_selected_action": [Callback.objects.get().pk]}
    at_desk(root).post(reverse("admin:profiles_app_callback_changelist"), chosen)
    for _ in range(2):
        assert pruned_long_after() == 0
    send(webhook_url=second.url)
    assert len(second.requests) == 3
