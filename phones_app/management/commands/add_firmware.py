"""`manage.py add_firmware`: takes packages of firmware into the portal, complete ones alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.template.defaultfilters import filesizeformat

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, Row, headings
from contacts_app.core.errors import Refusal
from phones_app.firmware.adding import AddedFirmware, IncompleteFirmware, add_firmware
from phones_app.firmware.sets.verdict import faults_as_rows


class Command(ReportingCommand):
    help = (
        "Add firmware: folders, .zip, .tgz, .cop.sgn and .cop.sha512 packages, or single .loads files beside their "
        "components. Of each package all loads are added, or none when something of it is missing or damaged. "
        "Status 1 when a package was refused."
    )
    columns = headings("package", "result", "load", "version", "protocol", "models", "size", "what")

    def arguments(self, add: Add) -> None:
        add("paths", nargs="+", metavar="PATH", type=Path)
        add_account(add, help="For the phones of this account alone.")
        add("--into", default="", metavar="FOLDER", help="Where the files are to lie; default: at the top.")
        add(
            "--replace-defaults",
            action="store_true",
            help="Have phones boot from what the package has for that after a factory reset (termNN.default.loads), "
            "also where there is such a file.",
        )

    def handle(
        self, *, paths: list[Path], account: int | None, into: str, replace_defaults: bool, **options: Any
    ) -> None:
        owner = account_numbered(account)
        rows, refused = list[Row](), 0
        with self.progress() as watch:
            for path in paths:
                try:
                    added = add_firmware(
                        path,
                        account=owner,
                        folder=into,
                        replace_defaults=replace_defaults,
                        dry_run=options["dry_run"],
                        on_progress=watch,
                    )
                except (Refusal, OSError) as error:
                    refused += 1
                    rows.append({"package": str(path), "result": "refused", **_why(error)})
                else:
                    result = "would be added" if options["dry_run"] else "added"
                    rows += ({"package": str(path), "result": result} | row for row in self._rows(added))
        self.report(rows)
        if refused:
            raise CommandError(f"{refused} of {len(paths)} packages were refused.")

    def _rows(self, added: AddedFirmware) -> Iterator[dict[str, object]]:
        for row in added.loads:
            yield {
                "load": row.load,
                "version": row.version,
                "protocol": row.protocol,
                "models": row.phone_models,
                "size": row.size if self.as_json else filesizeformat(row.size),
                "remarks": row.remarks,
                "kept": added.kept,
                "what": "\n".join(_remarks(added.kept, row.remarks)),
            }


def _remarks(kept: Sequence[str], remarks: Sequence[dict[str, str]]) -> list[str]:
    told = [f"{path}: stays as it is, and phones boot from it after a factory reset" for path in kept]
    return told + [f"{one['file']}: {one['message']}" for one in remarks]


def _why(error: Refusal | OSError) -> dict[str, object]:
    if isinstance(error, OSError):
        return {"code": "unreadable", "what": f"It cannot be read: {error.strerror or error}."}
    faults = [
        fault | {"load": one.load}
        for one in (error.incomplete if isinstance(error, IncompleteFirmware) else ())
        for fault in faults_as_rows(one.faults)
    ]
    return {"code": error.code, "what": error.message, "faults": faults}
