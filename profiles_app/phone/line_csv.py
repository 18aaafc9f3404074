"""Lines as CSV, and out of the files of a PBX. Passwords go in, and come out only where an operator asks for secrets."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import BinaryIO

from django.db.models import QuerySet

from contacts_app.accounts.models import Account
from contacts_app.accounts.services import AccountColumn
from contacts_app.core.actor import Actor
from contacts_app.core.csv.columns import Column, FieldColumn, SecretColumn, UuidColumn
from contacts_app.core.csv.format import CellError, CsvFormat, CsvRow, Key, Report
from contacts_app.core.csv.text import as_csv
from contacts_app.people.models import User
from profiles_app.phone import pbx
from profiles_app.phone.csv import OwnerColumn
from profiles_app.phone.lines import CHECKED, faults_of, remark_of
from profiles_app.phone.models import Line, PhoneProfile

# What the files of PBXs tell, by the names of our columns.
_READ = (
    *("extension", "name", "auth_name", "auth_password", "display_name", "mailbox"),
    *("max_calls", "busy_trigger"),
)
_REMARKS = 1000


class LineOwnerColumn(OwnerColumn):
    """Whose line it is, by email; empty: nobody's."""

    def __init__(self, actor: Actor) -> None:
        super().__init__(actor)
        self.name, self.note = "person", "Email of the person whose line it is; empty: nobody's."

    def prepare(self, cells: set[str]) -> None:
        if named := cells - {""}:
            super().prepare(named)

    def write(self, row: PhoneProfile | Line) -> str:
        return str(row.user.email) if row.user else ""

    def read(self, cell: str, values: Mapping[str, object]) -> User | None:  # type: ignore[override]
        return super().read(cell, values) if cell else None


class LineCsv(CsvFormat):
    kind, thing = "lines", "line"
    model = Line
    keys: tuple[Key, ...] = (("uuid",), ("account", "extension"))
    also_reads = (
        "FreePBX's extensions CSV (Bulk Handler) and Asterisk's pjsip.conf and sip.conf are read as well: as they are."
    )
    # What the file is, where that should not be found out by its content: one of pbx.FORMATS.
    format = ""

    def __init__(self, actor: Actor) -> None:
        super().__init__(actor)
        # Of the rows made out of a PBX's file: its line and section there.
        self.places: dict[int, tuple[int, str]] = {}
        # By its extension alone a line is known where there is one account only.
        if actor.account is not None or Account.objects.count() < 2:
            self.keys = (*self.keys, ("extension",))

    def make_columns(self) -> Sequence[Column]:
        plain = ("display_name", "label", "voicemail", "mailbox", "max_calls", "busy_trigger")
        return [
            UuidColumn(),
            AccountColumn(self.actor),
            FieldColumn(Line, "extension"),
            FieldColumn(Line, "name"),
            LineOwnerColumn(self.actor),
            FieldColumn(Line, "auth_name"),
            SecretColumn(Line, "auth_password", note="Of the registration; never exported; empty: stays as it is."),
            *(FieldColumn(Line, name) for name in plain),
        ]

    def rows(self) -> "QuerySet[Line]":
        return self.actor.sees(Line.objects.all())

    def as_csv(self, file: BinaryIO, report: Report) -> BinaryIO:
        file.seek(0)
        content = file.read()
        kind = self.format or pbx.format_of(content)
        if kind == "csv":
            return file
        found = pbx.lines_in(content, kind)
        for error in sorted(found.errors):
            report.add(error.line, f"[{error.section}]" if error.section else "", error.message)
        self.remarks |= dict.fromkeys(str(remark) for remark in sorted(found.remarks)[:_REMARKS])
        self.places = {row: (line.line, line.section) for row, line in enumerate(found.lines, start=2)}
        # Without a column for what no line has, so that lines that are there keep theirs.
        told = [name for name in _READ if any(getattr(line, name) not in (None, "") for line in found.lines)]
        names = ["extension", *(name for name in told if name != "extension")]
        account = ["account"] if self.actor.account is None else []
        for column in self.columns:
            # What the PBX does not say stays as it is.
            column.empty_says_nothing = column.empty_says_nothing or column.name in told
        cells = ([*("" for _ in account), *(_cell(getattr(line, name)) for name in names)] for line in found.lines)
        return BytesIO("".join(as_csv([[*account, *names], *cells])).encode())

    def placed(self, error: CellError) -> CellError:
        if error.row not in self.places:
            return error
        line, section = self.places[error.row]
        message = f"{error.column}: {error.message}" if error.column else error.message
        return CellError(line, f"[{section}]", message)

    def judge(self, entries: Sequence[CsvRow]) -> None:
        for entry in entries:
            values = entry.values
            if entry.stored is not None:
                # What was exported and not edited is not judged by today's rules.
                if not entry.changed.intersection((*CHECKED, "user")):
                    continue
                values = {name: getattr(entry.stored, name) for name in ("account", *CHECKED)} | values
            for name, fault in faults_of(values).items():
                entry.errors.setdefault(name, fault)
            person = values.get("user")
            if isinstance(person, User) and person.account_id != getattr(values.get("account"), "pk", None):
                entry.errors.setdefault("person", "The person and the line belong to different accounts.")
            if remark := remark_of(str(values.get("extension", "")), str(values.get("auth_password") or "")):
                self.remarks[remark] = None


def _cell(value: object) -> str:
    return "" if value is None else str(value)
