"""The names of temporary files and backups."""

from datetime import UTC, datetime
from itertools import islice

from phones_app.transports.ftp.folder import Listing, hidden
from phones_app.transports.ftp.upload import backups, leftovers, new_backups

NAME = "SEP001122334455.cnf.xml"
NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def test_backups_of_one_second_are_numbered() -> None:
    offered = list(islice(new_backups(NAME, NOON, []), 2))
    assert offered == [f"{NAME}.20260102T120000Z.bak", f"{NAME}.20260102T120000Z.1.bak"]


def test_a_number_freed_by_deletion_is_not_used_again() -> None:
    known = [f"{NAME}.20260102T120000Z.9.bak", f"{NAME}.20260102T120000Z.10.bak"]
    assert next(new_backups(NAME, NOON, known)) == f"{NAME}.20260102T120000Z.11.bak"


def test_the_newest_backup_comes_first() -> None:
    oldest_first = [
        f"{NAME}.20251231T235959Z.7.bak",
        f"{NAME}.20260102T120000Z.bak",
        f"{NAME}.20260102T120000Z.2.bak",
        f"{NAME}.20260102T120000Z.10.bak",
    ]
    assert backups(oldest_first) == oldest_first[::-1]


def test_a_listing_knows_the_relatives_of_each_file_and_nothing_else() -> None:
    temporary, aside = hidden(NAME, "part"), hidden(NAME, "old")
    backup = f"{NAME}.20260102T120000Z.bak"
    others = [NAME, f"{NAME}.bak", f".{NAME}.part", f"{NAME}.sgn", f"SEP9.cnf.xml{backup[23:]}", "notes.txt"]
    listing = Listing([temporary, aside, backup, *others])
    assert listing.relatives(NAME) == {temporary, aside, backup}
    assert set(leftovers(listing.relatives(NAME))) == {temporary, aside}
    listing.discard(temporary)
    assert listing.relatives(NAME) == {aside, backup}
