"""`manage.py check_drift`: are the files on the file servers those that were uploaded?"""

from collections.abc import Iterable, Iterator

from django.core.management.base import CommandError
from django.db.models import QuerySet

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, argument, positive
from phones_app.deployment.models import FileState, PhoneFile
from phones_app.drift.checks import Found, check_files, difference
from phones_app.inventory.models import Phone
from profiles_app.phone.sep.catalogue import colons, parse_mac

NO_PHONE = "There is no phone with this MAC address."
NO_FILE = "No file was uploaded for this phone yet."
NO_SERVER = "The file server of this file was deleted."
UPLOADING = "The file is being uploaded."


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
        phones, files = Phone.objects.all(), PhoneFile.objects.all()
        if account:
            phones = phones.filter(account=account_numbered(account))
            files = files.filter(phone__in=phones.values("pk"))
        if macs:
            files = files.filter(phone__mac__in=macs)
        if sample:
            oldest = files.filter(server__isnull=False).order_by("next_check_at").values_list("pk", flat=True)
            files = PhoneFile.objects.filter(pk__in=list(oldest[:sample]))
        rows, bad = [], 0
        for found in check_files(files):
            bad += bool(found.error) or found.state is not FileState.IN_PLACE
            rows.append(_row(found) | ({"diff": difference(found.file)} if diff else {}))
        read = {row["mac"] for row in rows}
        unread = [
            row
            for row in _unread(macs, phones)
            # Of what there is, a sample leaves out a part.
            if row["mac"] not in read and not (sample and row["error"] == UPLOADING)
        ]
        rows, bad = [*rows, *unread], bad + len(unread)
        self.report(rows)
        if diff:
            for row in rows:
                self.say(str(row.get("diff", "")))
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


def _unread(macs: Iterable[str], phones: "QuerySet[Phone]") -> Iterator[dict[str, object]]:
    """A row for each of these addresses, with the reason if its file was not read."""
    found = phones.filter(mac__in=macs).values_list("mac", "name", "file", "file__sha256", "file__server__name")
    known = {mac: about for mac, *about in found}
    for mac in dict.fromkeys(macs):
        name, file, sha256, server = known.get(mac, ("", None, "", ""))
        why = UPLOADING if server else NO_SERVER if file else NO_FILE if mac in known else NO_PHONE
        yield {
            "mac": colons(mac),
            "name": name,
            "file_server": server or "",
            "state": "unknown",
            "uploaded_sha256": sha256 or "",
            "found_sha256": "",
            "error": why,
        }
