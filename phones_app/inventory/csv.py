"""CSV import and export of phones by MAC address, without push passwords in exports; and the models that are in use."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, QuerySet

from contacts_app.accounts.models import Account
from contacts_app.accounts.services import AccountColumn
from contacts_app.core.actor import Actor
from contacts_app.core.csv.columns import Column, FieldColumn, MacColumn, SecretColumn
from contacts_app.core.csv.format import CsvFormat, Identity, Key
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from profiles_app.phone.models import PhoneProfile

PLAIN = (
    "name", "brand", "model", "software_type", "software_version", "is_active", "location", "phone_ip",
    "emergency_number", "phone_vlan", "hostname", "description", "line_user", "sip_port", "web_port", "web_username",
)  # fmt: skip


class ServerColumn(Column):
    """A server of the phone's account or shared by all: its name, or its UUID where several are called so."""

    def __init__(self, name: str, model: type[FileServer] | type[CallManager], actor: Actor) -> None:
        super().__init__(name, note="Name or UUID; empty: the default one." if model is FileServer else "Name or UUID.")
        self.model, self.actor = model, actor
        self.related, self.deferred = (name,), (f"{name}__password",)
        self._by_name: dict[str, list[FileServer | CallManager]] | None = None

    def write(self, row: Any) -> str:
        server = getattr(row, self.attribute)
        if server is None:
            return ""
        return str(server.name) if self._called(server.name, row.account) == [server] else str(server.uuid)

    def read(self, cell: str, values: Mapping[str, Any]) -> Any:
        # Without an account the row is refused anyhow.
        if not cell or (account := values.get("account")) is None:
            return None
        found = self._called(cell, account)
        if len(found) != 1:
            missing = f"No such {self.model._meta.verbose_name}."
            raise ValidationError("Several have this name; use the UUID." if found else missing)
        return found[0]

    def _called(self, name: str, account: Account) -> list[FileServer | CallManager]:
        if self._by_name is None:
            self._by_name = {}
            rows: QuerySet[Any] = self.model._default_manager.defer("password")
            for server in self.actor.sees(rows, shared=True):
                for known in (server.name, str(server.uuid)):
                    self._by_name.setdefault(known, []).append(server)
        found = self._by_name.get(_spelt_as_uuid(name), [])
        return [server for server in found if server.account_id in (account.pk, None)]


class BaseProfileColumn(Column):
    """A phone profile of the phone's account or of the portal's staff: its UUID, or its name where one alone has it."""

    related = ("base_profile",)

    def __init__(self) -> None:
        super().__init__("base_profile", note="UUID or name of a phone profile; empty: no one can log in on the phone.")
        self._found: dict[str, list[PhoneProfile]] = {}

    def prepare(self, cells: set[str]) -> None:
        wanted = [*filter(None, cells)]
        uuids = [cell for cell in map(_spelt_as_uuid, wanted) if _is_uuid(cell)]
        rows = PhoneProfile.objects.filter(Q(uuid__in=uuids) | Q(name__in=wanted)).select_related("user")
        self._found = {}
        for profile in rows:
            for known in (profile.name, str(profile.uuid)):
                self._found.setdefault(known, []).append(profile)

    def write(self, row: Any) -> str:
        return str(row.base_profile.uuid) if row.base_profile else ""

    def read(self, cell: str, values: Mapping[str, Any]) -> Any:
        # Without an account the row is refused anyhow.
        if not cell or (account := values.get("account")) is None:
            return None
        known = self._found.get(_spelt_as_uuid(cell), [])
        found = [profile for profile in known if profile.user.account_id in (account.pk, None)]
        if len(found) != 1:
            raise ValidationError("Several have this name; use the UUID." if found else "No such phone profile.")
        return found[0]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _spelt_as_uuid(text: str) -> str:
    """A UUID in its one spelling, anything else as it is."""
    try:
        return str(UUID(text))
    except ValueError:
        return text


class PhoneCsv(CsvFormat):
    kind, thing = "phones", "phone"
    model = Phone
    keys = (("mac",),)

    def make_columns(self) -> Sequence[Column]:
        return [
            MacColumn(Phone, "mac", note="In any spelling."),
            AccountColumn(self.actor),
            *(FieldColumn(Phone, name) for name in PLAIN),
            SecretColumn(Phone, "web_password", note="Never exported; empty: stays as it is."),
            ServerColumn("file_server", FileServer, self.actor),
            ServerColumn("call_manager", CallManager, self.actor),
            BaseProfileColumn(),
        ]

    def rows(self) -> "QuerySet[Phone]":
        return self.actor.sees(Phone.objects.all())

    def taken_by_others(self, key: Key, identities: Collection[Identity]) -> set[Identity]:
        macs = [mac for (mac,) in identities]
        return set(Phone.objects.filter(mac__in=macs).order_by().values_list("mac")) if macs else set()


# A DISTINCT would read a million rows for a dozen names. More are no choice, and a model can be any text.
MOST = 100
# A loose index scan (PostgreSQL wiki): each step finds the next name in the index of models.
LEAPS = """
    WITH RECURSIVE found(model) AS (
        SELECT min(model) FROM phones_app_phone WHERE {mine}
        UNION ALL
        SELECT (SELECT min(p.model) FROM phones_app_phone AS p WHERE {mine} AND p.model > found.model)
        FROM found WHERE found.model IS NOT NULL
    ) SELECT model FROM found WHERE model IS NOT NULL LIMIT {most}
"""


def models_in_use(account: Account | None) -> list[str]:
    """The models of an account's phones, or of all, in their order: the first `MOST` of them."""
    mine, known = ("account_id = %s", [account.pk] * 2) if account else ("1 = 1", [])
    with connection.cursor() as cursor:
        cursor.execute(LEAPS.format(mine=mine, most=MOST), known)
        return [model for (model,) in cursor.fetchall()]
