"""Playing the workers until something has come about."""

import time
from collections.abc import Callable

# Looking for due work of every kind costs ten times what looking at one row does.
LOOKS_FOR_EACH_TURN = 3
PAUSE = 0.05


def play(
    work: Callable[[], object], until: Callable[[], object], seconds: float, told: Callable[[], object] = str
) -> None:
    """Do what is due some six times a second until something holds, which is looked at twenty times a second.

    AssertionError with what is told then if it does not in time.
    """
    deadline, looks = time.monotonic() + seconds, LOOKS_FOR_EACH_TURN
    while not until():
        assert time.monotonic() < deadline, told()
        if looks == LOOKS_FOR_EACH_TURN:
            work()
            looks = 0
        else:
            time.sleep(PAUSE)
            looks += 1
