"""Real programs to talk to: each runs on loopback, on ports free at that moment, and leaves nothing."""

import os
import shutil
from pathlib import Path

import pytest


def find(program: str) -> str | None:
    """Return where a program is; servers live in folders that are not in everybody's PATH."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    if Path(program).is_absolute():
        return program if Path(program).exists() else None
    return shutil.which(program, path=path)


def needs(program: str, package: str) -> pytest.MarkDecorator:
    """Mark a test that is skipped, and says why, where Debian's `package` with `program` is not installed."""
    return pytest.mark.skipif(find(program) is None, reason=f"{package} is not installed")
