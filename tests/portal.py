"""A whole portal in one process, used through its public doors only: commands and REST.

So it does not depend on how the code is laid out, and what runs in it can be watched. It has a database of its own in a
temporary folder, the embedded file server, a Celery worker on a broker in memory, and two simulated phones, which are a
process of their own because they are not part of the portal.
"""

import io
import json
import os
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.environment import prepare
from tests.commands import Running, run
from tests.servers import wait_for

SECONDS = 60
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "CELERY_BROKER_URL": "memory://",
    "CELERY_TASK_ALWAYS_EAGER": "0",
    # Any free ones.
    "FILE_SERVER_FTP_PORT": "0",
    "FILE_SERVER_HTTP_PORT": "0",
    "FILE_SERVER_TFTP_PORT": "0",
    "LOG_LEVEL": "ERROR",
}
OWNER, PASSWORD = "owner@example.org", "correct horse"


class Portal:
    """One account with its owner, its API token and the MAC addresses of its two phones."""

    def __init__(self) -> None:
        from django.test import Client

        owner = ("--name", "Example", "--email", OWNER, "--password", PASSWORD)
        self.voip_id = run("create_account", *owner, "--json").row["voip_id"]
        self.token = run("create_token", "--account", self.voip_id, "--json").row["token"]
        self.client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {self.token}"})
        self.owner: str = self.get("/api/v1/users")["data"][0]["uuid"]
        self.macs: list[str] = []

    def get(self, url: str) -> Any:
        return self.client.get(url).json()

    def post(self, url: str, body: dict[str, Any]) -> Any:
        response = self.client.post(url, body, content_type="application/json")
        assert response.status_code < 300, (url, response.content)
        return response.json()

    def profile_for(self, mac: str) -> str:
        """The file that a phone has started with, changed a little, as a new profile; its UUID."""
        from django.conf import settings

        file = settings.PHONE_FILES_DIR / f"SEP{mac.replace(':', '')}.cnf.xml"
        text = file.read_text().replace("Simulated", "Switched")
        body = {"user_uuid": self.owner, "name": f"Profile of {mac}", "cnf_xml": text}
        return str(self.post("/api/v1/phone-profiles", body)["data"]["uuid"])

    def is_confirmed(self, mac: str) -> bool:
        """Whether the latest deployment to a phone is."""
        return bool(self.get(f"/api/v1/deployments?mac={mac}")["data"][0]["state"] == "confirmed")


def with_portal(use: Callable[[Portal], None], **environment: str) -> None:
    """Run a portal for as long as `use` takes.

    The file server has the main thread, whose signals end it, and `use` another one.
    """
    import django
    from django.core.management import call_command

    failures: list[BaseException] = []
    listening = io.StringIO()

    def beside() -> None:
        try:
            wait_for(listening.getvalue, SECONDS)
            _with_phones(use)
        except BaseException as failure:
            failures.append(failure)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("DATABASE_URL", None)
        os.environ |= ENVIRONMENT | {"DATA_DIR": folder} | environment
        prepare()
        django.setup()
        call_command("migrate", verbosity=0)
        thread = threading.Thread(target=beside)
        thread.start()
        call_command("serve_files", stdout=listening)
        thread.join()
    if failures:
        raise failures[0]


def _with_phones(use: Callable[[Portal], None]) -> None:
    from celery import current_app
    from celery.contrib.testing.worker import start_worker

    portal = Portal()
    log = Path(os.environ["DATA_DIR"], "phones.log")
    phones = Running(log, "simulate_phones", "--count", "2", "--json", environment={})
    try:
        with start_worker(current_app, pool="threads", concurrency=2, perform_ping_check=False):
            wait_for(lambda: phones.printed.count("\n") == 2, SECONDS)
            portal.macs = [json.loads(line)["mac"] for line in phones.printed.splitlines()]
            use(portal)
    finally:
        phones.stop()
