"""The line keys of files as lines: what all phones that have a line say alike of it becomes the line's own."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from contacts_app.core.tables import table
from profiles_app.phone.adopting.outline import Outline
from profiles_app.phone.adopting.writing import read
from profiles_app.phone.rendering.values import LineOf
from profiles_app.phone.sep.device_facts import LINE_FEATURE
from profiles_app.phone.sep.document import integer

_TABLE: dict[str, tuple[str, int]] = table(__file__, "places.toml")["line"]
PARTS = {tag: part for tag, (part, _) in _TABLE.items()}
_LONGEST = dict(_TABLE.values())
_NUMBERS = frozenset({"max_calls", "busy_trigger"})
_WAY = ("sipProfile", "sipLines", "line")


@dataclass(frozen=True)
class LineKey:
    """A line of one file: the `number` of its element among the keys, and the parts that the file gives."""

    number: int
    parts: Mapping[str, str] = field(repr=False)

    @property
    def extension(self) -> str:
        return self.parts["name"]


def line_keys(outline: Outline) -> list[LineKey]:
    """The lines of a file in the order in which they are registered (Cisco phones spec §4.6): by lineIndex.

    A key without a name, and a second one of the same name, is no line here: its parts stay values of the file.
    """
    features: dict[int, str] = {}
    orders: dict[int, int] = {}
    parts: dict[int, dict[str, str]] = {}
    for place, raw in zip(outline.places, outline.values, strict=True):
        way = place.node.way
        if tuple(node.tag for node in way[:3]) != _WAY or not way[1].alone:
            continue
        key, tag = way[2].number, way[-1].tag if len(way) == 4 else ""
        if place.attribute == "lineIndex" and len(way) == 3:
            orders[key] = integer(raw) or 0
        elif place.attribute or place.cdata or way[-1].number > 1:
            continue
        elif tag == "featureID":
            features[key] = raw.strip()
        elif tag in PARTS:
            parts.setdefault(key, {})[PARTS[tag]] = read(raw)
    found: dict[str, LineKey] = {}
    for key in sorted(features, key=lambda key: (orders.get(key, 0) or len(features) + key, key)):
        name = parts.get(key, {}).get("name", "")
        if features[key] == LINE_FEATURE and name and name.strip() == name and _fits("name", name):
            found.setdefault(name, LineKey(key, parts[key]))
    return list(found.values())


def shared_lines(keys: Iterable[LineKey], known: Mapping[str, LineOf]) -> dict[str, LineOf]:
    """A line for each extension, with what most files say. Those that are known stay as they are."""
    said: dict[str, dict[str, Counter[str]]] = {}
    for key in keys:
        parts = said.setdefault(key.extension, {})
        for part, value in key.parts.items():
            if _fits(part, value):
                parts.setdefault(part, Counter())[value] += 1
    return {
        extension: known.get(extension)
        or _line(extension, {part: values.most_common(1)[0][0] for part, values in parts.items()})
        for extension, parts in said.items()
    }


def says(line: LineOf, part: str, value: str) -> bool:
    """Whether the line says of this part what a file says."""
    said = getattr(line, part)
    return ("" if said is None else str(said)) == value


def _fits(part: str, value: str) -> bool:
    if part in _NUMBERS:
        return not value or 0 < (integer(value) or 0) <= _LONGEST[part]
    return len(value) <= _LONGEST[part] and value.isprintable()


def _line(extension: str, parts: Mapping[str, str]) -> LineOf:
    """The line. What is not given is taken from another part, as that of a line that is stored."""
    display_name = parts.get("display_name", "")
    return LineOf(
        extension=extension,
        name=extension,
        auth_name=parts.get("auth_name") or extension,
        auth_password=parts.get("auth_password", ""),
        display_name=display_name,
        label=parts.get("label") or display_name or extension,
        voicemail=parts.get("voicemail", ""),
        max_calls=integer(parts.get("max_calls", "")),
        busy_trigger=integer(parts.get("busy_trigger", "")),
    )
