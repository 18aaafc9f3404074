"""10,000 distinct files of 10 KB onto a real FTP server (vsftpd): our uploads next to lftp.

Ours: each file stored under a temporary name, its size checked, renamed. "With rows" means as in a rollout: claimed in
PostgreSQL and written down there with its evidence, by one worker process and by two. lftp: `mirror -R` with eight
parallel connections, without such care and with temporary names. Both again with the server some milliseconds away, as
file servers of other sites are. In turn, three rounds, each into an empty folder.
Processor time is that of our processes or of lftp, without the servers'. BENCH_FILES says how many files there are,
BENCH_MILLISECONDS how far away the server is.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

from phones_app.transports.ftp.login import FtpTarget
from phones_app.transports.ftp.pool import FtpPool, connections_to
from tests.bench.database import migrated
from tests.bench.distance import away
from tests.bench.figures import Figure
from tests.bench.sizes import rounds, size
from tests.peers.ftp import Server, vsftpd

FILES = size("BENCH_FILES", 10_000)
SIZE = 10_000
ROOT = Path(__file__).resolve().parents[2]
LFTP = "lftp mirror -R --parallel=8"
MILLISECONDS = size("BENCH_MILLISECONDS", 5)
AWAY = f", {MILLISECONDS} ms away"
# Another spelling of 127.0.0.1, which counts as any other server's address.
ELSEWHERE = "127.1"
TWO = "Patchbay with rows, two workers"
# Of lftp's speed.
GOALS = {TWO: 0.75, f"{TWO}{AWAY}": 1.0}
# Seconds by the clock, and of the processor: of our processes or of lftp.
Spent = tuple[float, float]
TEMPORARY = "set xfer:use-temp-file yes; set xfer:temp-file-name .*.part;"


def measure() -> Iterator[Figure]:
    if missing := [
        name for name in ("lftp", "vsftpd") if not (shutil.which(name) or shutil.which(f"/usr/sbin/{name}"))
    ]:
        yield Figure(LFTP, said=f"not measured: not installed: {', '.join(missing)}")
        return
    contents = {f"SEP{number:012X}.cnf.xml": os.urandom(SIZE) for number in range(FILES)}
    speeds: defaultdict[str, list[float]] = defaultdict(list)
    costs: defaultdict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        source = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name, content in contents.items():
            (source / name).write_bytes(content)
        os.environ |= {
            "DATABASE_URL": stack.enter_context(migrated()),
            "DATA_DIR": stack.enter_context(tempfile.TemporaryDirectory()),
            "PHONE_NETWORKS": "127.0.0.0/8",
            "LOG_LEVEL": "WARNING",
            # Only the workers that are measured carry out what is requested.
            "CELERY_TASK_ALWAYS_EAGER": "0",
        }
        with _inside("rows"):
            pass
        ways: dict[str, Callable[[Server], Spent]] = {
            LFTP: lambda server: _mirror(server, source),
            f"{LFTP}, with temporary names as ours": lambda server: _mirror(server, source, TEMPORARY),
            "Patchbay, no rows": lambda server: _push(server, contents),
            "Patchbay with rows, one worker": lambda server: _work(server, 1),
            TWO: lambda server: _work(server, 2),
            f"{LFTP}{AWAY}": lambda server: _from_afar(server, lambda s: _mirror(s, source)),
            f"{TWO}{AWAY}": lambda server: _from_afar(server, lambda s: _work(s, 2)),
        }
        for _ in rounds():
            for way, push in ways.items():
                with vsftpd() as server:
                    seconds, processor = push(server)
                    speeds[way].append(FILES / seconds)
                    costs[way].append(1000 * processor / FILES)
                    there = len(list(server.root.glob("*.cnf.xml")))
                    assert there == FILES, f"{way}: {there} files"
    for way, each in speeds.items():
        peer = LFTP + AWAY if way.endswith(AWAY) else LFTP
        of = "" if way == peer else peer
        yield Figure(way, each, "files/s", of=of, processor=costs[way], goal_ratio=GOALS.get(way))


def _push(server: Server, contents: dict[str, bytes]) -> Spent:
    target = FtpTarget(server.host, server.port, server.username, server.password)
    with closing(FtpPool()) as pool:

        def upload(name: str) -> None:
            with pool.session(target) as session:
                session.upload(name, contents[name])

        started, used = time.monotonic(), time.process_time()
        with ThreadPoolExecutor(connections_to(server.host)) as threads:
            list(threads.map(upload, contents))
        return time.monotonic() - started, time.process_time() - used


def _mirror(server: Server, source: Path, settings: str = "") -> Spent:
    script = f"set ftp:ssl-allow no; {settings} mirror -R --parallel=8 {source} .; bye"
    started, used = time.monotonic(), _used_by_children()
    url = f"ftp://{server.username}:{server.password}@{server.host}:{server.port}"
    subprocess.run(["lftp", "-e", script, url], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started, _used_by_children() - used


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _from_afar(server: Server, push: Callable[[Server], Spent]) -> Spent:
    with away(server.port, MILLISECONDS) as port:
        return push(replace(server, host=ELSEWHERE, port=port))


def _work(server: Server, workers: int) -> Spent:
    with _inside("renew", server.host, str(server.port)):
        pass
    with ExitStack() as stack:
        inside = [stack.enter_context(_inside("work", str(number))) for number in range(workers)]
        started = time.monotonic()
        for each in inside:
            assert each.stdin is not None
            each.stdin.write(b"go\n")
            each.stdin.flush()
        told = [json.loads(each.stdout.readline()) for each in inside if each.stdout]
        seconds = time.monotonic() - started
    done = sum(files for files, _ in told)
    assert done == FILES, f"{done} files written down"
    return seconds, sum(processor for _, processor in told)


@contextmanager
def _inside(*command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of its own that has loaded Django and is ready."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    arguments = [sys.executable, "-m", "tests.bench.push", *command]
    with subprocess.Popen(arguments, cwd=ROOT, **pipes) as process:  # type: ignore[call-overload]
        try:
            process.stdout.readline()
            yield process
        finally:
            process.stdin.close()
            process.wait()


def _rows() -> None:
    """A rollout to as many phones, each with a file of its own."""
    from contacts_app.accounts.models import Account
    from contacts_app.core.actor import system
    from contacts_app.core.work.queue import run_queue
    from contacts_app.people.models import User
    from phones_app.inventory.models import Phone
    from phones_app.inventory.services import Selection
    from phones_app.rollout import rollout as rollouts
    from phones_app.rollout.models import Rollout
    from phones_app.rollout.planning import ROLLOUTS
    from phones_app.servers.models import FileServer
    from profiles_app.phone.services import create_profile
    from tests.phones_app.site import sip_file

    account = Account.objects.create(voip_id=1, name="Bench", email="bench@example.org")
    owner = User.objects.create_user("bench@example.org", account=account)
    server = FileServer.objects.create(account=account, name="vsftpd", host="127.0.0.1", username="anonymous")
    phones = []
    for number in range(FILES):
        mac = f"02{number:010X}"
        content = sip_file("1002", label=mac).encode()
        padding = b"<!--" + b"." * (SIZE - len(content) - 7) + b"-->"
        profile = create_profile(
            actor=system("bench"), user=owner, name=mac, content=content.replace(b"</device>", padding + b"</device>")
        )
        phones.append(
            Phone(
                mac=mac,
                account=account,
                file_server=server,
                current_profile=profile,
                model="8845",
                software_type="SIP",
                phone_ip="127.0.0.1",
            )
        )
    Phone.objects.bulk_create(phones, batch_size=1000)
    rollouts.start(selection=Selection(Phone.objects.all()), profile=None, actor=system("bench"), pace=Rollout())
    run_queue(ROLLOUTS)  # which plans it


def _renew(host: str, port: str) -> None:
    """Everything is to be uploaded again, and elsewhere."""
    from django.db import connection
    from django.utils import timezone

    from phones_app.deployment.models import Deployment, DeploymentStep, PhoneFile, State
    from phones_app.servers.models import FileServer

    DeploymentStep.objects.all().delete()
    PhoneFile.objects.all().delete()
    FileServer.objects.filter(name="vsftpd").update(host=host, port=port)
    fresh = {"state": State.QUEUED, "next_attempt_at": timezone.now(), "uploaded_at": None}
    Deployment.objects.update(**fresh, lease_owner="", lease_until=None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _worker(owner: str) -> None:
    from config.celery import leave_what_is_loaded_alone
    from contacts_app.core.work.claim import Claims
    from phones_app.deployment.request import due, in_batches
    from phones_app.deployment.run import UploadBatches

    class Uploads(UploadBatches):
        """No restart ever keeps up here."""

        @classmethod
        def due(cls):
            return in_batches(due())

    Uploads.due().exists()  # connected
    leave_what_is_loaded_alone()
    print("[]", flush=True)
    sys.stdin.readline()
    done, used = 0, time.process_time()
    work = Uploads(f"bench-{owner}")
    claims = Claims(work)
    with work.opened:
        while claim := claims.take():
            work.do(claim.keys)
            claims.end(claim)
            done += len(claim.keys)
    print(json.dumps([done, time.process_time() - used]), flush=True)


if __name__ == "__main__":
    import django

    from config.environment import prepare

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    prepare()
    django.setup()
    inside: dict[str, Callable[..., None]] = {"rows": _rows, "renew": _renew, "work": _worker}
    inside[sys.argv[1]](*sys.argv[2:])
    print("[]", flush=True)
