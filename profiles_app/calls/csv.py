"""Calls as CSV, for programs and for spreadsheets: straight from columns, as there may be very many."""

from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo

from django.db.models import QuerySet
from django.utils import timezone

from contacts_app.core.csv.text import as_csv
from profiles_app.calls.models import CallRecord
from profiles_app.calls.services import OPERATORS_WORDS

COLUMNS = (
    *("call_id", "direction", "caller", "called", "extension", "started_at", "answered_at", "ended_at", "seconds"),
    *("disposition", "cost", "currency", *OPERATORS_WORDS, "recording_url"),
)
CHUNK = 2000


def export_calls(
    rows: "QuerySet[CallRecord]", *, operators_words: bool, zone: tzinfo | None = None, for_spreadsheets: bool = False
) -> Iterator[str]:
    """CSV of the rows, in pieces. Times are those of `zone`, else UTC; what the operator says only where it may be."""
    names = [name for name in COLUMNS if operators_words or name not in OPERATORS_WORDS]
    writers = [_writer(name, zone) for name in names]

    def lines() -> Iterator[list[str]]:
        yield names
        for row in rows.values_list(*names).iterator(CHUNK):
            yield [write(value) for write, value in zip(writers, row, strict=True)]

    return as_csv(lines(), for_spreadsheets=for_spreadsheets)


def _writer(name: str, zone: tzinfo | None) -> Callable[[object], str]:
    if name.endswith("_at"):
        return lambda moment: _moment(moment, zone) if isinstance(moment, datetime) else ""
    return lambda value: "" if value is None else str(value)


def _moment(moment: datetime, zone: tzinfo | None) -> str:
    return timezone.localtime(moment, zone or timezone.get_fixed_timezone(0)).isoformat(" ", "seconds")
