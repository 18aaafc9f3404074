"""What a phone's file is made from, as plain values; and which layer's value counts (configuration spec §1.1)."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

# From weak to strong.
KINDS = ("portal", "account", "location", "family", "model", "group", "profile", "phone")
_STRENGTH = {kind: strength for strength, kind in enumerate(KINDS)}

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Fragment:
    """XML that is put into the rendered text, or takes something out of it, at an element path below `device`.

    `action` is "replace", "insert" (as the last child of the element at the path) or "delete".
    """

    path: str
    action: str
    xml: str = ""
    reason: str = ""


@dataclass(frozen=True)
class LayerOf:
    """The values that one layer gives. `label` names it for people ("location Munich"), `key` is the UUID of its row.

    `locks` are names which stronger layers may not set; `secret` are those whose values are not shown.
    """

    kind: str
    label: str
    key: str = ""
    values: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False)
    locks: frozenset[str] = frozenset()
    fragments: tuple[Fragment, ...] = ()
    secret: frozenset[str] = frozenset()


@dataclass(frozen=True)
class LineOf:
    """One line of a phone. `name` is the peer at the PBX."""

    extension: str
    auth_name: str = ""
    auth_password: str = field(default="", repr=False)
    display_name: str = ""
    label: str = ""
    voicemail: str = ""
    max_calls: int | None = None
    busy_trigger: int | None = None
    name: str = ""


@dataclass(frozen=True)
class KeyOf:
    """One key: `module` 0 is the phone, 1 the first expansion module from the left; `position` counts from 1.

    `kind` is one of keys.toml; `line` is one of the phone's lines, counted from 1.
    """

    module: int
    position: int
    kind: str
    line: int | None = None
    target: str = ""
    label: str = ""
    options: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True)
class DeviceOf:
    """The phone. `software` is "SIP" or "SCCP"; `modules` are its expansion modules from the left."""

    mac: str
    model: str
    software: str = "SIP"
    name: str = ""
    location: str = ""
    load: str = ""
    emergency_number: str = ""
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Effective:
    """The value that counts, and why: the label and key of its layer.

    `hides` are the labels of weaker layers with a value, the nearest first; `refused` those of stronger layers whose
    value a lock refused, and `locked_by` is the label of the layer with the lock.
    """

    value: str = field(repr=False)
    layer: str
    key: str = ""
    hides: tuple[str, ...] = ()
    locked: bool = False
    refused: tuple[str, ...] = ()
    locked_by: str = ""
    secret: bool = False


def ordered(layers: Sequence[LayerOf]) -> list[LayerOf]:
    """Return the layers from weak to strong; those of one kind stay in the order in which they came."""
    return sorted(layers, key=lambda layer: _STRENGTH[layer.kind])


def merge(layers: Sequence[LayerOf]) -> dict[str, Effective]:
    """Return the value of each name that any layer gives: that of the strongest layer which no lock refuses.

    A lock holds against all stronger layers, whether or not its own layer gives the value: an account can keep the
    portal's. A value that is secret in one layer is secret whichever counts: a stronger layer reveals nothing.
    """
    found: dict[str, Effective] = {}
    locked_by: dict[str, str] = {}
    secret: set[str] = set()
    refused: dict[str, tuple[str, ...]] = {}
    for layer in ordered(layers):
        secret |= layer.secret
        for name, value in layer.values.items():
            if name in locked_by:
                refused[name] = (*refused.get(name, ()), layer.label)
                continue
            weaker = found.get(name)
            hides = () if weaker is None else (weaker.layer, *weaker.hides)
            found[name] = Effective(value, layer.label, layer.key, hides)
        for name in layer.locks:
            locked_by.setdefault(name, layer.label)
    for name in found.keys() & (locked_by.keys() | secret):
        found[name] = replace(
            found[name],
            locked=name in locked_by,
            locked_by=locked_by.get(name, ""),
            refused=refused.get(name, ()),
            secret=name in secret,
        )
    return dict(sorted(found.items()))


def merge_person(
    device_layers: Sequence[LayerOf], person_layers: Sequence[LayerOf], personal: Container[str]
) -> list[LayerOf]:
    """Return the layers of a phone on which a person is logged in (configuration spec §1.1).

    What travels with people (`personal`) comes from the profile layer of the person, everything else from that of the
    device. The phone's own layer has no say in what travels. Variables that the catalogue does not know stay with the
    device, as do fragments: neither says whom it concerns.
    """
    strong = {"profile", "phone"}
    return ordered(
        [
            *(_without(layer, personal) if layer.kind in strong else layer for layer in device_layers),
            *(_only(layer, personal) for layer in person_layers if layer.kind == "profile"),
        ]
    )


def _without(layer: LayerOf, names: Container[str]) -> LayerOf:
    values = {name: value for name, value in layer.values.items() if name not in names}
    return replace(layer, values=values, locks=frozenset(name for name in layer.locks if name not in names))


def _only(layer: LayerOf, names: Container[str]) -> LayerOf:
    values = {name: value for name, value in layer.values.items() if name in names}
    locks = frozenset(name for name in layer.locks if name in names)
    return replace(layer, values=values, locks=locks, fragments=())
