"""SQLite lets one transaction write at a time. Who finds it busy asks again after ever longer pauses, and among fifty who
do so some are overtaken for many seconds. Here the threads of a process line up, and only the first one asks SQLite.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
# As SQLite waits for other processes, unless the settings say otherwise (seconds).
TIMEOUT = 20.0


class WriterLine:
    """First come, first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._is_taken = False

    def enter(self, seconds: float) -> None:
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(seconds):
            return
        with self._lock:
            # It may have come in this moment.
            if turn in self._waiting:
                self._waiting.remove(turn)
                raise OperationalError("database is locked by other threads of this process")

    def leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_taken = False


_lines: defaultdict[str, WriterLine] = defaultdict(WriterLine)


class DatabaseWrapper(base.DatabaseWrapper):
    """A transaction is in the line from its beginning on, as it begins with the lock for writing (`transaction_mode`)."""

    is_in_line = False

    @contextmanager
    def turn(self, query: str) -> Iterator[None]:
        """For one statement that is a transaction of its own."""
        if self.is_in_line or not query.lstrip()[:7].upper().startswith(WRITES):
            yield
            return
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=lambda raw: _Cursor(raw, self))

    def _start_transaction_under_autocommit(self) -> None:
        self._enter()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._leave()
            raise

    def _commit(self) -> None:
        # If it fails, a rollback follows.
        super()._commit()  # type: ignore[misc]
        self._leave()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._leave()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._leave()

    @property
    def _line(self) -> WriterLine:
        return _lines[str(self.settings_dict["NAME"])]

    def _enter(self) -> None:
        self._line.enter(self.settings_dict["OPTIONS"].get("timeout", TIMEOUT))
        self.is_in_line = True

    def _leave(self) -> None:
        if self.is_in_line:
            self.is_in_line = False
            self._line.leave()


class _Cursor(base.SQLiteCursorWrapper):
    def __init__(self, raw: Any, wrapper: DatabaseWrapper) -> None:
        super().__init__(raw)
        self._wrapper = wrapper

    def execute(self, query: str, params: Any = None) -> Any:
        with self._wrapper.turn(query):
            return super().execute(query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        with self._wrapper.turn(query):
            return super().executemany(query, param_list)
