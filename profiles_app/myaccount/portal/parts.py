"""What pages of the portal are put together from: tables, pagers and bar charts, for the templates of `parts/`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

M = TypeVar("M", bound=Model)
Text = str | Promise
PER_PAGE = 50
# Beyond this page nobody reads on; a search finds it.
LAST_PAGE = 2000
NOTHING = _("There is nothing here yet.")


def moment(at: datetime | None) -> str:
    """In the account's time zone, with the month in words: days and months are written in two orders."""
    return date_format(localtime(at), "j M Y, H:i") if at else ""


@dataclass(frozen=True)
class Heading:
    label: Text
    is_number: bool = False


@dataclass(frozen=True)
class Cell:
    """`path` makes it a link; `tone` a state: good, bad, warn or "plain"."""

    text: object
    path: str = ""
    tone: str = ""
    note: Text = ""


@dataclass(frozen=True)
class Pager:
    """Queries of the pages before and after this one; empty where there is none."""

    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Table:
    """`rows` hold a Cell, or any value, for each heading."""

    columns: Sequence[Heading]
    rows: Sequence[Sequence[object]]
    caption: Text = ""
    empty: Text = NOTHING
    pager: Pager = Pager()

    @property
    def cells(self) -> Iterator[list[tuple[Heading, Cell]]]:
        for row in self.rows:
            cells = [cell if isinstance(cell, Cell) else Cell("" if cell is None else cell) for cell in row]
            yield list(zip(self.columns, cells, strict=True))


def page_of(request: HttpRequest, rows: "QuerySet[M]", per_page: int = PER_PAGE) -> tuple[list[M], Pager]:
    """The rows of the page that `?page=` names, and the way on; nothing is counted."""
    asked = request.GET.get("page", "")
    number = min(int(asked), LAST_PAGE) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    number = max(number, 1)
    start = (number - 1) * per_page
    found = list(rows[start : start + per_page + 1])
    return found[:per_page], Pager(
        before=_query(request, number - 1) if number > 1 else "",
        after=_query(request, number + 1) if len(found) > per_page and number < LAST_PAGE else "",
    )


def _query(request: HttpRequest, page: int) -> str:
    query = request.GET.copy()
    query["page"] = str(page)
    return query.urlencode()


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    x: float
    y: float
    width: float
    height: float
    is_labelled: bool
    is_always_labelled: bool


@dataclass(frozen=True)
class BarChart:
    """One bar for each label and value, as plain SVG, which needs no script and no style in the page.

    `details`: a table that says more than the bars do.
    """

    title: Text
    values: Sequence[tuple[str, float]]
    label: Text
    unit: str = ""
    width: int = 720
    height: int = 200
    details: Table | None = None

    @property
    def ground(self) -> int:
        return self.height - 18

    @property
    def highest(self) -> float:
        return max((value for _label, value in self.values), default=0)

    @property
    def bars(self) -> list[Bar]:
        """Every label is written while there is room for it, else each second, third and so on; on narrow screens each
        third of those. None where all are zero, which makes an empty picture."""
        if not self.highest:
            return []
        step = self.width / len(self.values)
        longest = max(len(label) for label, _value in self.values) * 7 + 8
        nth = max(1, -(-longest // int(max(step, 1))))
        top, room = 20, self.ground - 20
        bars = []
        for place, (label, value) in enumerate(self.values):
            height = round(room * value / self.highest, 1)
            x, y = round(place * step + step * 0.1, 1), round(top + room - height, 1)
            bars.append(Bar(label, value, x, y, round(step * 0.8, 1), height, place % nth == 0, place % (3 * nth) == 0))
        return bars

    @property
    def table(self) -> Table:
        return self.details or Table([Heading(self.label), Heading(self.title, is_number=True)], self.values)
