"""docs/scale.md: the words, around the numbers of docs/scale.json."""

from collections.abc import Iterable
from typing import Any

from tests.bench.figures import number
from tests.bench.results import ROOT
from tests.scale.figures import CORES, TRIPS
from tests.scale.queueing import DATABASE, FAR, MEASURED, NEAR, WORKER
from tests.scale.storm import AGAIN, BACKOFF, DHCP, FILES, PATIENCE, POWER, SCATTER, START, THINKS

PAGE = ROOT / "docs" / "scale.md"
TEXT = ROOT / "tests" / "scale" / "scale.md"
FLEETS = (100_000, 1_000_000)
# What a phone does in a year, where nothing else is known: a new file each month, a start besides each month, ten calls
# on 250 days. And how long rows are kept unless the settings say otherwise (docs/environment.md), in parts of a year.
DEPLOYMENTS, CALLS = 12, 2_500
EVENTS_KEPT, DEPLOYMENTS_KEPT = 90 / 365, 1.0
# Tables of a deployment by how long their rows stay; the rest is there once for a phone, or for ever.
ONCE = {"phones_app_lastdeployment", "phones_app_phonefile"}
FOR_EVENTS = {"profiles_app_event", "profiles_app_delivery", "profiles_app_deliveryattempt", "phones_app_filefetch"}
# A second, measured with nothing else on two cores (docs/benchmarks.md) unless it says otherwise.
RATES = {
    "rollout, request to confirmed, 1,000 / 10,000 phones at once": (37.3, 30.9),
    "uploads onto another machine 5 ms away, two workers": (247,),
    "events delivered, two workers": (1_189,),
    "messages handed to a gateway, one worker": (1_115,),
    "calls admitted over the network": (613,),
    "requests of phones that boot, each on a new connection": (6_708,),
}
LOOKED_AT, READ_BACK = 900, 86_400


def rendered(figures: dict[str, Any]) -> str:
    tables, stages = figures["tables"], figures["stages"]
    run = figures["run"]
    given = {
        "date": f"{run['date']}, {run['commit']}, {run['cores']} cores, others used {run['others']:.0%} of them",
        "sizes": ", ".join(f"{size:,}" for size in figures["sizes"]),
        "site_table": _table(
            ("", "rows", "KB, data", "KB, indexes", "KB", "line off in the middle"),
            (
                (f"one {stage}", str(sum(table["rows"].get(stage, 0) for table in tables)), *_kilobytes(of),
                 f"{of['error']:+.1%}")
                for stage, of in stages.items()
            ),
        ),
        "row_table": _table(
            ("table", "rows for a phone", "for a deployment", "bytes of a row", "of its indexes"),
            (
                (f"`{t['name']}`", str(t["rows"].get("phone", "")), str(t["rows"].get("deployment", "")),
                 f"{t['data']:,}", f"{t['indexes']:,}")
                for t in sorted(tables, key=_weight, reverse=True)
            ),
        ),
        "year_table": _table(("", *(f"{fleet:,} phones" for fleet in FLEETS)), _year(tables, stages)),
        "phone_index": f"{_of(tables, 'phones_app_phone')['indexes'] / 1000:.1f}",
        "event": f"{_kb_of(tables, 'profiles_app_event'):.1f}",
        "delivery": f"{_kb_of(tables, 'profiles_app_delivery', 'profiles_app_deliveryattempt'):.1f}",
        "rate_table": _table(
            ("", "a second", *(f"for {fleet:,} phones" for fleet in FLEETS)),
            (
                (what, " / ".join(number(rate) for rate in rates),
                 *(_duration(fleet / rates[-1] * (FILES if "boot" in what else 1)) for fleet in FLEETS))
                for what, rates in RATES.items()
            ),
        ),
        "load_table": _table(("", *(f"{fleet:,} phones" for fleet in FLEETS)), _loads()),
        "one_machine": _table(
            ("worker processes", "measured, 2 cores", *(f"{cores} cores" for cores in CORES)),
            (
                (str(workers), number(MEASURED[workers]) if workers in MEASURED else "", *map(_solved, solved))
                for workers, *solved in figures["one_machine"]
            ),
        ),
        "apart": _table(
            ("worker processes, a core each", "files/s, fullest"),
            ((str(workers), _solved(solved)) for workers, solved in figures["apart"]),
        ),
        "file_server": f"{figures['fit']['file_server']:.1f}",
        "wait": f"{figures['fit']['wait']:.1f}",
        "crowding": f"{figures['fit']['crowding']:.0%}",
        "worst": f"{max(map(abs, figures['fit']['errors'])):.1%}",
        "storms": _table(
            ("phones", "servers", "ms a request", "half", "90 %", "99 %", "all", "longest wait", "late", "DHCP again"),
            (
                (f"{s['phones']:,}", str(s["servers"]), number(s["request"]), *(f"{done:.0f} s" for done in s["done"]),
                 f"{number(s['longest'])} s", f"{s['given_up']:,}", f"{s['dhcp_again']:,}")
                for s in figures["storms"]
            ),
        ),
    }  # fmt: skip
    constants = {
        "worker": WORKER, "database": DATABASE, "near": NEAR, "far": FAR, "trips": TRIPS, "power": POWER,
        "start": START, "scatter": SCATTER, "dhcp": DHCP, "backoff": ", ".join(f"{wait:g}" for wait in BACKOFF),
        "files": FILES, "thinks": THINKS, "patience": PATIENCE, "again": f"{AGAIN[0]:g} to {AGAIN[1]:g}",
        "deployments": DEPLOYMENTS, "calls": CALLS,
    }  # fmt: skip
    shown = {name: f"{value:,g}" if isinstance(value, int | float) else value for name, value in constants.items()}
    return TEXT.read_text().format(**given, **shown)


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, ("---",) * len(columns), *rows))


def _kilobytes(of: dict[str, float]) -> tuple[str, str, str]:
    data, indexes = of["data"] / 1000, of["indexes"] / 1000
    return f"{data:.1f}", f"{indexes:.1f}", f"{data + indexes:.1f}"


def _weight(table: dict[str, Any]) -> float:
    return float(sum(table["rows"].values()) * (table["data"] + table["indexes"]))


def _of(tables: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(table for table in tables if table["name"] == name)


def _kb_of(tables: list[dict[str, Any]], *names: str) -> float:
    return sum(table["data"] + table["indexes"] for table in (_of(tables, name) for name in names)) / 1000


def _year(tables: list[dict[str, Any]], stages: dict[str, Any]) -> list[tuple[str, ...]]:
    """Gigabytes, by what stays and what is deleted after its days."""
    phone = stages["phone"]["data"] + stages["phone"]["indexes"]
    revision = _kb_of(tables, "profiles_app_profilerevision") * 1000
    changed = 2 * _kb_of(tables, "profiles_app_historicalphoneprofile") * 1000
    parts = {"events": 0.0, "deployments": 0.0, "history": 0.0, "once": 0.0}
    for table in tables:
        rows = table["rows"].get("deployment", 0) * (table["data"] + table["indexes"])
        kind = (
            "once" if table["name"] in ONCE
            else "events" if table["name"] in FOR_EVENTS
            else "history" if "historical" in table["name"]
            else "deployments"
        )  # fmt: skip
        parts[kind] += rows
    call = stages["call"]["data"] + stages["call"]["indexes"]
    lines = {
        "phones with profile, first file, history": phone + parts["once"],
        "deployments of a year, kept for a year": DEPLOYMENTS * parts["deployments"] * DEPLOYMENTS_KEPT,
        "events, deliveries and fetches, kept for 90 days": DEPLOYMENTS * parts["events"] * EVENTS_KEPT,
        "**more each year**: revisions of files": DEPLOYMENTS * revision,
        "**more each year**: history": DEPLOYMENTS * (parts["history"] + changed),
        "calls of a year, kept for a year, where a switch sends them": CALLS * call,
    }
    return [(what, *(f"{fleet * size / 1e9:,.1f} GB" for fleet in FLEETS)) for what, size in lines.items()]


def _loads() -> list[tuple[str, ...]]:
    loads = {
        "status checks, every 15 minutes": 1 / LOOKED_AT,
        "files read back, once a day": 1 / READ_BACK,
        f"deployments, {DEPLOYMENTS} a year, evenly": DEPLOYMENTS / 365 / 86400,
        f"calls, {CALLS:,} a year, of which 15 % of a day come in one hour": CALLS / 250 * 0.15 / 3600,
    }
    return [(what, *(f"{number(fleet * each)}/s" for fleet in FLEETS)) for what, each in loads.items()]


def _solved(solved: list[Any]) -> str:
    rate, fullest, busy = solved
    return f"{rate:,} ({fullest} {busy:.0%})"


def _duration(seconds: float) -> str:
    if seconds < 180:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 3 * 3600 else f"{seconds / 3600:,.1f} h"
