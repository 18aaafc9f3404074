"""The catalogue of settings: a reader of settings.toml, where the knowledge is (configuration spec §4.2).

A value is a text in words for people, such as "on". What the file says for it may differ between series.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from urllib.parse import urlsplit

from contacts_app.core.tables import table
from profiles_app.phone.rendering.series import TABLES, series_named, series_of
from profiles_app.phone.rendering.values import DeviceOf
from profiles_app.phone.sep import elements

# What a template sees of a setting: a text, or the entries of a list.
Written = str | tuple[str, ...]
HIDDEN = "password"  # the type of settings whose values are not shown
_LONGEST = 255
_ON_OFF = {"on": "on", "true": "on", "yes": "on", "off": "off", "false": "off", "no": "off"}


@dataclass(frozen=True)
class Setting:
    """One setting. `default` is what counts where no layer gives a value: "" leaves it to the phone, None: one must.

    `choices` are the values that a choice takes, with words for each; `writes` is what the file says for a value, and
    `series_values` what it says on some series. `series` and `software` are those which know it, empty for all.
    """

    name: str
    group: str
    label: str
    type: str
    help: str
    path: str
    default: str | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    writes: Mapping[str, str] = field(default_factory=dict)
    series_values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    series: frozenset[str] = frozenset()
    software: str = ""
    travels: str = "D"
    least_load: str = ""
    longest: int = _LONGEST
    range: tuple[int, int] | None = None
    unit: str = ""
    of: str = ""
    most: int = 0
    joined: str = ""
    pattern: str = ""
    format: str = ""
    with_port: bool = False

    @property
    def secret(self) -> bool:
        return self.type == HIDDEN

    def known_to(self, series: str, software: str = "") -> bool:
        """Whether phones of a series have it; a series that is not known ("") has everything."""
        right_software = not (self.software and software) or self.software == software
        return right_software and (not self.series or not series or series in self.series)

    def written(self, value: str, series: str) -> Written:
        """What the file says for a value on phones of a series."""
        words = self.series_values.get(series, self.writes)
        if self.type == "list":
            texts = tuple(words.get(entry, entry) for entry in entries(value))
            return self.joined.join(texts) if self.joined else texts
        if self.type == "time-zone":
            return time_zone(value) or value
        return words.get(value, value)

    def read(self, written: str, series: str) -> str | None:
        """The value for which the file of a phone says this; None where there is none, or where it is not valid."""
        words = self.series_values.get(series, self.writes)
        values = {text: value for value, text in reversed(list(words.items()))}
        texts = written.split(self.joined) if self.joined else [written]
        try:
            value = check_value(self, ", ".join(values.get(text, text) for text in texts))
        except ValueError:
            return None
        again = self.written(value, series)
        return value if again in (written, (written,)) else None


def all_settings() -> tuple[Setting, ...]:
    return tuple(_settings().values())


def find_setting(name: str) -> Setting | None:
    return _settings().get(name)


@cache
def settings_by_path() -> Mapping[str, Setting]:
    return MappingProxyType({setting.path: setting for setting in all_settings()})


@cache
def personal() -> frozenset[str]:
    """The names of the settings that go with the person who logs in on a phone."""
    return frozenset(setting.name for setting in all_settings() if setting.travels == "P")


def file_values(values: Mapping[str, str], device: DeviceOf) -> dict[str, Written]:
    """What a template sees of each setting on this phone: what its file says.

    A setting without a value, or which its series does not know, is "". One that has no default and no value is left
    out, so that it counts as missing.
    """
    series = series_of(device.model)
    software = device.software
    found = dict(_defaults(series, software))
    known = _settings()
    for name, value in values.items():
        setting = known.get(name)
        if setting is None or not setting.known_to(series, software):
            continue
        if value:
            found[name] = setting.written(value, series)
        elif setting.default is not None:
            found[name] = _nothing(setting)
    return found


def check_value(setting: Setting, text: str) -> str:
    """Return a value as it is stored; raise ValueError with a sentence for people. "" leaves it to the phone."""
    text = text.strip() if not setting.secret else text
    if not text:
        if setting.default is None:
            raise ValueError(f"{setting.label} cannot be empty.")
        return ""
    if setting.type == "list":
        parts = entries(text)
        if len(parts) > setting.most:
            raise ValueError(f"{setting.label} takes {setting.most} entries at most, not {len(parts)}.")
        return ", ".join(_checked(setting, setting.of or "choice", entry) for entry in parts)
    return _checked(setting, setting.type, text)


def entries(text: str) -> tuple[str, ...]:
    """The entries of a list, which may be separated by commas, spaces and line breaks."""
    return tuple(entry for entry in re.split(r"[,;\s]+", text) if entry)


_ZONES = elements.TABLES["time_zones"]
_ZONE_OF_PLACE = {place.lower(): zone for zone, places in _ZONES.items() for place in places}


def time_zone(text: str) -> str | None:
    """The name that phones have for a time zone, by that name or by a place: Europe/Berlin; None where there is none."""
    return text if text in _ZONES else _ZONE_OF_PLACE.get(text.strip().lower())


def _checked(setting: Setting, kind: str, text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{setting.label}: one line of plain characters is needed.")
    if len(text) > setting.longest:
        raise ValueError(f"{setting.label} has {len(text)} characters; phones take {setting.longest}.")
    return _CHECKS[kind](setting, text)


def _choice(setting: Setting, text: str) -> str:
    meant = {value.lower(): value for value in setting.choices}
    if text.lower() not in meant:
        raise ValueError(f"{setting.label} takes {', '.join(setting.choices)}; not “{text[:50]}”.")
    return meant[text.lower()]


def _boolean(setting: Setting, text: str) -> str:
    if text.lower() not in _ON_OFF:
        raise ValueError(f"{setting.label} takes on or off, not “{text[:50]}”.")
    return _ON_OFF[text.lower()]


def _number(setting: Setting, text: str) -> str:
    lowest, highest = setting.range or (0, 2**31)
    if not re.fullmatch(r"[0-9]{1,10}", text) or not lowest <= int(text) <= highest:
        unit = f" {setting.unit}" if setting.unit else ""
        raise ValueError(f"{setting.label} takes a number from {lowest} to {highest}{unit}, not “{text[:50]}”.")
    return str(int(text))


def _text(setting: Setting, text: str) -> str:
    if setting.pattern and not re.fullmatch(setting.pattern, text, re.ASCII):
        raise ValueError(f"{setting.label} takes {setting.format}; not “{text[:50]}”.")
    return text


def _host(setting: Setting, text: str) -> str:
    host, port = text, ""
    if setting.with_port and (match := re.fullmatch(r"(\[[^\]]+\]|[^:]+):([0-9]{1,5})", text)):
        host, port = match[1].strip("[]"), match[2]
    if not elements.is_host(host) or (port and not 0 < int(port) < 65_536):
        more = "; a port may follow a colon" if setting.with_port else " without a port"
        raise ValueError(f"{setting.label} takes the name or address of a host{more}, not “{text[:50]}”.")
    return text


def _url(setting: Setting, text: str) -> str:
    """Phones also have addresses of their own, such as Application:Cisco/Voicemail."""
    try:
        url = urlsplit(text)
        right = bool(url.scheme) and " " not in text
        if url.scheme in ("http", "https"):
            right = right and elements.is_host(url.hostname or "") and url.port != 0
    except ValueError:
        right = False
    if not right:
        raise ValueError(f"{setting.label} takes an address such as http://server/page, not “{text[:50]}”.")
    return text


def _time(setting: Setting, text: str) -> str:
    match = re.fullmatch(r"([01]?\d|2[0-4]):([0-5]\d)", text, re.ASCII)
    if match is None or (match[1] == "24" and match[2] != "00"):
        raise ValueError(f"{setting.label} takes hours and minutes such as 08:30, not “{text[:50]}”.")
    return f"{int(match[1]):02}:{match[2]}"


def _time_zone(setting: Setting, text: str) -> str:
    if time_zone(text) is None:
        raise ValueError(f"No time zone that phones know is “{text[:50]}”; a place such as Europe/Berlin names one.")
    return text


_CHECKS: Mapping[str, Callable[[Setting, str], str]] = {
    "boolean": _boolean,
    "choice": _choice,
    "number": _number,
    "text": _text,
    "host": _host,
    "url": _url,
    HIDDEN: _text,
    "time": _time,
    "time-zone": _time_zone,
}


def _nothing(setting: Setting) -> Written:
    return () if setting.type == "list" and not setting.joined else ""


@cache
def _defaults(series: str, software: str) -> Mapping[str, Written]:
    found: dict[str, Written] = {}
    for setting in all_settings():
        if not setting.known_to(series, software) or setting.default == "":
            found[setting.name] = _nothing(setting)
        elif setting.default is not None:
            found[setting.name] = setting.written(setting.default, series)
    return MappingProxyType(found)


@cache
def _settings() -> Mapping[str, Setting]:
    found: dict[str, Setting] = {}
    for group, rows in table(__file__, "settings.toml").items():
        for name, row in rows.items():
            if name in found:
                raise LookupError(f"settings.toml has {name} twice")
            shared = TABLES["shared"].get(row.get("shared", ""), {})
            fields = {key: value for key, value in {**shared, **row}.items() if key not in _OF_THE_TABLE}
            if row["type"] == "boolean":
                fields["choices"] = {"on": "on", "off": "off"}
                fields["writes"] = {"on": row.get("on", "1"), "off": row.get("off", "0")}
            if "range" in row:
                fields["range"] = tuple(row["range"])
            if row["path"].startswith("sipProfile/"):
                fields["software"] = "SIP"
            fields["series"] = series_named(row.get("series", ()))
            fields["series_values"] = {
                series: each["writes"]
                for each in shared.get("by_series", ())
                for series in series_named(each["series"])
            }
            found[name] = setting = Setting(name=name, group=group, **fields)
            if setting.default:
                check_value(setting, setting.default)
    return MappingProxyType(found)


# Columns that mean something else here, or are worked out.
_OF_THE_TABLE = frozenset({"on", "off", "shared", "by_series", "range", "series"})
