"""A historical row as people read it: what happened, and each field before and after. Of a secret, that it changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.text import capfirst

from contacts_app.core.history.authorship import channel_label
from contacts_app.core.history.models import MASK, HistoryRow, tracked_models

KINDS = {"+": ("Created", "success"), "~": ("Changed", "info"), "-": ("Deleted", "danger")}
# Something was done with the record that left it as it was (`record_use`).
USED = ("Used", "info")


@dataclass(frozen=True)
class Difference:
    """A field before and after, as people read it. Of a secret there is only `secret`: set, changed or removed."""

    label: str
    before: str = ""
    after: str = ""
    secret: str = ""


@dataclass(frozen=True)
class HistoryEntry:
    """One historical row. `part` names the row when it is not the record itself, `known` is what a row held."""

    row: Any
    part: str
    differences: tuple[Difference, ...]
    known: tuple[Difference, ...]

    @property
    def kind(self) -> tuple[str, str]:
        """What happened, and its colour."""
        if self.row.history_type == "~" and not self.differences:
            return USED
        return KINDS[self.row.history_type]

    @property
    def channel(self) -> str:
        return channel_label(self.row.history_channel)


def entry_of(row: Any, model: type[Model], *, is_part: bool) -> HistoryEntry:
    name = f"{capfirst(str(model._meta.verbose_name))} {row.history_name}" if is_part else ""
    changes = tuple(_difference(model, field, *pair) for field, pair in row.history_changes.items())
    known = () if row.history_type == "~" else tuple(_known(row, model))
    return HistoryEntry(row, name, changes, known)


def _difference(model: type[Model], name: str, before: Any, after: Any) -> Difference:
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        # The history is older than this version of the model.
        return Difference(name, _text(before), _text(after))
    label = capfirst(str(field.verbose_name))
    if MASK in (before, after):
        return Difference(label, secret="changed" if before and after else "set" if after else "removed")
    return Difference(label, _text(before, field), _text(after, field))


def _known(row: HistoryRow, model: type[Model]) -> Iterable[Difference]:
    """What a record held when it was made or deleted, without what was empty."""
    for field in tracked_models[model].columns:
        column: Any = model._meta.get_field(field)
        value = getattr(row, column.attname)
        if not column.primary_key and value not in (None, "", [], {}):
            text = f"number {value}" if column.is_relation else _text(value, column)
            yield Difference(capfirst(str(column.verbose_name)), after=text)


def _text(value: Any, field: Any = None) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if field is not None and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    return str(value)
