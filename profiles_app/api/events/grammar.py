"""The expressions that lists are filtered by: `filters[name]=contains:my` (events spec §4.1)."""

import re
from dataclasses import dataclass

from django.db.models import Q

from profiles_app.api.events.fields import BIGGEST_ID
from profiles_app.services.soundex import soundex

MOST_ARGUMENTS = 500
_COMMA = re.compile(r"(?<!\\),")  # `\,` is a comma in an argument


class BadExpression(Exception):
    """The expression cannot be applied to the column; the message says why."""


@dataclass(frozen=True)
class Column:
    """What of a table can be filtered on. `sound` is the column with the Soundex code; numbers have none."""

    name: str
    numeric: bool = False
    sound: str = ""


LOOKUPS = {
    "eq": "",
    "lt": "__lt",
    "gt": "__gt",
    "lte": "__lte",
    "gte": "__gte",
    "starts-with": "__istartswith",
    "ends-with": "__iendswith",
    "contains": "__icontains",
    "sounds": "",
    "between": "__range",
    "in": "__in",
}
FOR_TEXT = ("starts-with", "ends-with", "contains", "sounds")
# How many arguments they take at least and at most; the others take one.
SEVERAL = {"between": (2, 2), "in": (1, MOST_ARGUMENTS)}
# Django negates so that null, which is not equal to anything and contains nothing, matches.
NEGATED = {"ne": "eq"} | {f"not-{name}": name for name in (*FOR_TEXT, *SEVERAL)}
EMPTINESS = ("empty", "not-empty")


def condition(column: Column, expression: str) -> Q:
    """The condition that an expression puts on a column. Raises BadExpression."""
    if "\x00" in expression:
        raise BadExpression("There is no such text.")
    operator, colon, rest = expression.partition(":")
    if operator in EMPTINESS:
        return _emptiness(column, operator, rest)
    positive = NEGATED.get(operator, operator)
    if not colon or positive not in LOOKUPS:
        return Q(**{column.name: _values(column, [expression])[0]})
    arguments = [argument.replace("\\,", ",") for argument in _COMMA.split(rest)]
    least, most = SEVERAL.get(positive, (1, 1))
    if not least <= len(arguments) <= most:
        raise BadExpression(f"Wrong number of arguments for {operator}.")
    if positive in FOR_TEXT and column.numeric:
        raise BadExpression(f"{operator} is for text.")
    name, values = column.name, _values(column, arguments)
    if positive == "sounds":
        name, values = column.sound, [soundex(arguments[0])]
    found = Q(**{f"{name}{LOOKUPS[positive]}": values if positive in SEVERAL else values[0]})
    return ~found if operator in NEGATED else found


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
