"""Changing many rows at once without losing their history: `update` and the bulk methods send no signal of theirs.

Also INSERT … SELECT and UPDATE … RETURNING, which the ORM does not write, and the pruning of history, which is kept for
ever otherwise.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Expression, F, Field, ForeignKey, Model, QuerySet, Value
from django.db.models.sql import UpdateQuery
from django.utils import timezone

from contacts_app.core.history.authorship import changed_together, current_author, one_line
from contacts_app.core.history.models import Changes, Tracked, named_fields, tracked_models
from contacts_app.core.lists.among import among
from contacts_app.core.lists.insert import insert_many
from contacts_app.core.lists.update import update_many
from contacts_app.core.retention import Retention

M = TypeVar("M", bound=Model)
BATCH = 500


def update_recorded(rows: QuerySet[M], **values: object) -> int:
    """`rows.update(**values)` and a historical row for each that it changed. Values are plain, not expressions."""
    tracked, count, last = tracked_models[rows.model], 0, 0
    names = {field.name for field in named_fields(rows.model, values)}
    # What is not written need not be deciphered.
    ordered = rows.order_by("pk").defer(*(tracked.secret - names))
    with transaction.atomic():
        while before := list(ordered.filter(pk__gt=last).select_for_update(of=("self",))[:BATCH]):
            last = before[-1].pk
            after = [_with(row, values) for row in before]
            same = rows.model._base_manager.filter(pk__in=[row.pk for row in before])
            with changed_together():
                _record_changes(tracked, before, after, values)
                count += same.update(**values)
    return count


def create_recorded(rows: Iterable[M]) -> list[M]:
    """`bulk_create` of new rows, each with the first row of its history."""
    made = list(rows)
    if not made:
        return []
    model = type(made[0])
    with transaction.atomic():
        insert_many(made, batch_size=BATCH)
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
        model._default_manager.bulk_create(made, update_conflicts=True, unique_fields=unique, update_fields=fields)
        after, tracked = stored(), tracked_models[model]
        _store(tracked, [(row, "+", {}) for key, row in after.items() if key not in before])
        both = [key for key in after if key in before]
        _record_changes(tracked, [before[key] for key in both], [after[key] for key in both], fields)


def save_recorded(rows: Iterable[M], fields: Iterable[str], *, before: Mapping[Any, M] | None = None) -> None:
    """`bulk_update` of rows that were changed in memory, and a historical row for each that differs from its table.

    `before`: what the table says, by key, for who has read the rows under a lock.
    """
    changed, names = list(rows), list(fields)
    if not changed:
        return
    model = type(changed[0])
    with transaction.atomic():
        for start in range(0, len(changed), BATCH):
            batch = changed[start : start + BATCH]
            stored = before or model._base_manager.only(*names).in_bulk([row.pk for row in batch])
            batch = [row for row in batch if row.pk in stored]
            with changed_together():
                _record_changes(tracked_models[model], [stored[row.pk] for row in batch], batch, names)
                update_many(batch, names)


def change_recorded(rows: QuerySet[M], changes: Mapping[Any, Mapping[str, Any]], fields: Sequence[str]) -> None:
    """Change each of the rows, which are locked in the order of their keys, in its own way: `changes` has for the key of
    each its new values of `fields`. The author of all is the same.
    """
    tracked = tracked_models[rows.model]
    names = {field.name for field in named_fields(rows.model, fields)}
    ordered = rows.filter(pk__in=among(list(changes))).order_by("pk").defer(*(tracked.secret - names))
    with transaction.atomic():
        before = {row.pk: row for row in ordered.select_for_update(no_key=True, of=("self",))}
        save_recorded([_with(row, changes[key]) for key, row in before.items()], sorted(names), before=before)


def record_use(row: Model, what: str, *, once_in: timedelta | None = None) -> None:
    """A historical row that says what somebody did with a record without changing it; within `once_in` only one."""
    tracked, author = tracked_models[type(row)], current_author()
    if once_in is not None:
        same = tracked.rows_of_model().filter(**{row._meta.pk.attname: row.pk}, history_change_reason__startswith=what)
        if same.filter(history_user_id=author.user_id, history_date__gt=timezone.now() - once_in).exists():
            return
    used = tracked.row(row, "~", {})
    used.history_change_reason = one_line(f"{what} {author.reason}")
    used.save()


def _key(row: Model, columns: Iterable[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, column) for column in columns)


def _with(row: M, values: Mapping[str, Any]) -> M:
    after = copy(row)
    for name, value in values.items():
        setattr(after, name, value)
    return after


def _record_changes(tracked: Tracked, before: list[Any], after: list[Any], names: Iterable[str]) -> None:
    named = named_fields(tracked.cls, names)
    fields = {field.name for field in named}
    if len(after) > 1:
        for field in named:
            _know_related(field, before, after)
    _store(
        tracked,
        [
            (new, "~", changes)
            for old, new in zip(before, after, strict=True)
            if (changes := tracked.changes(old, new, fields))
        ],
    )


def _know_related(field: "Field[Any, Any]", before: list[Any], after: list[Any]) -> None:
    """What differs is called by its name in history: have those that the rows refer to read together."""
    if not isinstance(field, ForeignKey):
        return
    pairs = [pair for pair in zip(before, after, strict=True) if len({getattr(row, field.attname) for row in pair}) > 1]
    referring = [row for pair in pairs for row in pair if not field.is_cached(row)]
    related = field.related_model._base_manager.in_bulk({getattr(row, field.attname) for row in referring} - {None})
    for row in referring:
        if found := related.get(getattr(row, field.attname)):
            field.set_cached_value(row, found)


def _store(tracked: Tracked, news: list[tuple[Any, str, Changes]]) -> None:
    if news:
        with changed_together():
            rows = [tracked.row(*one) for one in news]
        insert_many(rows, batch_size=BATCH)


PRUNED_AT_ONCE = 1000


def count_old_records(older_than: datetime) -> int:
    return sum(rows.filter(history_date__lt=older_than).count() for rows in _tables())


def prune_records(older_than: datetime, tell: Callable[[int], None] = lambda count: None) -> int:
    """Delete historical rows from before that, in batches; how many. `tell` hears how many there have been."""
    deleted = 0
    for rows in _tables():
        # Rows are written in the order of their keys: the first one that is young enough is the end of the old ones.
        oldest = rows.order_by("history_id").values_list("history_id", "history_date")
        while batch := [key for key, moment in oldest[:PRUNED_AT_ONCE] if moment < older_than]:
            deleted += rows.filter(history_id__in=batch).delete()[0]
            tell(deleted)
    return deleted


HISTORY = Retention(
    "historical rows",
    "KEEP_HISTORY_DAYS",
    lambda before: {"historical rows": count_old_records(before)},
    lambda before, tell: {"historical rows": prune_records(before, tell)},
    on_demand=True,
)


def _tables() -> list[QuerySet[Model]]:
    return [tracked.rows_of_model() for tracked in tracked_models.values()]


def insert_from(rows: QuerySet[Model], into: type[Model], *, over: Sequence[str] = (), **columns: object) -> int:
    """Insert a row of `into` for each of `rows`, which have to be filtered; how many.

    `columns` are all fields of `into` but an automatic key: an F takes over what the row has, anything else is the same
    for all. With `over`, fields that are unique together, the columns are stored over rows that are there already.
    """
    taken: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name, value in columns.items():
        field = cast("Field[Any, Any]", into._meta.get_field(name))
        names[name] = connection.ops.quote_name(str(field.column))
        taken[f"_{name}"] = value if isinstance(value, F | Expression) else Value(value, output_field=field)
    query = rows.order_by().annotate(**taken).values_list(*taken).query
    try:
        select, parameters = query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:  # No row can meet conditions as `pk__in=[]`.
        return 0
    # No value stands in the text, only names of the schema.
    sql = f"INSERT INTO {connection.ops.quote_name(into._meta.db_table)} ({', '.join(names.values())}) {select}"
    if over:
        key = ", ".join(names.pop(name) for name in over)
        replaced = ", ".join(f"{name} = EXCLUDED.{name}" for name in names.values())
        sql += f" ON CONFLICT ({key}) DO UPDATE SET {replaced}"
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def update_returning(rows: QuerySet[Model], **values: object) -> list[int]:
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
