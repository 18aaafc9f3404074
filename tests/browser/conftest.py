"""A real browser at a live server, with a worker beside it and simulated phones on the other end."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.request import DEPLOYMENTS
from tests.admin_people import at_desk
from tests.phones_app.conftest import site

__all__ = ["site"]

# The first one that is installed: the shell draws the same pages and has nothing of a desktop's browser to load.
PROGRAMS = [Path(f"/usr/bin/{name}") for name in ("chromium-headless-shell", "chromium")]
CHROMIUM = next((program for program in PROGRAMS if program.exists()), None)
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# Pictures of the pages, for somebody to look at: each takes as long as the page itself, so they are made when asked for.
RESULTS = Path(__file__).resolve().parents[2] / "test-results"
PICTURES = os.environ.get("PICTURES") == "1"
# Colours fade from one theme to the other: after two frames of the new size, whatever still moves is put to its end.
SETTLED = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
    const moving = document.getAnimations().filter((each) => each.effect?.getComputedTiming().endTime !== Infinity);
    moving.forEach((each) => each.finish());
    Promise.allSettled(moving.map((each) => each.finished)).then(() => done(true));
})))"""
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    if CHROMIUM is None:
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="chromium is not installed"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


# What a page is looked through for; each yields what it finds as texts.
NAMELESS, FAINT = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("nameless.js", "faint.js"))


class Window:
    """A logged-in browser window that notes every request to another host and every error of its scripts."""

    def __init__(self, context: object, base: str) -> None:
        self.base = base
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.strayed: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", self._note_request)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)

    def _note_request(self, request: object) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.strayed.append(request.url)

    def log_in(self, email: str) -> None:
        self.open(reverse("admin:login"))
        self.page.fill("#id_username", email)
        self.page.fill("#id_password", "correct horse")
        self.page.click("button[type=submit]")
        self.page.wait_for_url(f"**{reverse('admin:index')}")

    def open(self, path: str) -> None:
        self.page.goto(f"{self.base}{path}")

    def become(self, size: str, theme: str = "light") -> None:
        """Another size and theme, while the page stays."""
        self.page.set_viewport_size(SIZES[size])
        self.page.emulate_media(color_scheme=theme)
        # The admin reads what the system prefers when a page is loaded.
        self.page.evaluate("(dark) => document.documentElement.classList.toggle('dark', dark)", theme == "dark")
        self.page.evaluate(SETTLED)

    def sticks_out(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def fits(self, name: str) -> None:
        """In both sizes, of which the smaller stays."""
        for size in SIZES:
            self.become(size)
            self.picture(f"{name}-{size}")
            assert self.sticks_out() == 0, (name, size)

    def nameless(self) -> list[str]:
        """Boxes that no label, title or other name tells apart for those who hear the page."""
        return self.page.evaluate(NAMELESS)

    def faint(self) -> list[str]:
        """Texts that stand out too little from what is behind them (WCAG 2.2, 1.4.3)."""
        return self.page.evaluate(FAINT)

    def picture(self, name: str) -> None:
        if PICTURES:
            RESULTS.mkdir(exist_ok=True)
            self.page.screenshot(path=RESULTS / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def browsing(chromium) -> Iterator[object]:
    """What windows have in common: scripts that one has loaded and compiled are there for the next."""
    # As the whole browser has it after a click; the shell asks nobody.
    context = chromium.new_context(permissions=["clipboard-write"])
    yield context
    context.close()


@pytest.fixture
def window(browsing, live_server, root) -> Iterator[Callable[..., Window]]:
    """Opens windows of a size and theme, with Root logged in; afterwards none may have strayed or stumbled."""
    opened: list[Window] = []
    # By hand it is done in test_log_in.py.
    session = at_desk(root).cookies[settings.SESSION_COOKIE_NAME].value
    browsing.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])

    def make(size: str = "desktop", theme: str = "light") -> Window:
        opened.append(window := Window(browsing, live_server.url))
        window.page.set_viewport_size(SIZES[size])
        window.page.emulate_media(color_scheme=theme)
        return window

    yield make
    browsing.clear_cookies()
    for window in opened:
        if window.page.url.startswith(window.base):
            window.page.evaluate("localStorage.clear()")
        window.page.close()
    for window in opened:
        assert not window.strayed, "something was loaded from outside"
        assert not window.errors


@pytest.fixture
def worker(no_inline_work) -> Iterator[None]:
    """Carries deployments out in the background, as the worker process does."""
    stopped = threading.Event()

    def work() -> None:
        try:
            while not stopped.wait(0.1):
                run_queue(DEPLOYMENTS)
        finally:
            connection.close()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    yield
    stopped.set()
    thread.join()
