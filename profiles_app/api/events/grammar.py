"""The expressions that lists are filtered by: `filters[name]=contains:my` (events spec §4.1)."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q

from profiles_app.api.events.fields import BIGGEST_ID
from profiles_app.services.soundex import soundex

MOST_ARGUMENTS = 500
_COMMA = re.compile(r"(?<!\\),")  # `\,` is a comma in an argument

Condition = Callable[[str, list[str]], Q]


class BadExpression(Exception):
    """The expression cannot be applied to the column; the message says why."""


@dataclass(frozen=True)
class Column:
    """What of a table can be filtered on. `sound` is the column with the Soundex code; numbers have none."""

    name: str
    numeric: bool = False
    sound: str = ""


def _lookup(suffix: str) -> Condition:
    return lambda name, arguments: Q(**{f"{name}{suffix}": arguments[0]})


def _negated(condition: Condition) -> Condition:
    # Django negates so that null, which is not equal to anything and contains nothing, matches.
    return lambda name, arguments: ~condition(name, arguments)


_EQ, _IN = _lookup(""), lambda name, arguments: Q(**{f"{name}__in": arguments})
_STARTS, _ENDS, _CONTAINS = map(_lookup, ("__istartswith", "__iendswith", "__icontains"))
_BETWEEN: Condition = lambda name, arguments: Q(**{f"{name}__range": arguments})  # noqa: E731

COMPARISONS: dict[str, Condition] = {
    "eq": _EQ,
    "ne": _negated(_EQ),
    "lt": _lookup("__lt"),
    "gt": _lookup("__gt"),
    "lte": _lookup("__lte"),
    "gte": _lookup("__gte"),
}
TEXT_COMPARISONS: dict[str, Condition] = {
    "starts-with": _STARTS,
    "ends-with": _ENDS,
    "contains": _CONTAINS,
    "not-starts-with": _negated(_STARTS),
    "not-ends-with": _negated(_ENDS),
    "not-contains": _negated(_CONTAINS),
}
SOUNDS: dict[str, Condition] = {"sounds": _EQ, "not-sounds": _negated(_EQ)}
RANGES: dict[str, Condition] = {"between": _BETWEEN, "not-between": _negated(_BETWEEN)}
SETS: dict[str, Condition] = {"in": _IN, "not-in": _negated(_IN)}
EMPTINESS = ("empty", "not-empty")
WITH_ARGUMENTS = COMPARISONS | TEXT_COMPARISONS | SOUNDS | RANGES | SETS


def condition(column: Column, expression: str) -> Q:
    """The condition that an expression puts on a column. Raises BadExpression."""
    if "\x00" in expression:
        raise BadExpression("There is no such text.")
    operator, colon, rest = expression.partition(":")
    if operator in EMPTINESS:
        return _emptiness(column, operator, rest)
    if not colon or operator not in WITH_ARGUMENTS:
        return _EQ(column.name, _values(column, [expression]))
    arguments = [argument.replace("\\,", ",") for argument in _COMMA.split(rest)]
    least, most = (1, MOST_ARGUMENTS) if operator in SETS else (2, 2) if operator in RANGES else (1, 1)
    if not least <= len(arguments) <= most:
        raise BadExpression(f"Wrong number of arguments for {operator}.")
    if operator in SOUNDS or operator in TEXT_COMPARISONS:
        if column.numeric:
            raise BadExpression(f"{operator} is for text.")
        if operator in SOUNDS:
            return SOUNDS[operator](column.sound, [soundex(arguments[0])])
    return WITH_ARGUMENTS[operator](column.name, _values(column, arguments))


def _emptiness(column: Column, operator: str, rest: str) -> Q:
    if rest:
        raise BadExpression(f"{operator} takes no argument.")
    empty = Q(**{f"{column.name}__isnull": True}) | Q(**{column.name: 0 if column.numeric else ""})
    return empty if operator == "empty" else ~empty


def _values(column: Column, arguments: list[str]) -> list[str]:
    if not column.numeric:
        return arguments
    for argument in arguments:
        if not re.fullmatch("-?[0-9]{1,19}", argument, re.ASCII) or abs(int(argument)) > BIGGEST_ID:
            raise BadExpression(f"{argument!r:.60} is not a number.")
    return arguments
