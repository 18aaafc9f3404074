"""Everything that docs/scale.md says in numbers: measured or computed once, and kept as docs/scale.json."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.figures import number
from tests.bench.results import ROOT, watched
from tests.bench.sizes import size
from tests.scale.chart import Line, chart
from tests.scale.fleet import STAGES, Fleet, measured
from tests.scale.queueing import MEASURED, Fit, Solved, fitted
from tests.scale.storm import KEPT, NEW, UNDER_LOAD, Storm, simulated

KEPT_AS = ROOT / "docs" / "scale.json"
IMAGES = ROOT / "docs" / "images"
PHONES = size("SCALE_PHONES", 20_000)
CORES, WORKERS = (2, 4, 8), (1, 2, 4, 8)
# The wait for a server at another site is that on the machine and four ways there and back, of so many milliseconds.
TRIPS, AWAY = 4, 0.5
# Phones, file servers, milliseconds of a request.
STORMS = (
    (2_000, 1, NEW),
    (10_000, 1, KEPT),
    (10_000, 1, NEW),
    (20_000, 1, UNDER_LOAD),
    (50_000, 1, NEW),
    (50_000, 4, NEW),
)
PARTS = (0.5, 0.9, 0.99, 1.0)


def made() -> dict[str, Any]:
    """All of it anew, which starts a PostgreSQL."""
    with watched() as run:
        fleets = measured([PHONES // 4, PHONES // 2, PHONES])
    figures = {
        "run": {name: value for name, value in asdict(run).items() if name not in ("figures", "sizes")},
        "tables": tables(fleets),
        "sizes": [fleet.phones for fleet in fleets],
        "stages": {stage: of_stage(fleets, stage) for stage in STAGES},
    }
    return with_models(figures)


def with_models(figures: dict[str, Any]) -> dict[str, Any]:
    """What is computed comes anew, pictures are written, and all is kept."""
    fit = fitted()
    storms = [simulated(phones, servers=servers, request=request) for phones, servers, request in STORMS]
    write_pictures(fit, storms)
    figures |= {
        "fit": asdict(fit) | {"errors": list(fit.errors.values())},
        "one_machine": [
            [workers, *[_row(fit.one_machine(workers, cores)) for cores in CORES]] for workers in WORKERS
        ],
        "apart": [[workers, _row(fit.apart(workers, 2, fit.wait + TRIPS * AWAY))] for workers in (2, 4, 8, 16)],
        "storms": [
            {
                "phones": storm.phones, "servers": storm.servers, "request": storm.request,
                "done": [round(storm.at(part), 1) for part in PARTS], "given_up": storm.given_up,
                "longest": round(storm.longest, 2), "dhcp_again": storm.dhcp_again,
            }
            for storm in storms
        ],
    }  # fmt: skip
    KEPT_AS.write_text(json.dumps(figures, indent=1) + "\n")
    return figures


def kept(path: Path = KEPT_AS) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def per_row(fleets: list[Fleet], name: str, what: str) -> float:
    """Bytes of one more row: the slope between the smallest and the largest fleet, without what an empty table has."""
    first, last = fleets[0], fleets[-1]
    least, most = [next(table for table in fleet.tables if table.name == name) for fleet in (first, last)]
    grown = getattr(most, what) * last.phones - getattr(least, what) * first.phones
    return grown / (last.phones - first.phones)


def tables(fleets: list[Fleet]) -> list[dict[str, Any]]:
    """Each table with rows for one phone by stage, and bytes of a row."""
    return [
        {
            "name": table.name,
            "rows": table.rows,
            "data": round(per_row(fleets, table.name, "data")),
            "indexes": round(per_row(fleets, table.name, "indexes")),
        }
        for table in fleets[-1].tables
    ]


def of_stage(fleets: list[Fleet], stage: str) -> dict[str, float]:
    """Bytes for one phone, and how far the fleet in the middle is from the line between the others."""
    found = tables(fleets)
    data, indexes = [sum(table["rows"].get(stage, 0) * table[what] for table in found) for what in ("data", "indexes")]
    first, middle, last = [fleet.phones * fleet.bytes_of(stage) for fleet in fleets]
    reckoned = first + (last - first) * (fleets[1].phones - fleets[0].phones) / (fleets[2].phones - fleets[0].phones)
    return {"data": data, "indexes": indexes, "error": round(middle / reckoned - 1, 4)}


def _row(solved: Solved) -> list[Any]:
    return [round(solved.rate), solved.fullest, round(solved.busy[solved.fullest], 2)]


def write_pictures(fit: Fit, storms: list[Storm]) -> None:
    lines = [Line("measured, 2 cores", [(float(workers), rate) for workers, rate in MEASURED.items()], True)]
    for cores in CORES:
        points = [(float(workers), fit.one_machine(workers, cores).rate) for workers in range(1, 9)]
        lines.append(Line(f"model, {cores} cores", points))
    (IMAGES / "scale-workers.svg").write_text(chart(lines, "worker processes", "files a second"))
    curves = []
    for storm in storms:
        name = f"{storm.phones:,} phones, {storm.servers} × {number(storm.request)} ms"
        points = [(storm.at(step / 100), float(step)) for step in range(101)]
        curves.append(Line(name, [(points[0][0], 0.0), *points[1:]]))
    (IMAGES / "scale-storm.svg").write_text(chart(curves, "seconds since power is back", "% of phones with all files"))
