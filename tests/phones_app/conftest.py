"""A site on loopback, the way to let due work happen, and pages of phones as phones read them."""

import pytest
from django.test import Client
from django.utils import timezone

from contacts_app.core.work.queue import run_queue
from phones_app.deployment import ways as other_ways
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.simulator.objects import PhoneObject, read_object
from tests.phones_app.playing import play
from tests.phones_app.site import Site


@pytest.fixture
def site(tmp_path, acme, alice, settings):
    """The embedded file server with Alice as the owner of profiles. Needs a transactional database."""
    # Phones that are there are confirmed, however busy the machine is; a test of those that are not has less patience.
    settings.CONFIRM_SECONDS = 60
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
def in_vain(finish, settings, monkeypatch):
    """Play the worker until so many other ways to restart the phone were tried, and then until its time is over.

    Before that it has time, so that none is left out on a busy machine.
    """

    def work(deployment: Deployment, ways: int) -> Deployment:
        monkeypatch.setattr(other_ways, "EFFECT_SECONDS", 0.5)
        settings.CONFIRM_SECONDS = 60
        finish(deployment, until=lambda row: row.state == State.RESTART_ACKNOWLEDGED and _tried(row) == ways)
        settings.CONFIRM_SECONDS = 0.5
        Deployment.objects.filter(pk=deployment.pk).update(next_attempt_at=timezone.now())
        return finish(deployment)

    return work


def _tried(deployment: Deployment) -> int:
    results = deployment.steps.get(kind="restart").detail.get("other_ways", [])
    return sum("the result is not known" not in each for each in results)


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
