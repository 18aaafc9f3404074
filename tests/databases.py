"""The test database of each pytest process: a copy of one template that is migrated once, emptied after each test that
commits.

Migrating takes twenty seconds of processor, copying less than one. On the way to the template another one is kept, the
empty database from which tests/upgrade upgrades. Both are kept until a file changes that decides what they hold: the
files of SQLite, and the cluster of PostgreSQL that `python -m tests` starts from. `python -m tests.databases` makes them
before the first test asks for one.
"""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import TransactionTestCase

from tests.kept import OF_DATABASES, digest, kept
from tests.upgrade import dump

# What a template holds: no row, at the migrations of the oldest dump; or what a new installation has.
EARLIER, NEW = "earlier", "new"
# How often tables are emptied that a thread of the test still writes to.
TRIES = 5


def migrating(name: str) -> Iterator[str]:
    """Migrate an empty database, and stop wherever a template is to be kept; then nothing is connected to it."""
    of, before = connection.settings_dict, connection.settings_dict["NAME"]
    of["NAME"] = name
    try:
        dump.migrate_to(dump.oldest())
        _disconnect()
        yield EARLIER
        call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
        _disconnect()
        yield NEW
    finally:
        connection.close()
        of["NAME"] = before


def _disconnect() -> None:
    if connection.vendor == "sqlite":
        # All of it in one file that can be copied.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


class SqliteTemplate:
    def make(self) -> Path:
        """The folder with both files."""

        def fill(folder: Path) -> None:
            growing = folder / "growing.sqlite3"
            for stage in migrating(str(growing)):
                shutil.copyfile(growing, folder / stage)
            growing.unlink()

        return kept("database", OF_DATABASES, fill)

    def copy_to(self, name: str, stage: str) -> None:
        folder = self.make()
        self.drop(name)
        shutil.copyfile(folder / stage, name)

    def drop(self, name: str) -> None:
        for ending in ("", "-wal", "-shm"):
            Path(name + ending).unlink(missing_ok=True)


class PostgresTemplate:
    """Databases beside the others of the server; those of earlier versions are dropped."""

    def __init__(self) -> None:
        self.names = {stage: f"patchbay_template_{stage}_{digest(OF_DATABASES)}" for stage in (EARLIER, NEW)}

    def make(self) -> None:
        with connection._nodb_cursor() as cursor:
            # One process at a time; the lock ends with the connection.
            cursor.execute("SELECT pg_advisory_lock(hashtext('patchbay test template'))")
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'patchbay_template_%%'")
            if (self.names[NEW],) not in (known := cursor.fetchall()):
                for (old,) in known:
                    self._drop(cursor, old)
                growing = "patchbay_template_growing"
                cursor.execute(f'CREATE DATABASE "{growing}"')
                for stage in migrating(growing):
                    cursor.execute(f'CREATE DATABASE "{self.names[stage]}" TEMPLATE "{growing}"')
                self._drop(cursor, growing)

    def copy_to(self, name: str, stage: str) -> None:
        self.make()
        with connection._nodb_cursor() as cursor:
            self._drop(cursor, name)
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.names[stage]}"')

    def drop(self, name: str) -> None:
        with connection._nodb_cursor() as cursor:
            self._drop(cursor, name)

    @staticmethod
    def _drop(cursor: Any, name: str) -> None:
        # FORCE: a process that a test has killed may not have left yet.
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def template() -> SqliteTemplate | PostgresTemplate:
    return SqliteTemplate() if connection.vendor == "sqlite" else PostgresTemplate()


@pytest.fixture(scope="session")
def renew_database(django_db_modify_db_settings: None, django_db_blocker: Any) -> Iterator[Callable[..., None]]:
    """Puts a fresh copy of a template where the test database of this process is."""
    original, name = connection.settings_dict["NAME"], connection.creation._get_test_db_name()

    def renew(stage: str = NEW) -> None:
        connection.close()
        template().copy_to(name, stage)
        connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name

    yield renew
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = original
        template().drop(name)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: Any, renew_database: Callable[..., None]
) -> Iterator[None]:
    """Instead of the one of pytest-django, which migrates in each process."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        renew_database()
        leftovers = Leftovers()
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: leftovers.remove())
        yield


class Leftovers:
    """What tests that commit leave behind.

    Django's `flush` truncates all tables and makes content types and permissions anew: 0.3 s of processor on PostgreSQL.
    Here only tables that hold rows are emptied; the rows of a new database stay, or come back if a test changed them.
    """

    def __init__(self) -> None:
        self.quote = connection.ops.quote_name
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        one = "SELECT '{}' WHERE EXISTS (SELECT 1 FROM {})"
        self.filled = " UNION ALL ".join(one.format(table, self.quote(table)) for table in tables)
        with connection.cursor() as cursor:
            self.first_rows = {table: self._rows(cursor, table) for table in self._filled(cursor)}

    def remove(self) -> None:
        for _ in range(TRIES - 1):
            try:
                self._remove()
                return
            except (IntegrityError, OperationalError):
                # A thread of the test wrote its last row meanwhile.
                pass
        self._remove()

    def _remove(self) -> None:
        # Foreign keys are checked when it commits.
        with transaction.atomic(), connection.cursor() as cursor:
            filled = self._filled(cursor)
            changed = {table for table in self.first_rows if self._rows(cursor, table) != self.first_rows[table]}
            for table in (filled - self.first_rows.keys()) | changed:
                cursor.execute(f"DELETE FROM {self.quote(table)}")
            for table in changed:
                rows = list(self.first_rows[table])
                places = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {self.quote(table)} VALUES ({places})", rows)

    def _filled(self, cursor: Any) -> set[str]:
        cursor.execute(self.filled)
        return {table for (table,) in cursor.fetchall()}

    def _rows(self, cursor: Any, table: str) -> set[tuple[Any, ...]]:
        cursor.execute(f"SELECT * FROM {self.quote(table)}")
        return set(cursor.fetchall())


if __name__ == "__main__":
    import tests.environment  # noqa: F401 - what pytest loads first

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    # As in pytest (tests/conftest.py).
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    template().make()
