"""`manage.py check_profile`: what is wrong with SEP files, before anybody stores or deploys them."""

import sys
from pathlib import Path

from django.core.management.base import CommandError

from contacts_app.core.commands import Add, ReportingCommand, Row, headings
from profiles_app.phone import sep
from profiles_app.phone.models import SoftwareType

STDIN = "-"


class Command(ReportingCommand):
    help = "Check SEP files as the portal would. The database is not touched."
    columns = headings("file", "severity", "line", "column", "code", message="What")
    writes = False

    def arguments(self, add: Add) -> None:
        add("files", nargs="+", metavar="FILE", help=f"{STDIN} reads standard input.")
        add("--model", default="", help="The phone it is for, such as 8845.")
        add("--software", choices=SoftwareType.values, help="What that phone runs.")

    def handle(self, *, files: list[str], model: str, software: str | None, **options: object) -> None:
        checked = {name: _check(name, model, software) for name in files}
        faulty = sum(any(row["severity"] == sep.Severity.ERROR for row in rows) for rows in checked.values())
        if self.as_json:
            self.report(
                {"file": name, "ok": not any(row["severity"] == sep.Severity.ERROR for row in rows), "findings": rows}
                for name, rows in checked.items()
            )
        else:
            good = {"severity": "ok", "message": "Nothing to remark."}
            self.report({"file": name, **row} for name, rows in checked.items() for row in rows or [good])
        if faulty:
            raise CommandError(f"{faulty} of {len(files)} files have errors.")


def _check(name: str, model: str, software: str | None) -> list[Row]:
    try:
        content = _read(name)
    except OSError as error:
        reason = error.strerror or str(error)
        return [sep.Finding("unreadable", sep.Severity.ERROR, f"the file cannot be read: {reason}").as_dict()]
    base = Path(name).name
    # Other names are drafts; one that means to be a phone's has to be exactly what the phone asks for.
    is_meant = base.lower().startswith("sep") and base.lower().endswith(".cnf.xml")
    meant = base if is_meant or sep.named(base) or sep.other_file(base) else None
    findings = sep.check(content, file_name=meant, model=model, software_type=software)
    return [finding.as_dict() for finding in findings]


def _read(name: str) -> bytes:
    if name == STDIN:
        return sys.stdin.buffer.read(sep.MAX_BYTES + 1)
    with open(name, "rb") as file:
        return file.read(sep.MAX_BYTES + 1)
