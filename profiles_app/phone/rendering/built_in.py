"""The built-in templates, one for each series and software (configuration spec §4.4).

A folder beside this file has their texts with marks where settings go. What people see and copy has no marks: each
setting of the catalogue that the series knows stands there as the XML that it makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from contacts_app.core.tables import table
from profiles_app.phone.rendering.series import series_named, series_of
from profiles_app.phone.rendering.settings import Setting, all_settings, find_setting, settings_by_path
from profiles_app.phone.sep import catalogue

_FOLDER = Path(__file__).with_suffix("")
_MARK = re.compile(r"(?P<indent> *)\{# (?P<word>settings|only|not): (?P<rest>.*) #\}")
_EXPRESSION = re.compile(r"\{[{%].*?[%}]\}")
_END = "{# end #}"
_STEP = "  "


@dataclass(frozen=True)
class BuiltIn:
    """A built-in template; `models` are those it is for."""

    name: str
    title: str
    models: tuple[str, ...]
    software: str
    text: str


def all_built_in() -> tuple[BuiltIn, ...]:
    return tuple(_built_in().values())


def find_built_in(name: str) -> BuiltIn | None:
    return _built_in().get(name)


def built_in_for(model: str, software: str) -> BuiltIn | None:
    """The template for a phone, however its model is written; None where there is none. SIPE counts as SIP."""
    software = "SCCP" if software == "SCCP" else "SIP"
    found = catalogue.find(model)
    return _by_phone().get((found.model, software)) if found else None


@cache
def _by_phone() -> Mapping[tuple[str, str], BuiltIn]:
    return {(model, template.software): template for template in all_built_in() for model in template.models}


@cache
def _built_in() -> Mapping[str, BuiltIn]:
    found = {}
    for name, row in table(__file__, "built_in.toml").items():
        software = row["software"]
        models = tuple(
            device.model
            for device in catalogue.all_models()
            if device.family in row["families"] and software in device.protocols and not device.instead
        )
        marked = (_FOLDER / f"{software.lower()}.xml").read_text(encoding="utf-8")
        text = "".join(_unmarked(marked, series_of(models[0]), software))
        found[name] = BuiltIn(name, row["title"], models, software, text)
    return MappingProxyType(found)


def _unmarked(marked: str, series: str, software: str) -> Iterator[str]:
    known = [setting for setting in all_settings() if setting.known_to(series, software)]
    named = {path for match in _MARK.finditer(marked) for path in match["rest"].split()}
    expressions = " ".join(_EXPRESSION.findall(marked))
    by_hand = {path for path, setting in settings_by_path().items() if re.search(rf"\b{setting.name}\b", expressions)}
    left_out = False
    for line in marked.splitlines(keepends=True):
        match = _MARK.fullmatch(line.rstrip("\n"))
        if line.strip() == _END:
            left_out = False
        elif match and match["word"] != "settings":
            left_out = _is_for(match["rest"], series, software) != (match["word"] == "only")
        elif left_out:
            continue
        elif match:
            for path in match["rest"].split():
                yield from _elements(path, [each for each in known if each.path not in by_hand], named, match["indent"])
        else:
            yield line


def _is_for(name: str, series: str, software: str) -> bool:
    """Whether a part is for a series: it is that of a setting which the series knows, or the series itself."""
    if setting := find_setting(name):
        return setting.known_to(series, software)
    return series in series_named([name])


def _elements(path: str, known: list[Setting], named: set[str], indent: str) -> Iterator[str]:
    """The XML of the setting at a path; of a container with the settings in it; for "path/*", of those in it only."""
    inside = path.removesuffix("*") if path.endswith("/*") else f"{path}/"
    children = [each for each in known if each.path.startswith(inside) and "/" not in each.path[len(inside) :]]
    if path.endswith("/*"):
        for setting in children:
            if setting.path not in named:
                yield from _element(setting, indent)
    elif children:
        tag = path.rpartition("/")[2]
        yield f"{{% if {' or '.join(setting.name for setting in children)} %}}\n{indent}<{tag}>\n"
        for setting in children:
            yield from _element(setting, indent + _STEP)
        yield f"{indent}</{tag}>\n{{% endif %}}\n"
    else:
        for setting in known:
            if setting.path == path:
                yield from _element(setting, indent)


def _element(setting: Setting, indent: str) -> Iterator[str]:
    tag = setting.path.rpartition("/")[2]
    yield f"{{% if {setting.name} %}}\n{indent}<{tag}>{{{{ {setting.name} }}}}</{tag}>\n{{% endif %}}\n"
