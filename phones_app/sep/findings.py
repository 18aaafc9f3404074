"""What a check reports: a stable code, how bad it is, a sentence for people, and the place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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

    def as_dict(self) -> dict[str, str | int | None]:
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "line": self.line,
            "column": self.column,
        }
