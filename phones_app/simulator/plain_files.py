"""The files that phones may have: those that lie directly in one folder, under their plain names."""

import os
import stat
from io import FileIO
from pathlib import Path

from .fetches import is_private

# No link is followed, so none leads out of the folder; a FIFO must not make us wait for its writer.
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_plain_file(root: Path, name: str) -> FileIO | None:
    """Open once: whatever is renamed over the name afterwards, this reader keeps its version."""
    if not name or "/" in name or "\0" in name or is_private(name):
        return None
    try:
        descriptor = os.open(root / name, _OPEN_FLAGS)
    except (OSError, UnicodeError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return FileIO(descriptor)
