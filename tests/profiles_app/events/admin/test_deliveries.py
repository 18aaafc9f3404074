"""Events and deliveries at the web admin: what was sent and answered, again on demand, and how callbacks fare."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contacts_app.people.models import User
from profiles_app.events.models.outbox import Delivery, DeliveryAttempt, Event
from profiles_app.events.models.setup import Callback, Listener, Subscription
from tests.admin_people import at_desk
from tests.bell import told as bell_tells
from tests.commands import run
from tests.profiles_app.events.admin.test_events import SECRETS, callback_form, errors, list_of, told, url_of
from tests.profiles_app.events.deliveries.events import bodies, uuids
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def delivery_of(callback: Callback, state: str = "failed", event: Event | None = None, **more) -> Delivery:
    """A delivery of an event; if it is not suppressed, with an attempt that was answered 500."""
    event = event or Event.objects.create(
        account=callback.account, tags=["message"], data_type="message", matched_at=timezone.now()
    )
    delivery = Delivery.objects.create(
        account=callback.account, event=event, callback=callback, state=state,
        next_attempt_at=timezone.now() + timedelta(minutes=10), **more,
    )  # fmt: skip
    if state != "suppressed":
        DeliveryAttempt.objects.create(
            delivery=delivery, callback=callback, number=1, started_at=timezone.now(), duration_ms=5,
            status=500, error_code="status", error="Answered 500.", excerpt="Out of order",
        )  # fmt: skip
    return delivery


def replay_url(delivery):
    return reverse("admin:profiles_app_delivery_replay", args=[delivery.pk])


def settled() -> bool:
    run("sweep")
    return not Delivery.objects.filter(state="pending").exists()


@pytest.fixture
def stranger(strangers_rows):
    return delivery_of(strangers_rows[1])


def test_an_event_without_tags_has_a_link_with_words(clerk_desk, acme, callback):
    event = Event.objects.create(account=acme, tags=[], data_type="message", matched_at=timezone.now())
    page = clerk_desk.get(url_of(delivery_of(callback, event=event))).content.decode()
    assert f'href="{url_of(event)}">without tags</a>' in page


def test_a_delivery_tells_its_attempts_its_fallbacks_and_what_is_sent(clerk_desk, acme, new_callback):
    second = new_callback(acme, name="Second")
    first = new_callback(acme, name="First", fallback_callback_id=second.pk)
    failed = delivery_of(first, outcome="Answered 500.")
    passed_on = delivery_of(second, "pending", failed.event, hop=1)
    page = clerk_desk.get(url_of(failed)).content.decode()
    for words in ("Attempt 1", "answered 500", "5 ms", "Out of order", url_of(passed_on), "Deliver again"):
        assert words in page, words
    assert str(failed.event.uuid) in page
    assert "&quot;timestamp_ns&quot;" in page
    assert "every 2s" not in page
    page = clerk_desk.get(url_of(passed_on)).content.decode()
    assert "Next attempt" in page
    assert "every 2s" in page
    assert replay_url(passed_on) not in page
    timeline = reverse("admin:profiles_app_delivery_timeline", args=[passed_on.pk])
    assert "Next attempt" in clerk_desk.get(timeline).content.decode()
    page = clerk_desk.get(url_of(failed.event)).content.decode()
    assert url_of(failed) in page
    assert url_of(passed_on) in page
    # The fallback of several callbacks is told once, in the name of the first listener whose callback failed.
    Delivery.objects.filter(pk=passed_on.pk).update(listener_id=7)
    assert url_of(passed_on) in clerk_desk.get(url_of(failed)).content.decode()


def test_what_has_ended_is_delivered_again_with_the_same_uuid(clerk_desk, acme, new_callback, receiver):
    callback = new_callback(acme, url=receiver.url)
    failed = delivery_of(callback)
    assert clerk_desk.get(replay_url(failed)).status_code == 302
    assert receiver.requests == []
    assert "again: 1." in told(clerk_desk.post(replay_url(failed)))
    wait_for(settled)
    assert uuids(receiver) == [str(failed.event.uuid)]
    failed.refresh_from_db()
    assert (failed.state, failed.attempts.count()) == ("delivered", 2)


def test_selected_deliveries_are_sent_again_but_for_pending_and_strangers_ones(
    clerk_desk, acme, new_callback, receiver, stranger
):
    callback = new_callback(acme, url=receiver.url)
    chosen = [delivery_of(callback), delivery_of(callback, "suppressed"), delivery_of(callback, "pending")]
    keys = [delivery.pk for delivery in (*chosen, stranger)]
    answer = clerk_desk.post(list_of(Delivery), {"action": "replay_selected", "_selected_action": keys})
    assert "again: 2." in told(answer)
    wait_for(lambda: run("sweep").status == 0 and len(receiver.requests) == 2)
    wait_for(lambda: "Finished, " in bell_tells(clerk_desk)["delivered again → 2 deliveries"][0])
    stranger.refresh_from_db()
    assert stranger.state == "failed"


def test_a_clerk_finds_nothing_of_another_account(clerk_desk, stranger):
    pages = [url_of(stranger), url_of(stranger.event), replay_url(stranger)]
    pages.append(reverse("admin:profiles_app_delivery_timeline", args=[stranger.pk]))
    assert [clerk_desk.post(page).status_code for page in pages] == [404] * 4
    for model in (Delivery, Event):
        assert clerk_desk.get(list_of(model)).context["cl"].result_count == 0
    for page in ("test_event", "new_signing_secret"):
        url = reverse(f"admin:profiles_app_callback_{page}", args=[stranger.callback_id])
        assert clerk_desk.post(url).status_code == 404


def test_who_may_only_look_sends_nothing_again(acme, callback):
    failed = delivery_of(callback)
    reader = User.objects.create_user("reader@acme.example", "correct horse", account=acme, is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    desk = at_desk(reader)
    page = desk.get(url_of(failed))
    assert page.status_code == 200
    assert replay_url(failed) not in page.content.decode()
    assert desk.post(replay_url(failed)).status_code == 403
    desk.post(list_of(Delivery), {"action": "replay_selected", "_selected_action": [failed.pk]})
    for action in ("test_event", "new_signing_secret"):
        url = reverse(f"admin:profiles_app_callback_{action}", args=[callback.pk])
        assert desk.post(url).status_code == 403
    failed.refresh_from_db()
    assert failed.state == "failed"


def test_no_page_shows_a_secret(root_desk, acme, new_callback, receiver):
    def repeat(handler):
        body = f"{handler.headers['X-Hub-Token']} {handler.headers['Authorization']} {handler.path}".encode()
        handler.send_response(500)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    receiver.misbehave = repeat
    callback = new_callback(acme, url=f"{receiver.url}?key=T0ken")
    root_desk.post(reverse("admin:profiles_app_callback_test_event", args=[callback.pk]))
    wait_for(lambda: run("sweep").status == 0 and DeliveryAttempt.objects.exists())
    delivery = Delivery.objects.get()
    pages = [url_of(delivery), url_of(delivery.event), list_of(Delivery), list_of(Event), list_of(Callback)]
    pages += [reverse("admin:profiles_app_delivery_timeline", args=[delivery.pk])]
    shown = "".join(root_desk.get(page).content.decode() for page in pages)
    assert "How the answer begins" in shown
    for secret in (*SECRETS, "T0ken", callback.signing_secret):
        assert secret not in shown
    assert callback.signing_secret not in root_desk.get(url_of(callback)).content.decode()


def test_a_test_event_is_sent_and_leads_to_its_delivery(clerk_desk, acme, new_callback, receiver):
    callback = new_callback(acme, url=receiver.url)
    url = reverse("admin:profiles_app_callback_test_event", args=[callback.pk])
    assert b"test-event" in clerk_desk.get(url).content
    assert not Delivery.objects.exists()
    answer = clerk_desk.post(url)
    assert answer.headers["Location"] == url_of(Delivery.objects.get())
    wait_for(settled)
    assert [body["tags"] for body in bodies(receiver)] == [["test-event"]]


def test_a_new_signing_secret_is_shown_once(clerk_desk, callback):
    url = reverse("admin:profiles_app_callback_new_signing_secret", args=[callback.pk])
    former = callback.signing_secret
    clerk_desk.get(url)
    callback.refresh_from_db()
    assert callback.signing_secret == former
    page = clerk_desk.post(url)
    callback.refresh_from_db()
    assert callback.signing_secret != former
    assert callback.signing_secret in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert callback.signing_secret not in clerk_desk.get(url_of(callback)).content.decode()


def test_the_hours_of_the_last_day_have_the_colour_of_the_worst(clerk_desk, callback):
    delivery = delivery_of(callback)
    for hours, ok, code in ((2, True, ""), (3, False, "timeout"), (3, True, ""), (30, False, "status")):
        DeliveryAttempt.objects.create(
            delivery=delivery, callback=callback, number=1, ok=ok, error_code=code, duration_ms=10,
            started_at=timezone.now() - timedelta(hours=hours),
        )  # fmt: skip
    page = clerk_desk.get(url_of(callback)).content.decode()
    hours = re.findall(r'<span class="pb-bar-(\w+)" title="[^"]*: ([^"]*)"', page)
    assert len(hours) == 24
    assert [tone for tone, _ in hours[-4:]] == ["wait", "good", "rest", "bad"]
    assert hours[-1][1] == "0 succeeded, 1 failed, 0 timed out; 5 ms on average"
    assert {words for _, words in hours[:-4]} == {"nothing was sent"}


@pytest.fixture
def switched_off(acme, new_callback, receiver):
    callback = new_callback(acme, url=receiver.url, name="Off")
    Callback.objects.filter(pk=callback.pk).update(
        enabled=False, disabled_reason="It answered 410 Gone.", disabled_at=timezone.now()
    )
    return callback


def test_why_the_portal_switched_a_callback_off_stands_beside_the_switch(clerk_desk, callback, switched_off):
    assert "It answered 410 Gone." in clerk_desk.get(url_of(switched_off)).content.decode()
    assert "Switched off" not in clerk_desk.get(url_of(callback)).content.decode()
    for value, count in (("portal", 1), ("person", 0)):
        found = clerk_desk.get(list_of(Callback), {"off_by": value}).context["cl"]
        assert found.result_count == count


@pytest.mark.parametrize("way", ["form", "action"])
def test_enabling_asks_the_url_again(clerk_desk, switched_off, receiver, way):
    def enable():
        if way == "action":
            selected = {"action": "enable", "_selected_action": [switched_off.pk]}
            return clerk_desk.post(list_of(Callback), selected)
        return clerk_desk.post(url_of(switched_off), callback_form(url=receiver.url, headers=""))

    receiver.status = 500
    refused = enable()
    switched_off.refresh_from_db()
    assert not switched_off.enabled
    complaint = str(errors(refused)) if way == "form" else told(refused)
    assert "The URL answers 500" in complaint
    receiver.status = 200
    enable()
    switched_off.refresh_from_db()
    assert (switched_off.enabled, switched_off.disabled_reason, switched_off.disabled_at) == (True, "", None)
    assert bodies(receiver) == [{"test": 1}] * 2


def test_the_first_page_counts_callbacks_and_deliveries(clerk_desk, callback, switched_off, stranger):
    for state in ("failed", "failed", "delivered", "pending"):
        delivery_of(callback, state)
    old = delivery_of(callback)
    Delivery.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    page = clerk_desk.get("/admin/").content.decode()
    links = re.findall(r'<a href="([^"]+)"><span class="pb-dot[^>]*></span><strong>(\d+)</strong> <span>([^<]*)', page)
    told = {label: int(count) for _, count, label in links}
    expected = {"failed": 2, "delivered": 1, "pending": 1, "enabled": 1, "switched off by the portal": 1}
    assert told == expected
    for url, count, label in links:
        rows = clerk_desk.get(url.replace("&amp;", "&")).context["cl"].result_count
        assert rows == int(count), label


@pytest.mark.parametrize("model", [Delivery, Event])
def test_rows_are_found_by_what_people_know_with_a_constant_number_of_queries(root_desk, callback, model):
    counts = []
    for rows in (3, 12):
        for _ in range(rows):
            delivery = delivery_of(callback)
        root_desk.get(list_of(model))
        with CaptureQueriesContext(connection) as queries:
            assert root_desk.get(list_of(model)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    found = root_desk.get(list_of(model), {"q": str(delivery.event.uuid)}).context["cl"]
    assert found.result_count == 1


def test_an_account_goes_with_its_events_and_deliveries(root_desk, acme, listener):
    Subscription.objects.create(listener=listener, tags=["message"])
    delivery_of(listener.callback)
    acme.delete()
    for model in (Event, Delivery, DeliveryAttempt, Listener):
        assert not model.objects.exists()
