"""A site on loopback, and the way to let due work happen."""

import time

import pytest

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import DEPLOYMENTS
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
        deployment: Deployment, until=lambda deployment: deployment.finished_at, seconds: float = 60
    ) -> Deployment:
        deadline = time.monotonic() + seconds
        while True:
            run_queue(DEPLOYMENTS)
            deployment.refresh_from_db()
            if until(deployment):
                return deployment
            assert time.monotonic() < deadline, f"still {deployment.state} after {seconds} s ({deployment.waiting_for})"
            time.sleep(0.05)

    return work
