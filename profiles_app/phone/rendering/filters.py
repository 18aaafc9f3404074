"""The filters and functions that templates are offered, each with bounded work.

Jinja2's own are not taken as they come. `center`, `indent`, `wordwrap`, `format`, `batch`, `slice` and `round` make
texts, lists and numbers of any size in one step; `sum` and `groupby` compare and add what nests; `attr` and `pprint`
read what is not meant to be read; `random` and `lipsum` give another file each time; `urlize` and `tojson` have no use
in a SEP file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from xml.sax.saxutils import escape as of_element

from jinja2 import pass_context, pass_environment
from jinja2.environment import Environment
from jinja2.filters import (
    do_default,
    do_title,
    do_urlencode,
    make_attrgetter,
    sync_do_map,
    sync_do_reject,
    sync_do_rejectattr,
    sync_do_select,
    sync_do_selectattr,
)
from jinja2.runtime import Context
from jinja2.utils import Namespace
from markupsafe import Markup, escape

from profiles_app.phone.rendering.conditions import TESTS
from profiles_app.phone.rendering.meter import meter
from profiles_app.phone.rendering.operands import (
    comparable,
    elements_of,
    joined,
    kind_of,
    number_of,
    text_of,
    whole,
    wrong,
)
from profiles_app.phone.rendering.refusal import RenderRefused

Attribute = str | int | None
# A text that is longer is no number.
_DIGITS = 64
_MAX_RANGE = 1_000
_LONGEST_ATTRIBUTE = 100
# Characters that trim takes away.
_MAX_TRIMMED = 100


def limit(value: object, length: int, of: str = "") -> str:
    """Cut a text to what the phone takes, with a remark. The sandbox fills in `of`, the words of the template."""
    text, most = text_of(value), max(whole(length), 0)
    if len(text) <= most:
        return text
    meter().remark(f"{of or 'a text'} was cut from {len(text)} to {most} characters")
    return text[:most]


def _changed(change: Callable[[str], str]) -> Callable[[object], str]:
    """A filter that makes a text of about the same length."""

    def changed(value: object) -> str:
        text = text_of(value)
        meter().text(len(text))
        return change(text)

    return changed


def _replace(value: object, old: object, new: object, count: object = -1) -> str:
    text, before, after = text_of(value), text_of(old), text_of(new)
    meter().text(len(text) + (text.count(before) if before else len(text) + 1) * len(after))
    return text.replace(before, after, whole(count))


@pass_environment
def _join(environment: Environment, value: object, between: object = "", attribute: Attribute = None) -> str:
    return joined(between, _mapped(environment, value, attribute))


def _split(value: object, separator: object = ",") -> list[str]:
    """The parts of a text without the space around them; empty ones are left out."""
    text, between = text_of(value), text_of(separator)
    if not between:
        raise wrong("the filter split needs a separator")
    meter().elements(text.count(between) + 1)
    return [part for part in map(str.strip, text.split(between)) if part]


def _trim(value: object, characters: object = None) -> str:
    text = text_of(value)
    meter().text(len(text))
    return text.strip(text_of(characters)[:_MAX_TRIMMED] or None)


def _truncate(value: object, length: object = 255, killwords: bool = False, end: object = "...") -> str:
    text, most, ending = text_of(value), whole(length), text_of(end)
    meter().text(len(text) + len(ending))
    if len(text) <= most:
        return text
    kept = text[: max(most - len(ending), 0)]
    return (kept if killwords else kept.rsplit(" ", 1)[0]) + ending


def _int(value: object, default: int = 0, base: int = 10) -> int:
    if isinstance(value, int | float):
        return whole(value)
    text = text_of(value).strip()
    try:
        return int(text, base) if len(text) <= _DIGITS else default
    except ValueError:
        return default


def _float(value: object, default: float = 0.0) -> float:
    if isinstance(value, int | float):
        return float(value)
    text = text_of(value).strip()
    try:
        return float(text) if len(text) <= _DIGITS else default
    except ValueError:
        return default


def _round(value: object, precision: object = 0) -> int | float:
    digits = min(max(whole(precision), 0), 10)
    return round(number_of(value), digits or None)


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else len(elements_of(value))


def _reverse(value: object) -> Sequence[object]:
    if isinstance(value, str):
        meter().text(len(value))
        return value[::-1]
    return list(elements_of(value))[::-1]


def _items(value: object) -> list[tuple[object, object]]:
    if not isinstance(value, Mapping):
        raise wrong(f"a mapping is needed, not {kind_of(value)}")
    meter().elements(3 * len(value))
    return list(value.items())


def _mapped(environment: Environment, value: object, attribute: Attribute) -> list[object]:
    """The elements, or that attribute of each of them."""
    elements = elements_of(value)
    if attribute is None:
        return list(elements)
    return list(map(make_attrgetter(environment, _short(attribute)), elements))


def _short(attribute: Attribute) -> Attribute:
    """The name of an attribute; a.b.c… is read part by part for each element."""
    if isinstance(attribute, str) and len(attribute) > _LONGEST_ATTRIBUTE:
        raise RenderRefused("too-large", f"the name of an attribute has more than {_LONGEST_ATTRIBUTE} characters")
    return attribute


def _keyed(environment: Environment, value: object, attribute: Attribute) -> list[tuple[str | float, object]]:
    """The elements with what they are ordered by; letters as they are sorted by people."""
    keyed: list[tuple[str | float, object]] = []
    elements = elements_of(value)
    for key, element in zip(_mapped(environment, elements, attribute), elements, strict=True):
        comparable(key)
        if isinstance(key, str):
            meter().text(len(key))
        keyed.append((key.lower() if isinstance(key, str) else number_of(key), element))
    return keyed


def _place(keyed: tuple[str | float, object]) -> tuple[bool, str, float]:
    """Numbers stand before texts: the two have no order of their own."""
    key, _ = keyed
    return (True, key, 0) if isinstance(key, str) else (False, "", key)


@pass_environment
def _sort(environment: Environment, value: object, reverse: bool = False, attribute: Attribute = None) -> list[object]:
    return [element for _, element in sorted(_keyed(environment, value, attribute), key=_place, reverse=reverse)]


@pass_environment
def _unique(environment: Environment, value: object, attribute: Attribute = None) -> list[object]:
    found: dict[str | float, object] = {}
    for key, element in _keyed(environment, value, attribute):
        found.setdefault(key, element)
    return list(found.values())


def _extreme(choose: Callable[..., tuple[str | float, object]]) -> Callable[..., object]:
    @pass_environment
    def extreme(environment: Environment, value: object, attribute: Attribute = None) -> object:
        keyed = _keyed(environment, value, attribute)
        return choose(keyed, key=_place)[1] if keyed else None

    return extreme


def _chosen(
    choose: Callable[..., Iterable[object]], offered: Callable[[], Mapping[str, object]]
) -> Callable[..., object]:
    """A filter over elements that names another filter or a test, of those on offer."""

    @pass_context
    def chosen(context: Context, value: object, *names: object, **named: object) -> list[object]:
        name = next((name for name in names if isinstance(name, str) and name not in offered()), None)
        if choose is sync_do_map and name is not None:
            raise RenderRefused("not-offered", f"there is no filter “{name[:40]}” for templates")
        for text in (*names, *named.values()):
            if isinstance(text, str):
                _short(text)
        return list(choose(context, elements_of(value), *names, **named))

    return chosen


FILTERS: dict[str, Callable[..., object]] = {
    "abs": lambda value: abs(number_of(value)),
    "capitalize": _changed(str.capitalize),
    "d": do_default,
    "default": do_default,
    "e": _changed(escape),
    "escape": _changed(escape),
    "first": lambda value: next(iter(elements_of(value)), None),
    "float": _float,
    "int": _int,
    "items": _items,
    "join": _join,
    "last": lambda value: next(reversed(list(elements_of(value))), None),
    "length": _length,
    "count": _length,
    "limit": limit,
    "list": lambda value: list(elements_of(value)),
    "lower": _changed(str.lower),
    "map": _chosen(sync_do_map, lambda: FILTERS),
    "max": _extreme(max),
    "min": _extreme(min),
    "reject": _chosen(sync_do_reject, lambda: TESTS),
    "rejectattr": _chosen(sync_do_rejectattr, lambda: TESTS),
    "replace": _replace,
    "reverse": _reverse,
    "round": _round,
    "safe": _changed(Markup),
    "select": _chosen(sync_do_select, lambda: TESTS),
    "selectattr": _chosen(sync_do_selectattr, lambda: TESTS),
    "sort": _sort,
    "split": _split,
    "string": _changed(lambda text: text),
    "text": _changed(lambda text: Markup(of_element(text))),  # noqa: S704 - it is escaped here
    "title": _changed(do_title),
    "trim": _trim,
    "truncate": _truncate,
    "unique": _unique,
    "upper": _changed(str.upper),
    "urlencode": _changed(do_urlencode),
}


def _range(*bounds: object) -> range:
    numbers = range(*map(whole, bounds))
    if len(numbers) > _MAX_RANGE:
        raise RenderRefused("too-large", f"a range has more than {_MAX_RANGE:,} numbers")
    return numbers


FUNCTIONS: dict[str, Callable[..., object]] = {"range": _range, "namespace": Namespace}
