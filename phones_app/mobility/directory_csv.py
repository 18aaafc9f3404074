"""CSV of personal directories: one row for each entry, of whose person it names."""

from collections.abc import Sequence

from django.db.models import QuerySet

from contacts_app.core.csv.columns import Column, FieldColumn, UuidColumn
from contacts_app.core.csv.format import CsvFormat
from phones_app.mobility.models import DirectoryEntry
from profiles_app.phone.csv import OwnerColumn


class DirectoryCsv(CsvFormat):
    kind, thing = "directories", "directory entry"
    model = DirectoryEntry
    keys = (("uuid",), ("owner", "number"))

    def make_columns(self) -> Sequence[Column]:
        plain = (FieldColumn(DirectoryEntry, name) for name in ("number", "name", "place"))
        return [UuidColumn(), OwnerColumn(self.actor), *plain]

    def rows(self) -> "QuerySet[DirectoryEntry]":
        return self.actor.sees(DirectoryEntry.objects.all(), "user__account")
