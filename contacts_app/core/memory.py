"""What a process remembers for some seconds, so that it need not ask the database again.

Other processes do not hear of it. What is remembered must therefore be true for long enough (an estimate), or be of a
kind whose change may take these seconds to arrive elsewhere.
"""

import time
from collections.abc import Hashable
from typing import Any, ClassVar, Generic, TypeVar

V = TypeVar("V")


class Memory(Generic[V]):
    """Values by key, each for `seconds`. With more than `most` of them, all are forgotten."""

    every: ClassVar[list["Memory[Any]"]] = []

    def __init__(self, seconds: float, most: int = 1000) -> None:
        self.seconds, self.most, self.changes = seconds, most, 0
        self._values: dict[Hashable, tuple[float, V]] = {}
        self.every.append(self)

    def get(self, key: Hashable) -> V | None:
        found = self._values.get(key)
        return found[1] if found and time.monotonic() < found[0] else None

    def put(self, key: Hashable, value: V, changes: int | None = None) -> V:
        """Remember the value, unless something was forgotten since there were so many `changes`: it may be older."""
        if changes is None or changes == self.changes:
            if len(self._values) >= self.most:
                self._values = {}
            self._values[key] = (time.monotonic() + self.seconds, value)
        return value

    def forget(self) -> None:
        """All of it, at once for all threads of the process."""
        self.changes += 1
        self._values = {}


def forget_everything() -> None:
    for memory in Memory.every:
        memory.forget()
