"""Whether the database's schema is that of this code: by the migrations that both know, and by the columns there.

The names of migrations alone do not tell, because a database of before the migrations were begun anew has some of them.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader

SHOWN = 3


class SchemaDifference(NamedTuple):
    """`missing` migrations are not applied yet; `unknown` ones were applied by a version that is not this one; `columns`
    are those that are lacking although all migrations are applied. All by their names, in their order.
    """

    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For people; empty when the schema is that of the code."""
        parts = {
            "not applied": self.missing,
            "of another version than this code": self.unknown,
            "columns lacking": self.columns,
        }
        return "; ".join(f"{len(names)} {what}: {_some(names)}" for what, names in parts.items() if names)


def schema_difference() -> SchemaDifference:
    loader = MigrationLoader(connection)
    applied = set(loader.applied_migrations)
    known = set(loader.disk_migrations)
    # Those that one migration has replaced are known by it, also when their files are gone.
    known |= {old for migration in loader.disk_migrations.values() for old in migration.replaces}
    ours = {key for key in applied if key[0] in loader.migrated_apps}
    missing, unknown = _names(set(loader.graph.nodes) - applied), _names(ours - known)
    if missing or unknown:
        return SchemaDifference(missing, unknown)
    return SchemaDifference(columns=_lacking(str(connection.settings_dict["NAME"]), frozenset(applied)))


@lru_cache(maxsize=4)
def _lacking(database: str, applied: frozenset[tuple[str, str]]) -> tuple[str, ...]:
    """Remembered by what it depends on: only migrations change the schema."""
    return tuple(_lacking_columns())


def _lacking_columns() -> Iterator[str]:
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if not model._meta.managed or model._meta.proxy:
                continue
            if table not in tables:
                yield table
                continue
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)} LIMIT 0")  # noqa: S608 - names of the schema
            there = {column[0] for column in cursor.description}
            yield from (
                f"{table}.{field.column}" for field in model._meta.local_concrete_fields if field.column not in there
            )


def _names(keys: set[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{app}.{name}" for app, name in sorted(keys))


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
