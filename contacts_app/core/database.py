"""Which errors of the database pass by themselves, and what PostgreSQL must be told about joins.

It was restarted, a connection was cut, two transactions waited for each other, SQLite's one writer was busy for too long:
the same request, or the same work, may succeed in a moment.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

# When to try again (seconds).
RETRY_AFTER = 1
# SQLite says "operational" of our own mistakes, too, such as a table that is missing.
_OF_SQLITE = ("is locked", "disk I/O error", "unable to open database file", "disk is full", "is busy")


def passes_by(error: BaseException | None) -> bool:
    """Asked on the connection, and in the thread, of the error."""
    if isinstance(error, OperationalError):
        return connection.vendor != "sqlite" or any(words in str(error) for words in _OF_SQLITE)
    # What is said in a transaction whose connection is gone fails as something else.
    return isinstance(error, InterfaceError) or (isinstance(error, DatabaseError) and _is_gone())


def _is_gone() -> bool:
    return connection.vendor == "postgresql" and (connection.connection is None or connection.connection.closed)


@contextmanager
def hash_joins() -> Iterator[None]:
    """Have PostgreSQL join by hashes or in order inside, and not row by row: for many rows that were just written.

    Its statistics do not know them yet, so it takes them for one row, and reads all of one table for each of the other:
    a tenth of a second for 1,000 rows, ten for 10,000. In a large table that stays so until a tenth of it is new.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield
        # The transaction may be the caller's.
        cursor.execute("SET LOCAL enable_nestloop = on")
