"""A query that is compiled once and asked many times; on PostgreSQL it is also planned once.

Compiling a query of a few joins takes Django a millisecond or two, planning it takes PostgreSQL one more: several times
of what reading the rows takes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Field, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.query import get_related_populators
from psycopg import Cursor
from psycopg.types.datetime import TimestamptzLoader

Row = Sequence[Any]


class Slot:
    """The place of a value that each asking brings along, of the kind that a column holds."""

    def __init__(self, field: "Field[Any, Any] | None" = None) -> None:
        self.field = field

    def __call__(self) -> RawSQL:
        """As it stands in a condition."""
        return RawSQL("%s", (self,))

    def filled(self, value: object) -> Any:
        return value if self.field is None else self.field.get_db_prep_value(value, connection)


class Statement:
    """The rows of a `values_list`. `is_prepared`: its conditions are so plain that one plan serves all values."""

    def __init__(self, rows: "QuerySet[Any, Any]", *, is_prepared: bool = True) -> None:
        compiler: Any = rows.query.get_compiler(connection=connection)
        self._compiler = compiler
        self.is_prepared, self.sql = is_prepared, ""
        self.params: Sequence[Any] = ()
        try:
            self.sql, self.params = compiler.as_sql()
        except EmptyResultSet:
            return
        # Set while the SQL was made.
        columns = [column for column, _, _ in compiler.select or ()]
        self.slots = [place for place, value in enumerate(self.params) if isinstance(value, Slot)]
        self.converters = [(place, *found) for place, found in compiler.get_converters(columns).items()]

    def rows(self, *values: object) -> list[Row]:
        """All rows, with the slots filled in their order."""
        if not self.sql:
            return []
        params = list(self.params)
        for place, value in zip(self.slots, values, strict=True):
            params[place] = params[place].filled(value)
        found = fetched(self.sql, params, is_prepared=self.is_prepared)
        return self._converted(found) if self.converters else found

    def row(self, *values: object) -> Row | None:
        found = self.rows(*values)
        return found[0] if found else None

    def count(self) -> int:
        """How many rows there are."""
        if not self.sql:
            return 0
        counted = f"SELECT COUNT(*) FROM ({self.sql}) AS counted"  # noqa: S608 - Django's own
        return int(fetched(counted, self.params, is_prepared=self.is_prepared)[0][0])

    def _converted(self, found: list[Row]) -> list[Row]:
        rows: list[Any] = [list(row) for row in found]
        for place, converters, column in self.converters:
            for row in rows:
                for convert in converters:
                    row[place] = convert(row[place], column, connection)
        return rows


class Instances(Statement):
    """The rows of a query as instances with what `select_related` brings along, as iterating over it would make them.

    No annotations, no prefetching.
    """

    def __init__(self, rows: "QuerySet[Any]", *, is_prepared: bool = True) -> None:
        super().__init__(rows, is_prepared=is_prepared)
        if not self.sql:
            return
        info, select = self._compiler.klass_info, self._compiler.select
        # As Django's own `ModelIterable` does; its signature differs between the versions of the stubs.
        populators: Any = get_related_populators
        places: list[int] = info["select_fields"]
        self._model: Any = info["model"]
        self._columns = slice(places[0], places[-1] + 1)
        self._names = [column.target.attname for column, _, _ in select[self._columns]]
        self._related = populators(info, select, DEFAULT_DB_ALIAS)

    def all(self, *values: object) -> list[Any]:
        return list(map(self._made, self.rows(*values)))

    def first(self, *values: object) -> Any:
        found = self.row(*values)
        return None if found is None else self._made(found)

    def _made(self, row: Row) -> Any:
        made = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[self._columns])
        for related in self._related:
            related.populate(row, made)
        return made


class AnyRow:
    """Whether there is any of the rows that `rows()` says, for what is asked all the time and mostly finds none."""

    def __init__(self, rows: "Callable[[], QuerySet[Any]]") -> None:
        self._rows = rows

    def __call__(self) -> bool:
        return self._statement.row() is not None

    @cached_property
    def _statement(self) -> Statement:
        # Not planned once: by a plan for all values PostgreSQL finds no index of the rows with some of them alone, and
        # reads the whole table instead.
        return Statement(self._rows().order_by().values_list("pk")[:1], is_prepared=False)


class PreparedCursor(Cursor[Any]):
    """Values are bound by the server. Django's loader of times is Python, psycopg's own is not; connections are UTC."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.adapters.register_loader("timestamptz", TimestamptzLoader)

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query, params, **({"prepare": True} | options))


def binary_rows(rows: "QuerySet[Any, Any]") -> list[Row]:
    """On PostgreSQL: the rows of a `values_list` of numbers and bytes as they are stored, past what fields make of them.

    As text each byte would travel as two digits, which both sides have to work out.
    """
    own = _own_connection()
    sql, params = rows.query.get_compiler(connection=own).as_sql()
    own.ensure_connection()
    with own.wrap_database_errors:
        found: list[Row] = _cursor_of(own.connection).execute(sql, params, binary=True).fetchall()
    return found


@contextmanager
def prepared_cursor() -> Iterator[Any]:
    """The connection's, which has PostgreSQL plan each statement once; elsewhere a usual one."""
    own = _own_connection()
    if not _takes_prepared(own):
        with own.cursor() as cursor:
            yield cursor
        return
    own.ensure_connection()
    with own.wrap_database_errors:
        yield own.make_cursor(_cursor_of(own.connection))


def fetched(sql: str, params: Sequence[Any], *, is_prepared: bool = True) -> list[Row]:
    """All rows of a statement, by the same cursor, but past what Django wraps around each statement and each value."""
    own = _own_connection()
    found: list[Row]
    if not (is_prepared and _takes_prepared(own)):
        with own.cursor() as cursor:
            cursor.execute(sql, params)
            found = cursor.fetchall()
        return found
    own.ensure_connection()
    own.validate_no_broken_transaction()
    with own.wrap_database_errors:
        found = _cursor_of(own.connection).execute(sql, params).fetchall()
    return found


def _takes_prepared(own: Any) -> bool:
    # The log of queries shows those with the values in them, which this process does not put there; and who watches
    # the queries sees usual ones alone.
    return own.vendor == "postgresql" and not (own.queries_logged or own.execute_wrappers)


def _own_connection() -> Any:
    """The thread's own: each use of `connection` would look for it anew."""
    return connections[DEFAULT_DB_ALIAS]


def _cursor_of(kept: object) -> PreparedCursor:
    """One for as long as the connection lives: making it ready takes as long as a short statement."""
    cursor: PreparedCursor = vars(kept).get("prepared_cursor") or PreparedCursor(kept)
    vars(kept)["prepared_cursor"] = cursor
    return cursor


def in_one_trip(*statements: str, values: Mapping[str, object]) -> Row | None:
    """Have PostgreSQL do the statements in one transaction, without a wait between them: the first row of the last one.

    Each takes its own snapshot, so that what follows a lock sees what happened while it waited. They are planned once.
    """
    own = _own_connection()
    own.ensure_connection()
    cursor = _cursor_of(own.connection)
    with own.wrap_database_errors:
        with own.connection.pipeline():
            for statement in statements:
                own.make_cursor(cursor).execute(statement, values)
        while cursor.nextset():
            pass
        row: Row | None = cursor.fetchone()
        return row
