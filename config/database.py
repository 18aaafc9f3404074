"""Connections to PostgreSQL that a pool keeps (settings: `DATABASE_POOL_SIZE`)."""

from time import monotonic
from typing import Any

from psycopg import Connection

CHECKED_SECONDS = 1.0


class KeptConnection(Connection[Any]):
    """One that the pool need not try each time it hands it out: it was there a moment ago.

    The pool tries a connection by an empty statement, which no one else sends. Each is one more way to the server and
    back, as long as that of most reads. Beyond `CHECKED_SECONDS` a server that was restarted meanwhile is noticed.
    """

    checked_at = 0.0

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        if query == "":
            if monotonic() - self.checked_at < CHECKED_SECONDS:
                return None
            found = super().execute(query, params, **options)
            self.checked_at = monotonic()
            return found
        return super().execute(query, params, **options)
