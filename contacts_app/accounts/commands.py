"""What operator commands have in common that are about an account, named by its VoIP id: the option, and CSV import and
export as if the account did it. A command says which CSV file it is about. What `--json` writes can be imported too."""

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, overload

from django.core.management.base import CommandError

from contacts_app.accounts.models import Account
from contacts_app.core.commands import NUMBER, Add, ReportingCommand
from contacts_app.core.csv.format import CsvFormat, errors_as_csv, export_csv
from contacts_app.core.csv.importing import import_csv
from contacts_app.core.csv.json_lines import as_csv_file
from contacts_app.core.csv.text import MAX_BYTES

STANDARD = Path("-")


def add_account(add: Add, **options: object) -> None:
    add("--account", type=NUMBER, metavar="VOIP_ID", **options)


@overload
def account_numbered(voip_id: int) -> Account: ...
@overload
def account_numbered(voip_id: int | None) -> Account | None: ...
def account_numbered(voip_id: int | None) -> Account | None:
    """None when none is named."""
    if voip_id is None:
        return None
    account = Account.objects.filter(voip_id=voip_id).first()
    if account is None:
        raise CommandError(f"There is no account with the VoIP id {voip_id}.")
    return account


class CsvCommand(ReportingCommand):
    csv_format: type[CsvFormat]

    def arguments(self, add: Add) -> None:
        add_account(add, help="As if this account did it: only its rows, and new ones are its own.")

    def made_for(self, account: int | None) -> CsvFormat:
        return self.csv_format(replace(self.actor, account=account_numbered(account)))


class ImportCommand(CsvCommand):
    columns = {"created": "New", "updated": "Changed", "unchanged": "Unchanged", "errors": "Errors"}
    error_columns = {"row": "Row", "column": "Column", "message": "What is wrong"}

    def arguments(self, add: Add) -> None:
        super().arguments(add)
        self.add_files(add)

    def add_files(self, add: Add) -> None:
        add("file", type=Path, metavar="FILE.csv", help="- for standard input.")
        add("--errors", type=Path, metavar="FILE.csv", help="Write the errors here as well.")

    def readable(self, file: BinaryIO) -> BinaryIO:
        return as_csv_file(file)

    def handle(self, *, file: Path, account: int | None, errors: Path | None, dry_run: bool, **options: object) -> None:
        csv_format = self.made_for(account)
        with _opened(file) as opened, self.progress() as progress:
            report = import_csv(self.readable(opened), csv_format, dry_run=dry_run, progress=progress)
        if errors is not None:
            _write(errors, errors_as_csv(report.errors))
        for remark in report.remarks:
            self.say(remark)
        if report.errors:
            self.report(map(asdict, report.errors), self.error_columns)
            raise CommandError(f"{report.error_count} error(s); nothing was stored.")
        counts = {"created": report.created, "updated": report.updated, "unchanged": report.unchanged}
        remarks = {"remarks": report.remarks} if report.remarks else {}
        self.report_row(**counts, errors=0, dry_run=dry_run, **remarks)


class ExportCommand(CsvCommand):
    writes = False
    columns = {"file": "File", "rows": "Rows"}

    def arguments(self, add: Add) -> None:
        super().arguments(add)
        add("file", nargs="?", type=Path, default=STANDARD, metavar="FILE.csv")

    def handle(self, *, file: Path, account: int | None, **options: object) -> None:
        csv_format = self.made_for(account)
        if file == STANDARD and self.as_json:
            shown = [column for column in csv_format.columns if column.exported]
            rows = csv_format.for_columns(csv_format.rows(), [column.name for column in shown])
            self.report({column.name: column.write(row) for column in shown} for row in rows.iterator(1000))
        elif file == STANDARD:
            for piece in export_csv(csv_format):
                self.stdout.write(piece, ending="")
        else:
            _write(file, export_csv(csv_format))
            self.report_row(file=str(file), rows=csv_format.rows().count())


def _opened(file: Path) -> BinaryIO:
    try:
        if file != STANDARD:
            return file.open("rb")
        # A pipe cannot be read twice.
        return BytesIO(sys.stdin.buffer.read(MAX_BYTES + 1))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None


def _write(file: Path, pieces: Iterator[str]) -> None:
    """Whole or not at all."""
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as opened:
            opened.writelines(pieces)
        Path(draft).replace(file)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
