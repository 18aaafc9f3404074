"""`manage.py add_files`: gives phones files beside their own, out of folders, archives and single files."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from django.core.management.base import CommandError
from django.template.defaultfilters import filesizeformat

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, argument, headings
from contacts_app.core.errors import Refusal
from phones_app.inventory.models import Phone
from phones_app.shared_files.intake import Incoming, IntakeOutcome, IntakeTarget, TakenFile, take_in
from profiles_app.phone.sep.catalogue import parse_mac

Watch = Callable[[str, float], None]


class Command(ReportingCommand):
    help = (
        "Store files that phones read beside their own: ring lists, dial templates, locales, backgrounds, firmware. A "
        "folder is taken with what lies below it, an archive (.zip, .tgz) with what is in it, both with their folders. "
        "A file at the same path is replaced. All are stored, or none."
    )
    columns = headings("path", "outcome", "kind", "size", "reason")

    def arguments(self, add: Add) -> None:
        add("paths", nargs="+", type=Path, metavar="PATH")
        add_account(add, help="For the phones of this account. Default: for the phones of all accounts.")
        add("--phone", type=argument(parse_mac), metavar="MAC", help="For this phone alone.")
        add("--into", default="", metavar="FOLDER", help="A folder in front of their paths, such as German_Germany.")
        add("--description", default="", metavar="TEXT")

    def handle(
        self,
        *,
        paths: list[Path],
        account: int | None,
        phone: str | None,
        into: str,
        description: str,
        dry_run: bool,
        **options: object,
    ) -> None:
        target = IntakeTarget(account_numbered(account), _phone(phone) if phone else None, into, description)
        links: list[TakenFile] = []
        try:
            with self.progress() as progress:
                taken = take_in(_opened(paths, links, progress), target, dry_run=dry_run, watch=progress)
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from None
        except Refusal as refusal:
            raise CommandError(f"{refusal} Nothing is stored.") from None
        self.report({**self._row(one), "dry_run": dry_run} for one in [*taken, *links])
        stored = [one.outcome for one in taken]
        counts = ", ".join(f"{stored.count(one)} {one}" for one in IntakeOutcome if one in stored)
        self.say(f"{counts}.{' Nothing of it is stored.' if dry_run else ''}")

    def _row(self, one: TakenFile) -> dict[str, object]:
        row: dict[str, object] = {"path": one.path, "outcome": one.outcome, "reason": one.reason}
        if one.row is not None:
            size = one.row.size if self.as_json else filesizeformat(one.row.size)
            row |= {"uuid": one.row.uuid, "kind": one.row.kind, "size": size, "sha256": one.row.sha256}
        return row


def _phone(mac: str) -> Phone:
    phone = Phone.objects.filter(mac=mac).first()
    if phone is None:
        raise CommandError("There is no phone with this MAC address.")
    return phone


def _opened(paths: list[Path], links: list[TakenFile], watch: Watch) -> Iterator[Incoming]:
    for path in paths:
        if not path.is_dir():
            with path.open("rb") as file:
                yield Incoming(path.name, file)
            continue
        found = sorted(_files_below(path, links))
        for number, name in enumerate(found):
            watch(name, number / len(found))
            with (path / name).open("rb") as file:
                yield Incoming(name, file, among=True)


def _files_below(root: Path, links: list[TakenFile]) -> Iterator[str]:
    for place, _folders, names in os.walk(root, onerror=_raise):
        for name in names:
            path = Path(place, name)
            relative = path.relative_to(root).as_posix()
            if path.is_symlink() or not path.is_file():
                links.append(TakenFile(relative, IntakeOutcome.LEFT_OUT, reason="A link or a device."))
            else:
                yield relative


def _raise(error: OSError) -> None:
    raise error
