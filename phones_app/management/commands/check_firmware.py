"""`manage.py check_firmware`: whether sets of firmware are complete, before a phone asks for them."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.template.defaultfilters import filesizeformat

from contacts_app.core.commands import Add, ReportingCommand, Row, UsageError, headings
from contacts_app.core.errors import Refusal
from phones_app.firmware.sets.gates import LoadWay, way_between
from phones_app.firmware.sets.package import open_package
from phones_app.firmware.sets.verdict import FirmwareSet, faults_as_rows, judge
from profiles_app.phone.sep.catalogue import models_of_load

NONE = {"code": "no-loads", "message": "There is no .loads file, which lists the files of a load."}


class Command(ReportingCommand):
    help = (
        "Check firmware: folders, .zip, .tgz, .cop.sgn and .cop.sha512 packages, or single .loads files beside their "
        "components. Status 1 where something is missing or damaged. The database is not touched, nothing is unpacked."
    )
    columns = headings("package", "load", "version", "protocol", "models", "size", complete="Complete", what="What")
    writes = False

    def arguments(self, add: Add) -> None:
        add("paths", nargs="*", metavar="PATH", type=Path)
        add("--served", action="store_true", help="Check what the embedded file server has, too.")
        add("--from", dest="present", default="", metavar="LOAD", help="Show the way from this load to each of them.")

    def handle(self, *, paths: list[Path], served: bool, present: str, **options: object) -> None:
        if not paths and not served:
            raise UsageError("Name packages, or --served.")
        if present and not models_of_load(present):
            raise UsageError(f"“{present}” is not the name of a known load, such as SIP42.9-4-2SR3-1S.")
        rows = list[Row]()
        with self.progress() as watch:
            for package in paths:
                rows += self._rows(package, present, watch)
            if served and settings.PHONE_FILES_DIR.is_dir():
                # A portal that serves no firmware is in order; a folder that was named is there for its firmware.
                rows += [row for row in self._rows(settings.PHONE_FILES_DIR, present, watch) if row["faults"] != [NONE]]
        self.report(rows if self.as_json else [_for_people(row) for row in rows])
        if faulty := sum(not row["complete"] for row in rows):
            raise CommandError(f"{faulty} of {len(rows)} are not complete.")

    @staticmethod
    def _rows(package: Path, present: str, watch: Callable[[str, float], None]) -> list[Row]:
        try:
            sets = judge(open_package(package, watch))
        except Refusal as refusal:
            return [_refused(package, {"code": refusal.code, "message": refusal.message})]
        except OSError as error:
            return [
                _refused(package, {"code": "unreadable", "message": f"It cannot be read: {error.strerror or error}."})
            ]
        return [_row(one, present) for one in sets] or [_refused(package, NONE)]


def _refused(package: Path, fault: dict[str, str]) -> Row:
    return {"package": str(package), "complete": False, "faults": [fault]}


def _row(one: FirmwareSet, present: str) -> Row:
    way = _way(one, present)
    return {
        "package": one.package,
        "file": one.file,
        "load": one.load,
        "version": one.version,
        "protocol": one.protocol,
        "models": one.models,
        "size": one.size,
        "files": len({component.name for component in one.components}),
        "complete": one.complete,
        "platforms": one.platforms,
        "faults": list(faults_as_rows(one.faults)),
        "remarks": list(faults_as_rows(one.remarks)),
    } | ({"path": _way_as_row(way)} if way else {})


def _way(one: FirmwareSet, present: str) -> LoadWay | None:
    """From a load to this one, None where no phone takes both. Phones that share firmware have the same way."""
    both = sorted(models_of_load(present) & set(one.models))
    return way_between(both[0], "", present, one.load) if both and not one.is_default else None


def _way_as_row(way: LoadWay) -> Row:
    steps = [{"load": step.load, "reason": step.reason, "source": step.source} for step in way.steps]
    return {"steps": steps, "refused": way.refused, "doubts": way.doubts, "text": str(way)}


def _for_people(row: Row) -> Row:
    said = list[str]()
    for kind in ("faults", "remarks"):
        for fault in row.get(kind, ()):  # type: ignore[attr-defined]
            where = f"{fault['platform']}: " if fault.get("platform") else ""
            said.append(f"{where}{fault['file']}: {fault['message']}" if "file" in fault else fault["message"])
    if way := row.get("path"):
        said.append(f"Way: {way['text']}")  # type: ignore[index]
    size = {"size": filesizeformat(str(row["size"]))} if "size" in row else {}
    return {**row, **size, "what": "\n".join(said)}
