"""A site on loopback, the way to let due work happen, and pages of phones as phones read them."""

import pytest
from django.test import Client

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.simulator.objects import PhoneObject, read_object
from tests.phones_app.playing import play
from tests.phones_app.site import Site


@pytest.fixture
def site(tmp_path, acme, alice):
    """The embedded file server with Alice as the owner of profiles. Needs a transactional database."""
    site = Site(tmp_path, acme, alice)
    site.add_file_server()
    yield site
    site.files.stop()


@pytest.fixture
def finish():
    """Play the worker until a deployment has ended (or what is asked for holds)."""

    def work(
        deployment: Deployment, until=lambda deployment: deployment.finished_at, seconds: float = 180
    ) -> Deployment:
        def holds() -> bool:
            deployment.refresh_from_db()
            return until(deployment)

        def told() -> str:
            return f"still {deployment.state} after {seconds} s ({deployment.waiting_for})"

        run_queue(DEPLOYMENTS)
        play(lambda: run_queue(DEPLOYMENTS), holds, seconds, told)
        return deployment

    return work


@pytest.fixture
def see():
    """What the phone at 127.0.0.1 shows of one of its pages; ObjectRefused where it would show an error instead."""

    def ask(
        service: str,
        /,
        *,
        method: str = "get",
        model: str = "CP-8851",
        offered: str = "utf-8,iso-8859-1;q=0.8",
        address: str = "127.0.0.1",
        **values: str,
    ) -> PhoneObject:
        client = Client(REMOTE_ADDR=address, headers={"x-CiscoIPPhoneModelName": model, "Accept-Charset": offered})
        path = service if service.startswith("/") else f"/cisco/services/{service}"
        response = getattr(client, method)(path, values)
        assert response.status_code == 200, response
        return read_object(response.content, response["Content-Type"], offered)

    return ask
