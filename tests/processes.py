"""Patchbay's own processes, as operators run them, on the database of the test: started, killed, started again."""

import contextlib
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tests import warm
from tests.servers import START_SECONDS, free_port, listens, redis_command, wait_for

ROOT = Path(__file__).resolve().parent.parent


def database_url() -> str:
    """The test database, as a process of its own is given it."""
    of = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{of['NAME']}"
    return f"postgres://{of['USER']}@{of['HOST']}:{of['PORT']}/{of['NAME']}"


def in_python(command: list[str]) -> list[str]:
    """The same as a command of this Python, if it is one of the programs beside it; else nothing."""
    program = Path(ROOT, command[0])
    if program.parent.resolve() != Path(sys.executable).parent.resolve():
        return []
    return [sys.executable, *(command[1:] if program.name.startswith("python") else command)]


class Processes:
    """Workers, sweeps and web servers by name. Whatever is left at the end is killed."""

    def __init__(self, folder: Path, *, forked: bool = False) -> None:
        broker = os.environ["CELERY_BROKER_URL"]
        if broker.startswith("memory"):
            broker = f"sqla+sqlite:///{folder}/broker.sqlite3"
        self.folder, self.forked = folder, forked
        self.running: dict[str, warm.Process | subprocess.Popen[bytes]] = {}
        self.options: dict[str, dict[str, Any]] = {}
        self.environment = os.environ | {
            "DATA_DIR": str(settings.DATA_DIR),
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": broker,
            "CELERY_TASK_ALWAYS_EAGER": "0",
            "LEASE_SECONDS": "1.5",
            "CONFIRM_SECONDS": "60",
            "SWITCH_WAIT_SECONDS": "120",
            "UPLOAD_RETRY_SECONDS": "0",
            "LOG_LEVEL": "WARNING",
        }

    def start(self, name: str, *arguments: str) -> "warm.Process | subprocess.Popen[bytes]":
        """A program in Python."""
        return self.run(name, [sys.executable, *arguments])

    def run(self, name: str, command: list[str], **options: Any) -> "warm.Process | subprocess.Popen[bytes]":
        """Start a command; it is started in the same way again by `supervise`."""
        self.options[name] = options
        log = self.folder / f"{name}.log"
        if self.forked and not options and (program := in_python(command)):
            self.running[name] = warm.start(program, self.environment, log)
            return self.running[name]
        how = {"cwd": ROOT, "env": self.environment, "start_new_session": True} | options
        with log.open("ab") as output:
            self.running[name] = subprocess.Popen(command, stdout=output, stderr=output, **how)
        return self.running[name]

    def start_worker(self, name: str = "worker") -> None:
        self.start(
            name,
            *("-m", "celery", "-A", "config", "--quiet", "worker", "--pool", "threads", "-c", "2"),
            *("-l", "warning", "--without-mingle", "-n", f"{name}@%h"),
        )

    def start_broker(self, port: int = 0) -> int:
        """A Redis that is theirs alone, so that it can be killed; the port, for its successor."""
        port = port or free_port()
        self.environment["CELERY_BROKER_URL"] = f"redis://127.0.0.1:{port}/0"
        self.run("broker", redis_command(port, self.folder))
        wait_for(lambda: listens(port))
        return port

    def start_files(self, folder: Path, port: int = 0) -> int:
        """An FTP server for `phones` with password `s3cret-pw`; the port, for its successor."""
        port = port or free_port()
        account = ("-u", "phones", "-P", "s3cret-pw", "-w", "-d", str(folder))
        self.start("files", "-m", "pyftpdlib", "-i", "127.0.0.1", "-p", str(port), *account)
        wait_for(lambda: listens(port))
        return port

    def start_sweep(self) -> None:
        self.start("sweep", "manage.py", "sweep", "--every", "0.3")

    def start_web(self, name: str = "web") -> str:
        """A web server; its address, once it answers."""
        url = f"http://127.0.0.1:{(port := free_port())}"
        self.start(
            name,
            *f"-m granian --interface wsgi --port {port} --workers 1 --blocking-threads 24".split(),
            "--log-level",
            "warning",
            *("--log-config", "config/granian.json"),
            "--no-ws",
            "config.wsgi:application",
        )

        def answers() -> bool:
            with contextlib.suppress(OSError):
                return urllib.request.urlopen(f"{url}/healthz", timeout=30).status == 200
            return False

        wait_for(answers)
        return url

    def supervise(self) -> None:
        """Start again what has ended, as whatever runs a service does."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.run(name, process.args, **self.options[name])

    def until(self, condition: Callable[[], object], seconds: float = START_SECONDS) -> None:
        """Wait for a condition, starting again what has ended; if it does not come, what the processes said is shown."""
        try:
            wait_for(lambda: self.supervise() or condition(), seconds)
        except AssertionError as late:
            for log in sorted(self.folder.glob("*.log")):
                late.add_note(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}")
            raise

    def kill(self, name: str) -> None:
        """kill -9 of the process and all that it has started."""
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def processes(folder: Path, *, forked: bool = True) -> Iterator[Processes]:
    """Quick to start (tests/warm.py), unless what they use is measured."""
    of_test = Processes(folder, forked=forked)
    try:
        yield of_test
    finally:
        for name in list(of_test.running):
            of_test.kill(name)
