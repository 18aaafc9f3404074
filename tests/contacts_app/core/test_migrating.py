"""Migrations whose models are made on demand leave what Django's own way of migrating leaves, forwards and back."""

import pytest
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import ConnectionHandler

from contacts_app.core.migrating import ExecutorOnDemand


@pytest.fixture
def migrated(django_db_blocker, tmp_path):
    """The tables, as SQL, of the tables of an app that has added, altered and dropped columns."""

    def migrate(executor_class, *stages) -> list[tuple[str, str]]:
        file = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / f"{executor_class.__name__}.sqlite3"}
        # What was applied is asked for by the name of the database.
        connections.databases["elsewhere"] = ConnectionHandler({"default": file}).databases["default"]
        try:
            with django_db_blocker.unblock():
                for stage in stages:
                    executor = executor_class(connections["elsewhere"])
                    leaves = executor.loader.graph.leaf_nodes("axes")
                    executor.migrate([("axes", stage)] if stage is None else leaves)
                with connections["elsewhere"].cursor() as cursor:
                    cursor.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE 'axes%' ORDER BY name")
                    return cursor.fetchall()
        finally:
            connections["elsewhere"].close()
            del connections["elsewhere"], connections.databases["elsewhere"]

    return migrate


def test_tables_are_those_that_django_makes(migrated):
    found = migrated(ExecutorOnDemand, "last")
    assert len(found) > 3
    assert found == migrated(MigrationExecutor, "last")


def test_the_way_back_ends_where_it_began(migrated):
    assert migrated(ExecutorOnDemand, "last", None) == []
