"""Writing rows without waiting for anybody who writes them at the same time."""

from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet


@transaction.atomic
def update_unlocked(rows: QuerySet[Any], **values: Any) -> int:
    """UPDATE those of the rows that nobody else holds now; how many. The others stay as they are.

    For what is written again soon: two who hold several rows in different orders would block each other. SQLite knows
    no row locks, so that all are updated there.
    """
    if connection.features.has_select_for_update_skip_locked:
        free = list(rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
        rows = rows.model._default_manager.filter(pk__in=free)
    return rows.update(**values)
