"""Event profiles, callbacks and listeners of an account, and people at their desks."""

import pytest
from django.db import transaction

from profiles_app.events.callback_changes import planned_callback, store_callback
from profiles_app.events.models.setup import EventProfile, Level, Listener, Subscription
from tests.admin_people import at_desk, clerk
from tests.peers.http_receiver import Receiver

HEADERS = [{"name": "X-Hub-Token", "value": "hunter2"}, {"name": "Authorization", "value": "Bearer s3cret"}]


@pytest.fixture(autouse=True)
def callbacks_on_loopback(settings):
    settings.CALLBACK_NETWORKS = "127.0.0.0/8"


@pytest.fixture
def root_desk(root):
    return at_desk(root)


@pytest.fixture
def clerk_desk(acme):
    return at_desk(clerk(acme))


@pytest.fixture
def receiver():
    with Receiver().running() as receiver:
        yield receiver


@pytest.fixture
def new_callback():
    def make(account, url="https://hooks.example.org/T0ken", **given):
        config = {"url": url, "headers": HEADERS}
        with transaction.atomic():
            return store_callback(planned_callback(level=Level(account), given={"config": config} | given))

    return make


@pytest.fixture
def callback(acme, new_callback):
    return new_callback(acme, name="Mine")


@pytest.fixture
def listener(acme, callback):
    listener = Listener.objects.create(account=acme, callback=callback)
    Subscription.objects.create(listener=listener, tags=["call", "inbound"])
    return listener


@pytest.fixture
def strangers_rows(other, new_callback):
    profile = EventProfile.objects.create(account=other, name="Strange profile")
    callback = new_callback(other, name="Strange callback")
    return [profile, callback, Listener.objects.create(account=other, callback=callback)]
