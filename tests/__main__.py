"""`python -m tests [pytest arguments]`: the whole suite on PostgreSQL and Redis, started here unless DATABASE_URL and
CELERY_BROKER_URL name servers that run already; beside it, by one process, on SQLite what may come out differently there.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.kept import OF_DATABASES, kept
from tests.servers import NoServer, postgres, postgres_version, redis

ROOT = Path(__file__).resolve().parent.parent
# What asks the database for more than single rows (claims and locks, orders, searches, totals, bulk writes, constraints,
# cascades, dates, migrations), one pass over every route of every dialect, and the main job from end to end. `pytest`
# by itself runs any test on SQLite.
ON_SQLITE_TOO = [
    "tests/apis/test_bad_input.py::test_a_limit_that_cannot_be",
    "tests/apis/test_bad_input.py::test_a_value_that_cannot_be",
    "tests/apis/test_reading.py",
    "tests/contacts_app/accounts/test_commands.py::test_rotation_goes_on_where_it_was_interrupted",
    "tests/contacts_app/accounts/test_extensions.py",
    "tests/contacts_app/contacts/api/test_list.py",
    "tests/contacts_app/contacts/mail/test_sending.py",
    "tests/contacts_app/contacts/test_main_contact.py",
    "tests/contacts_app/core/api/test_bad_input.py",
    "tests/contacts_app/core/api/test_lists.py",
    "tests/contacts_app/core/api/test_tenancy.py",
    "tests/contacts_app/core/history",
    "tests/contacts_app/core/work",
    "tests/phones_app/commands/test_phone_csv.py",
    "tests/phones_app/configuration/test_deleting.py",
    "tests/phones_app/demo",
    "tests/phones_app/deployment/api",
    "tests/phones_app/deployment/test_deployment.py",
    "tests/phones_app/deployment/test_evidence.py",
    "tests/phones_app/deployment/test_evidence_in_any_order.py",
    "tests/phones_app/deployment/test_kill.py",
    "tests/phones_app/deployment/test_transitions.py",
    "tests/phones_app/drift",
    "tests/phones_app/inventory/admin",
    "tests/phones_app/inventory/api",
    "tests/phones_app/inventory/test_status_check.py",
    "tests/phones_app/rollout/test_rollout.py",
    "tests/phones_app/test_account_deletion.py",
    "tests/profiles_app/events/api/test_grammar.py",
    "tests/profiles_app/events/api/test_overview.py",
    "tests/profiles_app/events/deliveries/test_delivery.py",
    "tests/profiles_app/events/deliveries/test_kill.py",
    "tests/profiles_app/events/deliveries/test_queues.py",
    "tests/profiles_app/messaging/test_many_rows.py",
    "tests/profiles_app/phone/test_revisions.py",
    "tests/profiles_app/voice",
    "tests/test_backup.py",
    "tests/test_overview.py",
    "tests/upgrade",
]


def environment(**changes: str) -> dict[str, str]:
    return {
        key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "CELERY_BROKER_URL")
    } | changes


class Half:
    """A run of pytest that has been started. What it says is shown at once or, `beside` another one, at its end."""

    def __init__(self, title: str, arguments: list[str], workers: int, *, beside: bool = False, **servers: str) -> None:
        self.title = title
        self.said = tempfile.TemporaryFile() if beside else None  # noqa: SIM115 - it goes with the run
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), "--dist", "worksteal", *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(**servers),
            stdout=self.said,
            stderr=subprocess.STDOUT if beside else None,
        )

    def ended(self) -> int:
        """Its exit status, 0 when all tests have passed."""
        _, status, spent = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.said:
            self.said.seek(0)
            print(f"\n=== {self.title} ===\n{self.said.read().decode(errors='replace')}", flush=True)
        how, work = "failed" if self.process.returncode else "passed", spent.ru_utime + spent.ru_stime
        print(f"=== {self.title}: {how}; {work:.0f} s of processor, servers aside ===", flush=True)
        return self.process.returncode

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


def on_sqlite(arguments: list[str]) -> list[str]:
    """Paths that are asked for, or else those that are to run there."""
    asked_for = any(Path(ROOT, argument.partition("::")[0]).exists() for argument in arguments)
    return arguments if asked_for else [*ON_SQLITE_TOO, *arguments]


def make_templates(**servers: str) -> subprocess.Popen[bytes]:
    """Begin to make the template databases of one half."""
    return subprocess.Popen([sys.executable, "-m", "tests.databases"], cwd=ROOT, env=environment(**servers))


def kept_cluster() -> Path:
    """A cluster of PostgreSQL that has the templates already, of which each run gets a copy. Raises NoServer."""

    def fill(folder: Path) -> None:
        with postgres(keep_as=folder / "data") as url:
            assert make_templates(DATABASE_URL=url).wait() == 0

    return kept(f"cluster-{postgres_version()}", OF_DATABASES, fill) / "data"


def main(arguments: list[str]) -> int:
    # Ended from outside it still ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # More than there are processors: many tests wait for phones, leases and processes. The half on SQLite is through
    # when the other one is half done, and what remains has to keep both processors busy.
    workers = int(os.environ.get("TEST_WORKERS", "5"))
    with ExitStack() as stack:
        templates = make_templates()
        stack.callback(templates.wait)
        try:
            like = None if "DATABASE_URL" in os.environ else kept_cluster()
            servers = {
                "DATABASE_URL": stack.enter_context(postgres(like=like)),
                "CELERY_BROKER_URL": stack.enter_context(redis()),
            }
        except NoServer as reason:
            half = Half("SQLite and the embedded broker", arguments, workers)
            stack.callback(half.stop)
            half.ended()
            print(f"PostgreSQL and Redis: NOT RUN: {reason}", flush=True)
            return 1
        templates.wait()
        if like is None:
            make_templates(**servers).wait()
        print("\n=== PostgreSQL and Redis ===", flush=True)
        whole = Half("PostgreSQL and Redis", arguments, max(workers - 1, 1), **servers)
        stack.callback(whole.stop)
        beside = Half("SQLite and the embedded broker", on_sqlite(arguments), 1, beside=True)
        stack.callback(beside.stop)
        return whole.ended() | beside.ended()


if __name__ == "__main__":
    began = time.monotonic()
    code = main(sys.argv[1:])
    print(f"=== {time.monotonic() - began:.0f} s ===", flush=True)
    sys.exit(code)
