"""A window of a real browser at the portal, and what a page in it is looked through for."""

import os
from pathlib import Path

from django.urls import reverse

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
# Milliseconds for whatever a page is waited for: pages take their time while other tests run beside.
PATIENCE = 180_000
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
# What htmx says of a request that is given up, as its page was left or a newer one took its place. Of one that failed it
# says something else, too.
GIVEN_UP = ("htmx:afterRequest", "htmx:sendAbort")
# What a page is looked through for; each yields what it finds as texts.
NAMELESS, FAINT = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("nameless.js", "faint.js"))


class Window:
    """A logged-in browser window that notes every request to another host and every error of its scripts."""

    def __init__(self, context: object, base: str) -> None:
        self.base = base
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.strayed: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", self._note_request)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self._note_line(line.type, line.text))

    def _note_line(self, kind: str, text: str) -> None:
        if kind == "error" and text not in GIVEN_UP:
            self.errors.append(text)

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
        self.see("(dark) => document.documentElement.classList.toggle('dark', dark)", theme == "dark")
        self.page.evaluate(SETTLED)

    def see(self, script: str, given: object = None) -> object:
        """What a script finds on the page: all of it, styles included, which may still be on its way after a click."""
        self.page.wait_for_load_state()
        return self.page.evaluate(script, given)

    def sticks_out(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.see("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def fits(self, name: str) -> None:
        """In both sizes, of which the smaller stays."""
        for size in SIZES:
            self.become(size)
            self.picture(f"{name}-{size}")
            assert self.sticks_out() == 0, (name, size)

    def nameless(self) -> list[str]:
        """Boxes that no label, title or other name tells apart for those who hear the page."""
        return self.see(NAMELESS)

    def faint(self) -> list[str]:
        """Texts that stand out too little from what is behind them (WCAG 2.2, 1.4.3)."""
        return self.see(FAINT)

    def serious(self, *, colours: bool = True) -> list[str]:
        """What axe-core calls serious or critical; without `colours` not which texts are faint, which takes longest."""
        from axe_playwright_python.sync_playwright import Axe

        self.page.wait_for_load_state()
        options = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": colours}}}
        found = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{each['id']}: {node['html'][:200]}"
            for each in found
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]

    def picture(self, name: str) -> None:
        if PICTURES:
            RESULTS.mkdir(exist_ok=True)
            self.page.wait_for_load_state()
            self.page.screenshot(path=RESULTS / f"{name}.png", full_page=True)
