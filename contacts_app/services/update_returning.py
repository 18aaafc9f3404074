"""UPDATE … RETURNING, which the ORM does not write: which rows met the conditions at the moment of their change."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.db.models.sql import UpdateQuery


def update_returning(rows: QuerySet[Any], **values: Any) -> list[int]:
    """`rows.update(**values)` in one statement; the keys of the rows that it changed."""
    query: Any = rows.order_by().query.chain(UpdateQuery)
    query.add_update_values(values)
    try:
        sql, parameters = query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:  # No row can meet conditions as `pk__in=[]`.
        return []
    key = connection.ops.quote_name(str(rows.model._meta.pk.column))
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} RETURNING {key}", parameters)
        return [row[0] for row in cursor.fetchall()]
