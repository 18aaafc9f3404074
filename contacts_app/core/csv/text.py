"""CSV as spreadsheets write it: comma, semicolon or tab, with a byte order mark or without, and formulas made harmless.

Rows are numbered as a spreadsheet shows them: the header is row 1, and an empty line is a row.
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from contacts_app.core.errors import Refusal

MAX_BYTES = 32 * 1024 * 1024
BYTE_ORDER_MARK = "\ufeff"
DELIMITERS = ",;\t"
# What spreadsheets take for the beginning of a formula (OWASP, CSV Injection), the full-width forms included. A value
# that looks as if it were masked is masked once more, so that unmasking gives back exactly what there was.
_MASKED = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
# Characters that neither XML nor every database takes; line ends and tabs are text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Line = tuple[int, list[str]]


class UnreadableCsv(Exception):
    """From this row on the file cannot be read as CSV."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row, self.message = row, message


def mask(value: str) -> str:
    """The value with an apostrophe in front if a spreadsheet would carry it out."""
    return f"'{value}" if _MASKED.match(value) else value


def unmask(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _MASKED.match(cell, 1) else cell


def has_control_characters(text: str) -> bool:
    return bool(_CONTROL.search(text))


def as_csv(lines: Iterable[Sequence[str]], *, for_spreadsheets: bool = False) -> Iterator[str]:
    """Lines of cells as pieces of CSV. Spreadsheets know UTF-8 by its mark; programs stumble over it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if for_spreadsheets:
        buffer.write(BYTE_ORDER_MARK)
    for number, line in enumerate(lines, start=1):
        writer.writerow(map(mask, line))
        if number % 500 == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def check_size(file: BinaryIO) -> int:
    """The size of a file in bytes. Raises Refusal when it is larger than an import may be."""
    size = file.seek(0, os.SEEK_END)
    if size > MAX_BYTES:
        raise Refusal("too-large", f"The file is larger than {MAX_BYTES // 1024**2} MB.")
    return size


def read_lines(file: BinaryIO, known: Iterable[str]) -> Iterator[Line]:
    """Numbered rows, the header first; the delimiter is the one that finds most of the `known` columns in it.

    Raises UnreadableCsv from the row on that is no CSV or no UTF-8.
    """
    file.seek(0)
    header = file.readline().decode("utf-8-sig", "replace")
    file.seek(0)
    delimiter = max(DELIMITERS, key=lambda sign: len(set(known).intersection(_names(header.split(sign)))))
    number = 0
    try:
        for number, cells in enumerate(csv.reader(_decoded(file), delimiter=delimiter, strict=True), start=1):
            yield number, [unmask(cell) for cell in cells]
    except csv.Error as error:
        raise UnreadableCsv(number + 1, f"This is not CSV: {error}.") from None
    except UnicodeDecodeError:
        text = "This is not UTF-8. In a spreadsheet, save as “CSV UTF-8”."
        raise UnreadableCsv(number + 1, text) from None


def _names(cells: Iterable[str]) -> set[str]:
    return {column_name(cell) for cell in cells}


def column_name(cell: str) -> str:
    return cell.strip().strip('"').strip().lower()


def _decoded(file: BinaryIO) -> Iterator[str]:
    """Line by line, so that a byte that is no UTF-8 is told where it stands."""
    for number, line in enumerate(file):
        yield line.decode("utf-8-sig" if number == 0 else "utf-8")
