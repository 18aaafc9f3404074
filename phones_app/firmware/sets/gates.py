"""The way of a phone from the load that it runs to the one that it should run: which loads come between.

The knowledge is in gates.toml, each row with its source. What is in no row is not known, and is told so: no source lists
all gates (boot server spec §3).
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contacts_app.core.tables import table
from phones_app.firmware.sets.versions import Version, beginning_of_load, numbers_of, version_of_load
from profiles_app.phone.sep.catalogue import models_of_load, normalise_model, software_of_load


@dataclass(frozen=True)
class LoadStep:
    """One load to bring to the phone; the reason and its source are "" for the one that was wanted."""

    load: str
    reason: str = ""
    source: str = ""


@dataclass(frozen=True)
class LoadWay:
    """No steps: nothing is to be done, or `refused` says why it must not be. `doubts`: what is not known of the way."""

    steps: tuple[LoadStep, ...] = ()
    refused: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def gates(self) -> tuple[LoadStep, ...]:
        """The loads that come before the one that was wanted."""
        return self.steps[:-1]

    def __str__(self) -> str:
        way = " → ".join(step.load for step in self.steps) or "nothing to do"
        return self.refused or " ".join((way, *(f"({doubt})" for doubt in self.doubts)))


@dataclass(frozen=True)
class _Gate:
    name: str
    below: Version
    since: Version
    through: str
    reason: str
    source: str


def way_between(model: str, software: str, present: str, target: str) -> LoadWay:
    """The loads that a phone gets one after the other; each is to be confirmed before the next one.

    `software` is what the phone runs (SIP, SCCP, MPP), "" to take it from `present`. `present` and `target` are names of
    loads, such as SIP42.9-4-2SR3-1S.
    """
    if present == target:
        return LoadWay()
    model, wanted = normalise_model(model), software_of_load(target)
    models = models_of_load(target)
    if models and model not in models:
        return LoadWay(refused=f"{target} is for {', '.join(sorted(models))}, not for {model}.")
    runs = software or software_of_load(present)
    for row in _known()["change"]:
        if runs in row["software"] and wanted in row["to"]:
            return LoadWay(refused=f"{row['refused']} Source: {row['source']}.")
    doubts = tuple(row["text"] for row in _known()["doubt"] if model in row["models"])
    now, then = numbers_of(version_of_load(present)), numbers_of(version_of_load(target))
    if now is None or then is None:
        unknown = " and ".join(
            load or "what the phone runs" for load, version in ((present, now), (target, then)) if version is None
        )
        doubt = f"the version of {unknown} is unknown, and with it whether another load has to come first"
        return LoadWay((LoadStep(target),), doubts=(doubt, *doubts))
    gates = list(_gates(target))
    if not gates and not doubts:
        doubts = ("no gate is known for these phones, which does not prove that there is none",)
    return _passed(now, then, target, gates, doubts)


def known_rows() -> dict[str, list[dict[str, Any]]]:
    """All that is known, each row with its source, to be shown."""
    return {"gates": [row | {"through": row["through"].format("…")} for row in _known()["gate"]]} | {
        f"{kind}s": _known()[kind] for kind in ("change", "doubt")
    }


def read_from(path: str) -> None:
    """Take the rows from another file of this form from now on. Raises OSError, and ValueError for what is none."""
    rows = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    for kind, usual in table(__file__, "gates.toml").items():
        if not isinstance(rows.get(kind), list):
            raise ValueError(f"{path} has no [[{kind}]].")
        for row in rows[kind]:
            if missing := sorted(usual[0].keys() - row.keys()):
                raise ValueError(f"{path}: a [[{kind}]] has no {missing[0]}.")
            re.compile(row.get("loads", ""))
    _files[:] = [path]
    _known.cache_clear()


_files: list[str] = []


@cache
def _known() -> dict[str, Any]:
    if not _files:
        return dict(table(__file__, "gates.toml"))
    return tomllib.loads(Path(_files[0]).read_text(encoding="utf-8"))


def _passed(now: Version, then: Version, target: str, gates: list[_Gate], doubts: tuple[str, ...]) -> LoadWay:
    steps = list[LoadStep]()
    for gate in gates:
        if now >= gate.since and then < gate.below:
            text = f"{target} is older than the gate “{gate.name}”, which the phone has passed: {gate.reason}"
            return LoadWay(refused=f"{text} Source: {gate.source}.")
        if now < gate.below and then >= gate.since and gate.through != target:
            steps.append(LoadStep(gate.through, gate.reason, gate.source))
            # A gate's load is reached before the next gate is looked at.
            now = numbers_of(version_of_load(gate.through)) or now
    return LoadWay((*steps, LoadStep(target)), doubts=doubts)


def _gates(target: str) -> Iterator[_Gate]:
    """Those on the way to a load, from old to new."""
    for row in _known()["gate"]:
        below, since = numbers_of(row["below"]), numbers_of(row["from"])
        if re.match(row["loads"], target) and below and since:
            through = row["through"].format(beginning_of_load(target))
            yield _Gate(row["name"], below, since, through, row["reason"], row["source"])
