"""Simulated phones, PostgreSQL, Redis and two workers: one rollout from its start until every phone is confirmed.

All processes are those of an installation: two Celery workers, the sweep, the file server, and one that plays the phones.
BENCH_PHONES says how many phones there are. Each has a profile of its own, whose file of
some 10 KB is new to it.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from tests.bench.database import migrated
from tests.bench.figures import Figure, compact, figure_from
from tests.bench.sizes import size

PHONES = size("BENCH_PHONES", 10_000)
ROOT = Path(__file__).resolve().parents[2]
MANAGE = (sys.executable, "manage.py")
WORKER = (sys.executable, "-m", "celery", "-A", "config", "worker", "--pool", "threads", "-c", "2", "-l", "warning")
FILE_BYTES = 10_000
# Each phone takes three file descriptors, and many systems allow a process 20,000.
PLAYERS = -(-PHONES // 5000)
LONGEST = 3600


def measure() -> Iterator[Figure]:
    from tests.servers import free_port, redis

    _allow_files(PHONES * 6 + 1000)
    if os.environ.get("CELERY_BROKER_URL", "").startswith("memory"):
        del os.environ["CELERY_BROKER_URL"]  # that is what tests use, who play the worker themselves
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environment = os.environ | {
            "DATA_DIR": folder,
            "DATABASE_URL": stack.enter_context(migrated()),
            "CELERY_BROKER_URL": stack.enter_context(redis()),
            "CELERY_TASK_ALWAYS_EAGER": "0",
            "FILE_SERVER_FTP_PORT": str(free_port()),
            "FILE_SERVER_HTTP_PORT": str(free_port()),
            "FILE_SERVER_TFTP_PORT": str(free_port()),
            # Where the simulated phones are.
            "PHONE_NETWORKS": "127.0.0.0/8",
            "LOG_LEVEL": "WARNING",
        }

        def run(*command: str, **more: object) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, **more)
            stack.callback(_stop, process)
            return process

        run(*MANAGE, "serve_files", stdout=subprocess.DEVNULL)
        inside = run(sys.executable, "-m", "tests.bench.rollout", stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        assert inside.stdin is not None
        _line(inside)  # the rows are there
        for part in range(PLAYERS):
            run(sys.executable, "-m", "tests.bench.rollout", "play", str(part), stdout=subprocess.DEVNULL)
        _line(inside)  # the phones have booted
        for _ in range(2):
            run(*WORKER, "--without-mingle", stdout=subprocess.DEVNULL)
        run(*MANAGE, "sweep", "--every", "2")
        inside.stdin.write(b"go\n")
        inside.stdin.flush()
        yield from map(figure_from, _line(inside))


def _allow_files(number: int) -> None:
    """The simulated phones' sockets are more than many systems allow a process; root may allow itself more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number), max(hard, number)))


def _line(process: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def _stop(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _inside() -> None:
    """The part that looks at the database, in a process of its own because settings are read once."""
    import django

    from config.environment import prepare

    prepare()  # the file server, which starts beside it, may come later
    django.setup()
    from django.conf import settings

    from contacts_app.core.actor import system
    from phones_app.inventory.models import Phone
    from phones_app.inventory.services import Selection
    from phones_app.rollout import rollout as rollouts
    from phones_app.rollout.models import Rollout
    from phones_app.rollout.progress import progress_of

    _make_rows(settings.PHONE_FILES_DIR)
    print("[]", flush=True)
    seen = _wait(lambda: sum(_booted(settings.PHONE_FILES_DIR)), PHONES)
    print("[]", flush=True)
    sys.stdin.readline()
    started = time.monotonic()
    # All phones at once: what limits the speed is to be Patchbay alone.
    rollout = rollouts.start(
        selection=Selection(Phone.objects.all()), profile=None, actor=system("bench"), pace=Rollout()
    )
    answered = time.monotonic() - started
    while rollout.state == "planning":
        time.sleep(0.1)
        rollout.refresh_from_db()
    planned = time.monotonic() - started
    _wait(lambda: progress_of(Rollout.objects.get(pk=rollout.pk)).ended, PHONES)
    seconds = time.monotonic() - started
    progress = progress_of(rollout)
    rollout.refresh_from_db()
    ends = ", ".join(f"{number} {name}" for name, number in progress.parts.items() if number)
    figures = [
        Figure(f"{seen} phones, each another file, from request to confirmed", [PHONES / seconds], "phones/s", goal=20),
        Figure("until start was answered", [answered], "s"),
        Figure("until it was planned", [planned], "s", said=f"of {seconds:.0f} s"),
        Figure("how they ended", said=ends),
        Figure("restarted twice", said=str(_restarted_twice())),
    ]
    print(json.dumps([compact(figure) for figure in figures]), flush=True)


def _play(part: int) -> None:
    """Every so-manieth phone, as `simulate_phones` plays all of them."""
    import django

    django.setup()
    from contacts_app.core.net.loops import LoopThread
    from phones_app.boot.services import config_url
    from phones_app.demo.simulation import Players, config_of, playable_phones

    loop, players, url = LoopThread("phones"), Players(lambda _mac, _text: None), config_url()
    loop.call(players.follow({phone.mac: config_of(phone, url) for phone in playable_phones()[part::PLAYERS]}))
    signal.pause()


def _make_rows(folder: Path) -> None:
    from contacts_app.accounts.models import Account
    from contacts_app.core.actor import system
    from contacts_app.people.models import User
    from phones_app.inventory.models import Phone
    from phones_app.simulator.generations import default_load
    from profiles_app.phone.services import create_profile
    from tests.phones_app.site import sip_file

    account = Account.objects.create(voip_id=1, name="Bench", email="bench@example.org")
    owner = User.objects.create_user("bench@example.org", account=account)
    folder.mkdir(exist_ok=True)
    phones = []
    for number in range(PHONES):
        mac = f"02{number:010X}"
        (folder / f"SEP{mac}.cnf.xml").write_text(sip_file("1001"))
        content = sip_file("1002", label=mac).encode()
        padding = b"<!--" + b"." * (FILE_BYTES - len(content) - 7) + b"-->"
        profile = create_profile(
            actor=system("bench"), user=owner, name=mac, content=content.replace(b"</device>", padding + b"</device>")
        )
        phones.append(
            Phone(
                mac=mac,
                account=account,
                model="8845",
                software_type="SIP",
                # As a status check leaves it.
                software_version=default_load("8845", "SIP"),
                phone_ip=f"127.1.{number // 250}.{1 + number % 250}",
                sip_port=15_000,
                web_port=25_000,
                current_profile=profile,
                is_simulated=True,
            )
        )
    Phone.objects.bulk_create(phones, batch_size=1000)


def _booted(folder: Path) -> Iterator[int]:
    from phones_app.boot.models import FileFetch

    yield FileFetch.objects.values("mac").distinct().count()


def _restarted_twice() -> int:
    """Phones that fetched the new file more than once."""
    from django.db.models import Count

    from phones_app.boot.models import FileFetch
    from phones_app.deployment.models import Deployment

    new = FileFetch.objects.filter(sha256__in=Deployment.objects.values("sha256"))
    return new.values("mac").annotate(times=Count("pk")).filter(times__gt=1).count()


def _wait(count: object, wanted: int) -> int:
    deadline = time.monotonic() + LONGEST
    while (number := count()) < wanted:  # type: ignore[operator]
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
        print(f"\r{number} of {wanted}", end="", file=sys.stderr)
    return number


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    _play(int(sys.argv[2])) if sys.argv[1:2] == ["play"] else _inside()
