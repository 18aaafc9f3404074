"""Rows as CSV and back: exported, edited in a spreadsheet, imported again.

A `Sheet` says which columns a kind of row has; `text` knows CSV, `columns` cells, `reading` what a file asks for. Our own
and not django-import-export, because that one links no error of a batch to its row, keeps the whole file in memory,
ignores unknown columns, and takes formula signs away instead of masking them, so that a round trip would not be exact.
"""

from contacts_app.services.sheets.exporting import export_sheet
from contacts_app.services.sheets.importing import import_sheet
from contacts_app.services.sheets.report import CellError, Report, errors_as_csv
from contacts_app.services.sheets.sheet import Entry, Sheet
from contacts_app.services.sheets.text import MAX_BYTES

__all__ = [
    "MAX_BYTES",
    "CellError",
    "Entry",
    "Report",
    "Sheet",
    "errors_as_csv",
    "export_sheet",
    "import_sheet",
]
