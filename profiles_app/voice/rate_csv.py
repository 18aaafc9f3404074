"""Rates as CSV: of all tables, each row naming its own, or of one table as carriers send them."""

from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from contacts_app.core.actor import Actor
from contacts_app.core.csv.columns import MISSING, Column, FieldColumn
from contacts_app.core.csv.format import CsvFormat, CsvRow, Key
from profiles_app.voice.models.rates import Rate, RateTable


class TableColumn(Column):
    """The name of a rate table."""

    fixed = True
    related = ("table",)

    def __init__(self, name: str = "table", note: str = "") -> None:
        super().__init__(name, note=note or "Name of the rate table, which is there already.")
        self._known: dict[str, RateTable] = {}

    def prepare(self, cells: set[str]) -> None:
        if unknown := cells - self._known.keys():
            self._known |= {table.name: table for table in RateTable.objects.filter(name__in=unknown)}

    def write(self, row: object) -> str:
        table: RateTable | None = getattr(row, self.attribute)
        return table.name if table else ""

    def read(self, cell: str, values: Mapping[str, object]) -> RateTable | None:
        table = self._known.get(cell)
        if table is None:
            raise ValidationError("No such rate table." if cell else MISSING)
        return table


class OwnTableColumn(TableColumn):
    """The table that prices the calls of a profile."""

    fixed = False
    related = ("rate_table",)

    def __init__(self) -> None:
        super().__init__("rate_table", "Name of the rate table, which is there already; empty: the default one.")

    def read(self, cell: str, values: Mapping[str, object]) -> RateTable | None:
        return super().read(cell, values) if cell else None


class RateCsv(CsvFormat):
    """Operators alone have rates: a customer sees none."""

    kind, thing = "rates", "rate"
    model = Rate
    keys: tuple[Key, ...] = (("table", "prefix"),)

    def make_columns(self) -> Sequence[Column]:
        return [TableColumn(), *self.of_rate()]

    def of_rate(self) -> list[Column]:
        return [FieldColumn(Rate, name) for name in ("prefix", "destination", "price", "interval", "is_allowed")]

    def rows(self) -> "QuerySet[Rate]":
        rates = Rate.objects.all()
        return rates if self.actor.is_staff else rates.none()


class RatesOfTable(RateCsv):
    """The rates of one table, which the file does not name."""

    keys = (("prefix",),)

    def __init__(self, actor: Actor, table: RateTable) -> None:
        self.table = table
        super().__init__(actor)

    def make_columns(self) -> Sequence[Column]:
        return self.of_rate()

    def rows(self) -> "QuerySet[Rate]":
        return super().rows().filter(table=self.table)

    def create(self, entries: Sequence[CsvRow]) -> None:
        for entry in entries:
            entry.values["table"] = self.table
        super().create(entries)
