"""docs/benchmarks.json: for each benchmark the figures of its last run, and where and how big that run was."""

import ctypes
import json
import os
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, compact, figure_from

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "benchmarks.json"
# Parts of a core's time that other programs may use: above it a machine is called busy.
QUIET = 0.1
# prctl(2): what a process leaves behind becomes a child of ours.
PR_SET_CHILD_SUBREAPER = 36
# Seconds that what is left behind may take to end.
LEFT_BEHIND = 5


@dataclass
class Run:
    """One run of one benchmark. `others` is the part of all cores that other programs used meanwhile, about."""

    date: str = ""
    commit: str = ""
    cores: int = 0
    load: list[float] = field(default_factory=list)
    busy_before: float = 0.0
    others: float = 0.0
    seconds: float = 0.0
    sizes: dict[str, list[int | float | str]] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    @property
    def is_quiet(self) -> bool:
        return max(self.busy_before, self.others) <= QUIET

    @property
    def unusual(self) -> dict[str, str]:
        """Sizes that are not the usual ones, with these."""
        return {name: f"{value} (usually {usual})" for name, (value, usual) in self.sizes.items() if value != usual}


def read(path: Path = RESULTS) -> dict[str, Run]:
    if not path.exists():
        return {}
    stored = json.loads(path.read_text())
    return {
        name: Run(**run | {"figures": [figure_from(row) for row in run["figures"]]}) for name, run in stored.items()
    }


def store(name: str, run: Run, path: Path = RESULTS) -> None:
    """In the place of the last run of this benchmark; those of others stay."""
    runs = read(path) | {name: run}
    rows: dict[str, Any] = {
        each: asdict(of) | {"figures": [compact(figure) for figure in of.figures]} for each, of in sorted(runs.items())
    }
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


@contextmanager
def watched() -> Iterator[Run]:
    """A run that is going on: what the machine does before, besides and after."""
    cores = os.cpu_count() or 1
    used, began = _used(), time.monotonic()
    time.sleep(1)
    run = Run(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=_commit(),
        cores=cores,
        busy_before=round((_used() - used) / (time.monotonic() - began) / cores, 2),
        load=[round(os.getloadavg()[0], 1)],
    )
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    used, ours, began = _used(), _used_by_children(), time.monotonic()
    yield run
    _wait_for_orphans()
    seconds = time.monotonic() - began
    run.seconds = round(seconds, 1)
    run.load.append(round(os.getloadavg()[0], 1))
    others = (_used() - used) - (_used_by_children() - ours)
    run.others = round(max(0.0, others) / seconds / cores, 2)


def _used() -> float:
    """Seconds of processor time since the machine has started, of all cores (proc(5)); idle and iowait are none."""
    fields = [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def _wait_for_orphans() -> None:
    """A browser does not wait for its own processes when it is closed: what these used would be others'."""
    deadline = time.monotonic() + LEFT_BEHIND
    with suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.05)


def _used_by_children() -> float:
    """Of those that have ended and were waited for, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _commit() -> str:
    def git(*command: str) -> str:
        return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    # Results and page are not part of what is measured.
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    return git("rev-parse", "--short=10", "HEAD") + (" and changes" if changed else "")
