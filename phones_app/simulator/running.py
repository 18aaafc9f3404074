"""Whether the simulated phones of a data folder are played now, which their process says by a lock that ends with it."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = "simulated-phones.lock"
# Those who ask hold the lock for an instant.
TRIES, PAUSE = 20, 0.01


class AlreadyRunning(Exception):
    """Another process plays them."""


@contextmanager
def running_alone(folder: Path) -> Iterator[None]:
    """Two processes that play the same rows would take the ports from each other. Raises AlreadyRunning."""
    with (folder / FILE).open("w") as file:
        for left in reversed(range(TRIES)):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if not left:
                    raise AlreadyRunning from None
                time.sleep(PAUSE)
        yield


def is_running(folder: Path) -> bool:
    try:
        with (folder / FILE).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
