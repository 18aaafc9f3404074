"""`manage.py adopt_folder`: makes templates, lines and layers of the files that phones run on."""

from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import CommandError

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, headings
from contacts_app.core.uploads import NamedBytes
from contacts_app.people.commands import person_with_email
from phones_app.configuration.adopting.adopt import AdoptTarget, adopt
from phones_app.configuration.adopting.places import PhonePlace, read_places
from phones_app.configuration.adopting.report import Adoption, AdoptResult
from profiles_app.phone import sep


class Command(ReportingCommand):
    help = (
        "Make templates, lines and layers of the SEP<MAC>.cnf.xml in a folder. Each file is made again and compared; "
        "what does not come back byte for byte stays a file. Nothing is uploaded, and no phone is restarted."
    )
    columns = headings("file", "outcome", "phone", "template", "code", "line", "reason")

    def arguments(self, add: Add) -> None:
        add("folder", type=Path, metavar="DIR")
        add_account(add, required=True, help="Whose phones these are; missing ones are made.")
        add("--owner", metavar="EMAIL", help="Of the phone profiles. Default: the account's user of level 0.")
        add("--places", type=Path, metavar="FILE.csv", help="Says where phones are: mac,location[,model].")

    def handle(
        self, *, folder: Path, account: int, owner: str | None, places: Path | None, dry_run: bool, **options: object
    ) -> None:
        target = AdoptTarget(
            account=account_numbered(account),
            owner=person_with_email(owner) if owner else None,
            places=_places(places) if places else {},
        )
        with self.progress() as progress:
            adoption = adopt(_files(folder), target, actor=self.actor, dry_run=dry_run, progress=progress)
        self.report(
            {name: getattr(file, name) for name in self.columns} | {"dry_run": dry_run} for file in adoption.files
        )
        self.say(f"{adoption.sentence}.{' Nothing of it is stored.' if dry_run else ''}")
        _check(adoption)


def _check(adoption: Adoption) -> None:
    found = adoption.outcomes
    if refused := found[AdoptResult.REFUSED]:
        raise CommandError(f"{refused} of {len(adoption.files)} files were refused.")
    if found[AdoptResult.IGNORED] == len(adoption.files):
        raise CommandError("There is no SEP<MAC>.cnf.xml.")


def _files(folder: Path) -> Iterator[NamedBytes]:
    try:
        for file in sorted(folder.iterdir()):
            if not file.is_dir():
                with file.open("rb") as opened:
                    yield NamedBytes(str(file), opened.read(sep.MAX_BYTES + 1))
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from None


def _places(file: Path) -> dict[str, PhonePlace]:
    try:
        with file.open("rb") as opened:
            return read_places(opened)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
