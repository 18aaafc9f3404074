"""What calls add up to: by day, site and number, over a month at most, straight from the indexes.

Days are those of a time zone, so nothing is added up in advance: another zone would have other days.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import number_format

from profiles_app.calls.models import CallRecord

# Of half a million calls a year a month is added up in 0.04 s, a quarter in 0.2 s (`tests/bench/calls.py`).
MOST_DAYS = 31
USUAL_DAYS = 30
# Shown, and looked through for them: more than one line of a report has the same name in another currency.
MOST_LINES, MOST_GROUPS = 100, 1000


@dataclass(frozen=True)
class CallPeriod:
    """Whole days of a time zone, the last one included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def of(self, rows: QuerySet[CallRecord]) -> QuerySet[CallRecord]:
        """Those of the calls that began in it."""
        return rows.filter(
            started_at__gte=datetime.combine(self.first, time.min, self.zone),
            started_at__lt=datetime.combine(self.last + timedelta(days=1), time.min, self.zone),
        )


def today(zone: ZoneInfo) -> date:
    return timezone.now().astimezone(zone).date()


def price(cost: Decimal, currency: str) -> str:
    """Two places, and more where there is more to say: 1.20 EUR, 0.0035 EUR, in the spelling of the language."""
    shown = cost.normalize()
    places = max(2, -int(shown.as_tuple().exponent))
    return f"{number_format(shown, places)} {currency}"


@dataclass
class Sums:
    """`costs` by currency; calls without a cost are in none."""

    what: str
    calls: int = 0
    answered: int = 0
    seconds: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)

    def add(self, other: "Sums") -> None:
        self.calls += other.calls
        self.answered += other.answered
        self.seconds += other.seconds
        for currency, cost in other.costs.items():
            self.costs[currency] = self.costs.get(currency, Decimal()) + cost

    @property
    def minutes(self) -> int:
        """As they are talked, the begun one included."""
        return -(-self.seconds // 60)

    @property
    def charges(self) -> list[str]:
        return [price(cost, currency) for currency, cost in sorted(self.costs.items())]


TOTALS = {
    "calls": Count("pk"),
    "answered": Count("pk", filter=Q(disposition=CallRecord.Disposition.ANSWERED)),
    "talked": Sum("seconds"),
    "charged": Sum("cost"),
}
# The number at the account's end, and the one at the other.
OWN_END = Case(When(direction=CallRecord.Direction.INBOUND, then=F("called")), default=F("caller"))
OTHER_END = Case(When(direction=CallRecord.Direction.INBOUND, then=F("caller")), default=F("called"))


def by_day(rows: QuerySet[CallRecord], period: CallPeriod) -> list[Sums]:
    """Every day of the period, those without calls too."""
    days = TruncDate("started_at", tzinfo=period.zone)
    found = _added_up(period.of(rows).annotate(what=days))
    return [found.get(day.isoformat()) or Sums(day.isoformat()) for day in period.days]


def by_site(
    rows: QuerySet[CallRecord], period: CallPeriod, sites: Mapping[str, str], *, with_operators: bool
) -> list[Sums]:
    """By the customer's own sites, which `sites` gives for its numbers; else by the operator's where those are shown."""
    calls = period.of(rows).annotate(own_end=OWN_END)
    ours: dict[str, Sums] = {}
    # All of them: those of a number that were left out would be missing in the sums of its site.
    own = _added_up(calls.filter(own_end__in=sites).annotate(what=F("own_end")), most=None)
    for number, sums in own.items():
        ours.setdefault(sites[number], Sums(sites[number])).add(sums)
    rest = calls.exclude(own_end__in=sites).annotate(what=F("site") if with_operators else Value(""))
    for site, sums in _added_up(rest, "-calls").items():
        ours.setdefault(site, Sums(site)).add(sums)
    return _most(ours.values())


def by_number(rows: QuerySet[CallRecord], period: CallPeriod) -> list[Sums]:
    """By the number at the other end, those with most calls."""
    return _most(_added_up(period.of(rows).annotate(what=OTHER_END), "-calls").values())


def _added_up(rows: "QuerySet[Any]", *order: str, most: int | None = MOST_GROUPS) -> dict[str, Sums]:
    found: dict[str, Sums] = {}
    lines = rows.order_by().values("what", "currency").annotate(**TOTALS).order_by(*order)
    for line in lines[:most]:
        what, charged = str(line["what"]), line["charged"]
        costs = {} if charged is None else {line["currency"]: charged}
        part = Sums(what, line["calls"], line["answered"], line["talked"] or 0, costs)
        found.setdefault(what, Sums(what)).add(part)
    return found


def _most(sums: Iterable[Sums]) -> list[Sums]:
    return sorted(sums, key=lambda one: (-one.calls, one.what))[:MOST_LINES]
