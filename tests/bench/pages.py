"""Every page of the admin and the portal in a real browser with 100,000 phones: how long it loads, what is wrong on it.

The web server is that of an installation (granian, two processes) with PostgreSQL; in it are the demo, 100,000
phones, each with a deployment of one rollout, and rows of every list. The pages are found from the admin itself: its
menu, and the list, the add page, a row, a filter and a search of every registered model, then whatever these pages
link to, one page of each kind; in the portal the same from its first page. Each is loaded once in a warm browser, in
turn 1280 and 390 pixels wide; what took longer than half a second is loaded twice more, and the median counts. Then
it is turned to the other width and the other colours; axe-core looks at it at both widths and in both colour modes.
BENCH_PHONES says how many phones there are.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from urllib.parse import urljoin, urlsplit

from tests.bench.database import migrated
from tests.bench.figures import Figure
from tests.bench.sizes import size
from tests.bench.web import ROOT, web_server
from tests.browser.window import ARGUMENTS, CHROMIUM, SIZES, Window

PHONES = size("BENCH_PHONES", 100_000)
# Milliseconds: the goal, and from when on a page is loaded again.
GOAL, AGAIN = 1000, 500
# Chapters are all alike, and so are rows; every path that differs in anything else is another page.
KEY = re.compile(r"(?<=/)(?:\d+|[0-9a-f]{8}-[0-9a-f-]{27}|SEP[0-9A-F]{12}|[0-9A-F]{12})(?=/)")
# In turn: how a page is loaded, and what it is turned to then.
LOOKS = (
    (("desktop", "light"), ("phone", "dark")),
    (("phone", "light"), ("desktop", "dark")),
    (("desktop", "dark"), ("phone", "light")),
    (("phone", "dark"), ("desktop", "light")),
)
LINKS = "() => Array.from(document.querySelectorAll('a[href]'), (link) => link.href)"
TIMES = """() => {
    const seen = performance.getEntriesByType("navigation")[0];
    return [seen.responseStart - seen.requestStart, Math.max(seen.loadEventStart, seen.loadEventEnd) - seen.startTime];
}"""


@dataclass
class Seen:
    """What was found on the pages of one site."""

    took: dict[str, float] = field(default_factory=dict)
    server: dict[str, float] = field(default_factory=dict)
    found: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def measure() -> Iterator[Figure]:
    if CHROMIUM is None:
        yield Figure("all of it", said="not measured: chromium is not installed")
        return
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environment = os.environ | {
            "DATA_DIR": folder,
            "DATABASE_URL": stack.enter_context(migrated()),
            "LOG_LEVEL": "WARNING",
            # No worker is there, and nothing is sent while rows are made.
            "CELERY_TASK_ALWAYS_EAGER": "0",
            "CELERY_BROKER_URL": "memory://",
            "PHONE_NETWORKS": "127.0.0.0/8",
        }
        inside = [sys.executable, "-m", "tests.bench.pages_rows"]
        made = json.loads(subprocess.check_output(inside, cwd=ROOT, env=environment))
        yield Figure(f"{made['phones']:,} phones and what belongs to them made in", [made["seconds"]], "s")
        port, _ = stack.enter_context(web_server("config.wsgi:application", environment))
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        stack.callback(browser.close)
        for site, start in made["sites"].items():
            context = browser.new_context()
            context.add_cookies([{**cookie, "url": f"http://127.0.0.1:{port}"} for cookie in made["cookies"][site]])
            window = Window(context, f"http://127.0.0.1:{port}")
            yield from _walked(site, window, start)
            if site == "admin":
                yield from _searched(window, made["words"])
            context.close()


def _walked(site: str, window: Window, start: list[str]) -> Iterator[Figure]:
    seen, waiting, known = Seen(), list(start), {*map(_kind, start)}
    below = f"/{urlsplit(start[0]).path.split('/')[1]}/"
    for path in start[:4] * 4:
        window.open(path)  # both processes of the web server and the browser have read what they read once
    number = 0
    while waiting:
        path = waiting.pop(0)
        looks = LOOKS[number % len(LOOKS)]
        if not _loaded(window, path, looks[0], seen):
            continue
        number += 1
        for url in map(urlsplit, window.page.evaluate(LINKS)):
            link = f"{url.path}?{url.query}" if url.query else url.path
            if url.netloc == urlsplit(window.base).netloc and url.path.startswith(below) and _kind(link) not in known:
                known.add(_kind(link))
                waiting.append(link)
        for each, theme in looks:
            window.become(each, theme)
            for what in window.serious():
                seen.found["axe-core"].append(f"{path}, {each}, {theme}: {what}")
            if wide := window.sticks_out():
                seen.found["wider than the window"].append(f"{path}, {each}: {wide} pixels")
    took = sorted(seen.took.values())
    pages = f"{site}, {number} pages"
    yield Figure(f"{pages}: until the slowest is loaded", [took[-1]], "ms", goal=GOAL, said=_longest(seen.took))
    yield Figure(f"{pages}: until 95 % are loaded", [took[len(took) * 95 // 100]], "ms")
    yield Figure(f"{pages}: until half of them are", [median(took)], "ms")
    yield Figure(f"{site}: the web server's part, longest", said=_longest(seen.server))
    for what, title in (
        ("axe-core", "serious or critical findings of axe-core"),
        ("console", "errors on the console"),
        ("outside", "requests to other hosts"),
        ("wider than the window", "pages wider than the window"),
        ("server", "pages that are not answered"),
    ):
        told = "; ".join(each.replace("\n", " ")[:300] for each in seen.found[what][:8])
        yield Figure(f"{site}: {title}", [float(len(seen.found[what]))], "", goal=0, said=told)
        for each in seen.found[what]:
            print(f"{what}: {each}", file=sys.stderr)


def _longest(took: dict[str, float]) -> str:
    return "; ".join(f"{path} {took[path]:.0f} ms" for path in sorted(took, key=lambda path: -took[path])[:5])


def _loaded(window: Window, path: str, look: tuple[str, str], seen: Seen) -> bool:
    """False where it is no page: a file, or nothing that this person may do."""
    from playwright.sync_api import Error

    window.become(*look)
    window.errors.clear()
    window.strayed.clear()
    took: list[float] = []
    server: list[float] = []
    while not took or (max(took) > AGAIN and len(took) < 3):
        try:
            answer = window.page.goto(f"{window.base}{path}", wait_until="load")
        except Error as error:
            if "Download is starting" not in str(error) and "ERR_ABORTED" not in str(error):
                seen.found["server"].append(f"{path}: {error}")
            return False
        if answer.status in (403, 405) or "html" not in answer.headers.get("content-type", ""):
            return False
        if answer.status != 200:
            seen.found["server"].append(f"{path}: {answer.status}")
            return False
        times = window.page.evaluate(TIMES)
        server.append(times[0])
        took.append(times[1])
    seen.found["console"] += [f"{path}: {each}" for each in window.errors]
    seen.found["outside"] += [f"{path}: {each}" for each in window.strayed]
    seen.server[path], seen.took[path] = median(server), median(took)
    print(f"{path}, {SIZES[look[0]]['width']} px: {median(took):.0f} ms", file=sys.stderr)
    return True


def _kind(link: str) -> str:
    """Of rows one is enough, and what a list is asked for is said from the start."""
    return KEY.sub("N", urlsplit(link).path)


def _searched(window: Window, words: list[str]) -> Iterator[Figure]:
    """The search over everything, as the browser asks for it while somebody types."""
    group = "admin, search over everything"
    ask = """async (url) => {
        const began = performance.now(), answer = await fetch(url);
        await answer.text();
        return [answer.status, performance.now() - began];
    }"""
    window.open("/admin/")
    for word in words:
        asked = [window.page.evaluate(ask, urljoin(f"{window.base}/admin/", f"search/?s={word}")) for _ in range(3)]
        assert all(status == 200 for status, _ in asked), (word, asked)
        yield Figure(f"{group}: {word}", [median(took for _, took in asked)], "ms", goal=GOAL, group=group)
