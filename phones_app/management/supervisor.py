"""Commands that run until a signal ends them, and the supervisor of `manage.py serve`.

The supervisor starts services as child processes, restarts those that end, and stops them all.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# All services together get this long to end what they have begun; with what killing takes a stop lasts ten seconds.
STOP_SECONDS = 9.5
# In the environment of services: their own children shall not outlive them either.
SUPERVISED = "PATCHBAY_SUPERVISED"
# A service that dies at once again and again is started ever more rarely, at most this many seconds apart.
LONGEST_PAUSE = 30.0
PR_SET_PDEATHSIG = 1


@contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set; both do again afterwards what they did before."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Service:
    """One child process: `command` as for exec, `address` as it is printed, `after` what its first start waits for."""

    name: str
    command: Sequence[str]
    address: str
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    pause: float = 0.5
    restart_at: float = 0.0
    after: threading.Event | None = None


def why_taken(host: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> str:
    """Why one cannot listen there; empty: one can."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def die_with_parent() -> None:
    """Have the kernel send this process SIGTERM when its parent ends (Linux only).

    A supervisor, or a web server's master, that is killed outright can stop none of its children.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _kill_group(leader: int) -> None:
    """A service leads its own session, so its process id is that of the group, grandchildren included."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


class Supervisor:
    """Runs services until `stopping` is set. `say(service name, text)` prints a line."""

    def __init__(self, services: list[Service], say: Callable[[str, str], None]) -> None:
        self.services = services
        self.say = say

    def run(self, stopping: threading.Event) -> None:
        begun = time.monotonic()
        try:
            while True:
                for service in self.services:
                    if service.after and not service.after.is_set() and time.monotonic() < begun + LONGEST_PAUSE:
                        continue
                    self._watch(service)
                if stopping.wait(0.2):
                    return
        finally:
            self._stop()

    def _start(self, service: Service) -> None:
        # A session of its own: Ctrl-C reaches the supervisor alone, which then stops its children in order.
        service.process = subprocess.Popen(  # noqa: S603 - the commands are our own
            service.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
            env=os.environ | {SUPERVISED: "1"},
        )
        service.started_at = time.monotonic()

    def _watch(self, service: Service) -> None:
        if service.process is None:
            if time.monotonic() >= service.restart_at:
                self._start(service)
            return
        code = service.process.poll()
        if code is None:
            return
        # Its own children, if it could not end them: they would keep the port, and answer from it.
        _kill_group(service.process.pid)
        lived = time.monotonic() - service.started_at
        service.pause = 0.5 if lived > LONGEST_PAUSE else min(service.pause * 2, LONGEST_PAUSE)
        service.process, service.restart_at = None, time.monotonic() + service.pause
        self.say(service.name, f"ended with status {code}; starting it again in {service.pause:.0f} s")

    def _stop(self) -> None:
        """Ask every service to end, then make it."""
        alive = [(service, service.process) for service in self.services if service.process is not None]
        for _, process in alive:
            # The main process alone: a signal to a whole group of workers can hang them (Celery on polling transports).
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for service, process in alive:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(service.name, "does not stop; killing it")
            _kill_group(process.pid)
            process.wait()
