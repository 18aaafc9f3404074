"""Connections that outlive threads, on PostgreSQL; the line of those who write, on SQLite."""

import contextlib
import os
import subprocess
import sys
import threading

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg_pool import ConnectionPool

from config.database import KeptConnection
from contacts_app.accounts.models import Account
from contacts_app.core.database import passes_by
from tests.processes import database_url
from tests.servers import wait_for

on_postgresql = pytest.mark.skipif(
    settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"), reason="SQLite has no connections to keep"
)


def settings_with(**environment: str) -> str:
    """What the settings say of the database in a process with these variables."""
    code = "from config.settings import DATABASES as D; d = D['default']; o = d['OPTIONS']; pool = o.get('pool') or {};"
    code += "print(pool.get('max_size'), d['CONN_MAX_AGE'], o['prepare_threshold'])"
    url = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    command = [sys.executable, "-c", code]
    return subprocess.check_output(command, env=os.environ | url | environment, text=True, cwd=settings.BASE_DIR)


def test_the_pool_is_as_large_as_it_is_set():
    assert settings_with().split() == ["None", "60", "5"]
    assert settings_with(DATABASE_POOL_SIZE="7", DATABASE_PREPARED="0").split() == ["7", "0", "None"]


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_is_tried_once_in_a_while_before_it_is_used_again():
    pool = ConnectionPool(
        database_url(), connection_class=KeptConnection, check=ConnectionPool.check_connection, min_size=1, max_size=1
    )
    with pool:
        with pool.connection() as first:
            backend = first.info.backend_pid
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        # It was there a moment ago, so it is handed out untried.
        same = pool.getconn()
        assert same is first
        with pytest.raises(psycopg.OperationalError):
            same.execute("SELECT 1")
        pool.putconn(same)
        with pool.connection() as second:
            assert second.info.backend_pid != backend
            backend, second.checked_at = second.info.backend_pid, 0.0
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        with pool.connection() as third:
            assert third.execute("SELECT 1").fetchone() == (1,)


on_sqlite = pytest.mark.skipif(
    not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"), reason="PostgreSQL has a lock for each row"
)


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_who_writes_to_sqlite_has_its_turn_in_order(acme):
    """In a transaction or by one statement; SQLite itself would let some be overtaken again and again."""
    line, turns = connection._line, []

    def write(number):
        with contextlib.closing(connection), transaction.atomic() if number % 2 else contextlib.nullcontext():
            Account.objects.filter(pk=acme.pk).update(name=f"{number}")
            # A transaction goes on here, a statement is over.
            turns.append(number)

    with transaction.atomic():
        others = []
        for number in range(8):
            others.append(threading.Thread(target=write, args=(number,)))
            others[-1].start()
            wait_for(lambda: len(line._waiting) == len(others))
        assert turns == []
    for other in others:
        other.join()
    assert sorted(turns) == list(range(8))
    assert [number for number in turns if number % 2] == [1, 3, 5, 7]
    acme.refresh_from_db()
    assert acme.name == "7"
    assert not line._is_taken


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_turn_is_waited_for_as_long_as_sqlite_would(acme):
    failures = []

    def write():
        connection.settings_dict["OPTIONS"] = connection.settings_dict["OPTIONS"] | {"timeout": 0.05}
        with contextlib.closing(connection):
            try:
                Account.objects.filter(pk=acme.pk).update(name="Late")
            except OperationalError as error:
                failures.append(error)

    before = connection.settings_dict["OPTIONS"]
    try:
        with transaction.atomic():
            late = threading.Thread(target=write)
            late.start()
            late.join()
    finally:
        connection.settings_dict["OPTIONS"] = before
    [error] = failures
    assert passes_by(error)
    # The line is not held up by who has left it, nor by a transaction that is rolled back.
    with contextlib.suppress(ValueError), transaction.atomic():
        raise ValueError
    Account.objects.filter(pk=acme.pk).update(name="On time")
    assert not connection._line._is_taken
