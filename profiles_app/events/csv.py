"""Event profiles as CSV."""

from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from contacts_app.accounts.models import Account, Extension
from contacts_app.accounts.services import AccountColumn
from contacts_app.core.csv.columns import Column, FieldColumn
from contacts_app.core.csv.format import ServiceCsv
from profiles_app.events.models.setup import EventProfile


class ExtensionColumn(Column):
    """The number of an extension of the row's account."""

    fixed = True
    related = ("extension",)

    def __init__(self) -> None:
        super().__init__("extension", note="Number of the extension that it belongs to; empty: the account as a whole.")

    def write(self, row: EventProfile) -> str:
        return str(row.extension.number) if row.extension else ""

    def read(self, cell: str, values: Mapping[str, object]) -> Extension | None:
        account = values.get("account")
        if not cell or not isinstance(account, Account):
            return None
        number = int(cell) if cell.isascii() and cell.isdecimal() and len(cell) < 19 else 0
        found = Extension.objects.filter(account=account, number=number).first()
        if found is None:
            raise ValidationError("The account has no such extension.")
        return found


class EventProfileCsv(ServiceCsv):
    kind, thing = "event-profiles", "event profile"
    model = EventProfile
    keys = (("account", "name"), ("name",))

    def make_columns(self) -> Sequence[Column]:
        plain = (FieldColumn(EventProfile, name) for name in ("name", "support_email"))
        return [AccountColumn(self.actor), ExtensionColumn(), *plain]

    def rows(self) -> "QuerySet[EventProfile]":
        return self.actor.sees(EventProfile.objects.all())

    def save(self, row: EventProfile, changed: set[str] | None) -> None:
        row.save(update_fields=changed)
