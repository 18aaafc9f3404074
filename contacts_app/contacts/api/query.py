"""The query parameters of lists: paging, filters, order and fields (notification contacts spec §3)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TypeVar

import django_filters
from django import forms
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from contacts_app.core.api.view import parse_uuid

M = TypeVar("M", bound=Model)

DEFAULT_LIMIT = 20
# Beyond what a database takes as a limit or an offset nothing can be; neither number is refused for its size.
END_OF_TIME = 2**31 - 1
# A comma means "or"; each alternative is a condition of the statement, and databases bear only so many of them.
MOST_ALTERNATIVES = 100


@dataclass(frozen=True)
class ContactPage:
    """`limit` 0 is everything."""

    limit: int
    offset: int

    @classmethod
    def of(cls, query: QueryDict) -> "ContactPage":
        return cls(_number(query, "limit", DEFAULT_LIMIT), _number(query, "offset", 0))

    @property
    def slice(self) -> slice:
        start = min(self.offset, END_OF_TIME)
        return slice(start, min(start + self.limit, 2 * END_OF_TIME) if self.limit else None)

    @property
    def window(self) -> tuple[int, int]:
        """Limit and offset as a database takes them."""
        return min(self.limit or END_OF_TIME, END_OF_TIME), min(self.offset, END_OF_TIME)

    def answer(self, total: int, records: Iterable[Mapping[str, object]], query: QueryDict) -> dict[str, object]:
        """The envelope of a list; with `fields=` its records have only those members."""
        wanted = {name for name in query.get("fields", "").split(",") if name}
        if wanted:
            records = ({name: value for name, value in record.items() if name in wanted} for record in records)
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


class AlternativesField(forms.Field):
    r"""The values of a parameter, one list for each time that it is given; `\\,` is a comma inside a value."""

    widget = forms.MultipleHiddenInput

    def clean(self, texts: list[str]) -> list[list[str]]:
        if any("\0" in text for text in texts):
            raise forms.ValidationError("Null characters are not allowed.")
        return [[value.replace("\\,", ",") for value in re.split(r"(?<!\\),", text)] for text in texts]


@extend_schema_field(serializers.CharField(help_text="A comma means or."))
class Alternatives(django_filters.Filter):  # type: ignore[misc]
    """Rows of which a column has, or with `icontains` holds, one of the values; given twice, both must be true."""

    field_class = AlternativesField

    def filter(self, rows: "QuerySet[M]", given: list[list[str]]) -> "QuerySet[M]":
        return rows.filter(*map(self.condition, given))

    def condition(self, values: list[str]) -> Q:
        if self.lookup_expr == "exact":
            return Q(**{f"{self.field_name}__in": values})
        return reduce(or_, (Q(**{f"{self.field_name}__{self.lookup_expr}": value}) for value in values))


class UuidAlternatives(Alternatives):
    def condition(self, values: list[str]) -> Q:
        return Q(**{f"{self.field_name}__in": [uuid for value in values if (uuid := parse_uuid(value))]})


def ordered(rows: "QuerySet[M]", query: QueryDict, names: Sequence[str], default: Sequence[str]) -> "QuerySet[M]":
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
