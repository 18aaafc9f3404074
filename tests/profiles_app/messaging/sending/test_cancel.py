"""Sending spec §2: a message that may have been sent is not cancelled, also where the gateway counts repeats once."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from contacts_app.core.work.queue import run_queue
from profiles_app.messaging.sending.models import Message
from profiles_app.messaging.sending.outbox import OUTBOUND
from tests.admin_people import at_desk
from tests.profiles_app.messaging.conftest import LONG_CODES
from tests.profiles_app.messaging.sending.conftest import SMS, TO

pytestmark = pytest.mark.django_db(transaction=True)


def hangs_up(handler):
    """The request has come, and no answer goes back."""
    handler.close_connection = True


def due_now():
    Message.objects.update(next_attempt_at=timezone.now())
    run_queue(OUTBOUND)


@pytest.fixture
def is_refused(api, root):
    """Neither REST nor the admin cancels the message."""

    def refused(message):
        api.refused(409, "POST", f"{SMS}/{message['uuid']}/cancel")
        row = Message.objects.get(uuid=message["uuid"])
        asked = at_desk(root).post(reverse("admin:profiles_app_message_cancel_it", args=[row.pk]))
        return asked.status_code == 403 and row.state == "queued"

    return refused


def test_a_message_whose_request_has_had_no_answer_stays_until_it_is_sent(
    api, send, provider, http_gateway, is_refused
):
    provider.misbehave = hangs_up
    message = send()
    assert is_refused(message)
    # That it is refused now says nothing of the first time.
    provider.misbehave, provider.status = None, 503
    due_now()
    assert is_refused(message)
    provider.status = 200
    due_now()
    assert api.payload("GET", f"{SMS}/{message['uuid']}")["state"] == "sent"
    assert len({request.headers["idempotency-key"] for request in provider.requests}) == 1


def test_after_the_last_attempt_it_is_in_doubt(api, send, provider, http_gateway, settings):
    settings.CALLBACK_ATTEMPT_SECONDS = [0.0, 0.0]
    provider.misbehave = hangs_up
    message = send()
    provider.misbehave, provider.status = None, 503
    due_now()
    ended = api.payload("GET", f"{SMS}/{message['uuid']}")
    assert (ended["state"], ended["error_code"], len(provider.requests)) == ("failed", "in-doubt", 2)


def test_after_a_stop_it_is_in_doubt_and_not_asked_again(api, send, provider, http_gateway):
    provider.misbehave = hangs_up
    message = send()
    api.payload("POST", "/rest/sms/inbound", {"from": TO, "to": str(LONG_CODES[0]), "message": "STOP"})
    due_now()
    ended = api.payload("GET", f"{SMS}/{message['uuid']}")
    assert (ended["state"], ended["error_code"], len(provider.requests)) == ("failed", "in-doubt", 1)


def test_what_a_dead_worker_has_held_stays_also_after_another_one_found_the_gateway_away(
    api, send, provider, http_gateway, is_refused
):
    provider.status = 503
    message = send()
    # As a worker leaves it that dies (test_kill.py).
    Message.objects.update(lease_owner="dead", lease_until=timezone.now() - timedelta(seconds=1))
    assert is_refused(message)
    due_now()
    assert Message.objects.get().lease_owner == ""
    assert is_refused(message)


def test_what_was_sent_when_the_worker_broke_stays(send, provider, http_gateway, is_refused, settings):
    settings.CALLBACK_ATTEMPT_SECONDS = [0.0, None]
    provider.status = 503
    message = send()
    assert len(provider.requests) == 1
    assert Message.objects.get().attempt_count == 0
    assert is_refused(message)
