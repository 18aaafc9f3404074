"""`python -m tests.ten_jobs`: docs/ten-jobs.md, made of what tests/browser/ten_jobs.toml says that ten jobs took before
and take now; tests/browser/test_ten_jobs.py does them and compares.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "tests" / "browser" / "ten_jobs.toml"
DOCUMENT = ROOT / "docs" / "ten-jobs.md"
COUNTED = ("clicks", "pages", "typed")
HEAD = """# Ten jobs of an administrator's day

What each takes in the admin, from its first page until the job is done: clicks (choosing in a list and the Enter key
are clicks, too), pages that are loaded, boxes that are filled (a chosen file is one), and the seconds in which a program
at a real browser does it, which portal and browser need for the pages. Before → now: *before* is what it took when this
was first counted. `tests/browser/test_ten_jobs.py` does the jobs, and fails when one takes more than is written here;
this page is made of `tests/browser/ten_jobs.toml` (`python -m tests.ten_jobs`).

The seconds of before and now were measured one after the other on the same two cores, which were not quite idle.

| job | clicks | pages | boxes | seconds |
|---|---|---|---|---|
"""


@dataclass
class Job:
    """`before` is None where the admin had no way to do it; `way` is how it is done now."""

    name: str
    title: str
    way: str
    now: dict[str, float]
    before: dict[str, float] | None = None

    @property
    def row(self) -> str:
        cells = [f"{self._before(name)} → {self.now[name]:g}" for name in (*COUNTED, "seconds")]
        return f"| {self.title} | {' | '.join(cells)} |"

    def _before(self, name: str) -> str:
        return "–" if self.before is None else f"{self.before[name]:g}"


def jobs() -> list[Job]:
    rows: list[dict[str, Any]] = tomllib.loads(WRITTEN.read_text(encoding="utf-8"))["job"]
    return [Job(**row) for row in rows]


def document() -> str:
    written = jobs()
    ways = "".join(f"- **{job.title}**: {job.way}\n" for job in written)
    return HEAD + "\n".join(job.row for job in written) + f"\n\n## How\n\n{ways}"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
