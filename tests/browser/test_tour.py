"""The README's tour at a portal with another folder and another port; its last step is copied from the terminal."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.window import PATIENCE
from tests.servers import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
# Of a terminal that somebody has just opened.
TERMINAL = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
PHONE, PROFILE = "00:00:5E:00:53:01", "Front desk night"
MADE = "00:00:5E:00:53:05"
# Web server, worker, sweep, file server, simulated phones.
SERVICES = 5


class Run:
    """`make run PORT=… DATA_DIR=…`, as the Makefile starts it."""

    def __init__(self, folder: Path, log: Path) -> None:
        port = free_port()
        self.url, self.folder, self.log = f"http://127.0.0.1:{port}", folder, log
        ports = {f"FILE_SERVER_{kind}_PORT": "0" for kind in ("FTP", "HTTP", "TFTP")}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(port)],
                cwd=ROOT,
                env=TERMINAL | ports | {"DATA_DIR": str(folder), "LOG_LEVEL": "WARNING"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def wait(self) -> None:
        wait_for(lambda: any(line.startswith("curl") for line in self.lines) or self.process.poll() is not None, 300)
        assert self.process.poll() is None, self.lines

    def end(self) -> None:
        """As somebody does it with ctrl-c; none of its processes stays, whatever happens."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(180)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Iterator[Run]:
    place = tmp_path_factory.mktemp("tour")
    one = Run(place / "a folder", place / "terminal")
    try:
        one.wait()
        yield one
    finally:
        one.end()


def test_mail_of_its_processes_links_to_its_own_address(run):
    assert f"The data folder is {run.folder}" in run.log.read_text()

    def told() -> list[bytes]:
        """What each was told; one that has only just begun has nothing yet."""
        children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()
        return [environ for child in children if (environ := Path(f"/proc/{child}/environ").read_bytes())]

    # One that has been forked and does not run its own program yet shows what its parent was told.
    url = f"PUBLIC_URL={run.url}".encode()
    wait_for(lambda: [url in environ.split(b"\0") for environ in told()].count(True) >= SERVICES)
    wait_for(lambda: all(url in environ.split(b"\0") for environ in told()))


def test_the_tour_of_the_readme(chromium, run):
    [told] = [line for line in run.lines if "log in as" in line]
    email = re.search(r"log in as (\S+)", told)[1]
    password = run.lines[run.lines.index(told) + 1]
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{run.url}/admin/")
    page.fill("#id_username", email)
    page.fill("#id_password", password)
    page.click("button[type=submit]")
    page.get_by_text("hold their first file").wait_for()
    page.get_by_role("link", name=re.compile(r"(^|\s)Phones$")).first.click()
    page.get_by_role("link", name=MADE).click()
    page.get_by_role("link", name="Configuration…").click()
    page.get_by_text("location Boathouse").first.wait_for()
    page.goto(f"{run.url}/admin/phones_app/phone/")
    page.get_by_role("link", name=PHONE).click()
    page.get_by_role("link", name="Deploy…").click()
    page.locator(".select2-selection").click()
    page.get_by_role("option", name=PROFILE).click()
    page.get_by_role("button", name="Show what would happen").click()
    page.get_by_role("button", name="Deploy to 1 phone").click()
    page.locator("#timeline[data-state=confirmed]").wait_for()

    lines = run.lines[[line.startswith("TOKEN=") for line in run.lines].index(True) :][:3]
    done = subprocess.run(
        ["bash", "-ec", "\n".join(lines)], cwd=ROOT, env=TERMINAL, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    profiles, switched = map(json.loads, re.findall(r"\{\"success.*?(?=\{\"success|$)", done.stdout, re.DOTALL))
    assert PROFILE in {profile["name"] for profile in profiles["data"]}
    assert switched["success"], switched


def test_the_readme_shows_the_lines_that_are_printed():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```\n   TOKEN=.*?```", readme, re.DOTALL)[0]
    for part in (
        "manage.py create_token --account 1000001 | tail -n 1",
        "/api/v1/phone-profiles",
        "/phone-profiles/switch",
    ):
        assert part in block
