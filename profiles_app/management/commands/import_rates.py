"""`manage.py import_rates`: prices of destinations from a CSV file, all or none."""

from pathlib import Path

from django.db import transaction

from contacts_app.accounts.commands import ImportCommand
from contacts_app.core.commands import Add
from contacts_app.core.csv.format import CsvFormat
from profiles_app.voice.rate_csv import RateCsv, RatesOfTable
from profiles_app.voice.services import rate_table_named


class Command(ImportCommand):
    help = (
        "Add the rates of a CSV file and change those that are there, by table and prefix. All rows are checked first "
        "and all errors told; then all is stored at once, or nothing. Columns: table, prefix, destination, price (US "
        "dollars per minute), interval (seconds), is_allowed; with --table all but the first one."
    )
    csv_format = RateCsv

    def arguments(self, add: Add) -> None:
        # Rates are the operator's: no account has any.
        add("--table", metavar="NAME", help="All rates are of this table, which is made if there is none.")
        self.add_files(add)

    @transaction.atomic
    def handle(
        self, *, file: Path, account: int | None = None, errors: Path | None, dry_run: bool, **options: object
    ) -> None:
        name = options["table"]
        self.table = rate_table_named(str(name)) if name is not None else None
        super().handle(file=file, account=account, errors=errors, dry_run=dry_run)
        self.undo(dry_run)

    def made_for(self, account: int | None) -> CsvFormat:
        return RateCsv(self.actor) if self.table is None else RatesOfTable(self.actor, self.table)
