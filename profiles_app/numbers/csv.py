"""The stock of numbers as CSV, which only the portal's staff read and write."""

from collections.abc import Collection, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from contacts_app.core.csv.columns import MISSING, Column, FieldColumn
from contacts_app.core.csv.format import CsvFormat, CsvRow, Identity, Key
from contacts_app.core.history.records import create_recorded
from contacts_app.core.values import compact
from profiles_app.messaging.models import NumberLease
from profiles_app.messaging.services import kind_of
from profiles_app.numbers.models import StockNumber


class TnColumn(FieldColumn):
    """All usual spellings in, digits out."""

    def read(self, cell: str, values: Mapping[str, object]) -> object:
        if not cell:
            raise ValidationError(MISSING)
        number = compact(cell).removeprefix("+")
        if not (number.isascii() and number.isdecimal()) or number.startswith("0"):
            raise ValidationError("Must be a telephone number in international form.")
        return super().read(number, values)


class StockCsv(CsvFormat):
    kind, thing = "numbers", "number"
    model = StockNumber
    keys = (("tn",),)

    def make_columns(self) -> Sequence[Column]:
        plain = (FieldColumn(StockNumber, name) for name in ("region", "provider", "monthly_price"))
        return [TnColumn(StockNumber, "tn", note="In international form, in any spelling."), *plain]

    def rows(self) -> "QuerySet[StockNumber]":
        """The stock is no account's: others than staff have no part in it."""
        return StockNumber.objects.all() if self.actor.account is None else StockNumber.objects.none()

    def taken_by_others(self, key: Key, identities: Collection[Identity]) -> set[Identity]:
        return set() if self.actor.account is None else set(identities)

    def create(self, entries: Sequence[CsvRow]) -> None:
        """A number that an account leases already comes into the stock as leased."""
        numbers = [StockNumber(**entry.values) for entry in entries]
        leases = {lease.tn: lease for lease in NumberLease.objects.filter(tn__in=[row.tn for row in numbers])}
        for row in numbers:
            row.kind, row.lease = kind_of(row.tn), leases.get(row.tn)
        create_recorded(numbers)
