"""`manage.py import_cdr`: calls from the files that Asterisk and FreePBX write, all of a file or nothing."""

import sys
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError

from contacts_app.accounts.commands import STANDARD, account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, argument
from profiles_app.calls.importing import CdrImport


def time_zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"“{text}” is no IANA time zone such as Europe/Lisbon") from None


class Command(ReportingCommand):
    help = (
        "Add the calls of a file: Master.csv of Asterisk's cdr_csv, or the CSV of FreePBX's CDR report. A call whose "
        "unique id is recorded already stays. With any wrong line nothing is stored, and all of them are told."
    )
    columns = {"created": "New", "known": "Recorded already", "errors": "Errors"}
    error_columns = {"row": "Line", "column": "Column", "message": "What is wrong"}

    def arguments(self, add: Add) -> None:
        add("file", type=Path, metavar="FILE.csv", help="- for standard input.")
        add_account(add, help="Whose calls these are; left out: the account code of each line is a VoIP id.")
        add(
            "--time-zone",
            type=argument(time_zone),
            metavar="ZONE",
            help="Of the times in the file; left out: the account's. UTC where cdr.conf says usegmtime.",
        )

    def handle(
        self, *, file: Path, account: int | None, time_zone: ZoneInfo | None, dry_run: bool, **options: object
    ) -> None:
        try:
            opened: BinaryIO = BytesIO(sys.stdin.buffer.read()) if file == STANDARD else file.open("rb")
            size = 0 if file == STANDARD else file.stat().st_size
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        with opened, self.progress() as progress:
            report = CdrImport(account_numbered(account), time_zone).run(opened, size, progress, dry_run=dry_run)
        if report.errors:
            self.report(map(asdict, report.errors), self.error_columns)
            raise CommandError(f"{report.error_count} error(s); nothing was stored.")
        self.report_row(created=report.created, known=report.unchanged, errors=0, dry_run=dry_run)
