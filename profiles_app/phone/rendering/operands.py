"""What a value is to a template: a text, a number or a list of bounded size, or a refusal in the words of its author.

Lists nest, and one list may be put into another a million times: their text, their order and their equality are never
asked for, as Python would work them out in one step that nothing can stop.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from jinja2 import Undefined
from jinja2.runtime import markup_join
from markupsafe import Markup, escape

from profiles_app.phone.rendering.meter import STEP, meter
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.values import DeviceOf, LineOf

# Nothing in a SEP file needs larger numbers; arithmetic with small ones takes bounded time.
LARGEST = 2**63
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "a text"),
    (bool, "yes or no"),
    ((int, float), "a number"),
    (Mapping, "a mapping"),
    ((Sequence, Iterator), "a list"),
    (type(None), "nothing"),
    (DeviceOf, "the phone"),
    (LineOf, "a line"),
)


def kind_of(value: object) -> str:
    """What a value is, in words for the author of a template."""
    return next((words for types, words in _KINDS if isinstance(value, types)), "this")


def wrong(message: str) -> RenderRefused:
    return RenderRefused("wrong-value", message)


def insist(value: object) -> None:
    """Raise what a missing value raises, if it is one."""
    if isinstance(value, Undefined):
        str(value)


def text_of(value: object) -> str:
    """Return what is written for a value: "true" and "false" as phones read them, "" for nothing."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(number_of(value))
    insist(value)
    raise wrong(f"{kind_of(value)} cannot be written into the file; use a loop, or the filter join")


def number_of(value: object) -> int | float:
    insist(value)
    if not isinstance(value, int | float):
        raise wrong(f"a number is needed, not {kind_of(value)}; the filter int makes one of a text")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise RenderRefused("too-large", "a number is too large")
    return value


def whole(value: object) -> int:
    return int(number_of(value))


def comparable(value: object) -> object:
    """Return the value if comparing it takes bounded time."""
    insist(value)
    if isinstance(value, str):
        meter().spend(STEP + (len(value) >> 4))
    elif isinstance(value, Collection):
        raise wrong(f"{kind_of(value)} cannot be compared; compare its length or its elements")
    return value


def searchable(value: object) -> object:
    """Return the value if it can stand behind `in`."""
    insist(value)
    if isinstance(value, str):
        meter().spend(len(value))
    elif isinstance(value, Sequence | Mapping):
        meter().spend(len(value) * STEP)
    else:
        raise wrong(f"nothing can be looked for in {kind_of(value)}")
    return value


def elements_of(value: object) -> Collection[object]:
    """Return a list, tuple, range or mapping, once it is paid for."""
    insist(value)
    if isinstance(value, str):
        raise wrong("a text is no list; the filter split makes one of a text with commas")
    if not isinstance(value, Collection):
        raise wrong(f"a list is needed, not {kind_of(value)}")
    meter().elements(len(value))
    return value


def concatenated(*values: object) -> str:
    """What `~` does; what was escaped stays so, and the rest becomes it."""
    texts = [text_of(value) for value in values]
    meter().text(sum(map(len, texts)))
    whole_text = markup_join(texts)
    if isinstance(whole_text, Markup):
        meter().text(len(whole_text))
    return whole_text


def joined(separator: object, values: Collection[object]) -> str:
    texts, between = [text_of(value) for value in values], text_of(separator)
    meter().text(sum(map(len, texts)) + len(between) * len(texts))
    if any(isinstance(text, Markup) for text in (between, *texts)):
        together = escape(between).join(texts)
        meter().text(len(together))
        return together
    return between.join(texts)


def _added(left: object, right: object) -> object:
    if isinstance(left, str) and isinstance(right, str):
        return concatenated(left, right)
    if isinstance(left, list) and isinstance(right, list):
        meter().elements(len(left) + len(right))
        return left + right
    return number_of(left) + number_of(right)


def _multiplied(left: object, right: object) -> object:
    if isinstance(left, str):
        times = whole(right)
        meter().text(len(left) * max(times, 0))
        return left * times
    return number_of(left) * number_of(right)


def _power(left: object, right: object) -> object:
    base, exponent = number_of(left), number_of(right)
    if abs(exponent) > 64:
        raise RenderRefused("too-large", "an exponent is larger than 64")
    return base**exponent


# `%` is for numbers alone: with a text it would be a format, whose width makes texts of any size.
OPERATORS: dict[str, Callable[[object, object], object]] = {
    "+": _added,
    "-": lambda left, right: number_of(left) - number_of(right),
    "*": _multiplied,
    "/": lambda left, right: number_of(left) / number_of(right),
    "//": lambda left, right: number_of(left) // number_of(right),
    "%": lambda left, right: number_of(left) % number_of(right),
    "**": _power,
}
