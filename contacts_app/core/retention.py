"""For how long old rows are kept: what apps say of their own, and deleting what is older than the settings say.

Nothing deletes by itself: `manage.py prune_history` does, run daily by whatever runs commands there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from contacts_app.core.doctor.checks import Defect, HealthCheck

Tell = Callable[[int], None]
Counts = dict[str, int]
# The doctor tells of rows that should have been deleted so long ago.
GRACE = timedelta(days=7)
ADVICE = {"not-pruned": "Run manage.py prune_history daily, by a timer or cron (docs/deploy/systemd)."}


@dataclass(frozen=True)
class Retention:
    """Rows of one kind. `setting` holds the days for which they are kept, 0: for ever.

    `count` and `prune` take the moment before which rows are old, and give how many there are, or were deleted, by
    their names; the first one is of `name`, and `prune` tells how many of that it has deleted so far.
    """

    name: str
    setting: str
    count: Callable[[datetime], Counts]
    prune: Callable[[datetime, Tell], Counts]
    # What `prune_history` deletes for the days of its argument only where it is asked for this too.
    on_demand: bool = False

    def before(self) -> datetime | None:
        """None: nothing is old."""
        days = getattr(settings, self.setting)
        return timezone.now() - timedelta(days=days) if days else None


_kept: list[Retention] = []


def register(*kinds: Retention) -> None:
    """Add kinds of rows. Called from the `ready` of the app that they are of."""
    _kept.extend(kinds)


def kinds() -> list[Retention]:
    return _kept


def not_pruned() -> Iterator[Defect]:
    for kind in _kept:
        if (before := kind.before()) and (count := kind.count(before - GRACE)[kind.name]):
            days = getattr(settings, kind.setting)
            yield Defect("not-pruned", f"{count} {kind.name} are older than {kind.setting} ({days}) says.")


CHECK = HealthCheck("retention", not_pruned, ADVICE)
