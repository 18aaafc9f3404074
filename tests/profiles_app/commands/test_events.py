"""Events from the terminal: writing one, sending deliveries again, forgetting what is old."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from contacts_app.accounts.models import Account, Extension
from contacts_app.contacts.mail import old_mails
from contacts_app.contacts.models.mail import Mail
from contacts_app.core.history.models import tracked_models
from profiles_app.events import delivery_operations as retention
from profiles_app.events.callback_changes import planned_callback, store_callback
from profiles_app.events.models.outbox import Delivery, DeliveryAttempt, Event
from profiles_app.events.models.setup import Callback, Level, Listener, Subscription
from tests.commands import run
from tests.peers.http_receiver import Receiver
from tests.profiles_app.events.deliveries.events import uuids
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver(settings):
    settings.CALLBACK_NETWORKS = "127.0.0.0/8"
    with Receiver().running() as receiver:
        yield receiver


@pytest.fixture
def callback(acme, receiver) -> Callback:
    callback = store_callback(planned_callback(level=Level(acme), given={"config": {"url": receiver.url}}))
    listener = Listener.objects.create(account=acme, callback=callback)
    Subscription.objects.create(listener=listener, tags=["message"])
    return callback


def delivery_of(callback: Callback, state: str = "failed", days: float = 0) -> Delivery:
    """A delivery with one attempt, of an event that happened so many days ago."""
    event = Event.objects.create(
        account=callback.account, tags=["message"], data_type="message", matched_at=timezone.now()
    )
    delivery = Delivery.objects.create(
        account=callback.account, event=event, callback=callback, state=state, attempt_count=4,
        next_attempt_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    DeliveryAttempt.objects.create(
        delivery=delivery, callback=callback, number=1, started_at=timezone.now(), duration_ms=5, status=500
    )
    moment = timezone.now() - timedelta(days=days)
    Event.objects.filter(pk=event.pk).update(created_at=moment)
    Delivery.objects.filter(pk=delivery.pk).update(created_at=moment)
    return delivery


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def swept() -> bool:
    run("sweep")
    return "pending" not in states()


def test_an_event_is_written_and_delivered(acme, callback, receiver):
    ran = run("emit_event", "message", "--account", acme.voip_id, "--data", '{"a": 1}', "--json")
    assert (ran.status, ran.err) == (0, "")
    event = Event.objects.get()
    assert (str(event.uuid), event.data, event.data_type) == (ran.row["uuid"], {"a": 1}, "message")
    wait_for(lambda: swept() and states() == ["delivered"])
    assert len(receiver.requests) == 1


def test_a_dry_run_writes_no_event(acme, callback, receiver):
    ran = run("emit_event", "message", "--account", acme.voip_id, "--dry-run", "--json")
    assert (ran.status, ran.row["dry_run"]) == (0, True)
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("bogus",), 2, "invalid choice"),
        (("message", "--data", "[]"), 2, "not an object"),
        (("message", "--data", '{"a": NaN}'), 2, "NaN is not JSON"),
        (("message", "--type", "x" * 65), 2, "1 to 64"),
        (("message", "--extension", "7"), 1, "no extension 7"),
        (("api-error", "--extension", "100"), 1, "Only an account"),
    ],
)
def test_an_event_that_cannot_be_is_refused(acme, arguments, status, complaint):
    Extension.objects.create(account=acme, number=100)
    ran = run("emit_event", *arguments, "--account", acme.voip_id)
    assert ran.status == status
    assert complaint in ran.err
    assert not Event.objects.exists()


def test_failed_deliveries_are_sent_again_with_the_same_uuid(acme, other, callback, receiver):
    failed, taken = delivery_of(callback), delivery_of(callback, "delivered")
    theirs = Callback.objects.create(account=other, mode="EMAIL", config={"email": "x@other.example"})
    delivery_of(theirs)
    planned = run("replay_deliveries", "--account", acme.voip_id, "--dry-run", "--json")
    assert (planned.row["callback_id"], planned.row["deliveries"]) == (callback.pk, 1)
    assert states() == ["failed", "delivered", "failed"]

    assert run("replay_deliveries", "--account", acme.voip_id, "--json").row["deliveries"] == 1
    wait_for(swept)
    assert states() == ["delivered", "delivered", "failed"]
    assert uuids(receiver) == [str(failed.event.uuid)]

    assert run("replay_deliveries", taken.pk).status == 0
    wait_for(lambda: swept() and len(receiver.requests) == 2)


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        ((), 2, "Say which"),
        (("--state", "failed"), 2, "Say which"),
        (("--state", "pending", "--within", "1"), 2, "invalid choice"),
        (("77",), 1, "There is no delivery 77."),
        (("--account", "77"), 1, "There is no account"),
    ],
)
def test_what_cannot_be_sent_again_is_told(callback, arguments, status, complaint):
    delivery_of(callback)
    ran = run("replay_deliveries", *arguments)
    assert (ran.status, states()) == (status, ["failed"])
    assert complaint in ran.err


@pytest.fixture
def past(callback, monkeypatch):
    """Five old events of which one is still on its way, a young one, an old and a young mail."""
    monkeypatch.setattr(retention, "BATCH", 2)
    for state in ("delivered", "failed", "suppressed", "failed", "pending"):
        delivery_of(callback, state, days=100)
    delivery_of(callback, "delivered", days=5)
    for days in (100, 5):
        mail = Mail.objects.create(
            to="x@acme.example", subject="x", text="x", state="sent", next_attempt_at=timezone.now()
        )
        Mail.objects.filter(pk=mail.pk).update(created_at=timezone.now() - timedelta(days=days))


def pruned(*arguments: object) -> dict[str, int]:
    ran = run("prune_history", *arguments, "--json")
    assert ran.status == 0, ran.err
    return {row["what"]: row["deleted"] for row in ran.rows}


def test_old_events_go_with_their_deliveries_and_attempts(past):
    expected = {"events": 4, "deliveries": 4, "attempts": 4, "mails": 1}
    assert expected.items() <= pruned("--older-than", 90, "--dry-run").items()
    assert Event.objects.count() == 6
    assert expected.items() <= pruned("--older-than", 90).items()
    assert states() == ["pending", "delivered"]
    assert (Event.objects.count(), DeliveryAttempt.objects.count()) == (2, 2)
    assert (Mail.objects.count(), old_mails(timezone.now() - timedelta(days=90)).count()) == (1, 0)
    assert set(pruned("--older-than", 90).values()) == {0}


def test_the_history_of_records_goes_only_on_demand(acme):
    acme.name = "Renamed"
    acme.save()
    rows = tracked_models[Account].rows_of_model()
    first = rows.order_by("history_id").first()
    rows.filter(pk=first.pk).update(history_date=timezone.now() - timedelta(days=100))
    pruned("--older-than", 90)
    assert rows.count() == 2
    assert pruned("--older-than", 90, "--records", "--dry-run")["historical rows"] == 1
    assert pruned("--older-than", 90, "--records")["historical rows"] == 1
    assert rows.count() == 1


@pytest.mark.parametrize("days", ["0", "-1", "soon", "nan"])
def test_a_nonsensical_age_prunes_nothing(past, days):
    assert run("prune_history", "--older-than", days).status == 2
    assert Event.objects.count() == 6


def test_an_event_that_nobody_has_matched_yet_stays(acme):
    event = Event.objects.create(account=acme, tags=["message"], data_type="x", data_object_uuid=uuid4())
    Event.objects.filter(pk=event.pk).update(created_at=timezone.now() - timedelta(days=100))
    assert pruned("--older-than", 90)["events"] == 0
