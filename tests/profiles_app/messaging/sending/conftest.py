"""Gateways of every kind on loopback, a pool of numbers, and webhooks."""

import json

import pytest

from profiles_app.messaging.models import MessagingProfile
from profiles_app.messaging.sending.models import MessageGateway
from tests.peers.http_receiver import Receiver
from tests.peers.smpp import MessageCentre
from tests.profiles_app.messaging.conftest import LONG_CODES, MESSAGING, TOLLFREE, Rest, client_of, is_error

__all__ = ["Rest", "client_of", "is_error"]
SMS = "/rest/sms"
TO = "+442079460123"


@pytest.fixture
def loopback(settings):
    settings.GATEWAY_NETWORKS = settings.CALLBACK_NETWORKS = "127.0.0.0/8"


@pytest.fixture
def provider(loopback):
    with Receiver(body=b'{"data": [{"id": "ref-1"}]}').running() as receiver:
        yield receiver


@pytest.fixture
def http_gateway(db, provider):
    return MessageGateway.objects.create(
        name="Provider",
        url=provider.url,
        headers=json.dumps({"Authorization": "Bearer k3y-of-ours"}),
        id_path="data.0.id",
    )


@pytest.fixture
def simulated(db):
    return MessageGateway.objects.create(name="Simulated", kind="simulated")


@pytest.fixture
def centre(loopback):
    with MessageCentre().running() as running:
        yield running


@pytest.fixture
def smpp_gateway(db, centre):
    return MessageGateway.objects.create(
        name="Centre", kind="smpp", host="127.0.0.1", port=centre.port, system_id="patchbay", password="s3cret"
    )


@pytest.fixture
def pool(api, lease):
    """A profile whose pool is on, 5 to 1, with three long codes and a toll-free number."""
    weights = {"long_code_weight": 5, "tollfree_weight": 1}
    made = api.payload("POST", MESSAGING, {"name": "pool", "number_pool_enable": True, **weights})
    for tn in (*LONG_CODES, TOLLFREE):
        lease(tn, profile=made)
    return MessagingProfile.objects.get(uuid=made["uuid"])


@pytest.fixture
def send(api, pool):
    """Sends to somebody by the pool, or as is said."""

    def sending(to=TO, text="Hello", **more):
        return api.payload("POST", SMS, {"to": to, "text": text, "messaging_profile_uuid": str(pool.uuid), **more})

    return sending
