"""Who delivers to a callback, and when: no delivery is forgotten, and none waits for the failure of another."""

import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts_app.core.work.claim import Claims
from contacts_app.core.work.queue import run_queue
from profiles_app.events.delivery_record import let_go
from profiles_app.events.delivery_run import Deliveries
from profiles_app.events.matching import DeliveryTarget, match_new, new_delivery, write_deliveries
from profiles_app.events.models.outbox import CallbackQueue, Delivery, DeliveryAttempt, Event
from profiles_app.events.models.setup import Callback
from profiles_app.events.outbox import DELIVERIES, within_memory
from tests.profiles_app.events.deliveries.events import call, feed, uuids
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_written_while_its_lane_is_given_back_is_not_forgotten(at, ear, receiver):
    """The one who gives it back sees no delivery that is not committed yet."""
    callback, _ = ear(receiver)
    feed(at, call())
    event = Event.objects.get(data_type="call")
    Delivery.objects.all().delete()
    now = timezone.now()
    CallbackQueue.objects.update(wake_at=now)
    assert Claims(Deliveries("worker")).take().keys == [callback]

    def give_back():
        let_go(callback, "worker")
        connection.close()

    other = threading.Thread(target=give_back)
    with transaction.atomic():
        write_deliveries([new_delivery(event, DeliveryTarget(callback, 0), None, now)], now)
        other.start()
        # It waits for this transaction; if it did not, this is time enough for it to let the queue sleep.
        other.join(0.5)
    other.join()
    queue = CallbackQueue.objects.get()
    assert queue.lease_owner == ""
    assert queue.wake_at is not None
    assert Delivery.objects.get().state == "pending"


def test_a_lane_is_given_back_with_the_last_round_of_its_turn(at, ear, receiver, no_inline_work):
    """Most callbacks have few deliveries due: a look for more, and a transaction to give back, would double the work."""
    callback, _ = ear(receiver)
    uuid = feed(at, call())
    match_new()
    work = Deliveries("worker")
    assert Claims(work).take().keys == [callback]
    with CaptureQueriesContext(connection) as queries:
        work.do([callback])
    assert len([query for query in queries if query["sql"].startswith("BEGIN")]) == 1
    assert len([query for query in queries if query["sql"].startswith("SELECT")]) <= 6
    assert uuids(receiver) == uuid
    queue = CallbackQueue.objects.get()
    assert (queue.lease_owner, queue.lease_until, queue.wake_at) == ("", None, None)


def test_a_lane_that_the_database_fails_is_free_for_others(at, ear, receiver, settle):
    """The process lives on and renews its leases, so it has to give back what it does not work on."""
    ear(receiver)
    table = DeliveryAttempt._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            [uuid] = feed(at, call())
        finally:
            cursor.execute(f"ALTER TABLE away RENAME TO {table}")
    queue = CallbackQueue.objects.get()
    assert (queue.lease_owner, queue.resting_until > timezone.now()) == ("", True)
    CallbackQueue.objects.update(resting_until=None)
    settle()
    assert uuids(receiver) == [uuid, uuid]
    assert Delivery.objects.get().state == "delivered"


def test_a_callback_that_does_not_answer_delays_no_other(at, ear, receiver, second, settings):
    """The first one answers when the second one has got everything: it would never if one waited for the other."""
    settings.CALLBACK_SECONDS = 200
    ear(receiver)
    ear(second)
    handle = []

    def answer(handler):
        wait_for(lambda: len(second.requests) == 20)
        handle.append(len(second.requests))
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    receiver.misbehave = answer
    events = feed(at, *(call() for _ in range(20)))
    assert handle[0] == 20
    assert uuids(receiver) == uuids(second) == events
    assert set(DeliveryAttempt.objects.values_list("ok", flat=True)) == {True}


def test_large_events_are_read_a_few_at_a_time_and_all_of_them(at, ear, receiver, settle, monkeypatch, no_inline_work):
    """A worker that read hundreds of events as large as a request would take all the memory there is."""
    monkeypatch.setattr("profiles_app.events.outbox.MOST_AT_ONCE", 10_000)
    assert within_memory([(1, 4_000), (2, 4_000), (3, 4_000)]) == [1, 2]
    assert within_memory([(1, 40_000), (2, 1)]) == [1]
    ear(receiver)
    events = feed(at, *(call(data={"text": "x" * 6_000}) for _ in range(4)))
    run_queue(DELIVERIES)
    assert uuids(receiver) == events
    assert not Delivery.objects.exclude(state="delivered").exists()


def test_an_event_that_cannot_be_sent_holds_up_no_other(at, ear, receiver, settle):
    callback, _ = ear(receiver)
    feed(at, call(), call(), call())
    receiver.requests.clear()
    broken = Event.objects.filter(data_type="call").order_by("pk")[1]
    Event.objects.filter(pk=broken.pk).update(stored_data="no JSON")
    for delivery in Delivery.objects.all():
        at_again = Delivery.objects.filter(pk=delivery.pk)
        at_again.update(state="pending", attempt_count=0, next_attempt_at=timezone.now())
    CallbackQueue.objects.update(wake_at=timezone.now())
    settle()
    assert len(receiver.requests) == 2
    states = dict(Delivery.objects.values_list("event", "state"))
    assert [states[key] for key in sorted(states)] == ["delivered", "failed", "delivered"]
    assert Callback.objects.get(pk=callback).enabled
    assert CallbackQueue.objects.get().failing_since is None
