"""The search over all lists (Ctrl+K): the first rows of each that a person may see, found as the list finds them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.dataclasses import SearchResult

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.links import page_of

# Who looks for more of a kind uses its list.
MOST_OF_A_LIST = 5
SHORTEST = 2


def records(request: HttpRequest, term: str) -> list[SearchResult]:
    found: list[SearchResult] = []
    if len(term.strip()) < SHORTEST:
        return found
    for pages in admin.site._registry.values():
        if isinstance(pages, PortalAdmin) and pages.get_search_fields(request) and pages.has_view_permission(request):
            found += [_result(row) for row in _rows(pages, request, term)]
    return found


def _rows(pages: PortalAdmin, request: HttpRequest, term: str) -> Any:
    rows, _ = pages.get_search_results(request, pages.tenant_rows(request), term)
    # What the names of rows are made of.
    beside = pages.list_select_related
    return (rows.select_related(*beside) if isinstance(beside, tuple | list) else rows)[:MOST_OF_A_LIST]


def _result(row: Any) -> SearchResult:
    kind = str(row._meta.verbose_name)
    return SearchResult(
        title=str(row), description=kind[:1].upper() + kind[1:], link=page_of(row), icon="arrow_outward"
    )
