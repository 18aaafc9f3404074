"""`python -m tests.bench [push deploy …]`: measure beside peers in the same run, print, and write docs/benchmarks.md.

Each benchmark is a process of its own and may take twenty minutes, all of them together 75 (BENCH_MINUTES):
what has no time left keeps the figures of its last run. `--page` only renders the page from what is written down.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.bench import page, results
from tests.bench.figures import figure_from, peers

# Those that take longest come last, and are the first to have no time left.
BENCHES = (
    "render",
    "restarts",
    "deploy",
    "adopt",
    "csv_import",
    "admission",
    "configuration",
    "messages",
    "backup",
    "calls",
    "deliveries",
    "requests",
    "lists",
    "boot",
    "push",
    "mobility",
    "pages",
    "rollout",
)
MINUTES = float(os.environ.get("BENCH_MINUTES", "75"))
LONGEST = 1200
TO_END = 30
console = Console()


def main(names: list[str]) -> int:
    if names != ["--page"]:
        if unknown := set(names) - set(BENCHES):
            sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
        deadline = time.monotonic() + 60 * MINUTES
        ended = [measured(name, deadline) for name in names or BENCHES]
        console.print(summary(names or list(BENCHES)))
        return int(not all(ended))
    page.write()
    return 0


def measured(name: str, deadline: float) -> bool:
    """Whether it ran to its end; only then its figures take the place of the last ones."""
    seconds = min(LONGEST, deadline - time.monotonic())
    console.rule(f"{name}: {escape(page.title_of(name))}")
    if seconds < 60:
        console.print(f"[red]no time left of {MINUTES:g} minutes (BENCH_MINUTES): the last figures stay")
        return False
    with results.watched() as run:
        if run.busy_before > results.QUIET:
            console.print(
                f"[yellow]The machine is busy: others use {run.busy_before:.0%} of it, load {run.load[0]}. "
                "Trust ratios and processor times, not the clock."
            )
        status = _carry_out(name, seconds, run)
    if status:
        console.print(f"[red]{status}: the last figures stay")
        return False
    console.print(f"{run.seconds:.0f} s; load {run.load[0]} before, {run.load[1]} after; others used {run.others:.0%}")
    results.store(name, run)
    page.write()
    return True


def _carry_out(name: str, seconds: float, run: results.Run) -> str:
    """Fill the run with what the benchmark yields, shown as it comes; why it did not end well, or nothing."""
    command = [sys.executable, "-m", "tests.bench.one", name]
    process = subprocess.Popen(
        command, cwd=results.ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, start_new_session=True
    )
    assert process.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    output = process.stdout

    def read() -> None:
        for line in output:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    until = time.monotonic() + seconds
    try:
        while (line := lines.get(timeout=max(0.0, until - time.monotonic()))) is not None:
            _take(line, run)
        code = process.wait(timeout=TO_END)
        return f"ended with status {code}" if code else ""
    except (queue.Empty, subprocess.TimeoutExpired):
        return f"not done after {seconds:.0f} s"
    finally:
        if process.poll() is None:
            # It ends the servers that it has started.
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=TO_END)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _take(line: str, run: results.Run) -> None:
    try:
        told = json.loads(line)
        sizes, figure = told.get("sizes"), told.get("figure")
    except (ValueError, AttributeError):
        console.print(escape(line.rstrip()), style="dim")
        return
    if sizes is not None:
        run.sizes = sizes
    if figure is not None:
        run.figures.append(one := figure_from(figure))
        console.print(escape("  ".join(filter(None, page.cells(one, peers(run.figures), not run.unusual).values()))))


def summary(names: list[str]) -> Table:
    table = Table(*page.COLUMNS, title="Benchmarks")
    for name in names:
        if run := results.read().get(name):
            table.add_section()
            table.add_row(f"[bold]{name}[/bold]")
            for row in page.rows(run):
                table.add_row(*map(escape, row))
    return table


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
