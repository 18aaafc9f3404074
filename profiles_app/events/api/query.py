"""The query string of lists, `limit`, `offset`, `sort[id]`, `filters[…]` and `mode`, and their envelope (events spec §4).

The expressions of a filter, such as `filters[name]=contains:my`, come first (events spec §4.1).
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from drf_spectacular.plumbing import build_parameter_type
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.rows import Rows
from profiles_app.events.api.fields import BIGGEST_ID
from profiles_app.events.callback_changes import soundex

MOST_ARGUMENTS = 500
_COMMA = re.compile(r"(?<!\\),")  # `\,` is a comma in an argument


class BadExpression(Exception):
    """The expression cannot be applied to the column; the message says why."""


class FilterColumn(NamedTuple):
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
NEGATED = {"ne": "eq"} | {f"not-{name}": name for name in (*FOR_TEXT, *SEVERAL, "empty")}


def condition(column: FilterColumn, expression: str) -> Q:
    """The condition that an expression puts on a column. Raises BadExpression."""
    if "\x00" in expression:
        raise BadExpression("There is no such text.")
    operator, colon, rest = expression.partition(":")
    positive = NEGATED.get(operator, operator)
    if positive == "empty":
        if rest:
            raise BadExpression(f"{operator} takes no argument.")
        found = Q(**{f"{column.name}__isnull": True}) | Q(**{column.name: 0 if column.numeric else ""})
        return ~found if operator in NEGATED else found
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


def _values(column: FilterColumn, arguments: list[str]) -> list[str]:
    if not column.numeric:
        return arguments
    for argument in arguments:
        if not re.fullmatch("-?[0-9]{1,19}", argument, re.ASCII) or abs(int(argument)) > BIGGEST_ID:
            raise BadExpression(f"{argument!r:.60} is not a number.")
    return arguments


DEFAULT_LIMIT, MOST = 25, 500
# Together with a page no more than a database takes as a number.
FARTHEST = 2**63 - 1 - MOST
DIRECTIONS = ["asc", "desc"]
MODES = {"brief": "brief", "full": "full", "all": "full"}
_MEMBER = re.compile(r"(filters|sort)\[([^\]]*)\](\[\])?", re.DOTALL)


class ListQuery(NamedTuple):
    """What is asked for, in the order of the envelope; `filters` and `sort` are as they came."""

    filters: dict[str, Any]
    sort: dict[str, str]
    limit: int
    offset: int

    @property
    def is_ascending(self) -> bool:
        return self.sort["id"] == "asc"


def list_query(request: Request, columns: Mapping[str, FilterColumn]) -> ListQuery:
    """Read the query string of a list. Raises ValidationError by parameter; unknown parameters are ignored."""
    given = request.query_params
    limit = _number(given.get("limit"), "limit", DEFAULT_LIMIT, 1, MOST)
    offset = _number(given.get("offset"), "offset", 0, 0, FARTHEST)
    _number(given.get("include_subaccounts"), "include_subaccounts", 0, 0, 1)
    sort, filters = {"id": "desc"}, {}
    for name in given:
        if not (member := _MEMBER.fullmatch(name)):
            continue
        kind, field, many = member.groups()
        if kind == "sort":
            if field != "id":
                raise ValidationError({f"sort.{field}": "Lists can be sorted by id only."})
            if given[name] not in DIRECTIONS:
                raise ValidationError({"sort.id": "Must be asc or desc."})
            sort = {"id": given[name]}
        elif field not in columns:
            raise ValidationError({f"filters.{field}": "This list cannot be filtered by it."})
        else:
            wanted = given.getlist(name)
            filters[field] = wanted if many or len(wanted) > 1 else wanted[0]
    return ListQuery(filters, sort, limit, offset)


def asked_mode(request: Request) -> str:
    """`brief` or `full`; `fields` is what the parameter was called before."""
    for name in ("mode", "fields"):
        if name in request.query_params:
            if (mode := MODES.get(request.query_params[name])) is None:
                raise ValidationError({name: "Must be brief or full."})
            return mode
    return "full"


def _number(text: str | None, name: str, default: int, least: int, most: int) -> int:
    if text is None:
        return default
    if not re.fullmatch("[0-9]{1,19}", text, re.ASCII) or not least <= int(text) <= most:
        raise ValidationError({name: f"Must be a whole number from {least} to {most}."})
    return int(text)


def _parameter(name: str, schema: dict[str, object], description: str = "") -> dict[str, object]:
    return build_parameter_type(name=name, schema=schema, location="query", description=description)


class GrammarFilter(BaseFilterBackend):
    """Narrows a list by `filters[…]` on the view's `columns` and orders it by `sort[id]`."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        for field, wanted in view.query.filters.items():
            for expression in wanted if isinstance(wanted, list) else [wanted]:
                try:
                    queryset = queryset.filter(condition(view.columns[field], expression))
                except BadExpression as bad:
                    raise ValidationError({f"filters.{field}": str(bad)}) from None
        return queryset.order_by("id" if view.query.is_ascending else "-id")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        filters = [_parameter(f"filters[{name}]", {"type": "string"}, "`op:args`") for name in view.columns]
        return [_parameter("sort[id]", {"type": "string", "enum": DIRECTIONS}, "`desc` if not given."), *filters]


class EventPage(BasePagination):
    """The rows from `offset` on, `limit` of them, in the envelope that repeats what was asked for."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """What is no rows of the database: all of it is there."""
        self.query: ListQuery = view.query
        self.total = len(queryset)
        return list(queryset[self.query.offset : self.query.offset + self.query.limit])

    def page_of(self, rows: Rows, request: Request, view: Any) -> list[Any]:
        self.query = view.query
        page, total = rows.window(self.query.limit, self.query.offset, is_exact=True)
        self.total = total.number
        return page

    def get_paginated_response(self, data: object) -> Response:
        asked = self.query
        return Response(
            {
                "filters": asked.filters,
                "sort": asked.sort,
                "total": self.total,
                "limit": asked.limit,
                "offset": asked.offset,
                "items": data,
            }
        )

    def item_schema(self, schema: dict[str, object]) -> dict[str, object]:
        """How the OpenAPI document describes an item; its generator puts something else here for `mode`."""
        return schema

    def get_schema_operation_parameters(self, view: object) -> list[dict[str, object]]:
        limit = {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT}
        offset = {"type": "integer", "minimum": 0, "maximum": FARTHEST, "default": 0}
        return [
            _parameter("limit", limit),
            _parameter("offset", offset),
            _parameter("include_subaccounts", {"type": "integer", "enum": [0, 1]}),
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        direction = {
            "enum": DIRECTIONS,
            "type": "string",
            "description": "\n".join(f"* `{name}` - {name}" for name in DIRECTIONS),
        }
        members = {
            "filters": {"type": "object", "additionalProperties": {}, "description": "What was asked for."},
            "sort": {"type": "object", "additionalProperties": direction},
            "total": {"type": "integer", "description": "Before paging."},
            "limit": {"type": "integer"},
            "offset": {"type": "integer"},
            "items": schema | {"items": self.item_schema(schema["items"])},
        }
        return {"type": "object", "properties": members, "required": sorted(members)}
