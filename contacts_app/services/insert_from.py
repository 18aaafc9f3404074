"""INSERT … SELECT, which the ORM does not write: a row of one table for each row of a query, in one statement."""

from typing import Any, cast

from django.db import connection
from django.db.models import Expression, F, Field, Model, QuerySet, Value


def insert_from(rows: QuerySet[Any], into: type[Model], *, over: str = "", **columns: Any) -> int:
    """Insert a row of `into` for each of `rows`, which have to be filtered; how many.

    `columns` are all fields of `into` but an automatic key: an F takes over what the row has, anything else is the same
    for all. With `over`, the name of a unique field, the columns are stored over rows that are there already.
    """
    taken: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name, value in columns.items():
        field = cast("Field[Any, Any]", into._meta.get_field(name))
        names[name] = connection.ops.quote_name(str(field.column))
        taken[f"_{name}"] = value if isinstance(value, F | Expression) else Value(value, output_field=field)
    query = rows.order_by().annotate(**taken).values_list(*taken).query
    select, parameters = query.get_compiler(connection=connection).as_sql()
    # No value stands in the text, only names of the schema.
    sql = (
        f"INSERT INTO {connection.ops.quote_name(into._meta.db_table)} ({', '.join(names.values())}) {select}"
    )
    if over:
        key = names.pop(over)
        replaced = ", ".join(f"{name} = EXCLUDED.{name}" for name in names.values())
        sql += f" ON CONFLICT ({key}) DO UPDATE SET {replaced}"
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)
