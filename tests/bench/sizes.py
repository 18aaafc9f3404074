"""How much a benchmark measures: environment variables with a usual value, written down with the figures."""

import os
from typing import TypeVar

T = TypeVar("T", int, float, str)
# Of the benchmark of this process, by variable: what it is, and what it usually is.
SIZES: dict[str, tuple[int | float | str, int | float | str]] = {}


def size(variable: str, usual: T) -> T:
    value = type(usual)(os.environ.get(variable, usual))
    SIZES[variable] = (value, usual)
    return value


def rounds() -> range:
    """Of the benchmarks that have any: those of others are no size."""
    return range(size("BENCH_ROUNDS", 3))
