"""`python -m tests.phones_app.mobility.held_worker FOLDER`: a worker that holds log-ins and log-outs, each at a moment of
its own: around each step of its deployment, around what the timers do with its session, before a log-in is stored.
"""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.phones_app.deployment.held_worker import STEPS, Holder, hold_deployments
from tests.servers import wait_for

from contacts_app.core.work.queue import run_queue  # isort: skip
from contacts_app.people.models import User  # isort: skip
from phones_app.inventory.models import Phone  # isort: skip
from phones_app.mobility import login, timers  # isort: skip
from phones_app.mobility.models import MobilitySession  # isort: skip
from tests.phones_app.site import ACTOR  # isort: skip

TOLD, ENDED, STORED = "the session is settled", "the log-out is asked for", "the log-in is stored"
# After one step is before the next one.
OF_DEPLOYMENT = [*(f"before {state}" for state in STEPS), "before the phone is told", f"after {STEPS[-1]}"]
MOMENTS_OF_LOG_IN = [*OF_DEPLOYMENT, f"before {STORED}"]
MOMENTS_OF_LOG_OUT = [*OF_DEPLOYMENT, *(f"{when} {what}" for what in (TOLD, ENDED) for when in ("before", "after"))]


def hold_timers(holder: Holder) -> None:
    timers.MobilityTimers.threads = classmethod(lambda cls: len(holder.places))  # type: ignore[method-assign, assignment]
    settle, log_out_many = timers.settle, timers.log_out_many
    timers.settle = around(holder, TOLD, settle, lambda session: session)
    timers.log_out_many = around(holder, ENDED, log_out_many, lambda sessions: sessions[0])


def around(
    holder: Holder, what: str, function: Callable[..., Any], session_in: Callable[[Any], MobilitySession]
) -> Any:
    def held(first: Any, **rest: Any) -> Any:
        mac = session_in(first).mac
        holder.hold(mac, f"before {what}")
        try:
            return function(first, **rest)
        finally:
            holder.hold(mac, f"after {what}")

    return held


def log_in_last(holder: Holder, mac: str) -> None:
    """When all others are held, because one database lets nobody else write in the middle of a transaction."""
    wait_for(lambda: set(holder.left) == {mac}, 300)
    take_away = login.take_away
    login.take_away = lambda *rest: holder.hold(mac, f"before {STORED}") or take_away(*rest)
    login.log_in(Phone.objects.get(mac=mac), User.objects.get(first_name="Bob"), actor=ACTOR)


def main(folder: Path) -> None:
    holder = Holder(folder)
    hold_deployments(holder)
    hold_timers(holder)
    for mac, place in holder.places.items():
        if place == f"before {STORED}":
            threading.Thread(target=log_in_last, args=(holder, mac), daemon=True).start()
    threading.Thread(target=lambda: wait_for(lambda: run_queue("mobility") and False, 300), daemon=True).start()
    wait_for(lambda: run_queue("deployments") and False, 300)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
