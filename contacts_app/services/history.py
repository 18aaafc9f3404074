"""Changing many rows at once without losing their history: `update` and the bulk methods send no signal of theirs."""

from collections.abc import Iterable
from copy import copy
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

from contacts_app.models.history import Changes, Tracked, named_fields, tracked_models

M = TypeVar("M", bound=Model)
BATCH = 500


def update_recorded(rows: QuerySet[M], **values: Any) -> int:
    """`rows.update(**values)` and a historical row for each that it changed. Values are plain, not expressions."""
    tracked, count, last = tracked_models[rows.model], 0, 0
    names = {field.name for field in named_fields(rows.model, values)}
    # What is not written need not be deciphered.
    ordered = rows.order_by("pk").defer(*(tracked.secret - names))
    with transaction.atomic():
        while before := list(ordered.filter(pk__gt=last).select_for_update(of=("self",))[:BATCH]):
            last = before[-1].pk
            after = [_with(row, values) for row in before]
            _record_changes(tracked, before, after, values)
            same = rows.model._base_manager.filter(pk__in=[row.pk for row in before])
            count += same.update(**values)
    return count


def create_recorded(rows: Iterable[M]) -> list[M]:
    """`bulk_create` of new rows, each with the first row of its history."""
    made = list(rows)
    if not made:
        return []
    model = type(made[0])
    with transaction.atomic():
        model._default_manager.bulk_create(made, batch_size=BATCH)
        tracked = tracked_models[model]
        _store(tracked, [(row, "+", {}) for row in made])
    return made


def upsert_recorded(rows: Iterable[M], *, unique: list[str], fields: list[str]) -> None:
    """`bulk_create` that stores `fields` over rows with the same `unique` ones, and the history of both kinds."""
    made = list(rows)
    if not made:
        return
    model = type(made[0])
    columns = [field.attname for field in named_fields(model, unique)]
    owners = {getattr(row, columns[0]) for row in made}
    wanted = {_key(row, columns) for row in made}

    def stored() -> dict[tuple[Any, ...], M]:
        found = model._base_manager.filter(**{f"{columns[0]}__in": owners})
        return {key: row for row in found if (key := _key(row, columns)) in wanted}

    with transaction.atomic():
        before = stored()
        model._default_manager.bulk_create(
            made, update_conflicts=True, unique_fields=unique, update_fields=fields
        )
        after, tracked = stored(), tracked_models[model]
        _store(tracked, [(row, "+", {}) for key, row in after.items() if key not in before])
        both = [key for key in after if key in before]
        _record_changes(tracked, [before[key] for key in both], [after[key] for key in both], fields)


def save_recorded(rows: Iterable[M], fields: Iterable[str]) -> None:
    """`bulk_update` of rows that were changed in memory, and a historical row for each that differs from its table."""
    changed, names = list(rows), list(fields)
    if not changed:
        return
    model = type(changed[0])
    with transaction.atomic():
        for start in range(0, len(changed), BATCH):
            batch = changed[start : start + BATCH]
            stored = model._base_manager.only(*names).in_bulk([row.pk for row in batch])
            batch = [row for row in batch if row.pk in stored]
            _record_changes(tracked_models[model], [stored[row.pk] for row in batch], batch, names)
            model._default_manager.bulk_update(batch, names)


def _key(row: Model, columns: Iterable[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, column) for column in columns)


def _with(row: M, values: dict[str, Any]) -> M:
    after = copy(row)
    for name, value in values.items():
        setattr(after, name, value)
    return after


def _record_changes(tracked: Tracked, before: list[Any], after: list[Any], names: Iterable[str]) -> None:
    fields = {field.name for field in named_fields(tracked.cls, names)}
    _store(
        tracked,
        [
            (new, "~", changes)
            for old, new in zip(before, after, strict=True)
            if (changes := tracked.changes(old, new, fields))
        ],
    )


def _store(tracked: Tracked, news: list[tuple[Any, str, Changes]]) -> None:
    if news:
        rows = [tracked.row(*one) for one in news]
        type(rows[0])._base_manager.bulk_create(rows, batch_size=BATCH)
