"""The series of phones between which settings and keys differ: a reader of series.toml (configuration spec §4.1)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from contacts_app.core.tables import table
from profiles_app.phone.sep import catalogue

TABLES = table(__file__, "series.toml")


def all_series() -> tuple[str, ...]:
    return tuple(TABLES["series"])


@cache
def series_of(model: str) -> str:
    """Return the series of a model, however it is written; "" where the model is not known or is of no series."""
    device = catalogue.find(model)
    if device is None:
        return ""
    return next((name for name, families in TABLES["series"].items() if device.family in families), "")


def series_named(names: Iterable[str]) -> frozenset[str]:
    """The series of these names, some of which stand for several."""
    found = frozenset(each for name in names for each in TABLES["sets"].get(name, [name]))
    if unknown := found - TABLES["series"].keys():
        raise LookupError(f"series.toml has no series {', '.join(sorted(unknown))}")
    return found
