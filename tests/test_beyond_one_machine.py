"""docs/beyond-one-machine.md is followed: its commands, in their order, then a restart of both web servers under load."""

import json
import os
import re
import shlex
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.core.management import get_commands

from tests.peers import nginx
from tests.processes import Processes, database_url, processes
from tests.servers import free_port, wait_for

PAGE = settings.BASE_DIR / "docs" / "beyond-one-machine.md"
EXAMPLE = settings.BASE_DIR / "docs" / "deploy" / "environment.example"
# One list of commands for each chapter that has some.
BLOCKS = re.findall(r"^## (?:\d\. )?(.*?)$|^```sh\n(.*?)```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
PASSWORD = "a password of the first day"
# The proxy ends TLS and says so, and passes the host's name on.
THROUGH_PROXY = {"X-Forwarded-Proto": "https", "Host": "patchbay.example.org"}
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("sqlite" in settings.DATABASES["default"]["ENGINE"], reason="needs PostgreSQL and Redis"),
]


def commands(folder: Path) -> dict[str, list[str]]:
    """By chapter, with the places of this checkout and of the test."""
    places = {"/opt/patchbay": str(settings.BASE_DIR), "/etc/patchbay/environment": str(folder / "environment")}
    found: dict[str, list[str]] = {}
    for title, block in BLOCKS:
        if title:
            chapter = found.setdefault(title.partition(",")[0], [])
        else:
            for place, ours in places.items():
                block = block.replace(place, ours)
            chapter += block.strip().splitlines()
    return {title: lines for title, lines in found.items() if lines}


def variables(folder: Path) -> str:
    """Those of the example, with what this machine has in place of what an operator fills in, as lines of their file."""
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]
    given = dict(line.split("=", 1) for line in lines if not line.endswith("="))
    redis = os.environ["CELERY_BROKER_URL"]
    ports = {f"FILE_SERVER_{kind}_PORT": str(free_port()) for kind in ("FTP", "HTTP", "TFTP")}
    ours = {
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": redis,
        "CACHE_URL": redis,
        "DATA_DIR": str(folder / "data"),
        "FILE_SERVER_HOST": "127.0.0.1",
        "PHONE_NETWORKS": "127.0.0.0/8",
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    return "".join(f"{name}={value}\n" for name, value in (given | ports | ours).items())


@pytest.fixture
def machines(tmp_path) -> Iterator[Processes]:
    with processes(tmp_path) as started:
        started.environment = {"PATH": os.environ["PATH"], "ADMIN_PASSWORD": PASSWORD}
        yield started


def shell(machines: Processes, *lines: str, **variables: str) -> str:
    """As typed: in one shell, which ends at the first command that fails."""
    ran = subprocess.run(
        ["sh", "-e", "-c", "\n".join(lines)],
        cwd=settings.BASE_DIR,
        env=machines.environment | variables,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, (lines, ran.stdout, ran.stderr)
    return ran.stdout


class Load(threading.Thread):
    """Reads a page from the proxy, or where there is none from the web servers in turn, and counts the answers."""

    def __init__(self, urls: list[str]) -> None:
        super().__init__(daemon=True)
        self.urls, self.answers, self.stopping = urls, Counter[str](), threading.Event()

    def run(self) -> None:
        with client() as kept:
            # Ten a second from each while processes start: hundreds of requests, which leave these the machine.
            while not self.stopping.wait(0.1):
                for url in self.urls:
                    try:
                        self.answers[str(kept.get(f"{url}/admin/login/").status_code)] += 1
                    except httpx.HTTPError as error:
                        self.answers[type(error).__name__] += 1


def client(**options: Any) -> httpx.Client:
    """Says what a proxy says; the real one says it itself."""
    return httpx.Client(headers=THROUGH_PROXY, verify=False, timeout=60, **options)


def start_web(machines: Processes, name: str, command: list[str]) -> str:
    port = str(free_port())
    machines.run(name, [port if part == "8000" else part for part in command])
    return f"http://127.0.0.1:{port}"


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", headers=THROUGH_PROXY, verify=False, timeout=60).status_code == 200
    except httpx.HTTPError:
        return False


def workers_of(master: int) -> set[int]:
    return set(map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()))


def test_the_page_leads_to_a_portal_that_restarts_without_a_refused_request(machines):
    page = commands(machines.folder)
    enter, make_keys, take = page["The variables"]
    keys = shell(machines, enter, make_keys)
    assert [line.partition("=")[0] for line in keys.splitlines()] == ["SECRET_KEY", "ENCRYPTION_KEYS"]
    (machines.folder / "environment").write_text(keys + variables(machines.folder))
    started = shell(machines, enter, take, "env -0").split("\0")
    machines.environment = dict(each.split("=", 1) for each in started if each)
    shell(machines, *page["The tables and the first administrator"])

    web, worker, sweep, files = map(shlex.split, page["The processes"])
    urls = [start_web(machines, f"web{number}", web) for number in (1, 2)]
    for number in (1, 2):
        machines.run(f"worker{number}", [part.replace("1@", f"{number}@") for part in worker])
    machines.run("sweep", sweep)
    machines.run("files", files)
    machines.until(lambda: all(map(answers, urls)))

    doctor, ready = page["Is it in order?"]
    machines.until(lambda: is_ready(machines, ready.replace("http://127.0.0.1:8000", urls[0])))
    found = [json.loads(line)["code"] for line in shell(machines, f"{doctor} --json || true").splitlines()]
    # Who runs the tests may be root.
    assert set(found) <= ({"patchbay.W106"} if os.geteuid() == 0 else set())
    if nginx.NGINX:
        urls = [start_proxy(machines, urls)]
    assert_administrator(urls[-1])
    with load_on(urls):
        reload(machines, page["Restarts without a refused request"])
        if nginx.NGINX:
            restart(machines)


def start_proxy(machines: Processes, urls: list[str]) -> str:
    ports = {"tls": free_port(), "plain": free_port()}
    web = [int(url.rpartition(":")[2]) for url in urls]
    machines.run("proxy", nginx.command(nginx.write_configuration(machines.folder, web=web, **ports)))
    url = f"https://127.0.0.1:{ports['tls']}"
    machines.until(lambda: answers(url))
    plain = httpx.get(f"http://127.0.0.1:{ports['plain']}/admin/", headers={"Host": "patchbay.example.org"}, timeout=60)
    assert (plain.status_code, plain.headers["Location"]) == (301, "https://patchbay.example.org/admin/")
    return url


def is_ready(machines: Processes, line: str) -> bool:
    try:
        return '"status": "ok"' in shell(machines, line)
    except AssertionError:
        return False


def assert_administrator(url: str) -> None:
    with client(base_url=url) as browser:
        token = browser.get("/admin/login/").cookies["csrftoken"]
        browser.cookies.clear()
        body = {"username": "admin@example.org", "password": PASSWORD, "csrfmiddlewaretoken": token}
        # Cookies are for TLS alone, which is not spoken without a proxy.
        headers = {"Referer": "https://patchbay.example.org/", "Cookie": f"csrftoken={token}"}
        answer = browser.post("/admin/login/", data=body, headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


@contextmanager
def load_on(urls: list[str]) -> Iterator[None]:
    """Every request is answered, and there are many until the end."""
    load = [Load(urls) for _ in range(2)]
    for each in load:
        each.start()

    def total() -> Counter[str]:
        return sum((each.answers for each in load), Counter[str]())

    wait_for(lambda: total()["200"] > 50)
    yield
    before = total()
    wait_for(lambda: total()["200"] > before["200"] + 50)
    for each in load:
        each.stopping.set()
        each.join()
    print(f"answers: {total()}")
    assert set(total()) == {"200"}, total()


def url_of(machines: Processes, name: str) -> str:
    command = machines.running[name].args
    return f"http://127.0.0.1:{command[command.index('--port') + 1]}"


def reload(machines: Processes, lines: list[str]) -> None:
    """One web server after the other takes new code."""
    for name in ("web1", "web2"):
        master = machines.running[name].pid
        before = workers_of(master)
        shell(machines, *lines, WEB_PID=str(master))
        wait_for(lambda master=master, before=before: not before & workers_of(master), 180)
        wait_for(lambda name=name: answers(url_of(machines, name)))
        assert machines.running[name].poll() is None


def restart(machines: Processes) -> None:
    """The same for new variables, as `systemctl restart` does it: the proxy gives its requests to the other one."""
    for name in ("web1", "web2"):
        stopped = machines.running.pop(name)
        stopped.send_signal(signal.SIGTERM)
        stopped.wait(180)
        started = machines.run(name, stopped.args)
        machines.until(lambda started=started: len(workers_of(started.pid)) == 2)
        machines.until(lambda name=name: answers(url_of(machines, name)))


def test_the_page_names_no_command_that_is_not_there():
    assert set(re.findall(r"manage\.py (\w+)", PAGE.read_text())) <= get_commands().keys()
