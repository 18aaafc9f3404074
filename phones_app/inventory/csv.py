"""CSV import and export of phones by MAC address, without push passwords in exports; and the models that are in use."""

import re
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, QuerySet

from contacts_app.accounts.models import Account
from contacts_app.accounts.services import AccountColumn
from contacts_app.core.actor import Actor
from contacts_app.core.csv.columns import Column, FieldColumn, MacColumn, SecretColumn
from contacts_app.core.csv.format import CsvFormat, CsvRow, Identity, Key
from contacts_app.core.errors import Refusal
from phones_app.inventory.assignment import check_assignable, objections
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


class PhoneProfileColumn(Column):
    """A phone profile of the phone's account or of the portal's staff: its name, with its owner's email where several
    have the name, or its UUID.

    Of the staff's profiles an account knows the UUID, where one was told to it, and no name.
    """

    def __init__(self, name: str, attribute: str, actor: Actor, *, note: str) -> None:
        super().__init__(name, attribute, note=f"NAME, NAME (OWNER’S EMAIL) or UUID of a phone profile; {note}")
        self.actor = actor
        self.related = (f"{attribute}__user",)
        self._found: dict[str, list[PhoneProfile]] = {}

    def prepare(self, cells: set[str]) -> None:
        wanted = [*filter(None, cells)]
        uuids = [cell for cell in map(_spelt_as_uuid, wanted) if _is_uuid(cell)]
        names = {*wanted, *(named["name"] for named in map(NAMED.fullmatch, wanted) if named)}
        rows = PhoneProfile.objects.filter(Q(uuid__in=uuids) | Q(name__in=names))
        self._found = {}
        for profile in rows.select_related("user", "revision").defer("revision__content"):
            for known in (profile.name, _with_owner(profile.name, profile.user.email), str(profile.uuid)):
                self._found.setdefault(known, []).append(profile)

    def write(self, row: Phone) -> str:
        profile: PhoneProfile | None = getattr(row, self.attribute)
        if profile is None:
            return ""
        named = profile.user.account_id is not None or self.actor.account is None
        return _with_owner(profile.name, profile.user.email) if named else str(profile.uuid)

    def read(self, cell: str, values: Mapping[str, object]) -> PhoneProfile | None:
        account = values.get("account")
        if not cell or not isinstance(account, Account):  # without one the row is refused anyhow
            return None
        named = NAMED.fullmatch(cell)
        spelt = _with_owner(named["name"], named["email"]) if named else _spelt_as_uuid(cell)
        known = {profile.pk: profile for text in {cell, spelt} for profile in self._found.get(text, [])}.values()
        owners = {account.pk, None} if self.actor.account is None or _is_uuid(spelt) else {account.pk}
        found = [profile for profile in known if profile.user.account_id in owners]
        if len(found) > 1:
            raise ValidationError("Several are called so; add the owner’s email, “NAME (EMAIL)”, or use the UUID.")
        if not found:
            raise ValidationError("No such phone profile.")
        return found[0]


# As a profile is written where its name alone would not do.
NAMED = re.compile(r"(?P<name>.*) \((?P<email>\S+@\S+)\)", re.DOTALL)


def _with_owner(name: str, email: str) -> str:
    return f"{name} ({email.lower()})"


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
            PhoneProfileColumn(
                *("profile", "current_profile", self.actor),
                note="what the phone is to run. Nothing is uploaded by it. Empty: none.",
            ),
            PhoneProfileColumn(
                *("base_profile", "base_profile", self.actor),
                note="what the phone runs while no one is logged in. Empty: no one can log in on the phone.",
            ),
        ]

    def rows(self) -> "QuerySet[Phone]":
        return self.actor.sees(Phone.objects.all())

    def judge(self, entries: Sequence[CsvRow]) -> None:
        """Whether each phone can have the profile that is assigned to it, as the row makes that phone."""
        assigned = [entry for entry in entries if not entry.errors and _assigns(entry)]
        kept = objections({entry.stored.pk for entry in assigned if entry.stored})
        for entry in assigned:
            phone = copy(entry.stored) if entry.stored else Phone()
            for name, value in entry.values.items():
                setattr(phone, name, value)
            try:
                if entry.stored and (why := kept.get(entry.stored.pk)):
                    raise why
                if phone.current_profile is not None:
                    check_assignable(phone, phone.current_profile)
            except Refusal as refusal:
                entry.errors["profile"] = refusal.message

    def taken_by_others(self, key: Key, identities: Collection[Identity]) -> set[Identity]:
        macs = [mac for (mac,) in identities]
        return set(Phone.objects.filter(mac__in=macs).order_by().values_list("mac")) if macs else set()


def _assigns(entry: CsvRow) -> bool:
    """Whether the row gives its phone another profile than it has."""
    if entry.stored is None:
        return entry.values.get("current_profile") is not None
    return "current_profile" in entry.changed


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
