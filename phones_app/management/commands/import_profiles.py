"""`manage.py import_profiles`: takes over the files that phones run on today."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, headings
from contacts_app.people.commands import person_with_email
from phones_app.inventory.import_folder import ImportResult, ImportTarget, import_profiles


class Command(ReportingCommand):
    help = (
        "Make a profile of each SEP<MAC>.cnf.xml, byte for byte, and the current one of the phone if it has none. "
        "Nothing is deployed. A profile that is there already gets a revision, or stays when nothing changed."
    )
    columns = headings("file", "result", "profile", "phone", "owner", "code", "line", "reason", "warnings")

    def arguments(self, add: Add) -> None:
        add("paths", nargs="+", type=Path, metavar="DIR|FILE")
        add("--owner", metavar="EMAIL", help="Default: the level-0 user of the phone's account.")
        add_account(add)
        add("--create-phones", action="store_true", help="Make phones that are missing.")

    def handle(
        self, *, paths: list[Path], owner: str | None, account: int | None, dry_run: bool, **options: Any
    ) -> None:
        destination = ImportTarget(
            owner=person_with_email(owner) if owner else None,
            account=account_numbered(account),
            create_phones=options["create_phones"],
        )
        done = []
        count = sum(len(list(path.iterdir())) if path.is_dir() else 1 for path in paths)
        with self.progress() as progress:
            for one in import_profiles(paths, destination=destination, actor=self.actor, dry_run=dry_run):
                done.append(one)
                progress("Importing", len(done) / max(count, len(done)))
        rows = [vars(imported) | {"dry_run": dry_run} for imported in done]
        self.report(row if self.as_json else row | {"warnings": "; ".join(row["warnings"])} for row in rows)
        refused = sum(imported.result is ImportResult.REFUSED for imported in done)
        if refused:
            raise CommandError(f"{refused} of {len(done)} files were refused.")
        if all(imported.result is ImportResult.IGNORED for imported in done):
            raise CommandError("There is no SEP<MAC>.cnf.xml.")
