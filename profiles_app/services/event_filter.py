"""Whether an event meets the conditions of a listener: pure decisions about tags, numbers and schedules (events spec §5).

Numbers are compared by their digits, so that `+1555…` and `1555…` are the same number.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

# Where an event names the two sides of a call or a message, as values or as participants (events spec §7).
SIDES = ("from", "to", "did")
# Members of a participant that may be a number.
NUMBERS = ("id", "number", "extension")


def wants(subscriptions: Iterable[Iterable[str]], tags: Iterable[str]) -> bool:
    """Whether one of the subscriptions has all its tags among those of the event."""
    borne = set(tags)
    return any(borne.issuperset(wanted) for wanted in subscriptions)


def passes(
    filter_type: str, value: Mapping[str, Any], not_logic: bool, data: Any, schedules: Iterable[int]
) -> bool:
    """Whether an event with this data, at a time when these schedules were in force, passes the filter."""
    return FILTERS[filter_type](value, data, schedules) != not_logic


def _number_passes(value: Mapping[str, Any], data: Any, schedules: Iterable[int]) -> bool:
    present = set(numbers_in(data))
    if "match" in value:
        pattern = _pattern(value["match"])
        return any(pattern.fullmatch(number) for number in present)
    wanted = [value["eq"]] if "eq" in value else value["in"]
    return not present.isdisjoint(map(_digits, wanted))


def _schedule_passes(value: Mapping[str, Any], data: Any, schedules: Iterable[int]) -> bool:
    return value["id"] in schedules


FILTERS: dict[str, Callable[[Mapping[str, Any], Any, Iterable[int]], bool]] = {
    "number": _number_passes,
    "schedule": _schedule_passes,
}


def numbers_in(data: Any) -> Iterator[str]:
    """The digits of every number on either side of the call or message, wherever its legs put them."""
    if isinstance(data, list):
        for item in data:
            yield from numbers_in(item)
    elif isinstance(data, Mapping):
        for name, value in data.items():
            if name in SIDES:
                yield from _numbers_of(value)
            else:
                yield from numbers_in(value)


def _numbers_of(side: Any) -> Iterator[str]:
    if isinstance(side, list):
        for participant in side:
            yield from _numbers_of(participant)
    elif isinstance(side, Mapping):
        for name in NUMBERS:
            yield from _numbers_of(side.get(name))
    elif isinstance(side, str | int) and not isinstance(side, bool) and (digits := _digits(str(side))):
        yield digits


def _digits(number: str) -> str:
    return re.sub(r"[^0-9]", "", number)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """`%` is any run of digits, none included."""
    return re.compile("[0-9]*".join(map(_digits, text.split("%"))))
