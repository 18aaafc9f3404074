"""Fifty clients read and write at once, while workers deploy and deliver (`python -m tests.crowd` does so for longer)."""

import subprocess
import sys

from django.conf import settings


def test_fifty_clients_get_no_answer_of_5xx_and_wait_for_no_write_too_long():
    on = "sqlite" if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") else "postgresql"
    # Other tests keep this machine busy at the same time.
    command = [sys.executable, "-m", "tests.crowd", "--seconds", "3", "--longest-write", "60", "--on", on]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
