"""10,000 phones with a file of 10 KB, a profile and two deployments each: backed up, and restored into an empty SQLite.

Both are processes of their own, whose memory is told; a tenth of
the phones before, to see whether it grows. BENCH_PHONES says how many there are.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.database import on_test_database
from tests.bench.figures import Figure
from tests.bench.sizes import size

PHONES = size("BENCH_PHONES", 10_000)
ROOT = Path(__file__).resolve().parents[2]
FILE_BYTES = 10_000
# Runs a command and prints the most memory that it took (kB). Not by `getrusage`, which a program takes over from the one
# that has started it.
MEASURED = "import sys; from django.core.management import execute_from_command_line as run; run(sys.argv);"
MEASURED += "print(*(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"


def measure() -> Iterator[Figure]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[Figure]:
    from django.conf import settings
    from django.db import connection

    from tests.processes import database_url

    with tempfile.TemporaryDirectory() as folder:
        here = {"DATA_DIR": str(settings.DATA_DIR), "DATABASE_URL": database_url()}
        for number, (begin, end) in enumerate(((0, PHONES // 10), (PHONES // 10, PHONES))):
            _make_rows(settings.PHONE_FILES_DIR, begin, end)
            backup, keys = Path(folder, f"{number}.zip"), Path(folder, f"{number}.keys")
            seconds, memory = _run("backup", str(backup), "--keys", str(keys), **here)
            packed = f"{backup.stat().st_size / 1e6:.0f} MB"
            yield from _figures(f"{end} phones on {connection.vendor}, backed up", seconds, memory, packed)
            there = {"DATA_DIR": f"{folder}/{number}", "DATABASE_URL": f"sqlite:///{folder}/{number}.sqlite3"}
            seconds, memory = _run("restore", str(backup), "--keys", str(keys), **there)
            yield from _figures(f"{end} phones restored into SQLite", seconds, memory)


def _figures(what: str, seconds: float, memory: int, packed: str = "") -> Iterator[Figure]:
    yield Figure(what, [seconds], "s", said=packed)
    yield Figure(f"{what}: memory", [memory], "MiB")


def _run(*command: str, **environment: str) -> tuple[float, int]:
    started = time.monotonic()
    code = f"from config.environment import prepare; prepare(); {MEASURED}"
    ran = subprocess.run(
        [sys.executable, "-c", code, *command, "--json"],
        cwd=ROOT,
        env=os.environ | environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return time.monotonic() - started, int(ran.stdout.splitlines()[-1]) // 1024


def _make_rows(folder: Path, begin: int, end: int) -> None:
    from django.utils import timezone

    from contacts_app.accounts.models import Account
    from contacts_app.people.models import User
    from phones_app.deployment.models import Deployment, DeploymentStep
    from phones_app.inventory.models import Phone
    from profiles_app.phone.models import PhoneProfile, ProfileRevision

    account, _ = Account.objects.get_or_create(voip_id=1, defaults={"name": "Bench", "email": "bench@example.org"})
    owner, _ = User.objects.get_or_create(email="bench@example.org", defaults={"username": "b", "account": account})
    folder.mkdir(exist_ok=True)
    macs = [f"02{number:010X}" for number in range(begin, end)]
    for mac in macs:
        (folder / f"SEP{mac}.cnf.xml").write_bytes(os.urandom(FILE_BYTES // 2).hex().encode())
    profiles = PhoneProfile.objects.bulk_create([PhoneProfile(user=owner, name=mac) for mac in macs])
    for start in range(0, len(macs), 500):
        some = profiles[start : start + 500]
        content = os.urandom(FILE_BYTES // 2).hex().encode()
        ProfileRevision.objects.bulk_create(
            [
                ProfileRevision(profile=one, number=1, content=content, sha256="0" * 64, size=len(content))
                for one in some
            ]
        )
    phones = Phone.objects.bulk_create([Phone(mac=mac, account=account, model="8845") for mac in macs], batch_size=500)
    now, done = timezone.now(), []
    for _ in range(2):
        done += Deployment.objects.bulk_create(
            [
                Deployment(
                    account=account, phone=phone, mac=phone.mac, state="confirmed", requested_by="x", channel="x",
                    finished_at=now, profile_name=phone.mac,
                )
                for phone in phones
            ],
            batch_size=500,
        )  # fmt: skip
    steps = ("upload", "clear_session", "restart", "confirm")
    for start in range(0, len(done), 250):
        DeploymentStep.objects.bulk_create(
            [
                DeploymentStep(
                    deployment=row, kind=kind, state="done", request="x" * 900, answer="y" * 900, started_at=now
                )
                for row in done[start : start + 250]
                for kind in steps
            ]
        )
