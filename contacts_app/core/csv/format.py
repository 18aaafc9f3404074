"""What a kind of row looks like in CSV: its columns, what identifies a row, and how rows are found and stored.

Also the report of an import, and the export, piece by piece, however many rows there are, without secrets.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar

from django.db.models import Model, QuerySet
from django.utils import timezone

from contacts_app.core.actor import Actor
from contacts_app.core.csv.columns import Column
from contacts_app.core.csv.text import as_csv
from contacts_app.core.history.records import create_recorded, save_recorded

BATCH = 500
# Names of columns, and what stands in them.
Key = tuple[str, ...]
Identity = tuple[object, ...]


@dataclass
class CsvRow:
    """One row of a file: the stored row that it is about (None: a new one), and which attributes it changes."""

    row: int
    stored: Any = None
    values: dict[str, Any] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)


class CsvFormat:
    """Made for one actor and one export or import, because its columns remember what they have looked up."""

    kind: ClassVar[str]
    thing: ClassVar[str]
    model: ClassVar[type[Model]]
    # The ways to identify a row: the first one whose cells are not empty, else the last one.
    keys: tuple[Key, ...]
    # Those by which nothing new is made.
    keys_of_stored: ClassVar[tuple[Key, ...]] = (("uuid",),)
    why_none_is_made: ClassVar[str] = ""
    # Which other files are read, for people; `as_csv` makes CSV of them.
    also_reads: ClassVar[str] = ""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        # Remarks on the rows of an import that are not errors; each is shown once.
        self.remarks: dict[str, None] = {}
        self.columns = self.make_columns()

    def as_csv(self, file: BinaryIO, report: "Report") -> BinaryIO:
        """The file as CSV, where rows of this kind come in other formats too. What is wrong goes into the report."""
        return file

    def placed(self, error: "CellError") -> "CellError":
        """An error of the CSV, at its place in the file that it was made from."""
        return error

    def make_columns(self) -> Sequence[Column]:
        raise NotImplementedError

    def rows(self) -> "QuerySet[Model]":
        """The rows that the actor may export and change."""
        raise NotImplementedError

    def for_columns(self, rows: "QuerySet[Model]", names: Collection[str]) -> "QuerySet[Model]":
        """The same with what these columns need, and without secrets that they do not."""
        read = [column for column in self.columns if column.fixed or column.name in names]
        secrets = [column.attribute for column in self.columns if not column.exported and column not in read]
        deferred = {path for column in read for path in column.deferred}.union(secrets)
        if related := {path for column in read for path in column.related}:
            rows = rows.select_related(*related)
        return rows.defer(*deferred)

    def taken_by_others(self, key: Key, identities: Collection[Identity]) -> set[Identity]:
        """Those of the identities which a row has that the actor does not see."""
        return set()

    def judge(self, entries: Sequence[CsvRow]) -> None:
        """Write into the entries of a batch what is wrong with them beyond single cells."""

    def create(self, entries: Sequence[CsvRow]) -> None:
        create_recorded(self.model(**entry.values) for entry in entries)

    def update(self, entries: Sequence[CsvRow]) -> None:
        """Write what has changed and nothing else: other parts of the rows may be changing at this moment."""
        now = timezone.now()
        # They were locked when they were read.
        before = {entry.stored.pk: copy(entry.stored) for entry in entries}
        for entry in entries:
            for name in entry.changed:
                setattr(entry.stored, name, entry.values[name])
            entry.stored.updated_at = now
        names = {"updated_at"}.union(*(entry.changed for entry in entries))
        save_recorded([entry.stored for entry in entries], sorted(names), before=before)


class ServiceCsv(CsvFormat):
    """Rows that a service stores, one after the other, because more follows from them than their columns."""

    def save(self, row: Any, changed: set[str] | None) -> None:
        """Store a row; of one that exists, the `changed` columns."""
        raise NotImplementedError

    def create(self, entries: Sequence[CsvRow]) -> None:
        for entry in entries:
            self.save(self.model(**entry.values), None)

    def update(self, entries: Sequence[CsvRow]) -> None:
        for entry in entries:
            for name in entry.changed:
                setattr(entry.stored, name, entry.values[name])
            self.save(entry.stored, entry.changed)


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
    remarks: list[str] = field(default_factory=list)
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
    """The errors as CSV of their own."""
    lines = ([str(error.row), error.column, error.message] for error in errors)
    return as_csv([["row", "column", "message"], *lines], for_spreadsheets=True)


CHUNK = 1000


def export_csv(
    csv_format: CsvFormat, rows: "QuerySet[Model] | None" = None, *, for_spreadsheets: bool = False
) -> Iterator[str]:
    """CSV of all rows that the actor sees, or of these of them."""
    columns = [column for column in csv_format.columns if column.exported]
    names = [column.name for column in columns]
    shown = csv_format.for_columns(csv_format.rows() if rows is None else rows, names)

    def lines() -> Iterator[list[str]]:
        yield names
        for row in shown.iterator(chunk_size=CHUNK):
            yield [column.write(row) for column in columns]

    return as_csv(lines(), for_spreadsheets=for_spreadsheets)
