"""What `add_ring_tone` and `add_background` have in common: many files of an operator, each made and stored by itself."""

from collections.abc import Sequence
from pathlib import Path

from django.core.management.base import CommandError
from django.db import transaction

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, headings
from contacts_app.core.errors import Refusal
from phones_app.shared_files.media import FilesOwner
from phones_app.shared_files.models import SharedFile


class MediaCommand(ReportingCommand):
    columns = headings("file", "name", "result", "reason")
    # Read whole: what is larger is refused by its size.
    largest: int

    def arguments(self, add: Add) -> None:
        add("paths", nargs="+", type=Path, metavar="FILE")
        add_account(add, help="For the phones of this account. Default: for the phones of all accounts.")

    def name_of(self, path: Path) -> str:
        raise NotImplementedError

    def make(self, owner: FilesOwner, name: str, content: bytes, adapts: bool) -> Sequence[SharedFile]:
        """Raises Refusal."""
        raise NotImplementedError

    def handle(self, *, paths: list[Path], account: int | None, adapts: bool, dry_run: bool, **options: object) -> None:
        owner, rows = FilesOwner(account_numbered(account)), []
        with self.progress() as progress:
            for number, path in enumerate(paths):
                progress(path.name, number / len(paths))
                rows.append(self._row(owner, path, adapts, dry_run))
        self.report(rows)
        if refused := sum(row["result"] == "refused" for row in rows):
            raise CommandError(f"{refused} of {len(rows)} files were refused.")

    def _row(self, owner: FilesOwner, path: Path, adapts: bool, dry_run: bool) -> dict[str, object]:
        row = {"file": str(path), "name": self.name_of(path), "reason": "", "dry_run": dry_run}
        try:
            with path.open("rb") as file:
                content = file.read(self.largest + 1)
            with transaction.atomic():
                made = self.make(owner, self.name_of(path), content, adapts)
                # The contents that no row names are swept.
                transaction.set_rollback(dry_run)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        except Refusal as refusal:
            return row | {"result": "refused", "reason": refusal.message}
        return row | {"result": "would be stored" if dry_run else "stored", "paths": [each.path for each in made]}
