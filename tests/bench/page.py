"""docs/benchmarks.md: what docs/benchmarks.json says, with the method (the docstring of each benchmark) and what is known
besides (`notes/<benchmark>.md`).
"""

import ast
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from statistics import median
from textwrap import fill

from tests.bench.figures import Figure, number, peers
from tests.bench.results import RESULTS, Run, read

WIDTH = 120
PAGE = RESULTS.with_suffix(".md")
HERE = Path(__file__).parent
COLUMNS = ("what", "median", "rounds", "of the peer", "processor each", "goal")
HEAD = """# Benchmarks

`make bench` measures all of it and writes this page and `benchmarks.json` (at most 75 minutes, `BENCH_MINUTES`, and
twenty for each benchmark); `make bench ARGS="boot push"` some of it, and only their rows change. Peers run in the same
run and in turn with ours: bare WSGI and plain DRF, NetBox where `BENCH_NETBOX` and `BENCH_NETBOX_PYTHON` name a
checkout and the Python of its environment, lftp onto vsftpd, httpx, nginx, Jinja2. “Of the peer” is the ratio by the
clock of each round: 0.5 is half as fast. Where a run is marked busy, other programs used more than a tenth of the
machine: trust ratios and processor times there, not the clock. Sizes come from the environment variables named at each
run.
"""
NOTHING = "Not measured by `make bench` yet."


def write() -> None:
    PAGE.write_text(rendered(read()))


def rendered(runs: dict[str, Run]) -> str:
    from tests.bench.__main__ import BENCHES

    parts = [HEAD, "## Goals\n", _table(("benchmark", "what", "goal", "measured", "reached"), _goals(runs))]
    for name in BENCHES:
        parts += [f"## {name}\n", f"{fill(f'**{title_of(name)}** {_method(name)}', WIDTH, break_on_hyphens=False)}\n"]
        parts.append(_run(runs[name]) if name in runs else f"{NOTHING}\n")
        if (notes := HERE / "notes" / f"{name}.md").exists():
            parts.append(notes.read_text())
    return "\n".join(parts).rstrip() + "\n"


def title_of(name: str) -> str:
    """The first line of the benchmark's docstring."""
    return _docstring(name).partition("\n")[0]


def _docstring(name: str) -> str:
    # Not imported: some read Django's settings at once.
    return ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text())) or ""


def _method(name: str) -> str:
    return " ".join(_docstring(name).partition("\n")[2].split())


def _run(run: Run) -> str:
    others = f"others used {run.others:.0%} of it and {run.busy_before:.0%} just before"
    state = "quiet" if run.is_quiet else "**busy**"
    at = f"{run.date}, {run.commit}, {run.cores} cores"
    said = f"_{at}, {state}: load {run.load[0]} before, {run.load[-1]} after, {others}; {run.seconds:.0f} s._"
    if run.unusual:
        sizes = ", ".join(f"`{name}` {size}" for name, size in run.unusual.items())
        said += f" **Not of the usual size**, so that no goal is judged: {sizes}."
    return f"{fill(said, WIDTH, break_on_hyphens=False)}\n\n{_table(COLUMNS, rows(run))}"


def _table(columns: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    """Without the columns that no row has."""
    cells = [columns, *(tuple(cell.replace("|", "\\|") for cell in line) for line in lines)]
    if len(cells) == 1:
        return "–\n"
    used = [place for place in range(len(columns)) if any(line[place] for line in cells[1:])]
    table = [f"| {' | '.join(line[place] for place in used)} |" for line in cells]
    table.insert(1, f"|{'---|' * len(used)}")
    return "\n".join(table) + "\n"


def rows(run: Run) -> Iterator[tuple[str, ...]]:
    """The cells of each figure; those of a group are one row."""
    known = peers(run.figures)
    for group, some in groupby(run.figures, key=lambda figure: figure.group):
        figures = list(some)
        if group and len(figures) > 1:
            yield tuple(_cells_of_group(group, figures, not run.unusual).values())
        else:
            yield from (tuple(cells(figure, known, not run.unusual).values()) for figure in figures)


def cells(figure: Figure, known: dict[str, Figure], judged: bool = True) -> dict[str, str]:
    """By column; whether a goal is reached is only said of a run that is `judged`."""
    if not figure.rounds:
        return dict.fromkeys(COLUMNS, "") | {"what": figure.name, "median": figure.said}
    found = known.get(figure.of)
    peer = found if found and found.rounds else None
    compared = ""
    if figure.of and peer is None:
        compared = f"{figure.peer}: not measured"
    elif peer:
        compared = f"**{number(median(ratios := figure.ratios(peer)))}** of {figure.peer}"
        if len(ratios) > 1:
            compared += f" ({_range(ratios)})"
    cost = f"{number(median(figure.processor))} ms" if figure.processor else ""
    if peer and (ratio := figure.processor_ratio(peer)):
        cost += f" ({number(ratio)} of the peer)"
    return {
        "what": figure.name,
        "median": f"{number(figure.median)} {figure.unit}{f'; {figure.said}' if figure.said else ''}",
        "rounds": ", ".join(map(number, figure.rounds)) if len(figure.rounds) > 1 else "",
        "of the peer": compared,
        "processor each": cost,
        "goal": f"{figure.goals}{_reached(figure.reached(found) if judged else None)}" if figure.goals else "",
    }


def _reached(reached: bool | None) -> str:
    return {True: ": reached", False: ": **missed**", None: ""}[reached]


def _cells_of_group(group: str, figures: list[Figure], judged: bool) -> dict[str, str]:
    slowest = max(figures, key=lambda figure: figure.median)
    each = [figure.median for figure in figures]
    shown = f"{_range(each)} {slowest.unit}"
    most = f"{slowest.name.removeprefix(group).lstrip(': ')}" if max(each) > 1.5 * median(each) else ""
    return dict.fromkeys(COLUMNS, "") | {
        "what": f"{group}: {len(figures)} variants",
        "median": f"{number(median(each))} {slowest.unit}",
        "rounds": f"{shown}{f', most: {most}' if most else ''}",
        "goal": f"{slowest.goals}{_reached(slowest.reached(None) if judged else None)}" if slowest.goals else "",
    }


def _range(values: list[float]) -> str:
    least, most = number(min(values)), number(max(values))
    return least if least == most else f"{least}–{most}"


def _goals(runs: dict[str, Run]) -> Iterator[tuple[str, ...]]:
    for name, run in runs.items():
        known = peers(run.figures)
        groups = set()
        for figure in run.figures:
            if not figure.goals or (figure.group and figure.group in groups):
                continue
            groups.add(figure.group)
            of = [each for each in run.figures if figure.group and each.group == figure.group] or [figure]
            slowest = max(of, key=lambda each: each.median if each.rounds else 0)
            peer = known.get(slowest.of)
            measured = f"{number(slowest.median)} {slowest.unit}" if slowest.rounds else slowest.said
            if slowest.goal_ratio is not None and peer and peer.rounds and slowest.rounds:
                measured += f", {number(median(slowest.ratios(peer)))} of {slowest.peer}"
            says = {True: "yes", False: "**no**", None: "not measured"}[slowest.reached(peer)]
            if run.unusual:
                says = "not of the usual size"
            elif not run.is_quiet:
                says += " (on a busy machine)"
            yield f"[{name}](#{name})", figure.group or figure.name, slowest.goals, measured, says
