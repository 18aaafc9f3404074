"""The column of a sheet that says which account a row belongs to; sheets themselves know no accounts."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from contacts_app.models import Account
from contacts_app.services.actor import Actor
from contacts_app.services.sheets.columns import Column


class AccountColumn(Column):
    """The account's VoIP id. Tenants know no account but their own, and need not name it."""

    fixed = True
    related = ("account",)

    def __init__(self, actor: Actor) -> None:
        super().__init__("account", note="VoIP id; cannot be changed.")
        self.actor = actor
        self._known: dict[int, Account] = {}
        self._only = actor.account

    def prepare(self, cells: set[str]) -> None:
        numbers = {int(cell) for cell in cells if cell.isdecimal() and len(cell) < 19} - self._known.keys()
        if numbers:
            mine = self.actor.account
            found = [mine] if mine else Account.objects.filter(voip_id__in=numbers)
            self._known |= {account.voip_id: account for account in found}
        if "" in cells and self._only is None:
            # Staff may leave the account out where there is one only.
            accounts = list(Account.objects.all()[:2])
            self._only = accounts[0] if len(accounts) == 1 else None

    def write(self, row: Any) -> str:
        return str(row.account.voip_id)

    def read(self, cell: str, values: Mapping[str, Any]) -> Account:
        account = self._only if not cell else self._known.get(int(cell)) if cell.isdecimal() else None
        if account is None:
            raise ValidationError("No such account." if cell else "Say which account it belongs to.")
        return account
