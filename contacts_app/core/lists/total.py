"""How many rows a list has: exactly while that is cheap, and what PostgreSQL reckons beyond."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connections
from django.db.models import BooleanField, Func, Model, QuerySet
from django.db.models.expressions import RawSQL

M = TypeVar("M", bound=Model)

# Counting costs 11.7 ms for every 100,000 rows, and a list has a tenth of a second in all.
COUNTED = 10_000
# Where the conditions are about another table too, or any of several columns, a row costs several times as much.
COUNTED_CAREFULLY = 3_000
# One row in so many is sparse. Others are met soon enough on the way through the list, a hundred within 3,300 rows.
SPARSE, FEW = 33, 100
# To get to a page the database steps over all rows before it: 100,000 take it some 30 ms.
DEEPEST = 100_000


@dataclass(frozen=True)
class Total:
    """`keys` are those of all rows, in no order, where it took finding them to count them."""

    number: int
    is_exact: bool
    keys: tuple[Any, ...] | None = None

    def narrow(self, rows: QuerySet[M]) -> QuerySet[M]:
        """The same rows, which need not be looked for once more where counting has found them."""
        return rows if self.keys is None else of_keys(rows, self.keys)


def of_keys(rows: QuerySet[M], keys: Collection[object] | RawSQL) -> QuerySet[M]:
    """Those of the rows that have these keys: what they were found by need not be looked at again."""
    found = rows.all()
    found.query.clear_where()
    if isinstance(keys, RawSQL) and connections[rows.db].vendor == "postgresql":
        # As an array they are found out first, and rows are looked up by them. IN would be one table more to join, and
        # above `join_collapse_limit` (8) the others are joined before it, row by row of the whole list.
        return found.filter(
            Func("pk", keys, template="%(expressions)s)", arg_joiner=" = ANY(ARRAY", output_field=BooleanField())
        )
    return found.filter(pk__in=keys)


def total_of(rows: QuerySet[Model]) -> Total:
    """The number of rows; beyond `COUNTED` the planner's estimate, which is as good as the last ANALYZE."""
    if connections[rows.db].vendor != "postgresql":
        return Total(rows.order_by().count(), is_exact=True)
    if is_costly(rows):
        return _careful_total(rows)
    # In the order of the list, whose index then serves for counting too.
    counted = rows.values("pk")[: COUNTED + 1].count()
    if counted <= COUNTED:
        return Total(counted, is_exact=True)
    return Total(max(counted, estimate_of(rows)), is_exact=False)


def _careful_total(rows: QuerySet[Model]) -> Total:
    """Sparse rows are looked for in no order: for the sake of one, the database would go through the list to its end."""
    estimate, everything = estimate_of(rows), estimate_of(rows.model._base_manager.all())
    sparse = estimate * SPARSE < everything
    limit = COUNTED_CAREFULLY if sparse or everything <= COUNTED else FEW
    found = rows.order_by() if sparse else rows
    keys = tuple(found.values_list("pk", flat=True)[: limit + 1])
    if len(keys) <= limit:
        return Total(len(keys), is_exact=True, keys=keys)
    return Total(max(len(keys), estimate), is_exact=False)


def estimate_of(rows: QuerySet[Model]) -> int:
    # There is no plan for what can be seen to be nothing.
    plan = rows.order_by().values("pk").explain(format="json")
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"]) if plan else 0


def is_costly(rows: QuerySet[Model]) -> bool:
    """Whether the database has to look at more than the entries of one index to know that a row belongs to the list."""
    asked = set(_columns(rows.query.where))
    indexes = [index.fields for index in rows.model._meta.indexes if index.condition is None]
    indexes += [[field.name] for field in rows.model._meta.concrete_fields if field.unique]
    tables = sum(map(bool, rows.query.alias_refcount.values()))
    return tables > 1 or not any(asked == set(names[: len(asked)]) for names in indexes)


def _columns(condition: Any) -> Iterator[str]:
    """The columns that plain conditions are about, all of which must hold; "" for any other condition."""
    if getattr(condition, "connector", "") == "AND" and not condition.negated:
        for part in condition.children:
            yield from _columns(part)
    else:
        yield getattr(getattr(getattr(condition, "lhs", None), "target", None), "name", "")
