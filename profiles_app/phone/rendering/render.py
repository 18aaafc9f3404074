"""Make the file of a phone: a template's text and layered values in, bytes and provenance out (configuration spec §1).

A template sees `device`, `lines`, `keys` and `modules` (keys.py), each setting of the catalogue as this phone's file says
it (settings.py), and variables of one's own as texts. The same inputs give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TypeVar

from profiles_app.phone.rendering import fragments
from profiles_app.phone.rendering.built_in import all_built_in
from profiles_app.phone.rendering.compiled import GIVEN, Compiled, compile_template, place_of, run
from profiles_app.phone.rendering.keys import UnfitLine, arrange
from profiles_app.phone.rendering.marks import STAMP, Marks
from profiles_app.phone.rendering.meter import CURRENT, Meter, meter
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.settings import all_settings, file_values, find_setting
from profiles_app.phone.rendering.values import DeviceOf, Effective, KeyOf, LayerOf, LineOf, merge, ordered
from profiles_app.phone.sep.document import Refused, decode, encode, ensure_readable

# What XML cannot hold (XML 1.0 §2.2), and halves of characters, which no encoding can.
_NO_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_SECRET_SETTINGS = frozenset(setting.name for setting in all_settings() if setting.secret)

Row = TypeVar("Row", DeviceOf, LineOf, KeyOf)


@dataclass(frozen=True)
class Rendering:
    """A phone's file. `values` are what layers give, with their provenance; `used` are the names that the template reads.

    `remarks` say what was left out: keys without a place, texts that were cut, characters that no file can hold.
    """

    content: bytes
    values: Mapping[str, Effective]
    used: frozenset[str]
    remarks: tuple[str, ...] = ()


def render(
    text: str,
    *,
    device: DeviceOf,
    layers: Sequence[LayerOf],
    lines: Sequence[LineOf] = (),
    keys: Sequence[KeyOf] = (),
    templates: Mapping[str, str] | None = None,
) -> Rendering:
    """Return the file of a phone. A template may include `templates`, the built-in ones. Raises RenderRefused."""
    running = Meter()
    token = CURRENT.set(running)
    try:
        compiled = compile_template(text, _built_in() if templates is None else templates)
        values = merge(layers)
        marks = Marks()
        context = context_of(device, values, lines, keys, marks)
        try:
            written = run(compiled, context)
        except RenderRefused as refused:
            if refused.code == "missing-value":
                refused.asked = tuple(layer.label for layer in reversed(ordered(layers)))
                refused.message += _asked(refused.asked)
            raise
        marks.check(written)
        content = _checked(compiled, context, marks, marks.finish(written))
        for layer in ordered(layers):
            if layer.fragments:
                content = _with_fragments(content, layer)
        return Rendering(content, values, (compiled.names & context.keys()) - GIVEN, running.remarks)
    finally:
        CURRENT.reset(token)


def names_of(text: str) -> frozenset[str]:
    """Return the settings and variables that a template reads. Raises RenderRefused for one that does not compile."""
    return compile_template(text, _built_in()).names - GIVEN


@cache
def _built_in() -> Mapping[str, str]:
    return MappingProxyType({template.name: template.text for template in all_built_in()})


def context_of(
    device: DeviceOf, values: Mapping[str, Effective], lines: Sequence[LineOf], keys: Sequence[KeyOf], marks: Marks
) -> dict[str, object]:
    """What the template sees."""
    device = _clean(device, "the phone")
    texts = {name: _without_strange(one.value, name) for name, one in values.items()}
    written = file_values(texts, device)
    try:
        arranged = arrange(
            device,
            [_clean(line, f"line {number}") for number, line in enumerate(lines, 1)],
            [_clean(key, f"key {key.position}") for key in keys],
            written,
        )
    except UnfitLine as error:
        raise RenderRefused("wrong-line", str(error)) from error
    for remark in arranged.remarks:
        meter().remark(remark)
    seen = {line.index: replace(line, auth_password=marks.conceal(line.auth_password)) for line in arranged.lines}
    context: dict[str, object] = {
        **{name: text for name, text in texts.items() if find_setting(name) is None},
        **written,
        "device": device,
        "lines": list(seen.values()),
        "keys": [replace(key, line=seen[key.line.index]) if key.line else key for key in arranged.keys],
        "modules": list(arranged.modules),
        "stamp": STAMP,
    }
    for name in _SECRET_SETTINGS | {name for name, one in values.items() if one.secret}:
        match context.get(name):
            case str(secret) if name not in GIVEN:
                context[name] = marks.conceal(secret)
            case tuple(secrets):
                context[name] = tuple(marks.conceal(str(secret)) for secret in secrets)
    return context


def _without_strange(text: str, of: str) -> str:
    """The text without characters that no file can hold, with a remark."""
    if _NO_CHARACTERS.search(text) is None:
        return text
    meter().remark(f"{of} has characters that no file can hold; they were left out")
    return _NO_CHARACTERS.sub("", text)


def _clean(row: Row, of: str) -> Row:
    """The row with its texts without strange characters."""
    changed = {
        name: clean
        for name, value in vars(row).items()
        if isinstance(value, str) and (clean := _without_strange(value, f"{of}: {name}")) != value
    }
    return replace(row, **changed) if changed else row  # type: ignore[arg-type]


def _checked(compiled: Compiled, context: Mapping[str, object], marks: Marks, text: str) -> bytes:
    """The bytes of a file that phones can read, or a refusal with the template's line."""
    try:
        return _readable(text)
    except Refused as refused:
        line: int | None = None
        blamed: tuple[str, ...] = ()
        if refused.line is not None:
            line, blamed = place_of(compiled, context, marks, refused.line, refused.column or 1)
        message = refused.message.partition(" (inside")[0]
        message += f"; look at what {' and '.join(blamed)} gives" if blamed else ""
        raise RenderRefused(refused.code, message, line) from refused


def _readable(text: str) -> bytes:
    content = encode(text)
    ensure_readable(content)
    return content


def _with_fragments(content: bytes, layer: LayerOf) -> bytes:
    try:
        return _readable(fragments.apply(decode(content), layer.fragments))
    except Refused as refused:
        message = f"with the fragments of {layer.label} the file cannot be used: {refused.message}"
        raise RenderRefused(refused.code, message) from refused
    except RenderRefused as refused:
        refused.message += f" (from {layer.label})"
        raise


def _asked(labels: Sequence[str]) -> str:
    """The layers that have no value either, which are those where it can be given; there may be none yet."""
    if not labels:
        return ": give it at the layer of the account"
    return f" in {', '.join(labels)}: give it at one of these layers"
