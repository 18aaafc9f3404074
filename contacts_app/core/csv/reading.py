"""What each row of a file asks for: which stored row it is about, what it changes there, and what is wrong with it.

A cell that says what is stored already is not looked at further: a file that was exported and not edited changes nothing,
whatever today's rules think of yesterday's values.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ValidationError

from contacts_app.core.csv.columns import UNSAID, Column
from contacts_app.core.csv.format import CsvFormat, CsvRow, Identity, Key, Report
from contacts_app.core.csv.text import Line, column_name, has_control_characters

Cells = dict[str, str]


class CsvReading:
    """One passage through a file, which remembers the rows that it has met."""

    def __init__(self, csv_format: CsvFormat, header: list[str], report: Report, *, lock: bool) -> None:
        self.csv_format, self.report, self.lock, self.width = csv_format, report, lock, len(header)
        known = {column.name: column for column in csv_format.columns}
        self.places: dict[str, int] = {}
        for place, cell in enumerate(header):
            name = column_name(cell)
            if name not in known:
                report.add(1, cell.strip()[:80], _unknown(name, known))
            elif name in self.places:
                report.add(1, name, "There are two columns of this name.")
            else:
                self.places[name] = place
        self.columns = {name: column for name, column in known.items() if name in self.places}
        self.keys = [key for key in csv_format.keys if self.places.keys() >= set(key)]
        if not self.keys:
            needed = ", or ".join(" and ".join(key) for key in csv_format.keys)
            report.add(1, "", f"There is no column {needed}, by which rows are known.")
        self._met: dict[object, int] = {}

    def entries(self, batch: Sequence[Line]) -> list[CsvRow]:
        entries = [CsvRow(row) for row, _ in batch]
        cells = {row: self._cells(line) for row, line in batch}
        whole = []
        for entry, (_, line) in zip(entries, batch, strict=True):
            if len(line) == self.width:
                whole.append(entry)
            else:
                entry.errors[""] = f"This row has {len(line)} cells, the header has {self.width}."
        # A column that the file lacks is read as empty in new rows.
        for column in self.csv_format.columns:
            given = column.name in self.columns
            column.prepare({cells[entry.row][column.name].strip() for entry in whole} if given else {""})
        self._find(whole, cells)
        for entry in whole:
            if entry.stored is None:
                self._read_new(entry, cells[entry.row])
            else:
                self._read_changes(entry, cells[entry.row])
        self.csv_format.judge(whole)
        for entry in entries:
            self._count(entry)
        return entries

    def _cells(self, line: list[str]) -> Cells:
        return {name: line[place] if place < len(line) else "" for name, place in self.places.items()}

    def _find(self, entries: Sequence[CsvRow], cells: dict[int, Cells]) -> None:
        """Give each entry the stored row that its key names, with one query a key."""
        asked: dict[Key, set[Identity]] = {}
        known: list[tuple[CsvRow, Key, Identity]] = []
        for entry in entries:
            given = cells[entry.row]
            key = next((key for key in self.keys if all(given[name].strip() for name in key)), self.keys[-1])
            for name in key:
                self._read_cell(entry, self.columns[name], given[name])
            if not entry.errors:
                identity = tuple(entry.values[self.columns[name].attribute] for name in key)
                asked.setdefault(key, set()).add(identity)
                known.append((entry, key, identity))
        found = {key: self._stored(key, identities) for key, identities in asked.items()}
        foreign = {
            key: self.csv_format.taken_by_others(key, identities - found[key].keys())
            for key, identities in asked.items()
        }
        for entry, key, identity in known:
            self._settle(entry, key, identity, found[key].get(identity, []), identity in foreign[key])

    def _stored(self, key: Key, identities: Iterable[Identity]) -> dict[Identity, list[Any]]:
        attributes = [self.columns[name].attribute for name in key]
        values = map(set, zip(*identities, strict=True))
        wanted = {f"{name}__in": each for name, each in zip(attributes, values, strict=True)}
        # In one order, so that two imports at a time wait for each other instead of both.
        rows = self.csv_format.for_columns(self.csv_format.rows(), self.places).filter(**wanted).order_by("pk")
        found = defaultdict(list)
        for row in rows.select_for_update(of=("self",)) if self.lock else rows:
            found[tuple(getattr(row, name) for name in attributes)].append(row)
        return found

    def _settle(self, entry: CsvRow, key: Key, identity: Identity, rows: list[Any], foreign: bool) -> None:
        thing, column = self.csv_format.thing, key[-1]
        entry.stored = rows[0] if rows else None
        first = self._met.setdefault(entry.stored.pk if rows else identity, entry.row)
        if len(rows) > 1:
            entry.errors[column] = f"There are several such {thing}s; say which by its UUID."
        elif first != entry.row:
            entry.errors[column] = f"Row {first} is about the same {thing}."
        elif foreign:
            entry.errors[column] = "This is taken already."
        elif not rows and key in self.csv_format.keys_of_stored:
            entry.errors[column] = f"There is no such {thing}."
        elif not rows and self.csv_format.why_none_is_made:
            entry.errors[column] = self.csv_format.why_none_is_made

    def _read_new(self, entry: CsvRow, cells: Cells) -> None:
        """All columns in the order of the columns, because some are read with the help of those before them."""
        for column in self.csv_format.columns:
            name = column.name
            if column.attribute in entry.values or name in entry.errors:
                continue
            if name not in cells:
                self._try(entry, column, lambda column=column: column.of_new(entry.values))
            elif cells[name].strip() or not column.empty_says_nothing:
                self._read_cell(entry, column, cells[name])

    def _read_changes(self, entry: CsvRow, cells: Cells) -> None:
        for column in self.csv_format.columns:
            stored = getattr(entry.stored, column.attribute) if column.name in cells or column.fixed else None
            if column.name not in cells:
                if column.fixed:
                    entry.values[column.attribute] = stored
                continue
            cell = cells[column.name]
            empty = not cell.strip() and (column.fixed or column.empty_says_nothing)
            if empty or cell == column.write(entry.stored):
                entry.values[column.attribute] = stored
                continue
            self._read_cell(entry, column, cell)
            if column.name in entry.errors or entry.values[column.attribute] == stored:
                continue
            if column.fixed:
                entry.errors[column.name] = "This cannot be changed."
            entry.changed.add(column.attribute)

    def _read_cell(self, entry: CsvRow, column: Column, cell: str) -> None:
        if has_control_characters(cell):
            entry.errors[column.name] = "There is a control character in it."
        else:
            self._try(entry, column, lambda: column.read(cell.strip(), entry.values))

    @staticmethod
    def _try(entry: CsvRow, column: Column, read: Any) -> None:
        try:
            value = read()
        except ValidationError as error:
            entry.errors[column.name] = " ".join(error.messages)
        else:
            if value is not UNSAID:
                entry.values[column.attribute] = value

    def _count(self, entry: CsvRow) -> None:
        for name, message in entry.errors.items():
            self.report.add(entry.row, name, message)
        if not entry.errors:
            kind = "created" if entry.stored is None else "updated" if entry.changed else "unchanged"
            setattr(self.report, kind, getattr(self.report, kind) + 1)


def _unknown(name: str, known: Iterable[str]) -> str:
    if not name:
        return "A column without a name."
    near = get_close_matches(name, known, n=1)
    return f"Unknown column; should it be “{near[0]}”?" if near else "Unknown column."
