"""Events that are fed in as a PBX does, and receivers that are sent them; retries follow one another quickly."""

import pytest

import tests.profiles_app.events.api.conftest as events_api
from profiles_app.events.models.outbox import Delivery
from tests.commands import run
from tests.peers.http_receiver import Receiver
from tests.servers import wait_for

# What the events API is tested with serves here too.
at, at_extension, extension = events_api.at, events_api.at_extension, events_api.extension
receiver, callbacks_on_loopback = events_api.receiver, events_api.callbacks_on_loopback


@pytest.fixture(autouse=True)
def impatient(settings):
    settings.CALLBACK_ATTEMPT_SECONDS = [0.0, 0.05, 0.1, 0.15]
    settings.CALLBACK_REST_SECONDS = 0.05


@pytest.fixture
def second():
    with Receiver().running() as receiver:
        yield receiver


@pytest.fixture
def settle(transactional_db):
    """Sweep until nothing is pending any more."""

    def settle(seconds: float = 180) -> None:
        def settled() -> bool:
            assert run("sweep").status == 0
            return not Delivery.objects.filter(state="pending").exists()

        wait_for(settled, seconds)

    return settle


@pytest.fixture
def ear(at):
    """A listener with a callback of its own: `ear(receiver, tags)` gives the callback's and the listener's ids."""

    def ear(receiver, tags=("call",), filters=(), client=None, expires_at=None, **more):
        config = {"url": receiver.url} | more.pop("config", {})
        body = {
            ":callback": {"config": config, **more},
            ":subscriptions": [{":tags": list(tags)}],
            ":filters": list(filters),
        }
        if expires_at:
            body["expires_at"] = expires_at
        response = (client or at).post("overview", body)
        assert response.status_code == 201, response.content
        receiver.requests.clear()
        return response.json()[":callback"]["id"], response.json()["id"]

    return ear
