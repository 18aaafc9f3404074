"""Rows -> CSV, piece by piece, however many there are. Secrets have no column here."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from contacts_app.services.sheets.sheet import Sheet
from contacts_app.services.sheets.text import as_csv

CHUNK = 1000


def export_sheet(
    sheet: Sheet, rows: "QuerySet[Any] | None" = None, *, for_spreadsheets: bool = False
) -> Iterator[str]:
    """CSV of all rows that the actor sees, or of these of them."""
    columns = [column for column in sheet.columns if column.exported]
    names = [column.name for column in columns]
    shown = sheet.for_columns(sheet.rows() if rows is None else rows, names)

    def lines() -> Iterator[list[str]]:
        yield names
        for row in shown.iterator(chunk_size=CHUNK):
            yield [column.write(row) for column in columns]

    return as_csv(lines(), for_spreadsheets=for_spreadsheets)
