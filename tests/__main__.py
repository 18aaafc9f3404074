"""`python -m tests [pytest arguments]`: the whole suite on SQLite, then everything that touches the database again on
PostgreSQL and Redis, started here unless DATABASE_URL and CELERY_BROKER_URL name servers that run already."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.servers import NoServer, postgres, redis

ROOT = Path(__file__).resolve().parent.parent
# These know no database, or look at pages, documents and processes that are the same on every one: once is enough.
ONCE = [
    "tests/profiles_app/phone/sep",
    "tests/phones_app/transports",
    "tests/phones_app/simulator",
    "tests/browser",
    "tests/apis/test_chunked.py",
    "tests/apis/test_openapi.py",
    "tests/phones_app/commands/test_serve_files.py",
    "tests/phones_app/commands/test_simulate_phones.py",
    "tests/phones_app/deployment/test_corpus_deployed.py",
]


def pytest(title: str, arguments: list[str], **environment: str) -> int:
    print(f"\n=== {title} ===", flush=True)
    started = time.monotonic()
    workers = ["-n", os.environ.get("TEST_WORKERS", "4"), "--dist", "worksteal"]
    inherited = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "CELERY_BROKER_URL")}
    code = subprocess.call(
        [sys.executable, "-m", "pytest", "-q", *workers, *arguments], cwd=ROOT, env=inherited | environment
    )
    print(f"=== {title}: {'passed' if code == 0 else 'failed'} in {time.monotonic() - started:.0f} s ===", flush=True)
    return code


def main(arguments: list[str]) -> int:
    # Ended from outside it still ends the servers that it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failed = pytest("SQLite and the embedded broker", arguments)
    try:
        with postgres() as database_url, redis() as broker_url:
            ignored = [f"--ignore={path}" for path in ONCE]
            failed |= pytest(
                "PostgreSQL and Redis", [*ignored, *arguments], DATABASE_URL=database_url, CELERY_BROKER_URL=broker_url
            )
    except NoServer as reason:
        print(f"PostgreSQL and Redis: NOT RUN: {reason}", flush=True)
        return 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
