"""The query string of lists: `limit`, `offset`, `sort[id]`, `filters[…]`, `mode` — and the envelope (events spec §4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from profiles_app.api.events.grammar import BadExpression, Column, condition

DEFAULT_LIMIT, MOST = 25, 500
# Together with a page no more than a database takes as a number.
FARTHEST = 2**63 - 1 - MOST
DIRECTIONS = ("asc", "desc")
MODES = {"brief": "brief", "full": "full", "all": "full"}
_MEMBER = re.compile(r"(filters|sort)\[([^\]]*)\](\[\])?", re.DOTALL)

Columns = Mapping[str, Column]


@dataclass(frozen=True)
class ListQuery:
    """What is asked for; `filters` and `sort` are as they came, for the echo in the envelope."""

    limit: int
    offset: int
    sort: dict[str, str]
    filters: dict[str, Any]

    def page(self, rows: QuerySet[Any], columns: Columns) -> tuple[int, list[Any]]:
        """How many rows there are in all, and those of the page."""
        for field, wanted in self.filters.items():
            for expression in wanted if isinstance(wanted, list) else [wanted]:
                rows = rows.filter(_condition(field, columns[field], expression))
        ordered = rows.order_by("id" if self.sort["id"] == "asc" else "-id")
        return rows.order_by().count(), list(ordered[self.offset : self.offset + self.limit])

    def envelope(self, total: int, items: list[Any]) -> dict[str, Any]:
        return {
            "filters": self.filters,
            "sort": self.sort,
            "total": total,
            "limit": self.limit,
            "offset": self.offset,
            "items": items,
        }


def list_query(request: Request, columns: Columns) -> ListQuery:
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
            sort = _sort(field, given[name])
        elif field not in columns:
            raise ValidationError({f"filters.{field}": "This list cannot be filtered by it."})
        else:
            wanted = given.getlist(name)
            filters[field] = wanted if many or len(wanted) > 1 else wanted[0]
    return ListQuery(limit, offset, sort, filters)


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


def _sort(field: str, direction: str) -> dict[str, str]:
    if field != "id":
        raise ValidationError({f"sort.{field}": "Lists can be sorted by id only."})
    if direction not in DIRECTIONS:
        raise ValidationError({"sort.id": "Must be asc or desc."})
    return {"id": direction}


def _condition(field: str, column: Column, expression: str) -> Any:
    try:
        return condition(column, expression)
    except BadExpression as bad:
        raise ValidationError({f"filters.{field}": str(bad)}) from None
