"""serve as a process tree: whatever of it is killed, nothing is left behind and nothing listens after it was stopped."""

import contextlib
import os
import signal
import socket
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from phones_app.management.supervisor import Service, Supervisor
from tests.commands import Running
from tests.servers import free_port, listens, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
READY = "ready: open"


class Tree:
    """A running `serve`, and all processes that it has started."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.ports = [self.port, *(int(environment[f"FILE_SERVER_{kind}_PORT"]) for kind in ("FTP", "HTTP"))]
        # The mark by which its processes are known, orphans too.
        self.mark = f"DATA_DIR={environment['DATA_DIR']}".encode()
        broker = {"CELERY_BROKER_URL": f"sqla+sqlite:///{folder}/broker.sqlite3", "CELERY_TASK_ALWAYS_EAGER": "0"}
        arguments = ("serve", "--port", str(self.port), "--no-demo")
        self.serve = Running(folder / "serve.log", *arguments, environment=environment | broker)

    def processes(self) -> dict[int, str]:
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has just ended
        # One that has ended and waits for its parent to notice has no command line.
        return {pid: command for pid, command in found.items() if command}

    def pids(self, part: str) -> list[int]:
        return sorted(pid for pid, command in self.processes().items() if part in command)

    def master(self) -> int:
        return min(self.pids("granian"))

    def answers(self) -> bool:
        try:
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=30).status == 200)
        except OSError:
            return False


@pytest.fixture
def tree(tmp_path, environment):
    tree = Tree(tmp_path, environment)
    try:
        tree.serve.says(READY)
        wait_for(lambda: "files " in tree.serve.printed)
        yield tree
    finally:
        for pid in tree.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        tree.serve.process.wait()


def test_a_service_is_started_after_what_it_waits_for():
    answers, stopping = threading.Event(), threading.Event()
    first, second = Service("first", ["sleep", "60"], ""), Service("second", ["sleep", "60"], "", after=answers)
    running = threading.Thread(target=Supervisor([second, first], lambda *_: None).run, args=(stopping,))
    running.start()
    try:
        wait_for(lambda: first.process is not None)
        assert second.process is None
        answers.set()
        wait_for(lambda: second.process is not None)
    finally:
        stopping.set()
        running.join()


def test_whatever_was_killed_nothing_listens_after_a_stop(tree):
    assert ("WARNING: running as root" in tree.serve.printed) == (os.geteuid() == 0)
    # A master and two workers.
    wait_for(lambda: len(tree.pids("granian")) >= 3)
    old = set(tree.pids("granian"))

    # A dead master takes its workers along, and a new web server has the port.
    os.kill(tree.master(), signal.SIGKILL)
    wait_for(lambda: not old & set(tree.pids("granian")))
    wait_for(lambda: tree.answers() and len(tree.pids("granian")) >= 3)

    # The master and a worker in one moment with the stop, and a client in the middle of its request.
    slow = socket.create_connection(("127.0.0.1", tree.port), 60)
    slow.sendall(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    os.kill(tree.pids("celery")[0], signal.SIGKILL)
    os.kill(tree.master(), signal.SIGKILL)
    started = time.monotonic()
    tree.serve.stop()
    assert time.monotonic() - started < 60
    assert tree.processes() == {}
    assert not any(map(listens, tree.ports))
    slow.close()


def test_a_killed_supervisor_and_master_leave_no_web_server(tree):
    os.kill(tree.master(), signal.SIGSTOP)  # so that it cannot pass on what it is told
    os.kill(tree.serve.process.pid, signal.SIGKILL)
    os.kill(tree.master(), signal.SIGKILL)
    wait_for(lambda: not tree.processes())
    assert not any(map(listens, tree.ports))
