"""The hand of a person at the admin, for tests that count what a job takes: clicks, pages that are loaded, boxes that
are filled, and seconds until the job is done.
"""

import re
import time
from dataclasses import asdict, dataclass

from django.urls import reverse

from tests.browser.window import Window


@dataclass
class Effort:
    """What one job took. Choosing in a list is a click, and so is the Enter key; a chosen file is a filled box."""

    clicks: int = 0
    pages: int = 0
    typed: int = 0
    seconds: float = 0.0

    @property
    def counts(self) -> dict[str, int]:
        return {name: value for name, value in asdict(self).items() if name != "seconds"}


class Hand:
    def __init__(self, desk: Window) -> None:
        self.desk, self.page = desk, desk.page
        self.effort, self.began = Effort(), time.monotonic()
        self.page.on("framenavigated", self._note_page)
        self.place = ""

    def _note_page(self, frame: object) -> None:
        if frame == self.page.main_frame:
            # A place within the page is no other page.
            before, self.place = self.place, frame.url.partition("#")[0]
            self.effort.pages += before != self.place or "#" not in frame.url

    @property
    def clicks(self) -> int:
        return self.effort.clicks

    def start(self) -> None:
        """Begin a job at the first page of the admin, which is not counted."""
        self.desk.open(reverse("admin:index"))
        self.effort, self.began = Effort(), time.monotonic()

    def done(self) -> Effort:
        self.effort.seconds = time.monotonic() - self.began
        return self.effort

    def link(self, name: str) -> None:
        # Beside an icon, whose name is read with it.
        self.click(self.page.get_by_role("link", name=re.compile(rf"(^|\s){re.escape(name)}$")))

    def row(self, name: str) -> None:
        """Of a list: whatever the link says beside the name."""
        self.click(self.page.locator("#result_list").get_by_role("link", name=name))

    def menu(self, name: str) -> None:
        self.click(self.page.locator("#nav-sidebar, nav").get_by_role("link", name=re.compile(rf"(^|\s){name}$")))

    def button(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def add(self) -> None:
        self.click(self.page.locator("a.addlink"))

    def choose(self, label: str, option: str) -> None:
        self.effort.clicks += 1
        self.page.get_by_label(label).select_option(label=option)

    def tick(self, label: str) -> None:
        self.click(self.page.get_by_text(label, exact=True))

    def type(self, label: str, text: str) -> None:
        # A star stands behind the names of boxes that must be filled.
        self.fill(self.page.get_by_label(re.compile(rf"^\s*{label}\s*\*?\s*$")), text)

    def fill(self, box: object, text: str) -> None:
        self.effort.typed += 1
        box.first.fill(text)

    def enter(self) -> None:
        self.effort.clicks += 1
        self.page.keyboard.press("Enter")

    def search(self, text: str) -> None:
        """In the search box of a list."""
        self.fill(self.page.locator("#searchbar"), text)
        self.enter()
        self.page.wait_for_url("**q=*")

    def click(self, target: object) -> None:
        self.effort.clicks += 1
        target.first.click()

    def file(self, name: str, rows: list[str]) -> None:
        """Choose a CSV file."""
        self.effort.typed += 1
        content = {"name": name, "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
        self.page.set_input_files("input[type=file]", content)

    def upload(self, menu: str, rows: list[str]) -> None:
        self.menu(menu)
        self.link("Import…")
        self.file("a.csv", rows)
        self.button("Check the file")
        self.button("Import")
        self.page.get_by_text("is imported").wait_for()
