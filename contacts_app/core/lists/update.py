"""Rows that were changed in memory, many at once: on PostgreSQL by one statement that joins the table with their values.

Django's `bulk_update` writes a `CASE` with a `WHEN` for each row into each column, and spends more time on making that
statement than the database on doing it. One row is changed by a statement that is kept.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from django.db import connection, models
from django.db.models import Model, QuerySet
from psycopg import sql

from contacts_app.core.lists.insert import is_stored_as_held
from contacts_app.core.lists.statement import Instances, Slot, prepared_cursor

M = TypeVar("M", bound=Model)
# Fewer are not worth another way.
FEW = 5


def update_many(rows: list[M], fields: Iterable[str]) -> int:
    """`bulk_update` of rows of one model; how many were there. Values are plain, not expressions."""
    if not rows:
        return 0
    model = type(rows[0])
    names = tuple(fields)
    if len(rows) < FEW or connection.vendor != "postgresql" or not _can_be_listed(model, names):
        return model._default_manager.bulk_update(rows, names)
    columns = [model._meta.pk, *_fields(model, names)]
    with connection.cursor() as cursor:
        cursor.execute(_of_columns(model, names), [_values(rows, field) for field in columns])
        return int(cursor.rowcount)


def _fields(model: type[Model], names: Iterable[str]) -> "list[models.Field[Any, Any]]":
    return [cast("models.Field[Any, Any]", model._meta.get_field(name)) for name in names]


def _values(rows: Iterable[Model], field: "models.Field[Any, Any]") -> list[Any]:
    held = [getattr(row, field.attname) for row in rows]
    return held if is_stored_as_held(field) else [field.get_db_prep_save(value, connection) for value in held]


def _kind(field: "models.Field[Any, Any]") -> str:
    """The type of the column without a length, to which a cast would cut values short instead of refusing them."""
    return str(field.cast_db_type(connection)).partition("(")[0]


@cache
def _can_be_listed(model: type[Model], names: tuple[str, ...]) -> bool:
    """Lists of lists would be taken apart as a whole."""
    return not any(_kind(field).endswith("]") for field in _fields(model, names))


@cache
def _of_columns(model: type[Model], names: tuple[str, ...]) -> sql.Composed:
    fields = _fields(model, names)
    key = sql.Identifier(str(model._meta.pk.column))
    identifiers = [sql.Identifier(str(field.column)) for field in fields]
    lists = [sql.SQL("%s::{}[]").format(sql.SQL(_kind(field))) for field in (model._meta.pk, *fields)]
    return sql.SQL(
        "UPDATE {table} SET {sets} FROM unnest({lists}) AS new ({columns}) WHERE {table}.{key} = new.{key}"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        sets=sql.SQL(", ").join(sql.SQL("{0} = new.{0}").format(name) for name in identifiers),
        lists=sql.SQL(", ").join(lists),
        columns=sql.SQL(", ").join([key, *identifiers]),
        key=key,
    )


class RowUpdate(Instances):
    """On PostgreSQL: changes a row and says what it was, by one statement, so that nothing comes in between.

    `rows` read the row by its key. The new values of `written`, as they are stored, come before it.
    """

    def __init__(self, rows: "QuerySet[Any]", written: "Iterable[models.Field[Any, Any]]") -> None:
        super().__init__(rows)
        quote, columns = connection.ops.quote_name, [str(field.column) for field in written]
        table, key = quote(rows.model._meta.db_table), quote(str(rows.model._meta.pk.column))
        # Names of the model's own, and Django's own SQL.
        self.sql = (
            f"UPDATE {table} SET {', '.join(f'{quote(name)} = %s' for name in columns)} "  # noqa: S608
            f"FROM ({self.sql} FOR NO KEY UPDATE) AS former WHERE {table}.{key} = former.{key} RETURNING former.*"
        )
        self.params = [*(Slot() for _ in columns), *self.params]
        self.slots = list(range(len(self.params)))


def update_row(model: type[Model], key: int, values: Mapping[str, Any], **conditions: object) -> bool:
    """`update` of the row with this key if its other fields are so, None too; whether it was. Values are plain."""
    present = {name: value for name, value in conditions.items() if value is not None}
    absent = tuple(name for name in conditions if name not in present)
    statement, fields = _of_row(model, tuple(values), tuple(present), absent)
    given = [value.pk if isinstance(value, Model) else value for value in (*values.values(), key, *present.values())]
    with prepared_cursor() as cursor:
        cursor.execute(
            statement, [field.get_db_prep_save(value, connection) for field, value in zip(fields, given, strict=True)]
        )
        return bool(cursor.rowcount)


@cache
def _of_row(
    model: type[Model], names: tuple[str, ...], present: tuple[str, ...], absent: tuple[str, ...]
) -> "tuple[str, list[models.Field[Any, Any]]]":
    """The UPDATE, and the fields of its values in their order."""
    quote = connection.ops.quote_name
    written, met = _fields(model, names), [model._meta.pk, *_fields(model, present)]
    sets = ", ".join(f"{quote(str(field.column))} = %s" for field in written)
    wanted = [f"{quote(str(field.column))} = %s" for field in met]
    wanted += [f"{quote(str(field.column))} IS NULL" for field in _fields(model, absent)]
    # Names of the model's own.
    statement = f"UPDATE {quote(model._meta.db_table)} SET {sets} WHERE {' AND '.join(wanted)}"  # noqa: S608
    return statement, [*written, *met]
