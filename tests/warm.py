"""Processes of Python that start in a fraction of the time: forks of one that has loaded other people's packages already.

Loading them is most of what the start of a worker costs, and tests start some hundred processes. What is ours, settings
included, each process loads by itself from its own environment, as when an operator starts it. `python -m tests.warm` is
the process that is forked; one belongs to each process of pytest and ends with it.
"""

import gc
import importlib
import json
import os
import runpy
import socket
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import IO, Any

from tests.servers import wait_for

ROOT = Path(__file__).resolve().parent.parent
# None of them reads a setting of ours when it is loaded.
PACKAGES = [
    "cachetools", "celery.apps.worker", "celery.bin.celery", "celery.concurrency.thread", "celery.events.state",
    "celery.fixups.django", "celery.worker.consumer", "cryptography.fernet", "django.contrib.postgres.fields",
    "django.core.management", "django.db.backends.postgresql.base", "django.db.backends.sqlite3.base",
    "django.db.migrations.executor", "django.test.client", "docutils.core", "docutils.parsers.rst", "environ",
    "httpcore", "httpx", "jinja2.sandbox", "jwt", "kombu.transport.redis", "kombu.transport.sqlalchemy", "lxml.etree",
    "markdown_it", "orjson", "phonenumbers", "PIL.Image", "psycopg", "psycopg.types.json", "pyftpdlib.servers",
    "python_ipware", "requests", "rich.progress", "rich.table", "segno", "smpplib.client",
    "sqlalchemy.dialects.sqlite", "structlog", "uritemplate", "yaml",
]  # fmt: skip

APPENDED = os.O_WRONLY | os.O_CREAT | os.O_APPEND
# How input, output and errors of a process are opened.
OPENED = (os.O_RDONLY, APPENDED, APPENDED)


class Process:
    """What `subprocess.Popen` gives, as far as tests use it."""

    def __init__(self, server: "Server", command: list[str], pid: int) -> None:
        self.args, self.pid = command, pid
        self.returncode: int | None = None
        self._server = server

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._server.ask("status", self.pid)
        return self.returncode

    def wait(self, timeout: float = 180) -> int:
        wait_for(lambda: self.poll() is not None, timeout)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class Server:
    """The process that is forked, seen from the process of the tests."""

    def __init__(self) -> None:
        ours, its = socket.socketpair()
        command = [sys.executable, "-m", "tests.warm", str(its.fileno())]
        self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[its.fileno()], start_new_session=True)
        its.close()
        self._channel = ours.makefile("rw")
        self._lock = threading.Lock()

    def ask(self, *request: object) -> Any:
        with self._lock:
            self._channel.write(json.dumps(request) + "\n")
            self._channel.flush()
            return json.loads(self._channel.readline())


@cache
def _server() -> Server:
    return Server()


def spent() -> float:
    """Seconds of processor of all forks that have ended."""
    return float(_server().ask("spent")) if _server.cache_info().currsize else 0.0


def start(
    command: list[str], environment: dict[str, str], log: Path, *, errors: Path | None = None, given: Path | None = None
) -> "Process | subprocess.Popen[bytes]":
    """`python …` in a group of its own, its output at the end of the log, its errors too unless they have a file of
    their own; it reads what it is `given`.
    """
    files = [str(given or os.devnull), str(log), str(errors or log)]
    if "COVERAGE_PROCESS_CONFIG" in os.environ:
        # Measured from its first line on.
        pipes = [os.open(name, flags, 0o644) for name, flags in zip(files, OPENED, strict=True)]
        try:
            return subprocess.Popen(
                command, cwd=ROOT, env=environment, start_new_session=True,
                **dict(zip(("stdin", "stdout", "stderr"), pipes, strict=True)),
            )  # fmt: skip
        finally:
            for pipe in pipes:
                os.close(pipe)
    return Process(_server(), command, _server().ask("start", command, environment, files))


def _serve(channel: IO[str]) -> None:
    """Answer until nobody asks any more. A fork returns from here as the process that it has become."""
    for line in channel:
        kind, *request = json.loads(line)
        if kind == "start":
            answer: float | None = os.fork()
            if not answer:
                _become(*request)
                return
            # Before anybody knows of the process, who may kill its group at once.
            os.setpgid(answer, answer)
        elif kind == "spent":
            times = os.times()
            answer = times.children_user + times.children_system
        else:
            pid, status = os.waitpid(request[0], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        channel.write(json.dumps(answer) + "\n")
        channel.flush()
    # Without the clean-up that belongs to a program.
    os._exit(0)


def _become(command: list[str], environment: dict[str, str], files: list[str]) -> None:
    for wanted, (name, flags) in enumerate(zip(files, OPENED, strict=True)):
        os.dup2(os.open(name, flags, 0o644), wanted)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = command[1:]


def _main(descriptor: int) -> None:
    for name in PACKAGES:
        importlib.import_module(name)
    # What is loaded by now stays, and its pages are shared.
    gc.freeze()
    with socket.socket(fileno=descriptor) as channel, channel.makefile("rw") as lines:
        _serve(lines)
    if sys.argv[0] == "-m":
        sys.argv = sys.argv[1:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        # As Python does it; what `-m` runs is looked for in the working folder.
        sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    _main(int(sys.argv[1]))
