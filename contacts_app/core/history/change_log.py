"""The changes of all records in one order, the newest first: read from the historical tables as they are.

Each model keeps its history in a table of its own. One statement takes from each of them no more rows than a page has,
in the order of an index, and merges these. Pages are found by the place of the last row, so that none costs more than
the first. What no index finds is looked for in a bounded number of rows; the page says how far back that was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import IntegerField, Model, Q, QuerySet, Value

from contacts_app.core.history.models import Tracked, tracked_models

PER_PAGE = 50
# So many of the newest rows of each table are looked through for what no index finds: of one table, and of each of many.
ALONE, TOGETHER = 50_000, 5_000


class LogPlace(NamedTuple):
    """Where a row stands: the newer one first, then by the name of its kind, then by its key."""

    moment: datetime
    kind: str
    key: int

    def __str__(self) -> str:
        return f"{self.moment.isoformat()}~{self.kind}~{self.key}"

    @classmethod
    def parse(cls, text: str) -> "LogPlace":
        """Raises ValueError."""
        moment, kind, key = text.split("~")
        found = datetime.fromisoformat(moment)
        # Years that every time zone has whole; a key that a column holds.
        if (
            found.tzinfo is None
            or not 1 < found.year < 9999
            or not (key.isascii() and key.isdecimal() and len(key) < 19)
        ):
            raise ValueError(text)
        return cls(found, kind, int(key))

    def before(self, kind: str) -> Q:
        """Rows of a kind that come later in the list."""
        if kind > self.kind:
            return Q(history_date__lte=self.moment)
        if kind < self.kind:
            return Q(history_date__lt=self.moment)
        older = Q(history_date__lt=self.moment) | Q(history_id__lt=self.key)
        return Q(history_date__lte=self.moment) & older

    def onwards(self, kind: str) -> Q:
        """All other rows of a kind, the one at this place included."""
        if kind > self.kind:
            return Q(history_date__gt=self.moment)
        if kind < self.kind:
            return Q(history_date__gte=self.moment)
        newer = Q(history_date__gt=self.moment) | Q(history_id__gte=self.key)
        return Q(history_date__gte=self.moment) & newer


@dataclass(frozen=True)
class LogQuery:
    """What is looked for; "" and None: anything. `action` is the sign of a historical row, `who` a person's e-mail
    address or user name, or what else rows call an actor.
    """

    who: str = ""
    text: str = ""
    action: str = ""
    channel: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @cached_property
    def _person(self) -> int | None:
        if not self.who:
            return None
        named = get_user_model()._default_manager.filter(Q(email=self.who.lower()) | Q(username=self.who))
        key: int | None = named.values_list("pk", flat=True).first()
        return key

    def found_by_index(self) -> Q:
        found = Q()
        if self.since is not None:
            found &= Q(history_date__gte=self.since)
        if self.until is not None:
            found &= Q(history_date__lt=self.until)
        if self._person:
            found &= Q(history_user=self._person)
        return found

    def looked_for(self) -> Q:
        """What has to be looked for in the rows themselves."""
        found = Q()
        if self.who and not self._person:
            found &= Q(history_actor__iexact=self.who)
        if self.text:
            found &= Q(history_name__icontains=self.text)
        for column, value in (("history_type", self.action), ("history_channel", self.channel)):
            if value:
                found &= Q(**{column: value})
        return found


@dataclass(frozen=True)
class LogPage:
    """Historical rows with the names of their kinds. `following` is the place to go on from, if there may be more;
    `stopped` says that the rows looked through came to their end before those of a page did.
    """

    rows: list[tuple[str, Any]]
    following: LogPlace | None = None
    stopped: bool = False


# Historical rows by the name of their kind.
Sources = Mapping[str, "QuerySet[Any]"]


def kind_of(model: type[Model]) -> str:
    """What the log calls the records of a model; it sorts the kinds."""
    return str(model._meta.label_lower)


def tracked_kinds() -> dict[str, Tracked]:
    return {kind_of(model): tracked for model, tracked in tracked_models.items()}


def read_log(sources: Sources, asked: LogQuery, after: LogPlace | None = None, most: int = PER_PAGE) -> LogPage:
    """The rows after a place that meet what is asked, at most so many."""
    by_index, looked_for = asked.found_by_index(), asked.looked_for()
    sources = {kind: rows.filter(by_index) for kind, rows in sources.items()}
    if after is not None:
        sources = {kind: rows.filter(after.before(kind)) for kind, rows in sources.items()}
    end: LogPlace | None = None
    if looked_for:
        if beyond := _merged(sources, 1, skip=(ALONE if len(sources) == 1 else TOGETHER) - 1):
            end = _place(*beyond[0])
        if end is not None:
            sources = {kind: rows.filter(end.onwards(kind)) for kind, rows in sources.items()}
        sources = {kind: rows.filter(looked_for) for kind, rows in sources.items()}
    found = _merged(sources, most + 1)
    shown = _rows(found[:most])
    if len(found) > most and shown:
        kind, row = shown[-1]
        return LogPage(shown, LogPlace(row.history_date, kind, row.history_id))
    return LogPage(shown, end, stopped=end is not None)


def _merged(sources: Sources, most: int, skip: int = 0) -> list[tuple[str, int]]:
    """The first of all rows, by kind and key; with `skip`, so many of each kind are left out."""
    kinds = sorted(sources)
    parts: list[str] = []
    values: list[Any] = []
    for number, kind in enumerate(kinds):
        rows = sources[kind].order_by("-history_date", "-history_id")
        told = rows.values_list("history_date", Value(number, IntegerField()), "history_id")[skip : skip + most]
        try:
            sql, parameters = told.query.sql_with_params()
        except EmptyResultSet:
            continue
        parts.append(f"SELECT * FROM ({sql}) AS part")  # noqa: S608 - Django's own
        values += parameters
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(parts)} ORDER BY 1 DESC, 2, 3 DESC LIMIT {most}", values)
        return [(kinds[number], key) for _, number, key in cursor.fetchall()]


def _place(kind: str, key: int) -> LogPlace | None:
    """None: the row was pruned meanwhile."""
    moments = tracked_kinds()[kind].rows_of_model().filter(history_id=key).values_list("history_date", flat=True)
    return LogPlace(moment, kind, key) if (moment := moments.first()) else None


def _rows(found: list[tuple[str, int]]) -> list[tuple[str, Any]]:
    """The rows themselves, which a statement for each of their kinds reads."""
    kinds = tracked_kinds()
    rows: dict[tuple[str, int], object] = {}
    for kind in {kind for kind, _ in found}:
        keys = [key for of, key in found if of == kind]
        history = kinds[kind].rows_of_model().filter(history_id__in=keys).select_related("history_user")
        rows |= {(kind, row.history_id): row for row in history}
    # History may be pruned meanwhile.
    return [(place[0], rows[place]) for place in found if place in rows]
