"""The columns of CSV files: how a value is written into a cell, and how a cell is read, with a reason if it is wrong.

A column belongs to one export or import and may remember what it has looked up.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models

TRUTH = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
MISSING = "This must be given."


class Unsaid(Enum):
    """No value at all: the row's own default stands."""

    UNSAID = 0


UNSAID = Unsaid.UNSAID


class Column:
    """`attribute` is what the value is called at the row, `note` what people are told about it."""

    # Cannot be changed once the row is there; an empty cell leaves it as it is.
    fixed: ClassVar[bool] = False
    empty_says_nothing: bool = False
    exported: bool = True
    # What a query should fetch along for it, and what it need not.
    related: tuple[str, ...] = ()
    deferred: tuple[str, ...] = ()

    def __init__(self, name: str, attribute: str = "", *, note: str = "") -> None:
        self.name, self.attribute, self.note = name, attribute or name, note

    def prepare(self, cells: set[str]) -> None:
        """Look up at once what the cells of a batch refer to."""

    def write(self, row: Any) -> str:
        raise NotImplementedError

    def read(self, cell: str, values: Mapping[str, object]) -> object:
        """The value; `values` are those of the columns before it. Raises ValidationError."""
        raise NotImplementedError

    def of_new(self, values: Mapping[str, object]) -> object:
        """The value of a new row when the file has no such column."""
        return self.read("", values)


class FieldColumn(Column):
    """A plain field of the model with its own checks, which are those of forms and serializers too."""

    def __init__(self, model: type[models.Model], name: str, *, note: str = "") -> None:
        self.field = cast("models.Field[Any, Any]", model._meta.get_field(name))
        super().__init__(name, note=note or str(self.field.help_text))

    def write(self, row: object) -> str:
        value = getattr(row, self.attribute)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return "" if value is None else str(value)

    def read(self, cell: str, values: Mapping[str, object]) -> object:
        if cell == "":
            return self._nothing()
        if isinstance(self.field, models.BooleanField):
            if (truth := TRUTH.get(cell.lower())) is None:
                raise ValidationError("Must be yes or no.")
            return truth
        return self.field.clean(cell, None)

    def of_new(self, values: Mapping[str, object]) -> object:
        return UNSAID if self.field.has_default() else self._nothing()

    def _nothing(self) -> object:
        """An empty cell is no value where there may be none, and elsewhere what a new row has."""
        if self.field.null:
            return None
        if self.field.blank and self.field.empty_strings_allowed:
            return ""
        if self.field.has_default():
            return self.field.get_default()
        raise ValidationError(MISSING)


class MacColumn(FieldColumn):
    """Any spelling in, the one for people out."""

    def write(self, row: Any) -> str:
        return str(row.mac_with_colons)


class SecretColumn(FieldColumn):
    """Goes in and comes out only where an operator asks for secrets; an empty cell keeps what is stored."""

    exported = False
    empty_says_nothing = True

    def write(self, row: object) -> str:
        return super().write(row) if self.exported else ""

    def of_new(self, values: Mapping[str, object]) -> object:
        return UNSAID


class UuidColumn(Column):
    """Names a row that is there; an empty cell leaves that to the other key."""

    fixed = True
    empty_says_nothing = True

    def __init__(self) -> None:
        super().__init__("uuid", note="Names a row that is there; empty in new rows.")

    def write(self, row: Any) -> str:
        return str(row.uuid)

    def read(self, cell: str, values: Mapping[str, object]) -> object:
        try:
            return UUID(cell)
        except ValueError:
            raise ValidationError("Must be a UUID.") from None

    def of_new(self, values: Mapping[str, object]) -> object:
        return UNSAID
