"""kill -9 of a worker: nothing is lost, what was not written down is sent again with the same uuid, order is kept."""

import threading

import pytest

from profiles_app.events.models.outbox import Delivery, DeliveryAttempt
from tests.processes import processes
from tests.profiles_app.events.deliveries.events import call, feed, uuids
from tests.profiles_app.events.deliveries.test_delivery import answering
from tests.servers import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]
EVENTS = 600


@pytest.fixture
def running(tmp_path, no_inline_work):
    with processes(tmp_path) as running:
        running.environment |= {"CALLBACK_NETWORKS": "127.0.0.0/8", "CALLBACK_ATTEMPT_SECONDS": "0,1,2,3"}
        yield running


def all_delivered() -> bool:
    return Delivery.objects.filter(state="delivered").count() == EVENTS


def test_a_worker_killed_in_the_middle(at, ear, receiver, running):
    ear(receiver)
    killed = threading.Event()

    def wait_in_the_middle(handler):
        if len(receiver.requests) > EVENTS // 2:
            killed.wait(180)
        else:
            answering()(handler)

    receiver.misbehave = wait_in_the_middle
    running.start_worker()
    running.start_sweep()
    events = [uuid for _ in range(3) for uuid in feed(at, *(call() for _ in range(EVENTS // 3)))]
    wait_for(lambda: len(receiver.requests) > EVENTS // 3)
    running.kill("worker")
    receiver.misbehave = None
    killed.set()
    running.start_worker()
    wait_for(all_delivered)
    got = uuids(receiver)
    assert list(dict.fromkeys(got)) == events
    # What may come twice is the one round that was not written down.
    assert len(got) - EVENTS <= 200
    assert DeliveryAttempt.objects.count() == EVENTS


def test_a_worker_killed_between_sent_and_written_down(at, ear, receiver, running):
    ear(receiver)
    reached, released = threading.Event(), threading.Event()

    def hold(handler):
        reached.set()
        released.wait(180)

    receiver.misbehave = hold
    running.start_worker()
    running.start_sweep()
    [uuid] = feed(at, call())
    assert reached.wait(180)
    running.kill("worker")
    receiver.misbehave = None
    released.set()
    running.start_worker()
    wait_for(lambda: Delivery.objects.filter(state="delivered").exists())
    assert uuids(receiver) == [uuid, uuid]
    assert DeliveryAttempt.objects.count() == 1
