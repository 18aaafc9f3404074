"""How many phones of a rollout stand where: counted whenever somebody asks, and kept where counting takes long.

Workers ask five times a second, and each page that is open every two. The rows of a rollout are all there is to count, so
that it takes the longer the larger the rollout is: 100,000 phones take a quarter of a second. So the numbers of a large
one, and of one that is over, are kept with their age, and whoever comes first after a while counts anew: that takes a
twentieth of the time.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Min, Q

from contacts_app.core.database import hash_joins
from contacts_app.core.work import clock
from phones_app.rollout.models import Rollout, RolloutCount, RolloutState
from phones_app.rollout.standing import AWAY, ENDED, FAILED, IN_CALL, OPEN, PARTS, TRIED_AGAIN, UNCONFIRMED, bad_ones

# So many phones are counted in a few milliseconds: always anew.
FEW = 2000
# Counting takes one part in so many of the time.
SHARE = 20
# When numbers were due for so long, neither a worker nor the sweep is there to count.
NOBODY = timedelta(seconds=30)
# How fast it goes at present is measured over this time.
RECENT = timedelta(minutes=1)


@dataclass(frozen=True)
class RolloutNumbers:
    """`parts` are phones by where they stand; of the waves opened so far says `opened`, what decides how it goes on."""

    parts: dict[str, int]
    opened: dict[str, int]
    # Deployments that ended within `RECENT`.
    recent: int
    began: datetime | None
    last: datetime | None
    # The next wave with something to do.
    following: int | None
    failures: list[dict[str, Any]]
    # Where they were kept, when they were counted.
    at: datetime | None = None

    @property
    def left(self) -> int:
        """Phones for which something is still to be done."""
        return sum(number for name, number in self.parts.items() if name not in ENDED)


def numbers_of(rollout: Rollout) -> RolloutNumbers:
    """For who is shown them: of a large rollout as workers and the sweep have counted last, as long as they do."""
    kept = _kept(rollout, clock.now() - NOBODY)
    return _read(kept) if kept else count_anew(rollout)


def kept_numbers(rollout: Rollout) -> RolloutNumbers | None:
    """For who moves the rollout on; None when it is time to count, as always with a small one."""
    kept = _kept(rollout, clock.now())
    # What was opened since does not show in them.
    return _read(kept) if kept and kept.numbers["wave"] == rollout.wave else None


def _kept(rollout: Rollout, due_after: datetime) -> RolloutCount | None:
    if rollout.total <= FEW:
        return None
    return RolloutCount.objects.filter(rollout=rollout, next_at__gt=due_after).first()


def outdated(rollout: Rollout) -> None:
    """Much has changed at once: have it counted anew."""
    RolloutCount.objects.filter(rollout=rollout).update(next_at=clock.now())


def count_due() -> None:
    """Of rollouts that nobody moves on, as they are paused or over."""
    due = RolloutCount.objects.filter(next_at__lte=clock.now()).exclude(rollout__state=RolloutState.RUNNING)
    for kept in due.select_related("rollout"):
        count_anew(kept.rollout)


def count_anew(rollout: Rollout) -> RolloutNumbers:
    """Two queries, and a third when some failed."""
    with hash_joins():
        return _count(rollout)


def _count(rollout: Rollout) -> RolloutNumbers:
    now, began = clock.now(), time.monotonic()
    opened = Q(in_rollout__wave__lte=rollout.wave)
    fails = FAILED | UNCONFIRMED if rollout.unconfirmed_fails else FAILED
    # In one query, because the rows may be many and change meanwhile.
    found = rollout.deployments_to_count().aggregate(
        **{name: Count("pk", filter=part) for name, part in PARTS.items()},
        recent=Count("pk", filter=Q(finished_at__gt=now - RECENT)),
        began=Min("started_at"),
        last=Max("finished_at"),
        following=Min("in_rollout__wave", filter=OPEN & ~opened),
        opened=Count("pk", filter=opened),
        opened_failed=Count("pk", filter=fails & opened),
        opened_under_way=Count("pk", filter=OPEN & ~IN_CALL & ~AWAY & opened),
        opened_held=Count("pk", filter=OPEN & ~AWAY & Q(next_attempt_at=None) & opened),
        opened_tried_again=Count("pk", filter=TRIED_AGAIN & opened),
    )
    numbers = RolloutNumbers(
        parts={name: found[name] for name in PARTS},
        opened={
            "phones": found["opened"],
            **{name: found[f"opened_{name}"] for name in ("failed", "under_way", "held", "tried_again")},
        },
        **{name: found[name] for name in ("recent", "began", "last", "following")},
        failures=_failures(rollout) if found["failed"] or found["unconfirmed"] else [],
    )
    # While it is planned, it has hardly any phones yet, and would seem to be over. Lists tell of all that are over.
    if (rollout.total > FEW or rollout.finished_at) and rollout.state != RolloutState.PLANNING:
        _keep(rollout, numbers, now, timedelta(seconds=time.monotonic() - began))
    return numbers


def _failures(rollout: Rollout) -> list[dict[str, Any]]:
    """The reasons for which phones failed, the most frequent first, each with one phone's words for it."""
    rows = bad_ones(rollout).order_by().values("code")
    groups = rows.annotate(phones=Count("pk"), example=Min("why"))
    return [
        {"code": group["code"], "message": group["example"], "phones": group["phones"]}
        for group in groups.order_by("-phones", "code")
    ]


def _keep(rollout: Rollout, numbers: RolloutNumbers, at: datetime, took: timedelta) -> None:
    pause = took * SHARE
    if rollout.finished_at is not None:
        # Less and less happens; in the end only late evidence changes a number.
        pause = max(pause, (clock.now() - rollout.finished_at) / SHARE)
    row = RolloutCount(rollout=rollout, numbers=_written(rollout, numbers), counted_at=at, next_at=clock.now() + pause)
    # Who only looks may do so while the rollout is deleted.
    with suppress(IntegrityError), transaction.atomic():
        RolloutCount.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["rollout"], update_fields=["numbers", "counted_at", "next_at"]
        )


def _written(rollout: Rollout, numbers: RolloutNumbers) -> dict[str, Any]:
    times = {name: moment.isoformat() if (moment := getattr(numbers, name)) else None for name in ("began", "last")}
    plain = {name: getattr(numbers, name) for name in ("parts", "opened", "recent", "following", "failures")}
    return plain | times | {"wave": rollout.wave}


def _read(kept: RolloutCount) -> RolloutNumbers:
    values = dict(kept.numbers)
    del values["wave"]
    times = {name: datetime.fromisoformat(values[name]) if values[name] else None for name in ("began", "last")}
    return RolloutNumbers(**values | times, at=kept.counted_at)
