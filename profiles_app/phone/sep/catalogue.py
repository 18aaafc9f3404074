"""The phones Cisco made, as far as provisioning cares: a reader of catalogue.toml, where the knowledge is.

At the end, how they are called: their MAC addresses as phones and people write them, and the names of their files on file
servers, which depend on the model (Cisco phones spec §3.4, §4.1).
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, TypeVar

from contacts_app.core.tables import table

Value = TypeVar("Value")

# The model in "CP-8845-K9=", "Cisco Unified IP Phone 7962G", "7961G-GE", "CP-8841-3PCC": its number, what sets it apart.
_MODEL = re.compile(
    r"\b(?:CP)?(?P<series>ATA|DX|VG)?[ -]?(?P<number>\d{3,4}|(?<=DX)\d\d)G?(?:[ -]?(?P<variant>GE|NR))?(?P<mpp>-3PCC)?\b"
    r"|\bSPA[ -]?(?P<small>\d{3})"
)
_BRAND = re.compile(r"^(?:CISCO|UNIFIED|IP PHONE|CP|[\s-])+")
# What Cisco adds to the name of a phone that was sold with MPP firmware.
MPP_HARDWARE = "-3PCC"


@dataclass(frozen=True)
class Module:
    """An add-on key module. `numbers` stand for its name in some files; `load` begins its firmware, "" where none is."""

    name: str
    keys: int
    models: frozenset[str]
    numbers: tuple[str, ...]
    load: str


@dataclass(frozen=True)
class DeviceModel:
    """One phone model. `max_calls` is the ceiling of maxNumCalls; it and `line_keys` are None where unknown.

    `instead` is what the phone reads where it reads no SEP file, and `credentials` how its lines register.
    """

    model: str
    family: str
    protocols: frozenset[str]
    loads: tuple[str, ...]
    max_calls: int | None
    line_keys: int | None
    modules: tuple[Module, ...]
    plain_text_sip: bool
    reads_ata_file: bool
    instead: str
    credentials: str

    @property
    def keys(self) -> str:
        """The number of line keys in words."""
        return "one line key" if self.line_keys == 1 else f"{self.line_keys} line keys"


@dataclass(frozen=True)
class _Catalogue:
    models: dict[str, DeviceModel]
    models_of_prefix: dict[str, frozenset[str]]
    software_of_prefix: dict[str, str]
    modules: dict[str, Module]
    mpp_load: re.Pattern[str]
    load_endings: tuple[str, ...]
    load_files: tuple[str, ...]


def normalise_model(text: str) -> str:
    """Return the bare model of "CP-8845", "Cisco 8845", "cisco cp-7962g" or "7961G-GE", in upper case.

    A text without a model number (CIPC, CKEM) loses its brand words only.
    """
    text = " ".join(text.upper().split())
    match = _MODEL.search(text)
    if match and match["small"]:
        return f"SPA{match['small']}"
    if match and "8800-" not in text:
        return "".join(match[group] or "" for group in ("series", "number", "variant", "mpp"))
    return text if text.startswith("CP-8800-") else _BRAND.sub("", text)


@lru_cache(maxsize=1024)
def find(model: str) -> DeviceModel | None:
    """Return what is known about a model, however it is written."""
    return _catalogue().models.get(normalise_model(model))


def all_models() -> tuple[DeviceModel, ...]:
    return tuple(_catalogue().models.values())


def find_module(name: str) -> Module | None:
    """Return what is known about an add-on module, by its name or its number."""
    return _catalogue().modules.get(name.strip().upper().removeprefix("CP-8800-"))


def software_of_load(load: str) -> str | None:
    """Return "SIP", "SCCP" or "MPP" for the name of a firmware load, None when the name does not tell."""
    if _catalogue().mpp_load.search(load):
        return "MPP"
    return _of_longest_prefix(load, _catalogue().software_of_prefix)


def same_software(wanted: str | None, actual: str | None) -> bool:
    """Nothing wanted or nothing known fits; SIPE counts as SIP (Cisco phones spec §0.5)."""
    return not wanted or not actual or (wanted == "SCCP") == (actual == "SCCP")


def models_of_load(load: str) -> frozenset[str]:
    """Return the models which a firmware load is made for, empty when unknown."""
    return _of_longest_prefix(load, _catalogue().models_of_prefix) or frozenset()


def file_ending_of(load: str) -> str:
    """Return the ending with which a load is the name of a file, "" where it is the name of a load."""
    return next((ending for ending in _catalogue().load_endings if load.lower().endswith(ending)), "")


def files_of_load(load: str) -> tuple[str, ...]:
    """Return the names under which the file of a load may be kept, one of them."""
    return tuple(load + ending for ending in _catalogue().load_files)


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
                if software != "any":
                    software_of_prefix[prefix] = software
    modules = [
        Module(row["name"], row["keys"], frozenset(row["models"]), tuple(row["numbers"]), row.get("load", ""))
        for row in tables["module"]
    ]
    return _Catalogue(
        models=_models(tables, modules),
        models_of_prefix=models_of_prefix,
        software_of_prefix=software_of_prefix,
        modules={
            name.upper().removeprefix("CP-8800-"): module
            for module in modules
            for name in (module.name, *module.numbers)
        },
        mpp_load=re.compile(tables["load_names"]["mpp"], re.IGNORECASE),
        load_endings=tuple(tables["load_names"]["endings"]),
        load_files=tuple(tables["load_names"]["files"]),
    )


def _models(tables: dict[str, Any], modules: list[Module]) -> dict[str, DeviceModel]:
    ceilings, line_keys = (
        {model: int(number) for number, models in tables[table].items() for model in models}
        for table in ("max_calls", "line_keys")
    )
    found = {}
    for family in tables["family"]:
        for model in family["models"]:
            device = found[model] = DeviceModel(
                model=model,
                family=family["name"],
                protocols=frozenset(family["protocols"]),
                loads=tuple(prefix for prefixes in family.get("loads", {}).values() for prefix in prefixes),
                max_calls=ceilings.get(model),
                line_keys=line_keys.get(model),
                modules=tuple(module for module in modules if model in module.models),
                plain_text_sip=family.get("plain_text_sip", False),
                reads_ata_file=family.get("ata_file", False),
                instead=family.get("instead", ""),
                credentials=family.get("credentials", ""),
            )
            if device.protocols > {"MPP"}:
                found[model + MPP_HARDWARE] = _sold_with_mpp(device, tables["load_names"]["flat_profile"])
    return found


def _sold_with_mpp(device: DeviceModel, instead: str) -> DeviceModel:
    """The same phone as Cisco sells it for other call managers; its firmware reads no SEP file."""
    return replace(device, model=device.model + MPP_HARDWARE, protocols=frozenset({"MPP"}), loads=(), instead=instead)


_SEPARATORS = re.compile(r"[:.\s-]")
_TWELVE_HEX = re.compile(r"[0-9A-F]{12}")


def parse_mac(text: str) -> str:
    """Return 12 upper-case hex digits; raise ValueError with a sentence for people.

    Accepts colons, hyphens, Cisco's dots, spaces, a leading SEP, and any case.
    """
    digits = _SEPARATORS.sub("", text).upper().removeprefix("SEP")
    if not _TWELVE_HEX.fullmatch(digits):
        raise ValueError(f"“{text.strip()[:40]}” is not a MAC address: 12 hexadecimal digits are needed")
    for name, digit in (("all-zero", "0"), ("broadcast", "F")):
        if digits == digit * 12:
            raise ValueError(f"the {name} MAC address belongs to no phone")
    if int(digits[:2], 16) & 1:
        raise ValueError(f"{colons(digits)} is a multicast address (odd first octet) and belongs to no phone")
    return digits


def is_mac(text: str) -> bool:
    """Say whether this is a phone's MAC address, in any spelling."""
    try:
        parse_mac(text)
    except ValueError:
        return False
    return True


def colons(mac: str) -> str:
    """Return the form for people: AA:BB:CC:DD:EE:FF."""
    return ":".join(mac[place : place + 2] for place in range(0, 12, 2))


# Most phones read SEP<MAC>.cnf.xml. ATAs read the same XML under another name, 7940 and 7960 with SIP firmware a text.
SEP, SIP_TEXT, ATA = "", "sip-text", "ata"
_NAMES = {SEP: "SEP{}.cnf.xml", SIP_TEXT: "SIP{}.cnf", ATA: "ATA{}.cnf.xml"}
NAME_OF_FORMAT = {file_format: name.format("<MAC>") for file_format, name in _NAMES.items()}
_PATTERNS = {
    file_format: re.compile(re.escape(name).replace(r"\{\}", "([0-9A-F]{12})")) for file_format, name in _NAMES.items()
}

_FORMATS = table(__file__, "formats.toml")
_TEXT = next(re.compile(row["begins"].encode()) for row in _FORMATS["text"] if row["code"] == "plain-text-sip")


def is_plain_text(content: bytes) -> bool:
    """Whether this is the text of a phone that reads no XML (boot server spec §10)."""
    return _TEXT.match(content.removeprefix(BOM_UTF8)[:4096].lstrip()) is not None


def other_file(name: str) -> str:
    """What a file of this name is, where it is known not to be the file of a phone; else ""."""
    return next((row["message"] for row in _FORMATS["names"] if re.fullmatch(row["name"], name)), "")


def file_format(model: str, facts: Mapping[str, object]) -> str:
    """The format of a file with these facts for a phone of this model: a text says it itself, of XML the phone does."""
    if facts.get("format") == SIP_TEXT:
        return SIP_TEXT
    device = find(model) if model else None
    return ATA if device is not None and device.reads_ata_file else SEP


def format_of_content(model: str, content: bytes) -> str:
    """The same where the file itself is at hand."""
    return file_format(model, {"format": SIP_TEXT if is_plain_text(content) else SEP})


def file_name(mac: str, file_format: str = SEP) -> str:
    """Return the name which the phone asks for; case matters on the usual servers."""
    return _NAMES[file_format].format(mac)


def device_name(mac: str, file_format: str = SEP) -> str:
    """What the phone calls itself: the name of its file without its ending."""
    return file_name(mac, file_format).partition(".")[0]


def named(name: str) -> tuple[str, str] | None:
    """Return the format and the MAC address in a file name, None unless it is exactly what a phone asks for."""
    for file_format, pattern in _PATTERNS.items():
        if (match := pattern.fullmatch(name)) and is_mac(match[1]):
            return file_format, match[1]
    return None


def mac_of_file_name(name: str) -> str | None:
    """Return the MAC address in a file name, None unless the name is exactly what a phone asks for."""
    found = named(name)
    return found[1] if found else None


def format_of_file_name(name: str) -> str:
    """Return the format that a name says; that of most phones where it says none."""
    found = named(name)
    return found[0] if found else SEP
