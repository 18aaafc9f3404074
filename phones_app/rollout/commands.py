"""Rollouts on a terminal: their numbers as one row, and a progress bar that follows them to their end."""

import time
from collections.abc import Callable
from typing import Any

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.run import POLL_SECONDS, Driver
from phones_app.rollout.aims import aim_of
from phones_app.rollout.models import Rollout, RolloutState
from phones_app.rollout.planning import ROLLOUTS
from phones_app.rollout.progress import Progress, progress_of
from phones_app.rollout.rollout import advance_all


def wait_for_plan(rollout: Rollout) -> None:
    """Until it is planned, here if no worker does it: who asked is told to whom it goes, and who was refused."""
    while rollout.state == RolloutState.PLANNING:
        if not run_queue(ROLLOUTS):
            time.sleep(POLL_SECONDS)
        rollout.refresh_from_db()


def told(rollout: Rollout) -> dict[str, Any]:
    progress = progress_of(rollout)
    return {
        "rollout": rollout.uuid,
        "name": rollout.name,
        "profile": rollout.profile_name,
        "load": rollout.load,
        "state": rollout.state,
        "reason": rollout.reason,
        "total": progress.total,
        "ended": progress.ended,
        **progress.parts,
        "unchanged": rollout.unchanged,
        "refused_total": rollout.refused_total,
        "refused": rollout.refused,
        "failures": progress.failures,
        "wave": rollout.wave,
        "waves": rollout.waves,
        "rate": progress.rate,
        "remaining": progress.remaining,
        "created_at": rollout.created_at,
        "finished_at": rollout.finished_at,
    }


def follow(rollout: Rollout, show: Callable[[str, float], None]) -> None:
    """Show the progress on the terminal until nothing is left to do; carry out what is due if no worker does."""
    driver, aim = Driver(), aim_of(rollout)
    try:
        while True:
            advance_all()
            if aim is not None:
                aim.go_on()
            rollout.refresh_from_db()
            now = progress_of(rollout)
            show(f"{_description(rollout, now)} {_speed(now)}", now.ended)
            if not rollout.is_open and not now.left:
                return
            driver.look(rollout.deployments.all())
            time.sleep(POLL_SECONDS)
    finally:
        driver.stop()


def _description(rollout: Rollout, now: Progress) -> str:
    parts = [f"wave {rollout.wave}/{rollout.waves}"]
    if not rollout.is_open or rollout.state == "paused":
        parts.append(rollout.get_state_display().lower())
    if failed := now.parts["failed"] + now.parts["unconfirmed"]:
        parts.append(f"{failed} failed")
    for part in ("loading", "away"):
        if number := now.parts[part]:
            parts.append(f"{number} {part}")
    if in_call := now.parts["in_call"]:
        parts.append(f"{in_call} in a call")
    if now.waits_for:
        parts.append(f"waits for {now.waits_for}")
    return ", ".join(parts)


def _speed(now: Progress) -> str:
    left = f", {now.remaining:.0f} s to go" if now.remaining is not None else ""
    return f"{now.rate:.1f} phones/s{left}"
