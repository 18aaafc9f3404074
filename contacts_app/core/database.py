"""Which errors of the database pass by themselves.

It was restarted, a connection was cut, two transactions waited for each other, SQLite's one writer was busy for too long:
the same request, or the same work, may succeed in a moment.
"""

from django.db import DatabaseError, InterfaceError, OperationalError, connection

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
