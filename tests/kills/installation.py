"""A whole installation on loopback: its processes, which may be killed, and its peers, which are not part of it."""

import contextlib
import json
import os
import random
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.environment import prepare
from tests.peers.mail import MailServer
from tests.servers import Cluster, free_port, postgres_cluster, wait_for

PHONES, PROFILES = 12, 6
# A stopped process goes on after this (seconds): before its lease of 1.5 s has run out, or long after.
STOPPED = (0.2, 6.0)


def set_up(folder: Path, on: str, mail_server: MailServer, *, own: bool) -> Cluster | None:
    """Settings in the environment, and Django; the PostgreSQL of its own, if there is one.

    If it is not to be its `own`, that of DATABASE_URL serves too, with a database of its own.
    """
    shared = "" if own else os.environ.get("DATABASE_URL", "")
    cluster = postgres_cluster(folder) if on == "postgresql" and not shared else None
    url = cluster.url if cluster else shared if on == "postgresql" else ""
    os.environ.pop("DATABASE_URL", None)
    ports = {f"FILE_SERVER_{name}_PORT": str(free_port()) for name in ("FTP", "HTTP", "TFTP")}
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(folder / "data"),
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0" if url else f"sqla+sqlite:///{folder}/broker.sqlite3",
        "CALLBACK_NETWORKS": "127.0.0.0/8",
        "PHONE_NETWORKS": "127.0.0.0/8",
        "CALLBACK_ATTEMPT_SECONDS": "0,1,2,4,8",
        "EMAIL_URL": mail_server.url,
        "LOG_LEVEL": "ERROR",
        **ports,
        **({"DATABASE_URL": url} if url else {}),
    }
    prepare()
    import django

    django.setup()
    return cluster


@contextlib.contextmanager
def migrated(*, own: bool) -> Iterator[None]:
    """The database: migrated where the server is new, else a copy of the template of the tests."""
    from django.core.management import call_command
    from django.db import connection

    from tests.databases import NEW, template

    if connection.vendor == "postgresql" and own:
        call_command("migrate", verbosity=0)
        yield
        return
    name = connection.settings_dict["NAME"]
    if connection.vendor == "postgresql":
        name = f"patchbay_crowd_{os.getpid()}"
    template().copy_to(str(name), NEW)
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        template().drop(str(name))


class Installation:
    """`names` are the processes that may be killed; "connections" stands for those to the database."""

    def __init__(self, folder: Path, cluster: Cluster | None, mail_server: MailServer, *, forked: bool) -> None:
        self.folder, self.cluster, self.mail_server, self.forked = folder, cluster, mail_server, forked
        (folder / "logs").mkdir()
        self._stopped: list[tuple[float, int]] = []
        self._read = 0

    def start(self, stack: contextlib.ExitStack) -> None:
        from tests.processes import Processes, database_url

        self.processes = processes = Processes(self.folder / "logs", forked=self.forked)
        stack.callback(self.end)
        if self.cluster:
            processes.run("database", self.cluster.command, **self.cluster.options)
            wait_for(self.cluster.is_ready)
        stack.enter_context(migrated(own=self.cluster is not None))
        # They end before the database does.
        stack.callback(self.end)
        processes.environment["DATABASE_URL"] = database_url()
        self.processes.environment |= {
            "CONFIRM_SECONDS": "8",
            "UPLOAD_RETRY_SECONDS": "60",
            "FTP_UPLOAD_SECONDS": "8",
            "DATABASE_POOL_SIZE": "48",
        }
        if processes.environment["CELERY_BROKER_URL"].startswith("redis"):
            processes.start_broker()
        processes.start("files", "manage.py", "serve_files")
        processes.start_sweep()
        processes.start_worker("worker-1")
        processes.start_worker("worker-2")
        self.url = processes.start_web()
        self.names = [*processes.running, *(["connections"] if self.cluster else [])]

    def end(self) -> None:
        self.go_on(all_of_them=True)
        for name in list(self.processes.running):
            self.processes.kill(name)

    def kill(self, name: str) -> None:
        if name == "connections":
            self._cut_connections()
            return
        process = self.processes.running[name]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after so long."""
        process = self.processes.running[name]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGSTOP)
        self._stopped.append((time.monotonic() + seconds, process.pid))

    def go_on(self, *, all_of_them: bool = False) -> None:
        now = time.monotonic()
        for due, pid in list(self._stopped):
            if all_of_them or due <= now:
                self._stopped.remove((due, pid))
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGCONT)

    def look_after(self) -> None:
        """What a supervisor does all the time."""
        self.go_on()
        self.processes.supervise()

    def states(self) -> str:
        """The processes of each group or child of it, with what they are waiting for."""
        table = subprocess.run(
            ["ps", "-eo", "pid,ppid,pgid,stat,wchan:24,etimes,args"], capture_output=True, text=True, check=False
        ).stdout.splitlines()
        ours = {str(process.pid) for process in self.processes.running.values()}
        return "\n".join(line[:160] for line in table if ours & set(line.split()[:3]))

    def deadlocks(self) -> list[str]:
        """What PostgreSQL said of transactions that waited for each other since the last time it was asked."""
        log = self.processes.folder / "database.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        new, self._read = lines[self._read :], len(lines)
        places = [place for place, line in enumerate(new) if "deadlock detected" in line]
        return ["deadlock: " + " ".join(" ".join(new[place + 1 : place + 7]).split()) for place in places]

    def _cut_connections(self) -> None:
        import psycopg

        with contextlib.suppress(psycopg.Error), psycopg.connect(self.cluster.url, connect_timeout=2) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


class Client:
    """Sends a request until it is acknowledged. A 500 is nothing that a client should ever see."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.broken: list[str] = []
        self.busy = 0

    def post(self, path: str, body: dict[str, Any], seconds: float = 120) -> Any:
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code == 503 and error.headers.get("Retry-After"):
                    self.busy += 1
                else:
                    self.broken.append(f"{path}: {error.code} {error.read()[:300]!r}")
            except (OSError, ValueError):
                # Killed in the middle of the answer, or not there yet.
                pass
            time.sleep(0.1)
        raise AssertionError(f"{path} was not acknowledged within {seconds} s")


@contextlib.contextmanager
def running(folder: Path, on: str, mail_server: MailServer, *, own: bool = True) -> Iterator[Installation]:
    cluster = set_up(folder, on, mail_server, own=own)
    # Processes that are killed and started all the time are those of an operator; others are quick to start.
    installation = Installation(folder, cluster, mail_server, forked=not own)
    with contextlib.ExitStack() as stack:
        installation.start(stack)
        yield installation


def pick(chance: random.Random, names: list[str], stops_left: int, rounds_left: int) -> tuple[str, float]:
    """Which process, and for how long it is stopped; 0: it is killed. Stops are spread over the rounds that are left."""
    if chance.random() < stops_left / rounds_left:
        return chance.choice([name for name in names if name != "connections"]), chance.uniform(*STOPPED)
    return chance.choice(names), 0.0
