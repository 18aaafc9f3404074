"""The query parameters of lists: paging, filters, order and fields (notification contacts spec §3)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError

M = TypeVar("M", bound=Model)

DEFAULT_LIMIT = 20
# Beyond what a database takes as a limit or an offset nothing can be; neither number is refused for its size.
END_OF_TIME = 2**31 - 1
# A comma means "or"; each alternative is a condition of the statement, and databases bear only so many of them.
MOST_ALTERNATIVES = 100


@dataclass(frozen=True)
class Page:
    """`limit` 0 is everything."""

    limit: int
    offset: int

    @classmethod
    def of(cls, query: QueryDict) -> "Page":
        return cls(_number(query, "limit", DEFAULT_LIMIT), _number(query, "offset", 0))

    @property
    def slice(self) -> slice:
        start = min(self.offset, END_OF_TIME)
        return slice(start, min(start + self.limit, 2 * END_OF_TIME) if self.limit else None)

    def answer(self, total: int, records: Iterable[Mapping[str, Any]], query: QueryDict) -> dict[str, Any]:
        """The envelope of a list; with `fields=` its records have only those members."""
        wanted = {name for name in query.get("fields", "").split(",") if name}
        if wanted:
            records = (
                {name: value for name, value in record.items() if name in wanted} for record in records
            )
        meta = {"limit": self.limit, "offset": self.offset, "total_count": total}
        return {"meta": meta, "objects": list(records)}


def _number(query: QueryDict, name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    # Longer ones than this are no numbers of anything, and Python refuses to read the longest.
    if not re.fullmatch("[0-9]{1,1000}", text):
        raise ValidationError({name: "Must be a whole number, 0 or more."})
    return int(text)


def alternatives(text: str) -> list[str]:
    r"""The values between commas; `\,` is a comma inside a value."""
    return [value.replace("\\,", ",") for value in re.split(r"(?<!\\),", text)]


# Makes the condition for several values, any of which will do.
Lookup = Callable[[list[str]], Q]


def exactly(column: str) -> Lookup:
    return lambda values: Q(**{f"{column}__in": values})


def contains(column: str) -> Lookup:
    def lookup(values: list[str]) -> Q:
        found = Q()
        for value in values:
            found |= Q(**{f"{column}__icontains": value})
        return found

    return lookup


def filtered(rows: "QuerySet[M]", query: QueryDict, filters: Mapping[str, Lookup]) -> "QuerySet[M]":
    """The rows for which every given filter holds; names of no filter are ignored."""
    found, count = Q(), 0
    for name, lookup in filters.items():
        for text in query.getlist(name):
            values = alternatives(text)
            count += len(values)
            if "\0" in text:
                raise ValidationError({name: "Null characters are not allowed."})
            if count > MOST_ALTERNATIVES:
                raise ValidationError({name: f"No more than {MOST_ALTERNATIVES} values to look for."})
            found &= lookup(values)
    return rows.filter(found)


def ordered(
    rows: "QuerySet[M]", query: QueryDict, names: Sequence[str], default: Sequence[str]
) -> "QuerySet[M]":
    """The rows in the order that `order_by` asks for, else in their own; those alike as they were made."""
    order: dict[str, str] = {}
    for term in ",".join(query.getlist("order_by")).split(","):
        name = term.removeprefix("-")
        if term and name not in names:
            raise ValidationError({"order_by": f"Can be one of: {', '.join(names)}."})
        if term:
            order.setdefault(name, term)
    return rows.order_by(*(order.values() or default), "pk")


NUMBER = {"type": "integer", "minimum": 0}
PAGING = [
    OpenApiParameter("limit", NUMBER, description="20 if not given; 0 is everything."),
    OpenApiParameter("offset", NUMBER),
    OpenApiParameter("fields", str, description="Comma-separated names: records have only these members."),
]
ACCOUNT = OpenApiParameter(
    "account", {"type": "string", "format": "uuid"}, description="For staff: the account that is meant."
)
