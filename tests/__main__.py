"""`python -m tests [pytest arguments]`: the whole suite on PostgreSQL and Redis, started here unless DATABASE_URL and
CELERY_BROKER_URL name servers that run already; then on SQLite what may come out differently there."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.servers import NoServer, postgres, redis

ROOT = Path(__file__).resolve().parent.parent
# What asks the database for more than single rows (claims and locks, orders, searches, totals, bulk writes, constraints,
# cascades, dates, migrations), one pass over every route of every dialect, and the main job from end to end. `pytest`
# by itself runs any test on SQLite.
ON_SQLITE_TOO = [
    "tests/apis/test_bad_input.py",
    "tests/apis/test_reading.py",
    "tests/apis/test_tenancy.py",
    "tests/contacts_app/accounts",
    "tests/contacts_app/contacts/api/test_list.py",
    "tests/contacts_app/contacts/mail/test_sending.py",
    "tests/contacts_app/contacts/test_main_contact.py",
    "tests/contacts_app/core/api/test_bad_input.py",
    "tests/contacts_app/core/api/test_lists.py",
    "tests/contacts_app/core/api/test_tenancy.py",
    "tests/contacts_app/core/history",
    "tests/contacts_app/core/work",
    "tests/phones_app/commands/test_phone_csv.py",
    "tests/phones_app/demo",
    "tests/phones_app/deployment/api",
    "tests/phones_app/deployment/test_crowd.py",
    "tests/phones_app/deployment/test_deployment.py",
    "tests/phones_app/deployment/test_evidence.py",
    "tests/phones_app/deployment/test_evidence_in_any_order.py",
    "tests/phones_app/deployment/test_kill.py",
    "tests/phones_app/deployment/test_transitions.py",
    "tests/phones_app/drift",
    "tests/phones_app/inventory/admin",
    "tests/phones_app/inventory/api",
    "tests/phones_app/inventory/test_status_check.py",
    "tests/phones_app/rollout/test_kill.py",
    "tests/phones_app/rollout/test_rollout.py",
    "tests/phones_app/test_account_deletion.py",
    "tests/profiles_app/events/api/test_grammar.py",
    "tests/profiles_app/events/api/test_lists.py",
    "tests/profiles_app/events/api/test_overview.py",
    "tests/profiles_app/events/deliveries/test_delivery.py",
    "tests/profiles_app/events/deliveries/test_kill.py",
    "tests/profiles_app/events/deliveries/test_queues.py",
    "tests/profiles_app/messaging/test_many_rows.py",
    "tests/profiles_app/phone/test_revisions.py",
    "tests/profiles_app/voice",
    "tests/test_lists.py",
    "tests/test_overview.py",
    "tests/upgrade",
]


def environment(**changes: str) -> dict[str, str]:
    return {
        key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "CELERY_BROKER_URL")
    } | changes


def pytest(title: str, arguments: list[str], **servers: str) -> int:
    print(f"\n=== {title} ===", flush=True)
    started, before = time.monotonic(), _processor_seconds()
    workers = ["-n", os.environ.get("TEST_WORKERS", "4"), "--dist", "worksteal"]
    command = [sys.executable, "-m", "pytest", "-q", *workers, *arguments]
    code = subprocess.call(command, cwd=ROOT, env=environment(**servers))
    seconds, work = time.monotonic() - started, _processor_seconds() - before
    ended = "passed" if code == 0 else "failed"
    print(f"=== {title}: {ended} in {seconds:.0f} s, {work:.0f} s of processor beside the servers' ===", flush=True)
    return code


def _processor_seconds() -> float:
    """Of all processes that have ended and were waited for."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def on_sqlite(arguments: list[str]) -> list[str]:
    """Paths that are asked for, or else those that are to run there."""
    asked_for = any(Path(ROOT, argument.partition("::")[0]).exists() for argument in arguments)
    return arguments if asked_for else [*ON_SQLITE_TOO, *arguments]


def make_templates(*servers: dict[str, str]) -> None:
    """The template databases of both halves at once: each keeps only one processor busy."""
    command = [sys.executable, "-m", "tests.databases"]
    for process in [subprocess.Popen(command, cwd=ROOT, env=environment(**names)) for names in servers]:
        process.wait()


def main(arguments: list[str]) -> int:
    # Ended from outside it still ends the servers that it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with postgres() as database_url, redis() as broker_url:
            servers = {"DATABASE_URL": database_url, "CELERY_BROKER_URL": broker_url}
            make_templates({}, servers)
            failed = pytest("PostgreSQL and Redis", arguments, **servers)
        return failed | pytest("SQLite and the embedded broker", on_sqlite(arguments))
    except NoServer as reason:
        pytest("SQLite and the embedded broker", arguments)
        print(f"PostgreSQL and Redis: NOT RUN: {reason}", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
