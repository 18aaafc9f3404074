"""How long the history of records is kept: forever, unless somebody prunes it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from contacts_app.models.history import tracked_models

BATCH = 1000


def count_old_records(older_than: datetime) -> int:
    return sum(rows.filter(history_date__lt=older_than).count() for rows in _tables())


def prune_records(older_than: datetime, tell: Callable[[int], None] = lambda count: None) -> int:
    """Delete historical rows from before that, in batches; how many. `tell` hears how many there have been."""
    deleted = 0
    for rows in _tables():
        # Rows are written in the order of their keys: the first one that is young enough is the end of the old ones.
        oldest = rows.order_by("history_id").values_list("history_id", "history_date")
        while batch := [key for key, moment in oldest[:BATCH] if moment < older_than]:
            deleted += rows.filter(history_id__in=batch).delete()[0]
            tell(deleted)
    return deleted


def _tables() -> list[QuerySet[Any]]:
    return [tracked.rows_of_model() for tracked in tracked_models.values()]
