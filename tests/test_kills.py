"""A whole installation whose processes are killed and stopped at random (`python -m tests.kills`).

That takes about a second for each round, so it is done where it is asked for:
`KILL_ROUNDS=200 make test ARGS=tests/test_kills.py`.
"""

import os
import subprocess
import sys

import pytest
from django.conf import settings

ROUNDS = int(os.environ.get("KILL_ROUNDS", "0"))


@pytest.mark.skipif(not ROUNDS, reason="takes long: set KILL_ROUNDS to the number of rounds")
def test_nothing_is_lost_doubled_or_left_behind():
    on = "sqlite" if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") else "postgresql"
    command = [sys.executable, "-m", "tests.kills", "--rounds", str(ROUNDS), "--stops", str(ROUNDS // 10), "--on", on]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
