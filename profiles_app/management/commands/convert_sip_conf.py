"""`manage.py convert_sip_conf`: a sip.conf of Asterisk 18 or 20 in the spelling of the usecallmanager patch for 22."""

import sys
from pathlib import Path

from django.core.management.base import CommandError

from contacts_app.core.commands import Add, ReportingCommand
from profiles_app.phone import pbx

STDIN = Path("-")


class Command(ReportingCommand):
    help = (
        "Write a sip.conf for the usecallmanager patch of Asterisk 22 on standard output, out of one for 18 or 20. Only "
        "what is spelt otherwise changes; what is left to do by hand is told on standard error."
    )
    writes = False

    def arguments(self, add: Add) -> None:
        add("file", type=Path, metavar="FILE", help=f"{STDIN} reads standard input.")

    def handle(self, *, file: Path, **options: object) -> None:
        try:
            content = sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
            text, remarks = pbx.to_22(content.decode())
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise CommandError(f"{file}, line {line}: this is not UTF-8.") from None
        except ValueError as error:
            raise CommandError(str(error)) from None
        if self.as_json:
            self.report_row(text=text, remarks=[str(remark) for remark in remarks])
            return
        self.stdout.write(text, ending="")
        for remark in remarks:
            self.stderr.write(str(remark))
