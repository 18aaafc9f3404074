"""`manage.py backup`: database and files of the installation in one file, while it runs."""

from pathlib import Path

from django.utils import timezone

from contacts_app.core.backup.keys import write_keys
from contacts_app.core.backup.rows import stored_tables
from contacts_app.core.backup.service import back_up
from contacts_app.core.commands import Add, ReportingCommand, UsageError, headings


class Command(ReportingCommand):
    help = (
        "Write the database and the files of the embedded file server to one file, as they are at one moment, while "
        "everything runs. Passwords in it are encrypted, and the keys are not in it: --keys writes them to another file."
    )
    columns = headings("file", "rows", "files", "bytes", keys="Keys")

    def arguments(self, add: Add) -> None:
        add("path", type=Path, metavar="FILE", help="A new file; in a folder: one named after the time.")
        add("--keys", type=Path, metavar="FILE", help="Also write the keys, to be kept apart from the backup.")

    def handle(self, *, path: Path, keys: Path | None, dry_run: bool, **options: object) -> None:
        if path.is_dir():
            path /= f"patchbay-{timezone.now():%Y%m%d-%H%M%S}.zip"
        for target in filter(None, (path, keys)):
            if target.exists():
                raise UsageError(f"{target} is there already.")
            if not target.parent.is_dir():
                raise UsageError(f"There is no folder {target.parent}.")
        if dry_run:
            self.say(f"Would write {len(stored_tables())} tables and the files to {path}.")
            self.report_row(file=str(path), keys=str(keys or ""), dry_run=True)
            return
        if keys:
            write_keys(keys)
        with self.progress() as tell:
            written = back_up(path, tell)
        self.report_row(file=str(path), **written, bytes=path.stat().st_size, keys=str(keys or ""), dry_run=False)
        if not keys:
            self.say("Keep the keys too, apart from it (--keys): without them no password in it can be read.")
