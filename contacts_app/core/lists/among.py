"""`pk__in=among(keys)`: many keys as one parameter of a statement.

Django and psycopg take each value of a list through several steps of their own. For some hundred keys that takes more
processor time than the database takes for the rows.
"""

import json
from collections.abc import Collection
from typing import Any

from django.db.models import Expression, Field

# So few are given as they are: their plan is the simplest one.
FEW = 10


class Among(Expression):
    """Integers, or texts, as the right side of `__in`."""

    def __init__(self, values: Collection[int] | Collection[str]) -> None:
        super().__init__(output_field=Field())
        self.values = tuple(values)

    def as_sql(self, compiler: object, connection: object) -> tuple[str, tuple[str | int, ...]]:
        return "(SELECT value FROM json_each(%s))", (json.dumps(self.values),)

    def as_postgresql(self, compiler: object, connection: object) -> tuple[str, list[object]]:
        if isinstance(self.values[0], int):
            # Integers need no quotes, and one text takes psycopg less than a list of them.
            return "(SELECT unnest(%s::bigint[]))", [f"{{{','.join(map(str, self.values))}}}"]
        return "(SELECT unnest(%s::text[]))", [list(self.values)]


def among(values: Collection[int] | Collection[str]) -> Any:
    """The values as they are best given to `__in`."""
    return Among(values) if len(values) > FEW else list(values)
