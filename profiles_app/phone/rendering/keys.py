"""The keys of a phone: what each kind does, which series know it, and where it stands on this phone.

The kinds are in keys.toml. A key layout may be meant for another phone: what this one does not know or has no place for
is left out of its file, and said (configuration spec §4.3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType

from contacts_app.core.tables import table
from profiles_app.phone.rendering.series import series_named, series_of
from profiles_app.phone.rendering.values import DeviceOf, KeyOf, LineOf
from profiles_app.phone.sep import catalogue, elements

LINE = "line"
_LENGTHS = elements.TABLES["lengths"]["sipProfile/sipLines/line/*"]
_MOST_MODULES = elements.TABLES["counts"]["addOnModules"][1]
_TARGET = 255
# What the phones with the most calls take, where it is not known of a model (Cisco phones spec §4.4).
_MOST_CALLS = 200


class UnfitLine(ValueError):
    """A line that no phone can register with; the message is a sentence for people."""


@dataclass(frozen=True)
class KeyOption:
    """What else can be said about a key: one of `choices`, else a text."""

    name: str
    label: str
    default: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    pattern: str = ""

    def takes(self, text: str) -> bool:
        return not text or (text in self.choices if self.choices else bool(re.fullmatch(self.pattern, text, re.ASCII)))


@dataclass(frozen=True)
class KeyKind:
    """What a key can do. `needs` is "line", "number", "url" or "": its target, or which line."""

    name: str
    feature: str
    label: str
    help: str
    needs: str = ""
    labelled: bool = False
    series: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    options: tuple[KeyOption, ...] = ()

    def known_to(self, model: str) -> bool:
        """Whether phones of a model know it; nothing is said against a model that is not known."""
        series = series_of(model)
        if self.models:
            return not series or catalogue.normalise_model(model) in self.models
        return not self.series or not series or series in self.series


@dataclass(frozen=True)
class PhoneLine(LineOf):
    """A line as a template sees it: `index` counts from 1, and `name` is filled in."""

    index: int = 0


@dataclass(frozen=True)
class PlacedKey:
    """A key as a template sees it, on a button of this phone. `line` is that of line keys and intercom keys."""

    button: int
    kind: str
    feature: str
    label: str
    line: PhoneLine | None = None
    target: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    max_calls: str = ""
    busy_trigger: str = ""


@dataclass(frozen=True)
class FittedModule:
    """An expansion module as a template sees it; `index` counts from 1, `needs_load` says that its firmware is named."""

    index: int
    name: str
    keys: int
    needs_load: bool


@dataclass(frozen=True)
class Arranged:
    """What stands on the buttons of a phone. `empty` are the keys of the layout that do not, each with the reason."""

    lines: tuple[PhoneLine, ...]
    keys: tuple[PlacedKey, ...] = ()
    modules: tuple[FittedModule, ...] = ()
    remarks: tuple[str, ...] = ()
    empty: Mapping[tuple[int, int], str] = field(default_factory=dict)


def all_kinds() -> tuple[KeyKind, ...]:
    return tuple(_kinds().values())


def find_kind(name: str) -> KeyKind | None:
    return _kinds().get(name)


def kinds_for(model: str) -> tuple[KeyKind, ...]:
    """The kinds that can be offered for a model."""
    return tuple(kind for kind in all_kinds() if kind.known_to(model))


def places_of(model: str, modules: Sequence[str] = ()) -> tuple[tuple[int, int], ...]:
    """The keys of a phone as (module, position), in the order of their buttons; empty where they are not known."""
    device = catalogue.find(model)
    if device is None or device.line_keys is None:
        return ()
    fitted, _ = _modules(DeviceOf("", model, modules=tuple(modules)))
    numbers = [device.line_keys, *(module.keys for module in fitted)]
    return tuple((module, position) for module, number in enumerate(numbers) for position in range(1, number + 1))


def arrange(
    device: DeviceOf,
    lines: Sequence[LineOf],
    keys: Sequence[KeyOf],
    values: Mapping[str, object] = MappingProxyType({}),
) -> Arranged:
    """Put lines and keys on the buttons of a phone. `values` are those of settings in the file (file_values).

    Lines that no key has take the free keys, the first line the first of them. Raises UnfitLine.
    """
    named = tuple(
        PhoneLine(**{**vars(line), "name": line.name or line.extension}, index=index)
        for index, line in enumerate(lines, 1)
    )
    modules, remarks = _modules(device)
    if device.software == "SCCP":
        return Arranged(named, modules=modules, remarks=tuple(remarks))
    board = _Board(device, named, values, remarks)
    for key in sorted(keys, key=lambda key: (key.module, key.position)):
        board.put(key)
    placed = {key.line.index for key in board.keys.values() if key.line}
    for line in named:
        if line.index not in placed:
            board.put_line(line)
    on_buttons = tuple(key for _, key in sorted(board.keys.items()))
    return Arranged(named, on_buttons, modules, tuple(board.remarks), board.empty)


class _Board:
    """The buttons of one phone while they are filled."""

    def __init__(
        self, device: DeviceOf, lines: Sequence[PhoneLine], values: Mapping[str, object], remarks: list[str]
    ) -> None:
        self.model, self.lines, self.values, self.remarks = device.model, lines, values, remarks
        self.places = places_of(device.model, device.modules)
        self.buttons = {place: button for button, place in enumerate(self.places, 1)}
        found = catalogue.find(device.model)
        self.ceiling = (found.max_calls if found else None) or _MOST_CALLS
        self.keys: dict[int, PlacedKey] = {}
        self.empty: dict[tuple[int, int], str] = {}

    def put(self, key: KeyOf) -> None:
        kind = find_kind(key.kind)
        button = self.buttons.get((key.module, key.position))
        if not self.places and key.module == 0:
            button = key.position
        if kind is None:
            fault = f"nothing is known of the kind {key.kind[:40]}"
        elif button is None:
            fault = "the phone has no such key"
        elif button in self.keys:
            fault = "the key is given twice"
        elif not kind.known_to(self.model):
            fault = f"the {self.model} knows no key “{kind.label}”"
        elif fault := _NEEDS[kind.needs](self, key):
            pass
        else:
            self.keys[button] = self._key(button, kind, key)
            return
        self._leave_empty(key.module, key.position, key.label, fault)

    def _leave_empty(self, module: int, position: int, label: str, fault: str) -> None:
        self.empty[module, position] = fault
        where = f"key {position}" + (f" of module {module}" if module else "") + (f" ({label})" if label else "")
        self.remarks.append(f"{where} stays empty: {fault}")

    def put_line(self, line: PhoneLine) -> None:
        free = range(1, (len(self.places) or len(self.lines) + len(self.keys)) + 1)
        button = next((number for number in free if number not in self.keys), None)
        if button is None and line.index == 1 and (taken := self.keys.pop(1, None)):
            button = 1
            self._leave_empty(0, 1, taken.label, "without its first line the phone could not register")
        if button is None:
            self.remarks.append(f"line {line.index} ({line.extension}) is left out: the phone has no free key")
            return
        self.keys[button] = self._key(button, _kinds()[LINE], KeyOf(0, button, LINE, line.index))

    def _key(self, button: int, kind: KeyKind, key: KeyOf) -> PlacedKey:
        # A template may ask any key for any option.
        options = {option.name: "" for other in all_kinds() for option in other.options}
        for option in kind.options:
            said = key.options.get(option.name, "")
            options[option.name] = said if said and option.takes(said) else option.default
        found = PlacedKey(button, kind.name, kind.feature, key.label or key.target, None, key.target, options)
        if kind.needs != LINE:
            return found
        line = self.lines[(key.line or 1) - 1]
        _check(line, self.lines[0])
        calls = self._limit(line.max_calls, "max_calls", self.ceiling)
        busy = self._limit(line.busy_trigger, "busy_trigger", int(calls or self.ceiling))
        label = key.label or line.label or line.extension
        return replace(found, line=line, label=label, max_calls=calls, busy_trigger=busy)

    def _limit(self, own: int | None, setting: str, ceiling: int) -> str:
        """A number of calls: the line's own, else the setting's; no more than the phone takes."""
        text = str(self.values.get(setting, "")) if own is None else str(own)
        if not text.isdecimal():
            return ""
        return str(min(int(text), ceiling))

    def lacks_line(self, key: KeyOf) -> str:
        number = key.line or 1
        if not 0 < number <= len(self.lines):
            return f"the phone has no line {number}"
        if key.kind == LINE and any(other.line and other.line.index == number for other in self.keys.values()):
            return f"line {number} has a key already"
        return "an intercom needs another line than the first" if key.kind != LINE and number == 1 else ""

    def lacks_number(self, key: KeyOf) -> str:
        return "" if 0 < len(key.target.strip()) <= _TARGET else "it has no number to call"

    def lacks_url(self, key: KeyOf) -> str:
        return "" if 0 < len(key.target.strip()) <= _TARGET else f"it has no address of {_TARGET} characters at most"

    def lacks_nothing(self, key: KeyOf) -> str:
        return ""


_NEEDS: Mapping[str, Callable[[_Board, KeyOf], str]] = {
    "line": _Board.lacks_line,
    "number": _Board.lacks_number,
    "url": _Board.lacks_url,
    "": _Board.lacks_nothing,
}


def _check(line: PhoneLine, first: PhoneLine) -> None:
    """What a phone registers with cannot be cut to fit."""
    for text, words, limit in (
        (line.name, "peer name", _LENGTHS["name"]),
        (first.auth_name, "authentication name", _LENGTHS["authName"]),
        (first.auth_password, "password", _LENGTHS["authPassword"]),
    ):
        if len(text) > limit:
            raise UnfitLine(f"The {words} of line {line.extension[:40]} is longer than the {limit} that phones take.")


def _modules(device: DeviceOf) -> tuple[tuple[FittedModule, ...], list[str]]:
    """The expansion modules that this phone takes, and what is said of the others (Cisco phones spec §4.9)."""
    model = catalogue.find(device.model)
    fitted: list[FittedModule] = []
    remarks: list[str] = []
    for name in device.modules:
        module = catalogue.find_module(name)
        if module is None or (model and module not in model.modules):
            remarks.append(f"the expansion module {name[:40]} is left out: it is none of the {device.model}")
        elif len(fitted) == _MOST_MODULES:
            remarks.append(f"an expansion module {module.name} is left out: phones take {_MOST_MODULES}")
        elif fitted and module.name != fitted[0].name and model and model.credentials == "named":
            remarks.append(f"the expansion module {module.name} is left out: all modules of a phone are of one type")
        else:
            fitted.append(FittedModule(len(fitted) + 1, module.name, module.keys, bool(module.load)))
    return tuple(fitted), remarks


@cache
def _kinds() -> Mapping[str, KeyKind]:
    rows = table(__file__, "keys.toml")
    found = {}
    for name, row in rows.items():
        options = tuple(KeyOption(option, **each) for option, each in row.get("options", {}).items())
        series, models = series_named(row.get("series", ())), frozenset(row.get("models", ()))
        found[name] = KeyKind(name, **row | {"options": options, "series": series, "models": models})
    return MappingProxyType(found)
