"""What time it is, by the clock that all processes share: the database's; and how often something may be done.

A worker whose own clock is five minutes ahead would take over rows that others hold, and find that every fetch was made
before the upload. So times that rows are compared by are stamped and compared with `now`.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db import Error, connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime

log = structlog.get_logger(__name__)
# How the database's clock is read; not that of its transaction, which may be older.
_QUERIES = {"postgresql": "SELECT clock_timestamp()", "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"}
# Milliseconds are all that SQLite tells.
RESOLUTION = timedelta(milliseconds=2)
RENEW_SECONDS = 60.0
# Our own clock was set when it and the steady one differ by more than this.
STEP_SECONDS = 0.1
# A skew that an administrator should know of.
NOTABLE = timedelta(seconds=1)


@dataclass(frozen=True)
class _Measured:
    steady: float
    wall: datetime
    skew: timedelta


_last: _Measured | None = None


def now() -> datetime:
    """The database's time; it is asked once a minute, and when our own clock was set."""
    global _last
    steady, wall = time.monotonic(), timezone.now()
    last = _last
    if last is not None:
        passed = steady - last.steady
        if passed < RENEW_SECONDS and abs((wall - last.wall).total_seconds() - passed) < STEP_SECONDS:
            return wall + last.skew
    try:
        skew = clock_skew()
    except Error:
        # In a transaction that is broken nothing can be asked, and nothing that is stamped will be stored.
        return wall + (last.skew if last else timedelta(0))
    if abs(skew) > NOTABLE:
        log.warning("this machine's clock differs from the database's", seconds=round(skew.total_seconds(), 3))
    _last = _Measured(steady, wall, skew)
    return timezone.now() + skew


def clock_skew() -> timedelta:
    """How far the database's clock is ahead of ours; nothing where it cannot be told from none."""
    before = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES[connection.vendor])
        [answer] = cursor.fetchone()
    after = timezone.now()
    there = answer if isinstance(answer, datetime) else parse_datetime(answer)
    assert there is not None, "the database tells a time"  # noqa: S101
    skew = (there if there.tzinfo else there.replace(tzinfo=UTC)) - (before + (after - before) / 2)
    return skew if abs(skew) > (after - before) / 2 + RESOLUTION else timedelta(0)


class Paced:
    """`with` it, something is done again and again, but so seldom that it takes a small part of this process's time.

    It yields whether it is time. What is done quickly always may be.
    """

    def __init__(self, *, part: int = 20, quick: float = 0.05) -> None:
        self._part, self._quick = part, quick
        self._began = self._next = 0.0

    def __enter__(self) -> bool:
        self._began = time.monotonic()
        return self._began >= self._next

    def __exit__(self, *_: object) -> None:
        now = time.monotonic()
        if self._began >= self._next and (took := now - self._began) > self._quick:
            self._next = now + took * self._part
