"""CSV -> rows: everything is checked before anything is stored, all errors are told, and all is stored or nothing.

The file is read twice, in batches: first to check it, then, in one transaction, to store it. The second reading checks
again, because the rows may have changed meanwhile. An uploaded file is kept while a person looks at what it would do.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from io import BytesIO
from itertools import islice
from time import monotonic
from typing import Any, BinaryIO

from django.core.cache import cache
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from contacts_app.core.csv.format import BATCH, CsvFormat, CsvRow, Report
from contacts_app.core.csv.models import UploadedCsv
from contacts_app.core.csv.reading import CsvReading
from contacts_app.core.csv.text import Line, UnreadableCsv, check_size, read_lines
from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import because

# Told after every batch: what is being done, and which part of the file has been read, from 0 to 1.
Progress = Callable[[str, float], None]


def import_csv(
    file: BinaryIO, csv_format: CsvFormat, *, dry_run: bool = False, progress: Progress = lambda _doing, _part: None
) -> Report:
    """Check the file and, if there is no error and this is no dry run, store it.

    Raises Refusal when the file is too large, or when others changed the same rows at the same moment.
    """
    check_size(file)
    report = Report()
    file = csv_format.as_csv(file, report)
    if report.errors:
        return report
    size = check_size(file) or 1
    for _ in _batches(file, csv_format, report):
        progress("Checking", file.tell() / size)
    report.remarks = list(csv_format.remarks)
    if dry_run or report.errors:
        report.errors = list(map(csv_format.placed, report.errors))
        return report
    stored = Report(remarks=report.remarks)
    try:
        with transaction.atomic():
            for entries in _batches(file, csv_format, stored, lock=True):
                _store(csv_format, entries)
                progress("Storing", file.tell() / size)
            stored.stored = not stored.errors
            transaction.set_rollback(not stored.stored)
    except (IntegrityError, OperationalError) as error:
        text = "The same rows were changed by somebody else at this moment; nothing was stored. Try again."
        raise Refusal("changed-meanwhile", text) from error
    stored.errors = list(map(csv_format.placed, stored.errors))
    return stored


def _store(csv_format: CsvFormat, entries: Sequence[CsvRow]) -> None:
    good = [entry for entry in entries if not entry.errors]
    if new := [entry for entry in good if entry.stored is None]:
        csv_format.create(new)
    if changed := [entry for entry in good if entry.stored is not None and entry.changed]:
        csv_format.update(changed)


def _batches(file: BinaryIO, csv_format: CsvFormat, report: Report, *, lock: bool = False) -> Iterator[list[CsvRow]]:
    """Each batch of rows, checked and counted in the report."""
    lines = read_lines(file, [column.name for column in csv_format.columns])
    try:
        _, header = next(lines, (1, []))
    except UnreadableCsv as error:
        report.add(error.row, "", error.message)
        return
    reading = CsvReading(csv_format, header, report, lock=lock)
    if reading.keys:
        for batch in _chunks(lines, report):
            yield reading.entries(batch)


def _chunks(lines: Iterator[Line], report: Report) -> Iterator[list[Line]]:
    """Whatever comes before an unreadable row is looked at too, so that all errors come at once."""

    def readable() -> Iterator[Line]:
        try:
            yield from (line for line in lines if any(map(str.strip, line[1])))
        except UnreadableCsv as error:
            report.add(error.row, "", error.message)

    rows = readable()
    while batch := list(islice(rows, BATCH)):
        yield batch


KEPT = timedelta(days=1)


@transaction.atomic
def keep_upload(*, user: Any, kind: str, name: str, file: BinaryIO) -> UploadedCsv:
    """Keep a person's one file of a kind; those that nobody came back to go. Raises Refusal for one too large."""
    check_size(file)
    file.seek(0)
    former = Q(user=user, kind=kind) | Q(created_at__lt=timezone.now() - KEPT)
    UploadedCsv.objects.filter(former).delete()
    return UploadedCsv.objects.create(user=user, kind=kind, name=name[:255], content=file.read())


TOLD_FOR, TOLD_EACH = 60, 0.3


def import_upload(upload: UploadedCsv, *, csv_format: CsvFormat, dry_run: bool) -> Report:
    """What the file would do, or does: once stored it is gone. Raises Refusal."""
    with because(f"Imported from {upload.name}"):
        report = import_csv(BytesIO(upload.content), csv_format, dry_run=dry_run, progress=_told_to_others(upload))
    if report.stored:
        upload.delete()
    return report


def progress_of(upload: UploadedCsv) -> tuple[str, float] | None:
    """What an import does in another request, and which part of the file it has behind it, if that is known here."""
    told: tuple[str, float] | None = cache.get(_key(upload))
    return told


def _told_to_others(upload: UploadedCsv) -> Progress:
    """In the cache: nothing that the import writes to the database is seen before its end."""
    last = 0.0

    def tell(doing: str, part: float) -> None:
        nonlocal last
        if (now := monotonic()) - last >= TOLD_EACH:
            last = now
            cache.set(_key(upload), (doing, min(part, 1.0)), TOLD_FOR)

    return tell


def _key(upload: UploadedCsv) -> str:
    return f"csv-import-{upload.uuid}"
