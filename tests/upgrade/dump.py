"""Databases of earlier versions as compressed JSON: the migrations they stood at, and the rows of our tables.

Columns instead of model instances, because the models of that version are gone when a dump is read; values are what
both SQLite and PostgreSQL take, so that a dump loads into either. Tables of other packages are left to them.
"""

import base64
import json
import lzma
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from contacts_app.core.migrating import ExecutorOnDemand

FOLDER = Path(__file__).parent
APPS = ("contacts_app", "profiles_app", "phones_app")
# Made for these dumps and used nowhere else: what they encrypt and sign is made up.
KEYS = {
    "SECRET_KEY": "frozen-and-public-key-of-the-databases-in-tests-upgrade",
    "ENCRYPTION_KEYS": "ZnJvemVuLWFuZC1wdWJsaWMta2V5LW9mLWR1bXBzISE=",
}


class Table(NamedTuple):
    model: str
    name: str
    columns: list[str]
    rows: list[list[Any]]


class Dump(NamedTuple):
    """`token` opens the account's REST API, `voip_id` is the account's number, `user` its owner's UUID."""

    migrations: dict[str, str]
    token: str
    voip_id: int
    user: str
    secret: str
    tables: list[Table]


def write(path: Path, **access: Any) -> None:
    """Dump the database of this process, which has to be SQLite."""
    assert connection.vendor == "sqlite"
    dump = Dump(_migrations(), tables=_tables(), **access)
    path.write_bytes(lzma.compress(json.dumps(dump._asdict(), default=_plain).encode()))


def read(path: Path) -> Dump:
    dump = Dump(**json.loads(lzma.decompress(path.read_bytes()), object_hook=_bytes))
    return dump._replace(tables=[Table(*table) for table in dump.tables])


def oldest() -> Dump:
    """The one that stands at the first migrations."""
    return min(map(read, FOLDER.glob("*.json.xz")), key=lambda dump: sorted(dump.migrations.items()))


def migrate_to(dump: Dump) -> None:
    """Bring a database that is older to the dump's migrations."""
    # Not by the command, after which apps write their default rows: the dump has those of its version.
    ExecutorOnDemand(connection).migrate(list(dump.migrations.items()))


def load(dump: Dump) -> None:
    """Bring a database without rows to the dump's migrations, and fill it with the dump's rows."""
    migrate_to(dump)
    quote = connection.ops.quote_name
    # Foreign keys are checked when it commits.
    with transaction.atomic(), connection.cursor() as cursor:
        for table in dump.tables:
            columns = ", ".join(map(quote, table.columns))
            places = ", ".join(["%s"] * len(table.columns))
            statement = f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({places})"
            cursor.executemany(statement, table.rows)


def _migrations() -> dict[str, str]:
    """The last migration of each app of ours."""
    applied = MigrationRecorder(connection).applied_migrations()
    return {app: max(name for of, name in applied if of == app) for app in APPS}


def _tables() -> list[Table]:
    ours = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in APPS]
    return [_table(model) for model in ours]


def _table(model: type[models.Model]) -> Table:
    columns = [field.column for field in model._meta.local_concrete_fields if not field.generated]
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(map(quote, columns))} FROM {quote(model._meta.db_table)}")
        return Table(model._meta.label, model._meta.db_table, columns, cursor.fetchall())


def _plain(value: Any) -> Any:
    """What JSON does not have: bytes, and moments, which Django's SQLite driver gives in UTC and without saying so."""
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else str(value)


def _bytes(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["base64"]) if value.keys() == {"base64"} else value
