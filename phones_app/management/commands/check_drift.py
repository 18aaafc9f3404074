"""`manage.py check_drift`: are the files on the file servers those that were uploaded?"""

from django.core.management.base import CommandError

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, argument, positive
from phones_app.deployment.models import FileState, PhoneFile
from phones_app.drift.checks import Found, check_files, difference
from profiles_app.phone.sep.catalogue import parse_mac


class Command(ReportingCommand):
    help = (
        "Read phones' files back from their file servers and compare them with what was uploaded. "
        "Status 1 when one was changed, is missing or cannot be read."
    )
    columns = {"mac": "Phone", "name": "Name", "file_server": "File server", "state": "File", "error": "Why"}
    writes = False

    def arguments(self, add: Add) -> None:
        add("macs", nargs="*", type=argument(parse_mac), metavar="MAC", help="Default: all.")
        add_account(add)
        add(
            "--sample",
            type=positive(int, at_most=1_000_000),
            metavar="N",
            help="Only the N files that were not looked at for the longest time.",
        )
        add("--diff", action="store_true", help="Show what was changed, passwords masked.")

    def handle(
        self, *, macs: list[str], account: int | None, sample: int | None, diff: bool, **options: object
    ) -> None:
        files = PhoneFile.objects.all()
        if macs:
            files = files.filter(phone__mac__in=macs)
        if account:
            files = files.filter(phone__account=account_numbered(account))
        if sample:
            oldest = files.filter(server__isnull=False).order_by("next_check_at").values_list("pk", flat=True)
            files = PhoneFile.objects.filter(pk__in=list(oldest[:sample]))
        rows, bad = [], 0
        for found in check_files(files):
            bad += bool(found.error) or found.state is not FileState.IN_PLACE
            rows.append(_row(found) | ({"diff": difference(found.file)} if diff else {}))
        self.report(rows)
        if diff:
            for row in rows:
                self.say(str(row["diff"]))
        if bad:
            raise CommandError(f"{bad} of {len(rows)} files are not as they were uploaded, or not known.")


def _row(found: Found) -> dict[str, object]:
    file = found.file
    return {
        "mac": file.phone.mac_with_colons,
        "name": file.phone.name,
        "file_server": file.server.name if file.server else "",
        "state": "unknown" if found.error else found.state,
        "uploaded_sha256": file.sha256,
        "found_sha256": found.sha256,
        "error": found.error,
    }
