"""The price of a call: by the rate that the request names, or by the longest prefix of a rate table."""

from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from functools import cache
from math import ceil
from typing import NamedTuple

from django.db.models import QuerySet, Subquery

from contacts_app.core.api.reading import WholeRow
from contacts_app.core.lists.statement import Slot, Statement
from contacts_app.core.values import digits
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.models.rates import LONGEST_NUMBER, Rate, RateTable

# What calls are billed by where no rate table says it: by started minutes.
USUAL_INTERVAL = 60
CENT_OF_CENT = Decimal("0.000001")


RATE = WholeRow(Rate)


class Price(NamedTuple):
    """Of a call. `price` is None where it is not known; `is_allowed` is whether the rate table has the destination."""

    price: Decimal | None
    interval: int = USUAL_INTERVAL
    prefix: str = ""
    is_allowed: bool = True


def _default_tables() -> "QuerySet[RateTable, int]":
    return RateTable.objects.filter(is_default=True).values_list("pk", flat=True)


def with_default_table(profiles: "QuerySet[OutboundVoiceProfile]") -> "QuerySet[OutboundVoiceProfile]":
    """The profiles, with the key of the default rate table, so that it need not be asked for by itself."""
    return profiles.annotate(default_table=Subquery(_default_tables()[:1]))


def table_of(profile: OutboundVoiceProfile) -> int | None:
    """The key of the rate table that the profile's calls go by."""
    if profile.rate_table_id is not None:
        return profile.rate_table_id
    came_along = vars(profile)
    return came_along["default_table"] if "default_table" in came_along else _default_tables().first()


def find_rate(table: int, destination: str) -> Rate | None:
    """The rate of the longest prefix: one look into an index, at no more places than a number has digits."""
    number = digits(destination)[:LONGEST_NUMBER]
    row = _rates_of(len(number)).row(table, *(number[:length] for length in range(1, len(number) + 1)))
    return RATE.show(row) if row else None


@cache
def _rates_of(digits_in_number: int) -> Statement:
    """Of the prefixes of a number. Longer prefixes of one number sort after shorter ones."""
    prefixes = [Slot()() for _ in range(digits_in_number)]
    rates = Rate.objects.filter(table=Slot()()).filter(prefix__in=prefixes).order_by("-prefix")
    return Statement(rates.values_list(*RATE.columns)[:1])


def price_of(profile: OutboundVoiceProfile, destination: str, given: Decimal | None) -> Price:
    """The price that the request gives counts before that of the rate table."""
    table = table_of(profile)
    rate = None if table is None else find_rate(table, destination)
    if rate is None:
        return Price(given, is_allowed=table is None or given is not None)
    return Price(rate.price if given is None else given, rate.interval, rate.prefix, rate.is_allowed)


def cost_of(price: Decimal | None, interval: int, spoken: float | timedelta) -> Decimal | None:
    """What a call of so many seconds costs: every interval that has begun. None where the price is not known."""
    if price is None:
        return None
    seconds = spoken.total_seconds() if isinstance(spoken, timedelta) else spoken
    begun = ceil(round(seconds, 3) / interval)
    return (price * begun * interval / 60).quantize(CENT_OF_CENT, ROUND_CEILING)
