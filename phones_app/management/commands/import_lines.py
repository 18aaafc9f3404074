"""`manage.py import_lines`: lines from a CSV file or from the files of a PBX, all or none."""

from typing import BinaryIO

from contacts_app.accounts.commands import ImportCommand
from contacts_app.core.commands import Add
from contacts_app.core.csv.format import CsvFormat
from contacts_app.core.csv.text import MAX_BYTES
from phones_app.configuration.line_csv import PlacedLineCsv
from profiles_app.phone import pbx


class Command(ImportCommand):
    help = (
        "Add the lines of a file and change those that are there, by account and extension. The file is our own CSV "
        "(`export_lines` shows the columns; `phone` and `position` put a line on a phone), FreePBX's extensions CSV "
        "(Bulk Handler), pjsip.conf or sip.conf. All is checked first, then all is stored or nothing."
    )
    csv_format = PlacedLineCsv
    chosen = ""

    def add_files(self, add: Add) -> None:
        super().add_files(add)
        add("--format", choices=pbx.FORMATS, default="", help="What the file is; otherwise its content tells.")

    def handle(self, *, format: str, **options: object) -> None:  # type: ignore[override]
        self.chosen = format
        super().handle(**options)  # type: ignore[arg-type]

    def readable(self, file: BinaryIO) -> BinaryIO:
        """A section of Asterisk's files and an array of JSON begin alike."""
        kind = self.chosen or pbx.format_of(file.read(MAX_BYTES))
        return super().readable(file) if kind == "csv" else file

    def made_for(self, account: int | None) -> CsvFormat:
        made = super().made_for(account)
        assert isinstance(made, PlacedLineCsv)  # noqa: S101 - for the reader of types
        made.format = self.chosen
        return made
