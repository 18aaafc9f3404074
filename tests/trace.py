"""`python -m tests.trace`: which of our files one switch runs through, from the request to `confirmed`.

A reader who wants to understand a switch has to open these files, so their number is a measure of the architecture. One
process plays everything: the request goes through the WSGI application, a Celery worker on a broker in memory carries
out what the request asked for, the embedded file server takes the upload and records the phone's fetch, and a simulated
phone restarts when it is told to. The database is SQLite in a temporary folder.

A *file* counts when one of its functions was entered between the request and the confirmation. Imports and start-up do
not count: a switch of another phone runs before. Migrations and simulated phones do not count either.
A *hop* is a call that enters another of our files: the calling function's file, and the function it enters. The caller is
the nearest function of ours on the stack, so a call through Django or Celery is a hop too. The same hop counts once.
"""

import argparse
import inspect
import io
import json
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.commands import ROOT, Running, run
from tests.servers import wait_for

OURS = ("config/", "contacts_app/", "profiles_app/", "phones_app/")
NOT_COUNTED = ("/migrations/", "/simulator/")
SECONDS = 60
# Ports of its own choice, and a broker in memory for the worker of this process.
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "CELERY_BROKER_URL": "memory://",
    "CELERY_TASK_ALWAYS_EAGER": "0",
    "FILE_SERVER_FTP_PORT": "0",
    "FILE_SERVER_HTTP_PORT": "0",
    "FILE_SERVER_TFTP_PORT": "0",
    "LOG_LEVEL": "ERROR",
}


class Trace:
    """Files and hops in the order in which they were first entered, by every thread that has `enter` as its hook."""

    def __init__(self) -> None:
        self.recording = False
        # Dictionaries serve as ordered sets.
        self.files: dict[str, None] = {}
        self.hops: dict[tuple[str, str], None] = {}
        self._paths: dict[CodeType, str] = {}

    def enter(self, frame: FrameType, event: str, _argument: object) -> None:
        """Called by Python at each call and return."""
        if not self.recording or event != "call" or not (file := self._path(frame.f_code)):
            return
        self.files[file] = None
        caller = self._caller(frame)
        if caller and caller != file:
            self.hops[caller, f"{file}:{frame.f_code.co_qualname}"] = None

    def _caller(self, frame: FrameType) -> str:
        """The nearest file of ours up the stack, "" if there is none."""
        above = frame.f_back
        while above and not self._path(above.f_code):
            above = above.f_back
        return self._path(above.f_code) if above else ""

    def _path(self, code: CodeType) -> str:
        """The file of a function of ours, "" for all other code."""
        if code not in self._paths:
            path = code.co_filename.removeprefix(f"{ROOT}/")
            # The bodies of modules and classes run when they are imported; a comprehension is part of its function.
            function = code.co_flags & inspect.CO_OPTIMIZED and not code.co_name.startswith("<")
            counts = function and path.startswith(OURS) and not any(part in path for part in NOT_COUNTED)
            self._paths[code] = path if counts else ""
        return self._paths[code]


class Portal:
    """A portal with one account, used as its customers do, so that it does not depend on how the code is laid out."""

    def __init__(self) -> None:
        from django.test import Client

        owner = ("--name", "Trace", "--email", "owner@example.org", "--password", "correct horse")
        self.account = run("create_account", *owner, "--json").row["voip_id"]
        token = run("create_token", "--account", self.account, "--json").row["token"]
        self.client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {token}"})

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}").json()["data"]

    def post(self, path: str, body: dict[str, str]) -> Any:
        response = self.client.post(f"/api/v1/{path}", body, content_type="application/json")
        assert response.status_code < 300, response.content
        return response.json()["data"]

    def profile_for(self, mac: str) -> str:
        """The file that a phone has started with, changed a little, as a new profile; its UUID."""
        from django.conf import settings

        file = settings.PHONE_FILES_DIR / f"SEP{mac.replace(':', '')}.cnf.xml"
        text = file.read_text().replace("Simulated", "Switched")
        [user] = self.get("users")
        return self.post("phone-profiles", {"user_uuid": user["uuid"], "name": mac, "cnf_xml": text})["uuid"]

    def is_confirmed(self, mac: str) -> bool:
        [deployment] = self.get(f"deployments?mac={mac}")
        return deployment["state"] == "confirmed"


def switch(portal: Portal, mac: str, trace: Trace) -> None:
    """Put a new profile on a phone, and wait until the phone has taken it."""
    body = {"profile_uuid": portal.profile_for(mac), "mac": mac}
    trace.recording = True
    sys.setprofile(trace.enter)
    portal.post("phone-profiles/switch", body)
    sys.setprofile(None)  # looking whether it has ended is not part of the switch
    wait_for(lambda: portal.is_confirmed(mac), SECONDS)
    trace.recording = False


def trace_second_switch(trace: Trace, folder: str) -> None:
    """Start all but the file server, and switch two phones: the first one makes Python import what it needs."""
    from celery import current_app
    from celery.contrib.testing.worker import start_worker

    portal = Portal()
    log, environment = Path(folder, "phones.log"), {"DATA_DIR": folder}
    phones = Running(log, "simulate_phones", "--count", "2", "--json", environment=environment)
    try:
        with start_worker(current_app, pool="threads", concurrency=2, perform_ping_check=False):
            wait_for(lambda: phones.printed.count("\n") == 2, SECONDS)
            first, second = (json.loads(line)["mac"] for line in phones.printed.splitlines())
            switch(portal, first, Trace())
            switch(portal, second, trace)
    finally:
        phones.stop()


def traced() -> Trace:
    """The file server has the main thread, whose signals end it; what uses it runs beside."""
    import django
    from django.core.management import call_command

    trace = Trace()
    failures: list[BaseException] = []
    threading.setprofile(trace.enter)

    def use() -> None:
        try:
            wait_for(output.getvalue, SECONDS)
            trace_second_switch(trace, os.environ["DATA_DIR"])
        except BaseException as failure:
            failures.append(failure)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    django.setup()
    call_command("migrate", verbosity=0)
    output = io.StringIO()
    threading.Thread(target=use).start()
    call_command("serve_files", stdout=output)
    if failures:
        raise failures[0]
    return trace


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.trace", description=__doc__.partition("\n")[0])
    parser.add_argument("--most", type=int, metavar="N", help="Status 1 when there are more files.")
    parser.add_argument("--json", action="store_true", help="The files and the hops as one JSON object.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= ENVIRONMENT | {"DATA_DIR": folder}
        os.environ.pop("DATABASE_URL", None)
        trace = traced()
    if options.json:
        print(json.dumps({"files": list(trace.files), "hops": list(trace.hops)}))
    else:
        print(*trace.files, f"{len(trace.files)} files, {len(trace.hops)} hops", sep="\n")
    return int(bool(options.most and len(trace.files) > options.most))


if __name__ == "__main__":
    sys.exit(main())
