"""Connections that outlive threads, on PostgreSQL."""

import os
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg_pool import ConnectionPool

from config.database import KeptConnection
from tests.processes import database_url

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
