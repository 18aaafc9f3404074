"""What an import found: how many rows of which kind, and every error with its row and column."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from contacts_app.services.sheets.text import as_csv

# A file with more of them is not what it was meant to be; the rest is counted.
MOST_ERRORS = 10_000


@dataclass(frozen=True, order=True)
class CellError:
    """`row` is numbered as spreadsheets do; `column` is empty when the row as a whole is wrong."""

    row: int
    column: str
    message: str


@dataclass
class Report:
    """What an import has done (`stored`), or would do."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[CellError] = field(default_factory=list)
    untold: int = 0
    stored: bool = False

    @property
    def rows(self) -> int:
        """Those without an error."""
        return self.created + self.updated + self.unchanged

    @property
    def error_count(self) -> int:
        return len(self.errors) + self.untold

    def add(self, row: int, column: str, message: str) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(CellError(row, column, message))
        else:
            self.untold += 1


def errors_as_csv(errors: Iterable[CellError]) -> Iterator[str]:
    """The errors as a sheet of their own."""
    lines = ([str(error.row), error.column, error.message] for error in errors)
    return as_csv([["row", "column", "message"], *lines], for_spreadsheets=True)
