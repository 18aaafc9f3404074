"""The rows that a view reads: pages and single ones, straight from columns to records, with as few queries as can be.

What a view shows to an actor is the same query again and again. It is remembered with its compiled statements, in which
only the page and the name of a single row vary.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import RawSQL

from contacts_app.core.api.reading import OneColumn, Part, Reading, Record
from contacts_app.core.lists.statement import Instances, Slot, Statement
from contacts_app.core.lists.total import COUNTED, Total, estimate_of, is_costly, of_keys, total_of
from contacts_app.core.memory import Memory

# Estimates are as good as the last ANALYZE; a list that shrinks below what is counted says so this much later.
TOTALS: Memory[Total] = Memory(seconds=5)
ROWS: Memory["Rows"] = Memory(seconds=3600, most=500)
# A statement for each length of page that is asked for.
MOST_STATEMENTS = 20
# Beyond what a database takes as a number no row has a name.
HIGHEST = 2**63 - 1
Build = Callable[[], tuple["QuerySet[Any]", Any]]


class Rows:
    """`queryset` as `reading` shows it or, without one, as its rows. `is_prepared`: its conditions name only keys."""

    def __init__(self, queryset: "QuerySet[Any]", reading: Reading | None, *, is_prepared: bool = True) -> None:
        self.queryset, self.reading, self.is_prepared = queryset, reading, is_prepared
        self._statements: dict[Hashable, list[Statement]] = {}

    def page(self, limit: int | None, offset: int = 0, *, by_keys: bool = False) -> list[Any]:
        """Rows, or tuples that `records` makes records of.

        What is skipped on the way to the page, or with `by_keys` sorted out, is not joined.
        """
        by_keys = by_keys or offset > 0
        if self.reading is None:
            return self._instances(limit, offset, by_keys)
        if by_keys:
            return self._asked("deeper", self._deeper, False, limit, offset)

        def first() -> tuple["QuerySet[Any]", Any]:
            rows = self.queryset if limit is None else self.queryset[:limit]
            return rows, rows.values("pk")

        return self._asked(("first", limit), first, self.is_prepared)

    def pages(self, length: int) -> Iterator[list[Any]]:
        """All rows, page by page, of which only the keys are in memory."""
        keys = list(self.queryset.values_list("pk", flat=True))
        for start in range(0, len(keys), length):
            page = of_keys(self.queryset, keys[start : start + length])
            yield Rows(page, self.reading, is_prepared=False).page(None)

    def one(self, **named: Any) -> Any:
        """The row, or its tuple; None where there is none."""
        if any(isinstance(value, int) and value > HIGHEST for value in named.values()):
            return None

        def of_name() -> "QuerySet[Any]":
            meta = self.queryset.model._meta
            fields = {name: meta.pk if name == "pk" else meta.get_field(name) for name in named}
            return self.queryset.order_by().filter(**{name: Slot(field)() for name, field in fields.items()})

        if self.reading is None:
            return self._instance(of_name, named)

        def by_name() -> tuple["QuerySet[Any]", Any]:
            rows = of_name()
            return rows, rows.values("pk")

        found = self._asked(("one", *named), by_name, self.is_prepared, *named.values())
        return found[0] if found else None

    def window(self, limit: int, offset: int, *, is_exact: bool = False) -> tuple[list[Any], Total]:
        """A page, and how many rows there are: exactly, or as `total_of` counts."""
        if not is_exact and self._is_costly:
            total = total_of(self.queryset)
            if total.is_exact and offset >= total.number:
                return [], total
            found = Rows(total.narrow(self.queryset), self.reading, is_prepared=False)
            return found.page(limit, offset, by_keys=not total.is_exact), total
        exactly = is_exact or connection.vendor != "postgresql"
        if not offset and self.reading is not None and (exactly or not TOTALS.get(self._total_key)):
            page = self._counted(limit + 1, exactly)
            number = page[0][len(self.reading.columns)] if page else 0
            if exactly or number <= COUNTED:
                return page[:limit], Total(number, is_exact=True)
            return page[:limit], self._reckoned(number)
        # One row more tells whether the page is the last one, and so where the list ends.
        page = self.page(limit + 1, offset)
        if len(page) <= limit and (page or not offset):
            return page, Total(offset + len(page), is_exact=True)
        return page[:limit], self.total(is_exact=is_exact)

    def total(self, *, is_exact: bool = False) -> Total:
        exactly = is_exact or connection.vendor != "postgresql"
        if not exactly and self._is_costly:
            return total_of(self.queryset)
        if exactly:
            return Total(self._keys(exactly).count(), is_exact=True)
        if found := TOTALS.get(self._total_key):
            return found
        counted = self._keys(exactly).count()
        return Total(counted, is_exact=True) if counted <= COUNTED else self._reckoned(counted)

    def _keys(self, exactly: bool) -> Statement:
        """The keys of what is counted. In the order of the list, whose index then serves for counting too."""

        def keys() -> list[Statement]:
            rows = self.queryset.order_by() if exactly else self.queryset[: COUNTED + 1]
            return [Statement(rows.values_list("pk"))]

        return self._statement("exactly" if exactly else "counted", keys)[0]

    @property
    def _total_key(self) -> Hashable:
        keys = self._keys(False)
        return keys.sql, *keys.params

    def _reckoned(self, counted: int) -> Total:
        total = Total(max(counted, estimate_of(self.queryset)), is_exact=False)
        return TOTALS.put(self._total_key, total)

    def _counted(self, limit: int, exactly: bool) -> list[Any]:
        """The first page, whose rows say behind their columns how many there are in all: one way to the database."""

        def first() -> tuple["QuerySet[Any]", Any]:
            rows = self.queryset[:limit]
            return rows, rows.values("pk")

        def number() -> RawSQL:
            keys = self._keys(exactly)
            counted = f"(SELECT COUNT(*) FROM ({keys.sql}) AS counted)"  # noqa: S608 - Django's own
            return RawSQL(counted, keys.params)  # noqa: S611

        return self._asked(("counted", exactly, limit), first, self.is_prepared, beside=number)

    def records(self, found: Sequence[Any], serializer: Callable[..., Any], context: Mapping[str, Any]) -> list[Record]:
        if self.reading is None:
            return list(serializer(found, many=True, context=context).data)
        narrowed = getattr(serializer, "narrowed", None)
        records = map(self.reading.show, found)
        return [narrowed(record, context) for record in records] if narrowed else list(records)

    @property
    def _is_costly(self) -> bool:
        if not hasattr(self, "_costly"):
            self._costly = connection.vendor == "postgresql" and is_costly(self.queryset)
        return self._costly

    def _instances(self, limit: int | None, offset: int, by_keys: bool) -> list[Any]:
        if limit is None or not by_keys:
            return list(self.queryset[:limit])
        return list(of_keys(self.queryset, list(self.queryset.values_list("pk", flat=True)[offset : offset + limit])))

    def _instance(self, of_name: Callable[[], "QuerySet[Any]"], named: Mapping[str, Any]) -> Any:
        """The row itself, for those who change it."""
        asked: Any = self.queryset
        is_plain = not (asked._prefetch_related_lookups or asked.query.annotations or asked.query.distinct)
        if not (self.is_prepared and is_plain and all(LOOKUP_SEP not in name for name in named)):
            return self.queryset.filter(**named).first()
        [found] = self._statement(("instance", *named), lambda: [Instances(of_name())])
        return cast(Instances, found).first(*named.values())

    def _deeper(self) -> tuple["QuerySet[Any]", Any]:
        keys = Statement(self.queryset.values_list("pk"))
        if not keys.sql:
            return self.queryset.none(), ()
        page = RawSQL(f"{keys.sql} LIMIT %s OFFSET %s", (*keys.params, Slot(), Slot()))  # noqa: S611 - Django's own SQL
        return of_keys(self.queryset, page), page

    def _statement(self, shape: Hashable, make: Callable[[], list[Statement]]) -> list[Statement]:
        found = self._statements.get(shape)
        if found is None:
            if len(self._statements) >= MOST_STATEMENTS:
                self._statements = {}
            found = self._statements[shape] = make()
        return found

    def _asked(
        self, shape: Hashable, build: Build, is_prepared: bool, *values: Any, beside: Callable[[], RawSQL] | None = None
    ) -> list[Any]:
        """The tuples, with a value `beside` the columns; where the record has parts, with their lists at the ends."""
        reading = cast(Reading, self.reading)
        at_once = connection.vendor == "postgresql" and all(isinstance(one.reading, OneColumn) for one in reading.parts)

        def compiled() -> list[Statement]:
            rows, keys = build()
            lists = [_list_of(part) for part in reading.parts] if at_once else []
            kinds = [rows.values_list(*reading.columns, *([beside()] if beside else []), *lists)]
            for part in () if at_once else reading.parts:
                of_page = part.rows.filter(**{f"{part.key}__in": keys})
                kinds.append(of_page.values_list(part.key, *part.reading.columns))
            return [Statement(kind, is_prepared=is_prepared) for kind in kinds]

        whole, *parts = self._statement(shape, compiled)
        found = whole.rows(*values)
        if at_once and reading.parts:
            width = -len(reading.parts)
            return [(*row[:width], list(row[width:])) for row in found]
        if not parts or not found:
            return found
        lists: list[dict[Any, list[Any]]] = []
        for part, statement in zip(reading.parts, parts, strict=True):
            of_row: dict[Any, list[Any]] = {}
            for key, *columns in statement.rows(*values):
                of_row.setdefault(key, []).append(part.reading.show(columns))
            lists.append(of_row)
        return [(*row, [of_row.get(row[0], []) for of_row in lists]) for row in found]


def _list_of(part: Part) -> ArraySubquery:
    """The values of the one column of a part, beside the columns of the row that it belongs to."""
    of_row = part.rows.filter(**{part.key: OuterRef("pk")})
    return ArraySubquery(of_row.values(*part.reading.columns))


@contextmanager
def watched() -> Any:
    """Whether the database was asked meanwhile: what was found out then may be another thing next time."""
    asked: list[str] = []

    def note(execute: Any, sql: Any, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield asked
