"""What a check reads and reports, and the checks of how long texts may be and how many entries a phone takes.

The limits are tables (Cisco phones spec §4.4); all other checks are in checks.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from contacts_app.core.tables import table
from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.device_facts import Facts
from profiles_app.phone.sep.document import Document, Element, integer_of, value_of


class Severity(StrEnum):
    ERROR = "error"  # blocks saving and deploying
    WARNING = "warning"  # shown, and left to the administrator


@dataclass(frozen=True)
class Finding:
    """One remark about a file. `line` and `column` count from 1 and are None for the file as a whole."""

    code: str
    severity: Severity
    message: str
    line: int | None = None
    column: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "severity": self.severity.value}


@dataclass(frozen=True)
class Subject:
    """The file under judgement and what is known about the phone it is for."""

    document: Document
    facts: Facts
    model: str
    software: str  # SIP, SCCP or "" for any

    @property
    def device(self) -> catalogue.DeviceModel | None:
        return catalogue.find(self.model)


Remark = tuple[str, Element | None]


LIMITS = table(__file__, "limits.toml")


def too_long(subject: Subject) -> Iterator[Remark]:
    """Yield the texts which a phone would cut or refuse; without the texts, as some are secret."""
    for path, limits in LIMITS["lengths"].items():
        for element in subject.document.find_all(path):
            limit = limits.get(element.tag)
            length = len(value_of(element)) if limit else 0
            if limit and length > limit:
                yield f"{element.tag} has {length} characters; phones take {limit}", element


def too_many(subject: Subject) -> Iterator[Remark]:
    """Yield what there is more of than a phone takes."""
    for path, (prefix, limit) in LIMITS["counts"].items():
        for parent in subject.document.find_all(path):
            count = sum(child.tag.startswith(prefix) for child in parent)
            if count > limit:
                yield f"{parent.tag} has {count} entries; phones take {limit}", parent
    if subject.device is None or subject.device.max_calls is None:
        return
    for element in subject.document.find_all("sipProfile/sipLines/line/maxNumCalls"):
        calls = integer_of(element)
        if calls is not None and calls > subject.device.max_calls:
            yield f"maxNumCalls is {calls}; this model takes {subject.device.max_calls}", element
