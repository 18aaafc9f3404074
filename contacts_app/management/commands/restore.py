"""`manage.py restore`: a backup into an empty folder and an empty database, which may be of the other kind."""

from pathlib import Path

from contacts_app.core.backup.keys import keep_keys, read_keys, use_keys
from contacts_app.core.backup.service import Restore
from contacts_app.core.commands import Add, ReportingCommand, headings


class Command(ReportingCommand):
    help = (
        "Restore what manage.py backup has written: DATA_DIR holds no files yet, and the database that DATABASE_URL "
        "names no tables. A backup of an earlier version is upgraded. Nothing else of the portal may run meanwhile."
    )
    columns = headings("file", "made_at", "rows", "files", made_at="Of")

    def arguments(self, add: Add) -> None:
        add("path", type=Path, metavar="FILE")
        add(
            "--keys",
            type=Path,
            metavar="FILE",
            help="The keys that manage.py backup --keys wrote, for an empty DATA_DIR.",
        )

    def handle(self, *, path: Path, keys: Path | None, dry_run: bool, **options: object) -> None:
        restore = Restore(path)
        given = read_keys(keys) if keys else {}
        use_keys(given)
        restore.check()
        if not dry_run:
            keep_keys(given)
            with self.progress() as tell:
                restore.run(tell)
        made_at = restore.manifest["made_at"]
        self.report_row(file=str(path), made_at=made_at, rows=restore.rows, files=restore.files, dry_run=dry_run)
        self.say(
            "Nothing was written." if dry_run else "Restored. Running rollouts are paused: see them before you resume."
        )
