"""Phones boot at once, 10,000 of them, from the embedded file server, next to nginx with the same files.

The file server is that of an installation (`manage.py serve_files` on PostgreSQL; boot server spec §7), which also
writes down who fetched what. nginx (one worker, as it comes) is looked for on PATH, in /usr/sbin, and where BENCH_NGINX
says. In turn, three rounds, with a new connection for each request, as phones and our simulated ones do it (mobility spec
§1), for which the goal is set, and with connections that are kept, as a proxy in front may do it, for what the server
itself can do. BENCH_PHONES says how many phones there are.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.boot_phones import NAMES, mac_of
from tests.bench.database import migrated
from tests.bench.figures import Figure
from tests.bench.sizes import rounds, size
from tests.servers import free_port, listens, wait_for

PHONES = size("BENCH_PHONES", 10_000)
ROOT = Path(__file__).resolve().parents[2]
MANAGE = (sys.executable, "manage.py")
WAYS = {"new": "a new connection for each", "kept": "one connection for all files"}
CONFIG = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  access_log {folder}/access.log; sendfile on; tcp_nopush on; default_type application/octet-stream;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port} backlog=1024; root {root}; }}
}}
"""


def measure() -> Iterator[Figure]:
    if os.environ.get("CELERY_BROKER_URL", "").startswith("memory"):
        del os.environ["CELERY_BROKER_URL"]
    nginx = next(filter(None, map(shutil.which, ("nginx", "/usr/sbin/nginx", os.environ.get("BENCH_NGINX", "")))), None)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = free_port()
        environment = os.environ | {
            "DATA_DIR": str(folder),
            "DATABASE_URL": stack.enter_context(migrated()),
            "FILE_SERVER_FTP_PORT": str(free_port()),
            "FILE_SERVER_HTTP_PORT": str(ours),
            "FILE_SERVER_TFTP_PORT": str(free_port()),
            "LOG_LEVEL": "WARNING",
        }
        inside = stack.enter_context(_process(sys.executable, "-m", "tests.bench.boot", env=environment))
        assert inside.stdout is not None
        inside.stdout.readline()
        served = stack.enter_context(_process(*MANAGE, "serve_files", env=environment))
        wait_for(lambda: listens(ours))
        servers = {}
        if nginx is None:
            said = "not measured: nginx is not installed (BENCH_NGINX says where it is)"
            yield from (Figure(f"nginx, {way}", said=said) for way in WAYS.values())
        else:
            servers["nginx"] = stack.enter_context(_nginx(nginx, folder))
        servers["Patchbay"] = (ours, served.pid)
        yield from _rounds(servers, served.pid, inside)


def _rounds(servers: dict[str, tuple[int, int]], served: int, inside: subprocess.Popen[str]) -> Iterator[Figure]:
    speeds, costs, slowest = defaultdict(list), defaultdict(list), defaultdict(list)
    memory, waited = [_memory(served)], []
    for _ in rounds():
        for way in WAYS:
            for name, (port, pid) in servers.items():
                before = _processor(pid)
                figures = _boot(port, way)
                assert not figures["wrong"], figures
                speeds[name, way].append(figures["requests"] / figures["seconds"])
                slowest[name, way].append(figures["slowest"])
                if name == "Patchbay":
                    memory.append(_memory(served))
                    began = time.monotonic()
                    _ask(inside, "written")
                    waited.append(time.monotonic() - began)
                    memory.append(_memory(served))
                costs[name, way].append((_processor(pid) - before) / figures["requests"] * 1e3)
    for (name, way), each in speeds.items():
        last = f"slowest phone {max(slowest[name, way]):.1f} s"
        is_peer, is_goal = name == "nginx", (name, way) == ("Patchbay", "new")
        yield Figure(
            f"{name}, {WAYS[way]}", each, "requests/s", processor=costs[name, way], said=last,
            of="" if is_peer else f"nginx, {WAYS[way]}", goal_ratio=0.5 if is_goal else None,
        )  # fmt: skip
    yield Figure("memory of the file server at first, after each round, and when all is written", memory, "MiB")
    yield Figure("until all is written after a round", waited, "s")
    yield from (Figure(what, said=said) for what, said in _ask(inside, "counts"))


def _boot(port: int, way: str) -> dict[str, float]:
    crowd = (sys.executable, "-m", "tests.bench.boot_phones", str(port), str(PHONES), way)
    return json.loads(subprocess.run(crowd, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


@contextmanager
def _process(*command: str, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True, **pipes)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _nginx(program: str, data: Path) -> Iterator[tuple[int, int]]:
    """Its port, and the process that answers."""
    folder = data / "nginx"
    folder.mkdir()
    port = free_port()
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port, root=data / "phones"))
    for each in (data, folder, data / "phones"):
        each.chmod(0o755)
    command = (program, "-p", str(folder), "-c", str(folder / "nginx.conf"))
    with _process(*command, env=dict(os.environ)) as process:
        wait_for(lambda: listens(port) and len(_family(process.pid)) > 1)
        [_, worker] = _family(process.pid)
        yield port, worker


def _family(pid: int) -> list[int]:
    """The process, and the one that writes or answers for it."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def _memory(pid: int) -> float:
    return sum(map(_memory_of, _family(pid)))


def _memory_of(pid: int) -> float:
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def _processor(pid: int) -> float:
    return sum(map(_processor_of, _family(pid)))


def _processor_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _ask(inside: subprocess.Popen[str], what: str) -> list[list[str]]:
    assert inside.stdin is not None
    assert inside.stdout is not None
    inside.stdin.write(f"{what}\n")
    inside.stdin.flush()
    return json.loads(inside.stdout.readline())


def _inside() -> None:
    """The part that looks at the database, in a process of its own because settings are read once."""
    import django

    django.setup()
    from django.conf import settings

    from contacts_app.accounts.models import Account
    from phones_app.boot.models import FileFetch, RequestedFile
    from phones_app.inventory.models import Phone

    account = Account.objects.create(voip_id=1, name="Bench", email="bench@example.org")
    phones = [Phone(mac=mac_of(number), account=account, model="7945") for number in range(PHONES)]
    Phone.objects.bulk_create(phones, batch_size=1000)
    folder = settings.PHONE_FILES_DIR
    (folder / "United_Kingdom").mkdir(parents=True)
    for name, length in NAMES:
        if length is not None:
            for number in range(PHONES if "{mac}" in name else 1):
                (folder / name.format(mac=mac_of(number))).write_bytes(os.urandom(length))
    answers: dict[str, Callable[[], object]] = {
        "written": lambda: _settled(FileFetch.objects.all(), RequestedFile.objects.all()),
        "counts": lambda: [
            ("fetches of own files written down, and with what was asked for next",
             f"{FileFetch.objects.count()}, {FileFetch.objects.exclude(followed_by='').count()}"),
            ("names counted, of 12 for each phone", f"{RequestedFile.objects.count()}"),
            ("requests counted", str(sum(sum(row) for row in RequestedFile.objects.values_list("given", "missing")))),
        ],
    }  # fmt: skip
    print("[]", flush=True)
    for line in sys.stdin:
        print(json.dumps(answers[line.strip()]()), flush=True)


def _settled(*tables: object) -> list[int]:
    """Wait until nothing more is written."""
    from django.db.models import Sum

    seen: list[object] = []
    while len(seen) < 8 or seen[-1] != seen[-8]:
        fetches, requested = tables
        done = fetches.exclude(followed_by="").count()  # type: ignore[attr-defined]
        seen.append((fetches.count(), done, requested.aggregate(Sum("given"), Sum("missing"))))  # type: ignore[attr-defined]
        time.sleep(1)
    return []


if __name__ == "__main__":
    _inside()
