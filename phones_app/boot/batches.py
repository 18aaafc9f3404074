"""A queue with a thread that empties it: what comes one by one is worked off together."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Batches(Generic[T]):
    """Hand what is `put` to `call` in its order, at most `most` at a time, in a thread that starts at once.

    `call` may take its time; what it raises is logged. `pause` says how many seconds to wait for more to come, after a
    batch of so many, while fewer than `most` wait. `at_end` is called in that thread.
    """

    def __init__(
        self,
        call: Callable[[list[T]], None],
        *,
        most: int,
        name: str,
        pause: Callable[[int], float],
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._call, self._most, self._pause, self._at_end = call, most, pause, at_end
        self._queue: SimpleQueue[T | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work_on, name=name, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return self._queue.qsize()

    def put(self, one: T) -> None:
        self._queue.put(one)

    def close(self) -> None:
        """Return when `call` has had all that was put so far."""
        self._queue.put(None)
        self._thread.join()

    def _work_on(self) -> None:
        has_ended, came = False, 0
        while not has_ended:
            taken = [self._queue.get()]
            if self._queue.qsize() < self._most:
                time.sleep(self._pause(came))
            with contextlib.suppress(Empty):
                while len(taken) < self._most:
                    taken.append(self._queue.get_nowait())
            has_ended = None in taken  # which is the last
            came = len(taken)
            if batch := [one for one in taken if one is not None]:
                try:
                    self._call(batch)
                except Exception:
                    logger.exception("%d fetches could not be noted, %s and others", len(batch), batch[0])
        self._at_end()
