"""Phone profiles as CSV: whose they are and what they fit. Their files, which hold passwords, come as files."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from contacts_app.core.actor import Actor
from contacts_app.core.csv.columns import MISSING, Column, FieldColumn, UuidColumn
from contacts_app.core.csv.format import CsvFormat, CsvRow
from contacts_app.people.models import User
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, ProfileRevision
from profiles_app.phone.services import ProfileRefused, check_content, create_profile, describe, update_profile

MOST_MODELS, LONGEST_MODEL = 200, 64
# Files may have half a megabyte each.
FILES_AT_A_TIME = 20


class OwnerColumn(Column):
    """The owner's email. Tenants know only the people of their account."""

    related = ("user",)

    def __init__(self, actor: Actor) -> None:
        super().__init__("owner", "user", note="Email of the owner.")
        self.actor = actor
        self._known: dict[str, User] = {}

    def prepare(self, cells: set[str]) -> None:
        emails = {cell.lower() for cell in cells} - self._known.keys()
        users = self.actor.sees(User.objects.all()).filter(email__in=emails | cells)
        self._known |= {user.email.lower(): user for user in users}

    def write(self, row: PhoneProfile) -> str:
        return str(row.user.email)

    def read(self, cell: str, values: Mapping[str, object]) -> User:
        user = self._known.get(cell.lower())
        if user is None:
            raise ValidationError("No such user." if cell else MISSING)
        return user


class ModelsColumn(Column):
    """Model numbers, comma-separated."""

    def __init__(self) -> None:
        super().__init__("compatible_models", note="Comma-separated, such as 8841, 8845; empty: all.")

    def write(self, row: PhoneProfile) -> str:
        return ", ".join(row.compatible_models)

    def read(self, cell: str, values: Mapping[str, object]) -> list[str]:
        models = [sep.catalogue.normalise_model(part) for part in cell.split(",")]
        models = list(dict.fromkeys(model for model in models if model))
        if len(models) > MOST_MODELS or any(len(model) > LONGEST_MODEL for model in models):
            raise ValidationError(f"At most {MOST_MODELS} models of at most {LONGEST_MODEL} characters.")
        return models


class ProfileCsv(CsvFormat):
    kind, thing = "profiles", "phone profile"
    model = PhoneProfile
    keys = (("uuid",), ("owner", "name"))
    why_none_is_made = "There is no such phone profile. A new one begins with its file: import that first."

    def make_columns(self) -> Sequence[Column]:
        return [
            UuidColumn(),
            OwnerColumn(self.actor),
            FieldColumn(PhoneProfile, "name"),
            FieldColumn(PhoneProfile, "description"),
            ModelsColumn(),
            FieldColumn(PhoneProfile, "software_type"),
        ]

    def rows(self) -> "QuerySet[PhoneProfile]":
        return self.actor.sees(PhoneProfile.objects.all(), "user__account")

    def judge(self, entries: Sequence[CsvRow]) -> None:
        """Each file must fit the software that its profile is meant for from now on."""
        asked = {entry.stored.revision_id: entry for entry in entries if "software_type" in entry.changed}
        revisions = ProfileRevision.objects.filter(pk__in=asked.keys() - {None})
        for revision in revisions.iterator(chunk_size=FILES_AT_A_TIME) if asked else ():
            entry = asked[revision.pk]
            try:
                check_content(bytes(revision.content), software_type=entry.values["software_type"])
            except ProfileRefused as refused:
                entry.errors["software_type"] = "; ".join(map(describe, refused.findings))


class FileColumn(Column):
    """The profile's file byte for byte, with its passwords: only for the operator's own terminal."""

    related = ("revision",)
    empty_says_nothing = True

    def __init__(self) -> None:
        super().__init__("cnf_xml_base64", "content", note="The file, with its passwords; empty: stays as it is.")

    def write(self, row: PhoneProfile) -> str:
        return b64encode(row.content).decode()

    def read(self, cell: str, values: Mapping[str, object]) -> object:
        if not cell:
            raise ValidationError(MISSING)
        try:
            return b64decode(cell, validate=True)
        except ValueError:
            raise ValidationError("Must be a file in Base64.") from None


class ProfileFilesCsv(ProfileCsv):
    """The same with the files, so that new profiles can be made of it."""

    why_none_is_made = ""

    def make_columns(self) -> Sequence[Column]:
        return [*super().make_columns(), FileColumn()]

    def judge(self, entries: Sequence[CsvRow]) -> None:
        super().judge([entry for entry in entries if "content" not in entry.changed and entry.stored])
        for entry in entries:
            if not entry.errors and (entry.stored is None or "content" in entry.changed):
                try:
                    check_content(entry.values["content"], software_type=entry.values.get("software_type"))
                except ProfileRefused as refused:
                    entry.errors["cnf_xml_base64"] = "; ".join(map(describe, refused.findings))

    def create(self, entries: Sequence[CsvRow]) -> None:
        for entry in entries:
            create_profile(actor=self.actor, **entry.values)

    def update(self, entries: Sequence[CsvRow]) -> None:
        for entry in entries:
            changes = {name: entry.values[name] for name in entry.changed}
            update_profile(entry.stored, actor=self.actor, content=changes.pop("content", None), **changes)
