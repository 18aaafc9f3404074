"""`manage.py profiles list|export|import KIND`: the profiles of every kind, and notification contacts."""

from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import CommandParser

from contacts_app.accounts.commands import STANDARD, ExportCommand, ImportCommand, add_account
from contacts_app.contacts.services import ContactCsv
from contacts_app.core.commands import Add, UsageError, headings
from contacts_app.core.csv.columns import SecretColumn, UuidColumn
from contacts_app.core.csv.format import CsvFormat
from profiles_app.events.csv import EventProfileCsv
from profiles_app.messaging.csv import MessagingProfileCsv
from profiles_app.myaccount.csv import MyAccountProfileCsv
from profiles_app.phone.csv import ProfileCsv, ProfileFilesCsv
from profiles_app.voice.csv import OutboundVoiceProfileCsv


class Kind(NamedTuple):
    """`whole`: with what is secret, where that is another file."""

    plain: type[CsvFormat]
    whole: type[CsvFormat]
    listed: tuple[str, ...]


def _kind(csv_format: type[CsvFormat], *listed: str, whole: type[CsvFormat] | None = None) -> Kind:
    return Kind(csv_format, whole or csv_format, listed)


KINDS = {
    "event": _kind(EventProfileCsv, "account", "extension", "name", "support_email"),
    "phone": _kind(ProfileCsv, "owner", "name", "software_type", "compatible_models", whole=ProfileFilesCsv),
    "myaccount": _kind(MyAccountProfileCsv, "account", "name", "availability", "customer", "customer_groups"),
    "messaging": _kind(MessagingProfileCsv, "account", "name", "number_pool_enable", "sticky_sender"),
    "outbound-voice": _kind(OutboundVoiceProfileCsv, "account", "name", "tech_prefix", "is_active", "channel_limit"),
    "contacts": _kind(ContactCsv, "account", "email", "name", "phone"),
}


class Command(ExportCommand, ImportCommand):
    help = (
        "List, export or import profiles of one kind, or notification contacts. Files are CSV, or JSON as --json writes "
        "it; they name no UUIDs, so that they can be imported into another portal. An import checks all rows first and "
        "stores all or nothing; rows that are there, by account and name, are changed."
    )
    writes = True

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Options may stand before FILE, which argparse would take for absent otherwise."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]
        return parser

    def arguments(self, add: Add) -> None:
        add("action", choices=("list", "export", "import"))
        add("kind", choices=tuple(KINDS), metavar="KIND", help=", ".join(KINDS))
        add("file", nargs="?", type=Path, default=STANDARD, metavar="FILE", help="- for standard input or output.")
        add_account(add, help="As if this account did it: only its rows, and new ones are its own.")
        add("--with-secrets", action="store_true", help="Export passwords, files of phones and webhooks, too.")
        add("--errors", type=Path, metavar="FILE.csv", help="Write the errors of an import here as well.")

    def handle(  # type: ignore[override]
        self,
        *,
        action: str,
        kind: str,
        file: Path,
        account: int | None,
        with_secrets: bool,
        errors: Path | None,
        dry_run: bool,
        **options: object,
    ) -> None:
        if with_secrets and action != "export":
            raise UsageError("--with-secrets is for exports.")
        chosen = KINDS[kind]
        self.with_secrets = with_secrets
        self.csv_format = chosen.whole if with_secrets or action == "import" else chosen.plain
        if action == "list":
            self._list(chosen, account)
        elif action == "export":
            self.columns = ExportCommand.columns
            ExportCommand.handle(self, file=file, account=account)
        else:
            self.columns = ImportCommand.columns
            ImportCommand.handle(self, file=file, account=account, errors=errors, dry_run=dry_run)

    def made_for(self, account: int | None) -> CsvFormat:
        """Without UUIDs, by which a file would be about the rows of this portal alone."""
        made = super().made_for(account)
        made.columns = [column for column in made.columns if not isinstance(column, UuidColumn)]
        for column in made.columns:
            if isinstance(column, SecretColumn):
                column.exported = self.with_secrets
        return made

    def _list(self, chosen: Kind, account: int | None) -> None:
        made = self.made_for(account)
        shown = [column for column in made.columns if column.name in chosen.listed]
        rows = made.for_columns(made.rows(), chosen.listed)
        self.report(({column.name: column.write(row) for column in shown} for row in rows), headings(*chosen.listed))
