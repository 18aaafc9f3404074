"""What is not in order at an installation, and what to do about it: the list of checks, to which apps add theirs.

`manage.py doctor` and a page of the admin show what they find.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)
# Without these no check that reads the database can say anything.
BLOCKING = frozenset({"database", "migrations"})
ADVICE_FOR_A_BROKEN_CHECK = "Read the log: the check itself met an error."


@dataclass(frozen=True)
class Defect:
    """`code` is stable and names the advice, which `advice` replaces; `message` is what was found, for people."""

    code: str
    message: str
    advice: str = ""


@dataclass(frozen=True)
class HealthCheck:
    """`find` looks and changes nothing; `advice` says for each of its codes what to do."""

    name: str
    find: Callable[[], Iterable[Defect]]
    advice: Mapping[str, str]
    needs_database: bool = True


_checks: list[HealthCheck] = []


def register(*checks: HealthCheck) -> None:
    """Add checks. Called from the `ready` of the app that they are of."""
    _checks.extend(checks)


def check_names() -> list[str]:
    return [check.name for check in _checks]


def diagnose() -> Iterator[dict[str, object]]:
    """Everything that is not in order, in the order of the checks: `check`, `code`, `message` and `advice`."""
    blocked = False
    for check in _checks:
        if blocked and check.needs_database:
            continue
        for defect in _found(check):
            blocked |= defect.code in BLOCKING
            advice = defect.advice or check.advice.get(defect.code, "")
            yield {"check": check.name, "code": defect.code, "message": defect.message, "advice": advice}


def _found(check: HealthCheck) -> list[Defect]:
    try:
        return list(check.find())
    except Exception as error:
        # A setting may be so wrong that what reads it breaks; the other checks are made all the same.
        log.exception("a check of the doctor broke", check=check.name)
        return [Defect("check-broke", f"{type(error).__name__}: {error}", ADVICE_FOR_A_BROKEN_CHECK)]
