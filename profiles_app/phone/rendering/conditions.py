"""The tests that templates are offered behind `is`, each with bounded work.

Jinja2's `odd`, `even` and `divisibleby` would format texts, as `%` does, and its comparisons go into lists.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from jinja2.tests import TESTS as EVERY_TEST

from profiles_app.phone.rendering.operands import comparable, searchable, text_of, whole


def _compared(compare: Callable[..., object]) -> Callable[[object, object], object]:
    return lambda value, other: compare(comparable(value), comparable(other))


def _contained(value: object, container: object) -> bool:
    return operator.contains(searchable(container), comparable(value))  # type: ignore[arg-type]


_COMPARISONS: tuple[tuple[Callable[..., object], tuple[str, ...]], ...] = (
    (operator.eq, ("==", "eq", "equalto")),
    (operator.ne, ("!=", "ne")),
    (operator.gt, (">", "gt", "greaterthan")),
    (operator.ge, (">=", "ge")),
    (operator.lt, ("<", "lt", "lessthan")),
    (operator.le, ("<=", "le")),
)
_PLAIN = frozenset(
    ("boolean", "defined", "false", "float", "integer", "iterable", "mapping", "none", "number", "sequence", "string")
) | {"true", "undefined"}

TESTS: dict[str, Callable[..., object]] = {
    **{name: test for name, test in EVERY_TEST.items() if name in _PLAIN},  # type: ignore[misc]
    **{name: _compared(compare) for compare, names in _COMPARISONS for name in names},
    "in": _contained,
    "odd": lambda value: whole(value) % 2 == 1,
    "even": lambda value: whole(value) % 2 == 0,
    "divisibleby": lambda value, by: whole(value) % whole(by) == 0,
    "lower": lambda value: text_of(value).islower(),
    "upper": lambda value: text_of(value).isupper(),
}
