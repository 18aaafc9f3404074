"""How much room the disk of the data folder has, and how little is little: for /readyz, the doctor and /metrics."""

import os
import shutil
import tempfile
from typing import NamedTuple

from django.conf import settings

# Not ready: a file of a phone, or what a database writes meanwhile, may not fit any more.
LEAST_BYTES = 64 * 2**20
# Told by the doctor before that: less than both of these, and on a small disk less than twice of what is not ready.
LOW_BYTES, LOW_SHARE = 2**30, 0.05
PROBE_BYTES = 64 * 1024


class Room(NamedTuple):
    free: int
    size: int

    @property
    def is_low(self) -> bool:
        return self.free < max(min(LOW_BYTES, self.size * LOW_SHARE), 2 * LEAST_BYTES)

    @property
    def is_too_little(self) -> bool:
        return self.free < LEAST_BYTES


def room() -> Room:
    """Raises OSError where there is no data folder."""
    usage = shutil.disk_usage(settings.DATA_DIR)
    return Room(usage.free, usage.total)


def try_to_write() -> None:
    """Raises OSError when not even a small file finds room: a quota or a right may deny what is free."""
    with tempfile.TemporaryFile(dir=settings.DATA_DIR) as probe:
        # A write may be put off until there is no room any more.
        os.posix_fallocate(probe.fileno(), 0, PROBE_BYTES)
