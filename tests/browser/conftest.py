"""A real browser at a live server, with a worker beside it and simulated phones on the other end."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.request import DEPLOYMENTS
from tests.admin_people import at_desk
from tests.browser.window import ARGUMENTS, CHROMIUM, PATIENCE, SIZES, Window
from tests.phones_app.conftest import site

__all__ = ["site"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    if CHROMIUM is None:
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="chromium is not installed"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    sync_api.expect.set_options(timeout=PATIENCE)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


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
            window.see("localStorage.clear()")
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
            while not stopped.wait(0.2):
                run_queue(DEPLOYMENTS)
        finally:
            connection.close()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    yield
    stopped.set()
    thread.join()
