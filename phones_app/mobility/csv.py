"""CSV of log-ins: who is logged in where, as export; an import logs people in, all or none (mobility spec §5.6)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from contacts_app.core.actor import Actor
from contacts_app.core.csv.columns import Column
from contacts_app.core.csv.format import CsvFormat, CsvRow
from contacts_app.core.errors import Refusal
from contacts_app.core.work import clock
from contacts_app.people.models import User
from phones_app.inventory.models import Phone
from phones_app.mobility.login import IS_OVER, chosen_profile, log_in, profile_named
from phones_app.mobility.models import PRESENT, MobilitySession
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.sep.catalogue import colons, parse_mac


class PhoneColumn(Column):
    fixed = True

    def __init__(self) -> None:
        super().__init__("mac", note="Of the phone, in any spelling.")

    def write(self, row: MobilitySession) -> str:
        return colons(row.mac)

    def read(self, cell: str, values: Mapping[str, Any]) -> Any:
        try:
            return parse_mac(cell)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class PersonColumn(Column):
    """The person by email or user name, in any case, as everywhere."""

    related = ("user",)

    def __init__(self, actor: Actor) -> None:
        super().__init__("person", "user", note="Email or user name, of the phone's account.")
        self.actor = actor
        self._known: dict[str, dict[int, User]] = {}

    def prepare(self, cells: set[str]) -> None:
        lower = {cell.lower() for cell in cells} - self._known.keys() - {""}
        if not lower:
            return
        self._known |= {name: {} for name in lower}
        rows = User.objects.annotate(lower_email=Lower("email"), lower_name=Lower("username"))
        # The exact name as well: SQLite knows the small letters of English alone.
        named = Q(lower_email__in=lower) | Q(lower_name__in=lower) | Q(username__in=cells)
        for user in self.actor.sees(rows.filter(named)):
            for name in {user.email.lower(), user.username.lower()} & lower:
                self._known[name][user.pk] = user

    def write(self, row: MobilitySession) -> str:
        return row.user.email if row.user else ""

    def read(self, cell: str, values: Mapping[str, Any]) -> Any:
        found = list(self._known.get(cell.lower(), {}).values())
        if not found:
            raise ValidationError("There is no such person.")
        if len(found) > 1:
            raise ValidationError("Several people have this as email or user name.")
        return found[0]


class ProfileColumn(Column):
    """A device profile of the person by name; which one it is, is known once person and phone are."""

    empty_says_nothing = True

    def __init__(self) -> None:
        super().__init__(
            "profile", "profile_name", note="Name of a device profile; needed where several fit the phone."
        )

    def write(self, row: MobilitySession) -> str:
        return row.profile_name

    def read(self, cell: str, values: Mapping[str, Any]) -> Any:
        return cell


class UntilColumn(Column):
    empty_says_nothing = True

    def __init__(self) -> None:
        super().__init__("until", note="ISO 8601 with its zone; empty: as long as the policy allows.")

    def write(self, row: MobilitySession) -> str:
        return row.until.isoformat(timespec="seconds") if row.until else ""

    def read(self, cell: str, values: Mapping[str, Any]) -> Any:
        try:
            moment = datetime.fromisoformat(cell) if cell else None
        except ValueError:
            moment = None
        if cell and (moment is None or moment.tzinfo is None):
            raise ValidationError("Must be a date, a time and a zone, as 2026-01-31T18:00:00+01:00.")
        return moment


class LoginCsv(CsvFormat):
    """A row for a phone where this person is logged in already changes until when; another person takes it over."""

    kind, thing = "mobility-sessions", "log-in"
    model = MobilitySession
    keys = (("mac",),)

    def make_columns(self) -> Sequence[Column]:
        return [PhoneColumn(), PersonColumn(self.actor), ProfileColumn(), UntilColumn()]

    def rows(self) -> "QuerySet[MobilitySession]":
        return self.actor.sees(MobilitySession.objects.filter(state__in=PRESENT))

    def judge(self, entries: Sequence[CsvRow]) -> None:
        """Whether the person may log in there; that they may only be on one phone is told when it is stored."""
        asked = [entry for entry in entries if not entry.errors and (entry.stored is None or entry.changed)]
        phones = self._phones(asked)
        for entry in asked:
            phone = phones.get(entry.values["mac"])
            if phone is None:
                entry.errors["mac"] = "There is no such phone."
                continue
            try:
                entry.values["phone"] = phone
                entry.values["profile"] = chosen_profile(phone, self._user(entry), self._profile(entry, phone))
            except Refusal as refusal:
                entry.errors["person"] = refusal.message
            if (until := entry.values.get("until")) and until <= clock.now():
                entry.errors["until"] = IS_OVER

    def create(self, entries: Sequence[CsvRow]) -> None:
        for entry in entries:
            what = {"profile": entry.values["profile"], "until": entry.values.get("until")}
            try:
                log_in(entry.values["phone"], self._user(entry), **what, actor=self.actor)
            except Refusal as refusal:
                raise Refusal(refusal.code, f"Row {entry.row}: {refusal.message} Nothing was stored.") from refusal

    update = create

    def _phones(self, entries: Sequence[CsvRow]) -> dict[str, Phone]:
        rows = self.actor.sees(Phone.objects.select_related("account", "base_profile").defer("web_password"))
        return rows.in_bulk([entry.values["mac"] for entry in entries], field_name="mac")

    @staticmethod
    def _user(entry: CsvRow) -> User:
        # The stored row is there where the file has no column for the person.
        user: User = entry.values["user"] if "user" in entry.values else entry.stored.user  # noqa: SIM401
        return user

    def _profile(self, entry: CsvRow, phone: Phone) -> PhoneProfile | None:
        """The former person's is none of the next one's. Raises Refusal."""
        is_theirs = entry.stored is None or "user" not in entry.changed or "profile_name" in entry.changed
        return profile_named(entry.values.get("profile_name", "") if is_theirs else "", self._user(entry), phone)
