"""MyAccount profiles as CSV: flags, features and customer groups are lists of words, comma-separated."""

from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from contacts_app.accounts.models import Account
from contacts_app.accounts.services import AccountColumn
from contacts_app.core.actor import Actor
from contacts_app.core.csv.columns import Column, FieldColumn
from contacts_app.core.csv.format import CsvRow, ServiceCsv
from profiles_app.myaccount.models import MyAccountProfile
from profiles_app.myaccount.services import allowed_values, save_myaccount_profile

FLAGS = ("my_calls_enabled", "my_calls_daily_cdr_access", "my_calls_use_backend_descriptions")
# The columns with words of presets, and what the presets call these.
PRESETS = {"myaccount_flags": "myAccountFlags", "my_numbers": "myNumbers", "my_campaigns": "myCampaigns"}


def words_of(cell: str) -> list[str]:
    return list(dict.fromkeys(word for part in cell.split(",") if (word := part.strip())))


class KeeperColumn(AccountColumn):
    """The account that keeps the profile; of staff's files none: it is the portal's own."""

    def write(self, row: MyAccountProfile) -> str:
        return str(row.account.voip_id) if row.account else ""

    def read(self, cell: str, values: Mapping[str, object]) -> Account | None:  # type: ignore[override]
        return super().read(cell, values) if cell else self.actor.account


class CustomerColumn(Column):
    related = ("customer",)

    def __init__(self, actor: Actor) -> None:
        super().__init__("customer", note="VoIP id of the one customer it is for; empty: groups or all.")
        self.actor = actor

    def write(self, row: MyAccountProfile) -> str:
        return str(row.customer.voip_id) if row.customer else ""

    def read(self, cell: str, values: Mapping[str, object]) -> Account | None:
        if not cell:
            return None
        mine = self.actor.sees(Account.objects.all(), "parent")
        number = int(cell) if cell.isascii() and cell.isdecimal() and len(cell) < 19 else 0
        if (found := mine.filter(voip_id=number).first()) is None:
            raise ValidationError("No such customer.")
        return found


class PresetColumn(Column):
    def __init__(self, name: str) -> None:
        super().__init__(name, note="Words of the presets, comma-separated.")

    def write(self, row: MyAccountProfile) -> str:
        return ", ".join(getattr(row, self.attribute))

    def read(self, cell: str, values: Mapping[str, object]) -> list[str]:
        allowed, words = allowed_values(PRESETS[self.name]), words_of(cell)
        if wrong := [word for word in words if word.casefold() not in allowed]:
            raise ValidationError(f"There is no {wrong[0][:40]!r} in the presets.")
        return [allowed[word.casefold()] for word in words]


class GroupsColumn(Column):
    def __init__(self) -> None:
        super().__init__("customer_groups", note="Names of groups, comma-separated; empty: not for groups.")

    def write(self, row: MyAccountProfile) -> str:
        return ", ".join(link.group.name for link in row.group_links.select_related("group"))

    def read(self, cell: str, values: Mapping[str, object]) -> list[str]:
        return words_of(cell)


class MyAccountProfileCsv(ServiceCsv):
    kind, thing = "myaccount-profiles", "MyAccount profile"
    model = MyAccountProfile
    keys = (("account", "name"), ("name",))

    def make_columns(self) -> Sequence[Column]:
        texts = (FieldColumn(MyAccountProfile, name) for name in ("name", "description", "availability"))
        flags = (FieldColumn(MyAccountProfile, name) for name in FLAGS)
        presets = (PresetColumn(name) for name in PRESETS)
        return [KeeperColumn(self.actor), *texts, CustomerColumn(self.actor), GroupsColumn(), *presets, *flags]

    def rows(self) -> "QuerySet[MyAccountProfile]":
        return self.actor.sees(MyAccountProfile.objects.all())

    def create(self, entries: Sequence[CsvRow]) -> None:
        for entry in entries:
            groups = entry.values.pop("customer_groups", [])
            save_myaccount_profile(MyAccountProfile(**entry.values), groups=groups)

    def update(self, entries: Sequence[CsvRow]) -> None:
        for entry in entries:
            groups = entry.values["customer_groups"] if "customer_groups" in entry.changed else None
            changed = entry.changed - {"customer_groups"}
            for name in changed:
                setattr(entry.stored, name, entry.values[name])
            save_myaccount_profile(entry.stored, changed=changed, groups=groups)
