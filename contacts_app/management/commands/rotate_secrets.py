"""`manage.py rotate_secrets`: when a new key stands in front of ENCRYPTION_KEYS, before the old one goes."""

from django.core.management.base import CommandError

from contacts_app.core.commands import ReportingCommand, headings
from contacts_app.core.secrets import rotate_secrets


class Command(ReportingCommand):
    help = "Encrypt every stored secret with the first of ENCRYPTION_KEYS. May be interrupted and run again."
    columns = headings("table", "column", "rotated", current="Were current", unreadable="Unreadable rows")

    def handle(self, *, dry_run: bool, **options: object) -> None:
        columns = list(rotate_secrets(dry_run=dry_run))
        self.report({**vars(column), "dry_run": dry_run} for column in columns)
        if unreadable := sum(len(column.unreadable) for column in columns):
            raise CommandError(f"No key of ENCRYPTION_KEYS reads {unreadable} of the secrets; keep the old keys.")
        done = "Every secret is under the first key; older keys may be dropped."
        self.say("Nothing was changed." if dry_run else done)
