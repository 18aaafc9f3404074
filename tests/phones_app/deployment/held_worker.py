"""`python -m tests.phones_app.deployment.held_worker FOLDER`: a worker that holds each deployment at one of its steps.

`places.json` in the folder says where: the MAC address of a phone, and a place of PLACES. Once all are held, the file
`held` is made; with the file `go` they go on. What stops the process meanwhile is the test's.
"""

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

from tests.servers import wait_for

django.setup()

from contacts_app.core.work.queue import run_queue  # noqa: E402
from phones_app.deployment import steps  # noqa: E402
from phones_app.deployment.models import State  # noqa: E402
from phones_app.deployment.run import SingleDeployments  # noqa: E402

# Before each step and after it, and between the last question whether a phone may be restarted and the restart itself.
STEPS = ("queued", "uploading", "uploaded", "session_cleared", "restart_acknowledged")
PLACES = [f"{when} {state}" for state in STEPS for when in ("before", "after")] + ["before the phone is told"]


class Holder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places: dict[str, str] = json.loads((folder / "places.json").read_text())
        self.left = dict(self.places)
        self.lock = threading.Lock()

    def hold(self, mac: str, place: str) -> None:
        if self.places.get(mac) != place:
            return
        with self.lock:
            if self.left.pop(mac, None) is None:
                return
            if not self.left:
                (self.folder / "held").touch()
        wait_for((self.folder / "go").exists, 300)

    def around(self, state: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def held(deployment: Any, *rest: Any) -> None:
            self.hold(deployment.mac, f"before {state}")
            try:
                function(deployment, *rest)
            finally:
                self.hold(deployment.mac, f"after {state}")

        return held


def hold_deployments(holder: Holder) -> None:
    SingleDeployments.per_server = len(holder.places)
    for state in STEPS:
        function, kind = steps.STEPS[State(state)]
        steps.STEPS[State(state)] = holder.around(state, function), kind
    tell = steps.tell

    def held(strategy: Any, deployment: Any, *rest: Any) -> Any:
        holder.hold(deployment.mac, "before the phone is told")
        return tell(strategy, deployment, *rest)

    steps.tell = held


def main(folder: Path) -> None:
    holder = Holder(folder)
    hold_deployments(holder)
    wait_for(lambda: run_queue("deployments") and not holder.left, 300)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
