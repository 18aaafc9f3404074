"""`python -m tests.tour_pictures [NAME…]`: the pictures of docs/tour.md, of a portal with its demo that is started here.

Each walk leads a browser to one page; what it then shows is kept as docs/images/tour-NAME.webp.
"""

import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "images"
PASSWORD = "a-demo-of-one-minute"
SIZE = {"width": 1280, "height": 800}
MADE, DEPLOYED = "00:00:5E:00:53:05", "00:00:5E:00:53:01"

Walk = Callable[[Any, str], None]


def phone(page: Any, url: str, mac: str) -> None:
    page.goto(f"{url}/admin/phones_app/phone/")
    page.get_by_role("link", name=mac).first.click()
    page.wait_for_load_state("networkidle")


def phones(page: Any, url: str) -> None:
    page.goto(f"{url}/admin/phones_app/phone/")


def configuration(page: Any, url: str) -> None:
    phone(page, url, MADE)
    page.get_by_role("link", name="Configuration…").click()
    page.get_by_text("location Boathouse").first.wait_for()


def deploy(page: Any, url: str) -> None:
    phone(page, url, DEPLOYED)
    page.get_by_role("link", name="Deploy…").click()
    page.locator(".select2-selection").click()
    page.get_by_role("option", name="Front desk night").click()
    page.get_by_role("button", name="Show what would happen").click()
    page.get_by_role("button", name="Deploy to 1 phone").wait_for()


def confirmed(page: Any, url: str) -> None:
    deploy(page, url)
    page.get_by_role("button", name="Deploy to 1 phone").click()
    page.locator("#timeline[data-state=confirmed]").wait_for()


def screen(page: Any, url: str) -> None:
    phone(page, url, DEPLOYED)
    page.locator("summary", has_text="More").click()
    page.get_by_role("link", name="Phone screen…").click()
    page.wait_for_load_state("networkidle")


def trace(page: Any, url: str) -> None:
    phone(page, url, DEPLOYED)
    page.get_by_text("Boot trace").first.scroll_into_view_if_needed()


def layers(page: Any, url: str) -> None:
    page.goto(f"{url}/admin/phones_app/layer/")


# A later one shows what an earlier one did.
WALKS: dict[str, Walk] = {
    "configuration": configuration,
    "layers": layers,
    "deploy": deploy,
    "confirmed": confirmed,
    "trace": trace,
    "screen": screen,
    "phones": phones,
}


@contextmanager
def demo() -> Iterator[str]:
    """`make run` with a folder and ports of its own."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    ports = {f"FILE_SERVER_{kind}_PORT": "0" for kind in ("FTP", "HTTP", "TFTP")}
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        environment = os.environ | ports | {"DATA_DIR": f"{folder}/data", "ADMIN_PASSWORD": PASSWORD}
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)], cwd=ROOT, env=environment, stdout=log
        )
        try:
            while not re.search("^curl", _said(log), re.MULTILINE):
                if process.poll() is not None:
                    sys.exit(_said(log))
                time.sleep(0.5)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(180)


def _said(log: Any) -> str:
    return os.pread(log.fileno(), 1_000_000, 0).decode()


def main(names: list[str]) -> None:
    import django
    from playwright.sync_api import sync_playwright

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.browser.window import ARGUMENTS, CHROMIUM

    with demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_context(viewport=SIZE, color_scheme="light").new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{url}/admin/")
        page.fill("#id_username", "admin@example.org")
        page.fill("#id_password", PASSWORD)
        page.click("button[type=submit]")
        page.get_by_text("hold their first file").wait_for()
        for name in names or WALKS:
            WALKS[name](page, url)
            picture = Image.open(io.BytesIO(page.screenshot()))
            picture.save(PICTURES / f"tour-{name}.webp", quality=80, method=6)
            print(name)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
