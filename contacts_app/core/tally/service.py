"""Counting rows by what they have in common: at once while that is quick, else as a worker has counted them last.

A subject declares a `Counting` and registers it. `numbers` takes the rows that the reader may see, and returns the
numbers with the time at which they were counted.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from django.db import transaction
from django.db.models import Count, Expression, F, QuerySet

from contacts_app.core.actor import Actor
from contacts_app.core.tally.models import Tally
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work

# What takes longer than this to count for everybody is not counted for a page (seconds).
SLOW = 0.03
# Counting takes one part in so many of the time, and is done no oftener than this.
SHARE = 40
OFTENEST = timedelta(seconds=15)
ALL = 0
Key = tuple[Any, ...]


class Tallied(NamedTuple):
    """Numbers by what the rows have in common; `at`: when they were counted, None: just now."""

    by: Counter[Key]
    at: datetime | None = None

    def where(self, place: int) -> Counter[Any]:
        """By one of the things that they have in common alone."""
        found: Counter[Any] = Counter()
        for key, number in self.by.items():
            found[key[place]] += number
        return found


@dataclass(frozen=True)
class Counting:
    """What is counted: `rows`, which are everybody's, narrowed by `within`, and what they are told apart by.

    Its values are texts, numbers, truths and days.
    """

    name: str
    rows: Callable[[], QuerySet[Any]]
    by: Sequence[str | Expression]
    account: str = "account"
    within: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda rows: rows

    def numbers(self, actor: Actor, rows: QuerySet[Any]) -> Tallied:
        """Of `rows`, which are those that the actor sees."""
        account = actor.account.pk if actor.account else ALL
        kept = Tally.objects.filter(name=self.name, account=account, seconds__gt=SLOW).first()
        if kept is None or not (actor.account or actor.is_staff):
            return Tallied(_by_key(self._counted(rows)))
        return Tallied(_by_key(kept.counts), kept.counted_at)

    def _counted(self, rows: QuerySet[Any], *more: str) -> Iterable[Key]:
        names = {f"by_{place}": F(one) if isinstance(one, str) else one for place, one in enumerate(self.by)}
        found = self.within(rows).order_by().annotate(**names).values_list(*more, *names)
        for row in found.annotate(number=Count("pk")):
            yield tuple(value.isoformat() if isinstance(value, date) else value for value in row)

    def count(self) -> None:
        """Count all rows and keep the numbers."""
        now, began = clock.now(), time.monotonic()
        by_account: defaultdict[int, list[Key]] = defaultdict(list)
        everybody: Counter[Key] = Counter()
        for account, *key, number in self._counted(self.rows(), self.account):
            everybody[tuple(key)] += number
            if account is not None:
                by_account[account].append((*key, number))
        took = time.monotonic() - began
        by_account[ALL] = [(*key, number) for key, number in everybody.items()]
        kept = [
            Tally(name=self.name, account=account, counts=numbers, counted_at=now, seconds=took)
            for account, numbers in by_account.items()
        ]
        kept[-1].due_at = clock.now() + max(OFTENEST, timedelta(seconds=took * SHARE))
        with transaction.atomic():
            Tally.objects.filter(name=self.name).exclude(account__in=list(by_account)).delete()
            Tally.objects.bulk_create(
                kept,
                update_conflicts=True,
                unique_fields=["name", "account"],
                update_fields=["counts", "counted_at", "seconds", "due_at"],
            )


def _by_key(rows: Iterable[Sequence[Any]]) -> Counter[Key]:
    return Counter({tuple(row[:-1]): row[-1] for row in rows})


_countings: dict[str, Counting] = {}


def register(*countings: Counting) -> None:
    """Have these kept. Called from the `ready` of the app that they are of."""
    _countings.update({counting.name: counting for counting in countings})


class Tallies(Work):
    """Counting anew what is due. A worker that dies leaves the numbers as they were, and another one counts them."""

    name = queue = "tallies"
    model = Tally
    due_field: ClassVar[str] = "due_at"

    @classmethod
    def due(cls) -> "QuerySet[Tally]":
        return Tally.objects.filter(account=ALL, name__in=list(_countings), due_at__lte=clock.now())

    @classmethod
    def sweep(cls) -> int:
        there = set(Tally.objects.filter(account=ALL).values_list("name", flat=True))
        new = [Tally(name=name, due_at=clock.now() + OFTENEST) for name in _countings.keys() - there]
        Tally.objects.bulk_create(new, ignore_conflicts=True)
        return super().sweep()

    def do(self, keys: Sequence[int]) -> None:
        for name in Tally.objects.filter(pk__in=keys).values_list("name", flat=True):
            _countings[name].count()
