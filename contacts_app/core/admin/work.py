"""Long work of a person, such as rollouts: the bell above each page says how much is running, and what has ended since
the person looked last.

Apps register where it is found. A page costs one short query of each; how far something is, is asked for when the bell
is opened, and again while something runs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

# What ended before is no news, whether it was seen or not.
KEPT = timedelta(days=7)
MOST_SHOWN = 8


@dataclass(frozen=True)
class LongWork:
    """One piece of it. What is a function is asked only where it is shown: `share` says how much is done, in per cent,
    of what is running.
    """

    title: str
    url: str
    state: Callable[[], str]
    began_at: datetime
    ended_at: datetime | None
    has_failed: Callable[[], bool]
    share: Callable[[], int]

    @property
    def is_running(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True)
class WorkOfPerson:
    """`news` ended since the person looked last."""

    rows: list[LongWork]
    news: list[LongWork]

    @property
    def running(self) -> list[LongWork]:
        return [row for row in self.rows if row.is_running]

    @property
    def has_failures(self) -> bool:
        return any(row.has_failed() for row in self.news)


# What gives the work of a person that began or ended since a moment, the newest first.
_sources: list[Callable[[HttpRequest, datetime, int], Iterable[LongWork]]] = []


def register(source: Callable[[HttpRequest, datetime, int], Iterable[LongWork]]) -> None:
    """Add work of an app: what is asked for with the request, the moment, and how many rows are shown. Called from its
    `admin`.
    """
    _sources.append(source)


def work_of(request: HttpRequest) -> WorkOfPerson:
    """What is running comes first, then the newest."""
    user: Any = request.user
    since = timezone.now() - KEPT
    rows = [row for source in _sources for row in source(request, since, MOST_SHOWN)]
    rows.sort(key=lambda row: (row.is_running, row.ended_at or row.began_at), reverse=True)
    seen = user.work_seen_at
    news = [row for row in rows if row.ended_at and (seen is None or row.ended_at > seen)]
    return WorkOfPerson(rows[:MOST_SHOWN], news)
