"""`manage.py export_lines`: lines as CSV, with the phones that they are on, to be edited and imported again."""

from contacts_app.accounts.commands import ExportCommand
from contacts_app.core.commands import Add
from contacts_app.core.csv.columns import SecretColumn
from contacts_app.core.csv.format import CsvFormat
from phones_app.configuration.line_csv import PlacedLineCsv


class Command(ExportCommand):
    help = "Write all lines as CSV, to the standard output unless a file is named. Passwords only with --with-secrets."
    csv_format = PlacedLineCsv
    with_secrets = False

    def arguments(self, add: Add) -> None:
        super().arguments(add)
        add("--with-secrets", action="store_true", help="Export the passwords of lines, too.")

    def handle(self, *, with_secrets: bool, **options: object) -> None:  # type: ignore[override]
        self.with_secrets = with_secrets
        super().handle(**options)  # type: ignore[arg-type]

    def made_for(self, account: int | None) -> CsvFormat:
        made = super().made_for(account)
        for column in made.columns:
            if isinstance(column, SecretColumn):
                column.exported = self.with_secrets
        return made
