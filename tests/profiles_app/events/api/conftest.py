"""An account's token at the events API, and somebody who receives events."""

import pytest

from contacts_app.accounts.models import Extension
from contacts_app.tokens.services import create_token
from tests.peers.http_receiver import Receiver
from tests.profiles_app.events.api.client import EventsClient


@pytest.fixture(autouse=True)
def callbacks_on_loopback(settings):
    settings.CALLBACK_NETWORKS = "127.0.0.0/8"
    settings.CALLBACK_SECONDS = 20


@pytest.fixture
def at(acme):
    """The API as the owner of account `acme` uses it."""
    return EventsClient(create_token(account=acme)[1], f"/v4/accounts/{acme.voip_id}")


@pytest.fixture
def extension(acme):
    return Extension.objects.create(account=acme, number=100, name="Desk")


@pytest.fixture
def at_extension(acme, extension):
    """The API as extension 100 of `acme` uses it."""
    token = create_token(extension=extension)[1]
    return EventsClient(token, f"/v4/accounts/{acme.voip_id}/extensions/{extension.number}")


@pytest.fixture
def receiver():
    with Receiver().running() as receiver:
        yield receiver


@pytest.fixture
def profile(at):
    return at.post("profiles", {"name": "Mine", "support_email": "help@acme.example"}).json()


@pytest.fixture
def callback(at, receiver):
    return at.post("callbacks", {"name": "My callback", "config": {"url": receiver.url}}).json()


@pytest.fixture
def listener(at, callback):
    return at.post("listeners", {"callback_id": callback["id"]}).json()
