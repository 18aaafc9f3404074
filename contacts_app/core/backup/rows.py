"""The rows of all tables as lines of JSON for any of our databases: read in one snapshot, loaded into empty tables.

Columns instead of model instances, so that secrets stay encrypted and rows of an earlier schema can be loaded.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction

# A row may be as large as a phone's file, so few are held at a time.
READ_AT_ONCE = 50
LOADED_AT_ONCE, LOADED_BYTES = 500, 4 * 1024**2


class StoredTable(NamedTuple):
    name: str
    columns: list[str]


def stored_tables() -> list[StoredTable]:
    """Every table of our models and of the packages', each once. Which migrations were applied stands elsewhere."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            columns = [str(field.column) for field in model._meta.local_concrete_fields if not field.generated]
            found[model._meta.db_table] = StoredTable(model._meta.db_table, columns)
    return list(found.values())


@contextmanager
def snapshot() -> Iterator[None]:
    """All that is read within is of one moment, and nobody who writes waits for it."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # Not by `atomic`, which here begins with the lock of writers. The first read fixes the moment.
            cursor.execute("BEGIN")
            try:
                cursor.execute("SELECT COUNT(*) FROM django_migrations")
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def read_rows(table: StoredTable) -> Iterator[bytes]:
    """A line for each row."""
    columns = ", ".join(map(connection.ops.quote_name, table.columns))
    with connection.chunked_cursor() as cursor:
        # No value stands in the text, only names of the schema.
        cursor.execute(f"SELECT {columns} FROM {connection.ops.quote_name(table.name)}")  # noqa: S608
        while rows := cursor.fetchmany(READ_AT_ONCE):
            for row in rows:
                line = json.dumps([_plain(value) for value in row], ensure_ascii=False, separators=(",", ":"))
                yield line.encode() + b"\n"


def empty(tables: Iterable[StoredTable]) -> None:
    """Delete what migrations have written; to be called in the transaction that loads."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table.name)}")  # noqa: S608


def load_rows(table: StoredTable, lines: Iterable[bytes]) -> int:
    """Insert them; how many. Foreign keys are checked when the transaction commits."""
    quote = connection.ops.quote_name
    places = ", ".join(["%s"] * len(table.columns))
    columns = ", ".join(map(quote, table.columns))
    statement = f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({places})"  # noqa: S608
    count = 0
    with connection.cursor() as cursor:
        for batch in _batches(lines):
            cursor.executemany(statement, batch)
            count += len(batch)
    return count


def continue_numbering(tables: Iterable[StoredTable]) -> None:
    """Rows were loaded with their keys: new ones begin behind them (SQLite does so by itself)."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for table in tables:
            name = connection.ops.quote_name(table.name)
            for sequence in connection.introspection.get_sequences(cursor, table.name):
                key = connection.ops.quote_name(sequence["column"])
                last = f"SELECT setval(pg_get_serial_sequence(%s, %s), coalesce(max({key}), 1), max({key}) IS NOT NULL)"
                cursor.execute(f"{last} FROM {name}", [name, sequence["column"]])


def _batches(lines: Iterable[bytes]) -> Iterator[list[list[Any]]]:
    batch: list[list[Any]] = []
    size = 0
    for line in lines:
        batch.append([_value(value) for value in json.loads(line)])
        size += len(line)
        if len(batch) >= LOADED_AT_ONCE or size >= LOADED_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _plain(value: object) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            # SQLite's driver gives moments in UTC without saying so, which both databases take.
            return str(value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value)
        case date() | time() | Decimal():
            return str(value)
        case UUID():
            return value.hex
        case bytes() | memoryview():
            return {"base64": base64.b64encode(value).decode("ascii")}
    raise TypeError(f"A column holds a {type(value).__name__}, which backups do not know yet.")


def _value(plain: Any) -> Any:
    return base64.b64decode(plain["base64"]) if isinstance(plain, dict) else plain
