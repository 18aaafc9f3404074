"""The first page of the admin: panels of numbers, each a link to the list behind it, registered by the apps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.first_steps import first_steps


@dataclass(frozen=True)
class Figure:
    """`tone` is good, wait, bad, busy or gone; `share` is per cent of its panel's whole."""

    label: str
    count: int
    url: str
    tone: str = "busy"
    share: float = 0
    note: str = ""


@dataclass(frozen=True)
class Day:
    """One column of a chart: its parts from the bottom up."""

    number: int
    label: str
    url: str
    parts: list[Figure]


@dataclass(frozen=True)
class Panel:
    """`kind` is bar, counts, progress or days; `whole` is of what; `empty` is said when there is nothing; `at`: when the
    numbers were counted, None: just now.
    """

    title: str
    kind: str
    numbers: list[Figure] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    whole: Figure | None = None
    empty: str = ""
    at: datetime | None = None

    @property
    def template(self) -> str:
        return f"contacts_app/core/overview/{self.kind}.html"


# What gives a person the panels of an app.
_sources: list[Callable[[HttpRequest], list[Panel]]] = []


def register(panels: Callable[[HttpRequest], list[Panel]]) -> None:
    """Add the panels of an app. Called from its `admin`."""
    _sources.append(panels)


def overview(request: HttpRequest, context: dict[str, object]) -> dict[str, object]:
    """What the first page shows this person; the panels of the topmost app come first."""
    panels = [panel for source in reversed(_sources) for panel in source(request)]
    return context | {"title": "Overview", "panels": panels} | first_steps(request)


def panels_about(
    request: HttpRequest, model: type[Model], panels_of: Callable[[QuerySet[Any]], list[Panel]]
) -> list[Panel]:
    """The panels of the rows that this person may see; none for somebody who may see no such rows at all."""
    page = admin.site.get_model_admin(model)
    if not isinstance(page, PortalAdmin) or not page.has_view_permission(request):
        return []
    return panels_of(page.tenant_rows(request).order_by())


def shares(numbers: list[Figure]) -> list[Figure]:
    """The same numbers, each with its share of their sum; what is zero is left out."""
    whole = sum(number.count for number in numbers)
    return [
        Figure(number.label, number.count, number.url, number.tone, 100 * number.count / whole, number.note)
        for number in numbers
        if number.count
    ]
