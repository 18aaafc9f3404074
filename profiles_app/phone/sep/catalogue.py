"""The phones Cisco made, as far as provisioning cares: a reader of catalogue.toml, where the knowledge is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from contacts_app.core.tables import table

Value = TypeVar("Value")

# The model in "CP-8845-K9=", "Cisco Unified IP Phone 7962G", "7961G-GE": its number and what sets it apart.
_MODEL = re.compile(r"\b(?:CP)?(?P<series>ATA|DX|VG)?[ -]?(?P<number>\d{3,4})G?(?:[ -]?(?P<variant>GE|NR))?\b")
_BRAND = re.compile(r"^(?:CISCO|UNIFIED|IP PHONE|CP|[\s-])+")


@dataclass(frozen=True)
class Module:
    """An add-on key module."""

    name: str
    keys: int
    models: frozenset[str]


@dataclass(frozen=True)
class DeviceModel:
    """One phone model. `max_calls` is the ceiling of maxNumCalls; it and `line_keys` are None where unknown."""

    model: str
    family: str
    protocols: frozenset[str]
    loads: tuple[str, ...]
    max_calls: int | None
    line_keys: int | None
    modules: tuple[Module, ...]
    plain_text_sip: bool

    @property
    def keys(self) -> str:
        """The number of line keys in words."""
        return "one line key" if self.line_keys == 1 else f"{self.line_keys} line keys"


@dataclass(frozen=True)
class _Catalogue:
    models: dict[str, DeviceModel]
    models_of_prefix: dict[str, frozenset[str]]
    software_of_prefix: dict[str, str]


def normalise_model(text: str) -> str:
    """Return the bare model of "CP-8845", "Cisco 8845", "cisco cp-7962g" or "7961G-GE", in upper case.

    A text without a model number (CIPC, CKEM) loses its brand words only.
    """
    text = " ".join(text.upper().split())
    match = _MODEL.search(text)
    if match and "8800-" not in text:
        return f"{match['series'] or ''}{match['number']}{match['variant'] or ''}"
    return text if text.startswith("CP-8800-") else _BRAND.sub("", text)


def find(model: str) -> DeviceModel | None:
    """Return what is known about a model, however it is written."""
    return _catalogue().models.get(normalise_model(model))


def all_models() -> tuple[DeviceModel, ...]:
    return tuple(_catalogue().models.values())


def software_of_load(load: str) -> str | None:
    """Return "SIP" or "SCCP" for the name of a firmware load, None when the name does not tell."""
    return _of_longest_prefix(load, _catalogue().software_of_prefix)


def same_software(wanted: str | None, actual: str | None) -> bool:
    """Nothing wanted or nothing known fits; SIPE counts as SIP (Cisco phones spec §0.5)."""
    return not wanted or not actual or (wanted == "SCCP") == (actual == "SCCP")


def models_of_load(load: str) -> frozenset[str]:
    """Return the models which a firmware load is made for, empty when unknown."""
    return _of_longest_prefix(load, _catalogue().models_of_prefix) or frozenset()


def _of_longest_prefix(load: str, known: dict[str, Value]) -> Value | None:
    load = load.strip().lower()
    return known.get(max((prefix for prefix in known if load.startswith(prefix)), key=len, default=""))


@cache
def _catalogue() -> _Catalogue:
    tables = table(__file__, "catalogue.toml")
    models_of_prefix: dict[str, frozenset[str]] = {}
    software_of_prefix = dict[str, str](tables["software_of_prefix"])
    for family in tables["family"]:
        for software, prefixes in family.get("loads", {}).items():
            for prefix in map(str.lower, prefixes):
                models_of_prefix[prefix] = frozenset(family["models"])
                software_of_prefix[prefix] = software
    return _Catalogue(_models(tables), models_of_prefix, software_of_prefix)


def _models(tables: dict[str, Any]) -> dict[str, DeviceModel]:
    modules = [Module(row["name"], row["keys"], frozenset(row["models"])) for row in tables["module"]]
    ceilings, line_keys = (
        {model: int(number) for number, models in tables[table].items() for model in models}
        for table in ("max_calls", "line_keys")
    )
    return {
        model: DeviceModel(
            model=model,
            family=family["name"],
            protocols=frozenset(family["protocols"]),
            loads=tuple(prefix for prefixes in family.get("loads", {}).values() for prefix in prefixes),
            max_calls=ceilings.get(model),
            line_keys=line_keys.get(model),
            modules=tuple(module for module in modules if model in module.models),
            plain_text_sip=family.get("plain_text_sip", False),
        )
        for family in tables["family"]
        for model in family["models"]
    }
