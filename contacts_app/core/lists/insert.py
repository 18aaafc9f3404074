"""New rows, many at once: on PostgreSQL by COPY, which takes less processor time than Django's `bulk_create`.

Django prepares each value of each row in Python and writes it into the statement. COPY streams the values as they are,
and only fields that store something else than they hold, such as JSON and encrypted ones, prepare theirs.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault, Expression
from psycopg import sql

from contacts_app.core.lists.statement import fetched, prepared_cursor

M = TypeVar("M", bound=Model)
# Fewer are not worth a statement of their own for the keys.
FEW = 50
# So few are stored one after the other, as making one statement for them takes longer.
FEW_KEPT = 4
# What these hold is what they store. Not addresses: a form leaves the empty text in them, which is stored as NULL.
_PLAIN = (
    models.AutoField, models.BooleanField, models.CharField, models.DateField, models.DecimalField, models.ForeignKey,
    models.IntegerField, models.TextField, models.UUIDField,
)  # fmt: skip
Getter = Callable[[Any], Any]


def insert_many(rows: list[M], *, batch_size: int | None = None) -> list[M]:
    """`bulk_create` of rows of one model, with keys that the database counts; they have them afterwards. Values are
    plain, not expressions.
    """
    if not rows:
        return rows
    model = type(rows[0])
    if len(rows) == 1 and rows[0].pk is None:
        insert_one(rows[0])
        return rows
    if len(rows) < FEW or connection.vendor != "postgresql" or _is_worked_out(model):
        model._base_manager.bulk_create(rows, batch_size=batch_size)
        return rows
    statement, keys, getters = _of_model(model)
    with connection.cursor() as cursor:
        cursor.execute(keys, [len(rows)])
        for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = key
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([getter(row) for getter in getters])
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
    return rows


def insert_one(row: Model) -> None:
    """`save` of a new row, without signals and with values as above: on PostgreSQL by a statement that is kept."""
    model = type(row)
    if connection.vendor != "postgresql" or _is_worked_out(model):
        model._base_manager.bulk_create([row])
        return
    statement, getters = _of_one(model)
    row.pk = fetched(statement, [getter(row) for getter in getters])[0][0]
    row._state.adding, row._state.db = False, connection.alias


def upsert_few(rows: list[M], *, unique: Sequence[str], fields: Sequence[str]) -> None:
    """`bulk_create` that stores `fields` over rows with the same `unique` ones; where they are few, on PostgreSQL by a
    statement that is kept. They are not given their keys.
    """
    if not rows:
        return
    model = type(rows[0])
    if len(rows) > FEW_KEPT or connection.vendor != "postgresql" or _is_worked_out(model):
        model._base_manager.bulk_create(rows, update_conflicts=True, unique_fields=unique, update_fields=fields)
        return
    statement, getters = _of_one(model, tuple(unique), tuple(fields))
    with prepared_cursor() as cursor:
        for row in rows:
            cursor.execute(statement, [getter(row) for getter in getters])


@cache
def _of_one(model: type[Model], unique: tuple[str, ...] = (), over: tuple[str, ...] = ()) -> tuple[str, list[Getter]]:
    """The INSERT without the key, which the database counts, and the values in the order of its columns.

    With `unique` it stores the columns `over` those of the row that has the same ones.
    """
    key = model._meta.pk
    fields = [field for field in model._meta.concrete_fields if not field.generated and field is not key]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    table, returned = quote(model._meta.db_table), quote(str(key.column))
    # Names of the model's own.
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608
    if unique:
        named = {field.name: field for field in model._meta.concrete_fields}
        same = ", ".join(quote(str(named[name].column)) for name in unique)
        stored = (quote(str(named[name].column)) for name in over)
        statement += f" ON CONFLICT ({same}) DO UPDATE SET {', '.join(f'{name} = EXCLUDED.{name}' for name in stored)}"
    else:
        statement += f" RETURNING {returned}"
    return statement, [_getter(field) for field in fields]


@cache
def _is_worked_out(model: type[Model]) -> bool:
    """Whether the database fills in more than constants, such as its time."""
    return any(isinstance(field.db_default, Expression) for field in model._meta.concrete_fields)


@cache
def _of_model(model: type[Model]) -> tuple[sql.Composed, str, list[Getter]]:
    """The COPY, what gives so many keys, and the values of a row in the order of the columns."""
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    columns = sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), columns)
    counted = f"pg_get_serial_sequence('\"{model._meta.db_table}\"', '{model._meta.pk.column}')"
    keys = f"SELECT nextval({counted}) FROM generate_series(1, %s)"  # noqa: S608 - names of the model's own
    return statement, keys, [_getter(field) for field in fields]


def _getter(field: "models.Field[Any, Any]") -> Getter:
    by_name = attrgetter(field.attname)
    # Such as a time that is set when the row is stored.
    sets = type(field).pre_save is not models.Field.pre_save
    read: Getter = (lambda row: field.pre_save(row, add=True)) if sets else by_name
    if field.has_db_default():
        read = _with_default(read, field)
    if type(field) is models.JSONField:
        return _as_json(read, field.encoder or json.JSONEncoder)
    return read if is_stored_as_held(field) else lambda row: field.get_db_prep_save(read(row), connection)


def _as_json(read: Getter, encoder: type[json.JSONEncoder]) -> Getter:
    """The text that PostgreSQL reads as JSON; the field would find its encoder and the connection's anew each time."""
    encode = encoder().encode

    def value(row: Any) -> str | None:
        found = read(row)
        return None if found is None else encode(found)

    return value


def _with_default(read: Getter, field: "models.Field[Any, Any]") -> Getter:
    """The constant that the database would fill in, where the row leaves it to it."""
    constant = field.db_default

    def value(row: Any) -> Any:
        found = read(row)
        return constant if isinstance(found, DatabaseDefault) else found

    return value


def is_stored_as_held(field: "models.Field[Any, Any]") -> bool:
    """Whether psycopg can take the values of a field as they are. A subclass may store something else than it holds."""
    kind: type = type(field)
    return isinstance(field, _PLAIN) and _prepares_as_usual(kind)


@cache
def _prepares_as_usual(kind: type) -> bool:
    """Whether Django's own code prepares the values of these fields."""
    names = ("get_prep_value", "get_db_prep_value", "get_db_prep_save")
    return all(getattr(kind, name).__module__.startswith("django.db.models.fields") for name in names)
