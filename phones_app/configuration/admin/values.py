"""The values of a layer as a table in a form: settings of the catalogue by groups, and variables of one's own.

A row has the box that suits the type of its setting. What is secret goes in and never out: an empty box keeps what is
stored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django import forms
from django.utils.crypto import get_random_string

from contacts_app.core.admin.rows import Row, RowsField, RowsWidget, filled
from phones_app.configuration.layers import VARIABLE, is_always_secret, typed_value
from phones_app.configuration.models import Layer
from profiles_app.phone.rendering.settings import Setting, all_settings, find_setting

OF_ONES_OWN = "Variables of your own"
# For who fills the table in without scripts.
SPARE_ROWS = 3


@dataclass(frozen=True)
class ValueRow:
    """One row as it is shown. `keeps`: a secret is stored, which is not shown."""

    number: str
    name: str
    value: str = ""
    locked: bool = False
    secret: bool = False
    keeps: bool = False
    error: str = ""
    spare: bool = False
    setting: Setting | None = None

    @property
    def group(self) -> str:
        return self.setting.group if self.setting else OF_ONES_OWN

    @property
    def is_list(self) -> bool:
        return self.setting is not None and self.setting.type == "list"

    @property
    def leaves(self) -> bool:
        """Whether an empty value leaves it to the phone."""
        return self.setting is None or self.setting.default is not None


@dataclass
class LayerValues:
    """What the table says, as a layer stores it."""

    values: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    locks: list[str] = field(default_factory=list)


def blank_row(name: str) -> ValueRow:
    """A row to be filled in, of a setting or (empty) of a variable."""
    setting = find_setting(name)
    return ValueRow(get_random_string(8), name, setting=setting, secret=is_always_secret(name))


def rows_of_layer(layer: Layer) -> list[ValueRow]:
    secrets = layer.secrets
    locked_here = [name for name in layer.locks if name in layer.values or name in secrets]
    names = [*layer.values, *(name for name in secrets if name not in layer.values)]
    return [
        ValueRow(
            number=str(number),
            name=name,
            value="" if name in secrets else layer.values[name],
            locked=name in locked_here,
            secret=name in secrets,
            keeps=name in secrets,
            setting=find_setting(name),
        )
        for number, name in enumerate(names)
    ]


def locks_without_values(layer: Layer) -> list[str]:
    """Names whose values of weaker layers are kept, as this one has none."""
    return [name for name in layer.locks if name not in layer.values and name not in layer.secrets]


def in_groups(rows: Iterable[ValueRow]) -> list[tuple[str, list[ValueRow]]]:
    """The rows by the groups of the catalogue, in its order; variables come last."""
    order = {setting.name: place for place, setting in enumerate(all_settings())}
    settings = sorted((row for row in rows if row.setting), key=lambda row: order[row.name])
    groups = [(name, list(of)) for name, of in groupby(settings, key=lambda row: row.group)]
    variables = [row for row in rows if row.setting is None]
    return [*groups, (OF_ONES_OWN, variables)] if variables else groups


def settings_by_group() -> list[tuple[str, list[Setting]]]:
    return [(name, list(of)) for name, of in groupby(all_settings(), key=lambda setting: setting.group)]


class ValuesWidget(RowsWidget):
    """The rows by groups."""

    def get_context(self, name: str, value: object, attrs: dict[str, object] | None) -> dict[str, object]:
        context = super().get_context(name, value, attrs)
        spares = [ValueRow(f"spare{number}", "", spare=True) for number in range(SPARE_ROWS)]
        rows = value if isinstance(value, list) else []
        return context | {"groups": in_groups(rows), "spare": spares}


class ValuesField(RowsField):
    """The table. `stored` are the secrets that an empty box keeps."""

    def __init__(self) -> None:
        super().__init__("phones_app/configuration/values.html", label="Values")
        self.widget = ValuesWidget("phones_app/configuration/values.html")
        self.stored: Mapping[str, str] = {}

    def prepare_value(self, value: Any) -> list[ValueRow]:
        """The rows of a layer, or what was typed, which may be wrong."""
        if value and isinstance(value[0], ValueRow):
            return list(value)
        return [self._typed(row) for row in filled(value or (), "name", "value")]

    def _typed(self, row: Row) -> ValueRow:
        name = row.get("name", "").strip()
        setting = find_setting(name)
        secret = bool(row.get("secret")) or is_always_secret(name) or name in self.stored
        try:
            typed_value(name, row.get("value", ""))
            error = ""
        except ValueError as refused:
            error = str(refused)
        shown = "" if secret else row.get("value", "")
        keeps = name in self.stored
        return ValueRow(row["#"], name, shown, bool(row.get("lock")), secret, keeps, error, setting=setting)

    def clean(self, value: list[Row]) -> LayerValues:
        found, errors = LayerValues(), []
        for row in value:
            name = row.get("name", "").strip()
            if not name or row.get("remove"):
                continue
            setting = find_setting(name)
            if name in found.values or name in found.secrets:
                errors.append(f"{setting.label if setting else name} is there twice.")
                continue
            secret = bool(row.get("secret")) or is_always_secret(name) or name in self.stored
            try:
                kept = secret and not row.get("value") and name in self.stored
                text = self.stored[name] if kept else typed_value(name, row.get("value", ""))
            except ValueError as refused:
                errors.append(str(refused))
                continue
            (found.secrets if secret else found.values)[name] = text
            if row.get("lock"):
                found.locks.append(name)
        if errors:
            raise forms.ValidationError(errors)
        return found


class NamesField(forms.CharField):
    """Names of settings and variables, separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        names = [name.strip() for name in str(value or "").split(",") if name.strip()]
        if wrong := [name for name in names if not find_setting(name) and not VARIABLE.fullmatch(name)]:
            raise forms.ValidationError(f"“{wrong[0][:50]}” is no name of a setting or a variable.")
        return list(dict.fromkeys(names))
