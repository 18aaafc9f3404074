"""A database of its own for a benchmark, with all tables, as the tests have it: on the server that DATABASE_URL names or,
without one, on a PostgreSQL started for it; with BENCH_DATABASE=sqlite in a file.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from tests.bench.sizes import size
from tests.servers import postgres

ROOT = Path(__file__).resolve().parents[2]
KIND = size("BENCH_DATABASE", "postgresql")
T = TypeVar("T")


@contextmanager
def migrated() -> Iterator[str]:
    """The URL of one for processes that the benchmark starts; one that DATABASE_URL names is migrated and kept.

    Migrating takes longer than most benchmarks, so the others begin as a copy of the tests' template. Raises NoServer.
    """
    if url := os.environ.get("DATABASE_URL"):
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)
        yield url
        return
    import psycopg

    from tests.__main__ import kept_cluster

    with postgres(like=kept_cluster()) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            named = "SELECT datname FROM pg_database WHERE datname LIKE 'patchbay_template_new_%'"
            [template] = connection.execute(named).fetchone() or []
            connection.execute(f'CREATE DATABASE bench TEMPLATE "{template}"')
        yield urlsplit(url)._replace(path="/bench").geturl()


def on_test_database(measure: Callable[[], Iterator[T]]) -> Iterator[T]:
    """Settings are read here: whatever starts servers does so before. Raises NoServer."""
    import django
    from django.test.utils import setup_test_environment, teardown_test_environment

    with ExitStack() as stack:
        if KIND == "postgresql" and "DATABASE_URL" not in os.environ:
            from tests.__main__ import kept_cluster

            os.environ["DATABASE_URL"] = stack.enter_context(postgres(like=kept_cluster()))
        django.setup()
        from django.conf import settings
        from django.db import connection

        from tests.databases import NEW, template

        setup_test_environment()
        stack.callback(teardown_test_environment)
        name, copies = connection.creation._get_test_db_name(), template()
        connection.close()
        copies.copy_to(name, NEW)
        of, before = connection.settings_dict, connection.settings_dict["NAME"]
        of["NAME"] = settings.DATABASES["default"]["NAME"] = name
        try:
            yield from measure()
        finally:
            connection.close()
            of["NAME"] = settings.DATABASES["default"]["NAME"] = before
            copies.drop(name)
