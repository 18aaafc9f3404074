"""What a process remembers for some seconds, so that it need not ask the database again.

Other processes do not hear of it. What is remembered must therefore be true for long enough (an estimate), or be of a
kind whose change may take these seconds to arrive elsewhere.
"""

from collections.abc import Hashable
from threading import Lock
from typing import Any, ClassVar, Generic, TypeVar

from cachetools import TTLCache

V = TypeVar("V")


class Memory(Generic[V]):
    """Values by key, each for `seconds`. Of more than `most` of them those used longest ago are forgotten."""

    every: ClassVar[list["Memory[Any]"]] = []

    def __init__(self, seconds: float, most: int = 1000) -> None:
        self.changes = 0
        self._values: TTLCache[Hashable, V] = TTLCache(most, seconds)
        self._lock = Lock()
        self.every.append(self)

    def get(self, key: Hashable) -> V | None:
        with self._lock:
            return self._values.get(key)

    def put(self, key: Hashable, value: V, changes: int | None = None) -> V:
        """Remember the value, unless something was forgotten since there were so many `changes`: it may be older."""
        with self._lock:
            if changes is None or changes == self.changes:
                self._values[key] = value
        return value

    def forget(self) -> None:
        """All of it, at once for all threads of the process."""
        with self._lock:
            self.changes += 1
            self._values.clear()


def forget_everything() -> None:
    for memory in Memory.every:
        memory.forget()
