"""How far a rollout is: one set of numbers for the page, the command and REST."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contacts_app.core.work import clock
from phones_app.rollout.counting import RECENT, numbers_of
from phones_app.rollout.gate import in_window
from phones_app.rollout.models import Rollout, RolloutState
from phones_app.rollout.standing import DONE, ENDED


@dataclass(frozen=True)
class Progress:
    """Phones by where they stand (`PARTS`), phones a second over the last minute, and seconds to go if it can be told."""

    total: int
    parts: dict[str, int]
    rate: float
    remaining: float | None
    waits_for: str
    failures: list[dict[str, Any]]
    # None: just now. The numbers of a large rollout are kept for a while (`counting`).
    counted_at: datetime | None

    @property
    def ended(self) -> int:
        return sum(self.parts[name] for name in ENDED)

    @property
    def done(self) -> int:
        return sum(self.parts[name] for name in DONE)

    @property
    def left(self) -> int:
        """Not by the total: deployments go with their account, of a rollout to phones of several."""
        return sum(self.parts.values()) - self.ended

    @property
    def not_started(self) -> int:
        return self.parts["cancelled"]

    @property
    def percent(self) -> int:
        return self.done * 100 // self.total if self.total else 100


def progress_of(rollout: Rollout) -> Progress:
    """At most four queries, however many phones there are."""
    now, numbers = clock.now(), numbers_of(rollout)
    counted, began, last = numbers.parts, numbers.began, numbers.last
    ended = sum(counted[name] for name in ENDED)
    left = sum(counted.values()) - ended
    running = rollout.state == RolloutState.RUNNING
    elapsed = max(((now if left else last or now) - began).total_seconds(), 1.0) if began else 0.0
    overall = ended / elapsed if elapsed else 0.0
    # Those that wait for a file server may take many times longer than those before.
    is_known = running and left and ended and not numbers.opened.get("tried_again")
    rate = numbers.recent / min(elapsed, RECENT.total_seconds()) if left and elapsed else overall
    return Progress(
        total=rollout.total,
        parts=counted,
        rate=round(rate, 2),
        remaining=_remaining(rollout, now, ended, left, elapsed) if is_known else None,
        waits_for=_waits_for(rollout) if left and running else "",
        failures=numbers.failures,
        counted_at=numbers.at,
    )


def _remaining(rollout: Rollout, now: datetime, ended: int, left: int, elapsed: float) -> float:
    """Seconds to go: the work at the pace of the work so far, and the pauses that are still to come."""
    pause = rollout.wave_pause + rollout.wave_jitter / 2
    paused = pause * max(rollout.wave - 1, 0)
    ahead = pause * max(rollout.waves - rollout.wave, 0)
    if rollout.next_wave_at is not None:
        # In the middle of a pause: part of it is behind us, and its length is known by now.
        until = max((rollout.next_wave_at - now).total_seconds(), 0.0)
        paused, ahead = paused + max(pause - until, 0.0), ahead - pause + until
    working = max(elapsed - paused, 1.0)
    return round(left * working / ended + max(ahead, 0.0), 1)


def _waits_for(rollout: Rollout) -> str:
    """Why nothing new begins at the moment, in words; "" when something may."""
    if not in_window(rollout, clock.now()):
        return f"the window from {rollout.window_start:%H:%M} to {rollout.window_end:%H:%M}"
    if rollout.next_wave_at is not None:
        return "the pause before the next wave"
    return ""
