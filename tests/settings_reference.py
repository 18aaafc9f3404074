"""`python -m tests.settings_reference`: docs/settings-reference.md, made of the catalogue of settings and keys."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from profiles_app.phone.rendering.built_in import all_built_in
from profiles_app.phone.rendering.keys import KeyKind, all_kinds
from profiles_app.phone.rendering.series import TABLES, all_series
from profiles_app.phone.rendering.settings import Setting, all_settings
from profiles_app.phone.sep import catalogue

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "settings-reference.md"
HEAD = """# Settings, keys and built-in templates

What a phone's file can be told, by the names that layers, templates and REST use. This page is made of the catalogue
(`make settings-reference`).

A value is in words for people; the column *in the file* says where it goes and what is written there. A setting without
a value stays out of the file, and the phone decides. P in the last column: the setting goes with the person who logs in
on a phone; all others stay with the phone. A list has its entries in one text, with commas between them. A series that
is not named has no such setting: a value for it is kept and not written.
"""
TYPES = {
    "boolean": "`on`, `off`",
    "host": "name or address of a host",
    "url": "address (URL)",
    "password": "text, secret",
    "time": "hours and minutes, `08:30`",
    "time-zone": "a place such as `Europe/Berlin`, or the phone's name",
}


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def values_of(setting: Setting) -> str:
    if setting.range:
        return f"{setting.range[0]} to {setting.range[1]}{f' {setting.unit}' if setting.unit else ''}"
    if setting.type == "boolean":
        return TYPES["boolean"]
    if setting.choices:
        words = [f"`{value}`" + (f": {said}" if said != value else "") for value, said in setting.choices.items()]
        return ("some of " if setting.type == "list" else "") + "; ".join(words)
    if setting.type == "list":
        return f"at most {setting.most} of: {TYPES.get(setting.of, setting.format)}"
    return TYPES.get(setting.type) or setting.format or f"text of at most {setting.longest} characters"


def in_the_file(setting: Setting) -> str:
    said = f"`{setting.path}`"
    changed = {value: text for value, text in setting.writes.items() if value != text}
    if changed:
        said += ": " + ", ".join(f"{value} {text}" for value, text in changed.items())
    by_writes = sorted(setting.series_values.items(), key=lambda each: (str(each[1]), each[0]))
    for texts, alike in groupby(by_writes, key=lambda each: dict(each[1])):
        names = ", ".join(series for series, _ in alike)
        said += f"; {names}: " + ", ".join(f"{value} {text}" for value, text in texts.items())
    return said


def phones_of(setting: Setting) -> str:
    said = ", ".join(series for series in all_series() if series in setting.series) or "all"
    return f"{said}; {setting.software}" if setting.software else said


def row_of(setting: Setting) -> str:
    default = "must be given" if setting.default is None else f"`{setting.default}`" if setting.default else ""
    about = f"**{setting.label}.** {setting.help}"
    travels = "P" if setting.travels == "P" else ""
    cells = (f"`{setting.name}`", about, values_of(setting), default, in_the_file(setting), phones_of(setting), travels)
    return f"| {' | '.join(map(cell, cells))} |"


def key_row(kind: KeyKind) -> str:
    phones = ", ".join(sorted(kind.models) or [series for series in all_series() if series in kind.series]) or "all"
    options = "; ".join(f"`{option.name}`: {option.label}" for option in kind.options)
    cells = (f"`{kind.name}`", f"**{kind.label}.** {kind.help}", kind.needs, options, kind.feature, phones)
    return f"| {' | '.join(map(cell, cells))} |"


def parts() -> Iterator[str]:
    yield HEAD
    for group, found in groupby(all_settings(), key=lambda setting: setting.group):
        yield f"\n## {group}\n\n| name | meaning | values | default | in the file | phones | |\n"
        yield "|---|---|---|---|---|---|---|\n"
        yield "".join(row_of(setting) + "\n" for setting in found)
    yield "\n## Keys\n\n| kind | meaning | needs | options | featureID | phones (SIP) |\n|---|---|---|---|---|---|\n"
    yield "".join(key_row(kind) + "\n" for kind in all_kinds())
    yield "\n## Built-in templates\n\n| name | phones | models |\n|---|---|---|\n"
    yield "".join(f"| `{each.name}` | {each.title} | {', '.join(each.models)} |\n" for each in all_built_in())
    yield "\n## Series\n\n| series | models |\n|---|---|\n"
    for series, families in TABLES["series"].items():
        models = [device.model for device in catalogue.all_models() if device.family in families and not device.instead]
        yield f"| {series} | {', '.join(models)} |\n"


def document() -> str:
    return "".join(parts())


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
