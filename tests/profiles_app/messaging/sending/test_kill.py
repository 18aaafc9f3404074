"""Sending spec §8, case 5: a worker is killed between sending and writing down; the gateway sees one message."""

import json
import threading

import pytest
from django.utils import timezone

from contacts_app.core.actor import system
from contacts_app.core.errors import Refusal
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway
from profiles_app.messaging.sending.outbox import Draft, cancel, submit
from tests.processes import processes
from tests.servers import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]


@pytest.fixture
def running(tmp_path, no_inline_work):
    with processes(tmp_path) as running:
        running.environment |= {"GATEWAY_NETWORKS": "127.0.0.0/8", "CALLBACK_ATTEMPT_SECONDS": "0,1,2,3"}
        yield running


@pytest.mark.parametrize("is_idempotent", [True, False])
def test_a_worker_killed_between_sent_and_written_down(running, pool, acme, provider, http_gateway, is_idempotent):
    """Of two messages the first one's answer is held; the second one has not been begun."""
    MessageGateway.objects.update(is_idempotent=is_idempotent)
    reached, released = threading.Event(), threading.Event()

    def hold(handler):
        reached.set()
        released.wait(180)

    provider.misbehave = hold
    drafts = [Draft(to="33100000001", text="a"), Draft(to="33100000002", text="b")]
    first, second = submit(acme, drafts, profile=pool, actor=system("test"))
    running.start_worker()
    running.start_sweep()
    assert reached.wait(180)
    running.kill("worker")
    wait_for(lambda: Message.objects.get(pk=first.pk).lease_until < timezone.now())
    with pytest.raises(Refusal):
        cancel(first)
    provider.misbehave = None
    released.set()
    running.start_worker()
    wait_for(lambda: not Message.objects.filter(state="queued").exists())
    seen = [json.loads(request.body)["uuid"] for request in provider.requests]
    states = [Message.objects.get(pk=message.pk).state for message in (first, second)]
    if is_idempotent:
        # Asked twice, under one id.
        assert (seen, states) == ([str(first.uuid), str(first.uuid), str(second.uuid)], ["sent", "sent"])
    else:
        assert (seen, states) == ([str(first.uuid), str(second.uuid)], ["failed", "sent"])
        assert Message.objects.get(pk=first.pk).error_code == "in-doubt"
    assert MessageAttempt.objects.count() == 2
