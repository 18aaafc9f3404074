"""Files of call detail records -> calls: all of a file or, with any wrong line, nothing of it.

A file may be longer than memory: it is read once, in batches, in one transaction. Of several lines about one call, as
Asterisk writes them for each phone of a ring group, the answered one counts, else the longest.
"""

from collections.abc import Callable, Iterator
from datetime import tzinfo
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from contacts_app.accounts.models import Account
from contacts_app.core.csv.format import Report
from contacts_app.core.csv.text import Line, UnreadableCsv, read_lines
from contacts_app.people.zones import zone_of_account
from profiles_app.calls.cdr import MASTER, call_of, header_of, named
from profiles_app.calls.models import CallRecord
from profiles_app.calls.services import record_calls

BATCH = 1000
Progress = Callable[[str, float], None]
# How good a line is as the record of its call.
Rank = tuple[bool, int]
Key = tuple[int, str]


class CdrImport:
    """One passage through a file. `account` None: the account code of each line is the VoIP id of its account.

    `zone` None: times are of the account's time zone.
    """

    def __init__(self, account: Account | None, zone: tzinfo | None) -> None:
        self.account, self.zone = account, zone
        self.report = Report()
        self._owners: dict[str, Account | None] = {}
        # Calls of this file that are stored already: what their line was worth, and the row where that is ours.
        self._met: dict[Key, tuple[Rank, UUID | None]] = {}

    def run(self, file: BinaryIO, size: int, progress: Progress, *, dry_run: bool) -> Report:
        with transaction.atomic():
            for batch in self._batches(file):
                rows = [row for line in batch if (row := self._read(line)) is not None]
                if not self.report.errors:
                    self._store(rows)
                progress("Calls", min(1.0, file.tell() / (size or 1)))
            self.report.stored = not (self.report.errors or dry_run)
            transaction.set_rollback(not self.report.stored)
        return self.report

    def _batches(self, file: BinaryIO) -> Iterator[list[Line]]:
        lines = self._lines(file)
        first = next(lines, None)
        if first is None:
            return
        try:
            self.header = header_of(first[1])
        except ValidationError as error:
            self.report.add(first[0], "", " ".join(error.messages))
            return
        rest = lines if self.header else _with(first, lines)
        while batch := list(islice(rest, BATCH)):
            yield batch

    def _lines(self, file: BinaryIO) -> Iterator[Line]:
        try:
            yield from (line for line in read_lines(file, MASTER) if any(map(str.strip, line[1])))
        except UnreadableCsv as error:
            self.report.add(error.row, "", error.message)

    def _read(self, line: Line) -> CallRecord | None:
        number, cells = line
        try:
            known = named(cells, self.header)
            account = self.account or self._owner(known.get("accountcode", ""))
            return call_of(known, account, self.zone or zone_of_account(account))
        except ValidationError as error:
            for column, texts in (error.message_dict if hasattr(error, "error_dict") else {"": error.messages}).items():
                self.report.add(number, column, " ".join(texts))
        return None

    def _owner(self, code: str) -> Account:
        if code not in self._owners:
            is_number = code.isascii() and code.isdecimal() and len(code) < 19
            self._owners[code] = Account.objects.filter(voip_id=int(code)).first() if is_number else None
        owner = self._owners[code]
        if owner is None:
            raise ValidationError({"accountcode": ["No account has this VoIP id; --account says whose the calls are."]})
        return owner

    def _store(self, rows: list[CallRecord]) -> None:
        best: dict[Key, CallRecord] = {}
        for row in rows:
            key = (row.account_id, row.call_id)
            other = best.get(key)
            if other is None or rank(row) > rank(other):
                best[key] = row
        better = {key: row for key, row in best.items() if key in self._met}
        new = {key: row for key, row in best.items() if key not in self._met}
        stored = record_calls(new.values())
        for key, row in new.items():
            self._met[key] = rank(row), row.uuid if row.uuid in stored else None
        for key, row in better.items():
            self._improve(key, row)
        self.report.created += len(stored)
        self.report.unchanged += len(rows) - len(stored)

    def _improve(self, key: Key, row: CallRecord) -> None:
        """A later line says more of a call that this import has made."""
        known, uuid = self._met[key]
        if uuid is None or rank(row) <= known:
            return
        CallRecord.objects.filter(uuid=uuid).delete()
        row.uuid = uuid
        record_calls([row])
        self._met[key] = rank(row), uuid


def rank(row: CallRecord) -> Rank:
    return row.disposition == CallRecord.Disposition.ANSWERED, row.seconds


def _with(first: Line, rest: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from rest
