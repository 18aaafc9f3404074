"""The text of a template: the skeleton with expressions in place of values, so that it renders to the very same text.

What Jinja would take for its own in a file, such as `{{`, is written as an expression that gives it.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from markupsafe import escape as html_escape

# A brace that begins something of Jinja's, also together with the expression that follows.
_BRACE = re.compile(r"\{(?=[{%#]|\Z)")

# How an expression writes a value: as the renderer does by itself, as authors of files do, or without a change.
AS_RENDERED, AS_TEXT, AS_IS = "", "|text", "|safe"

# A phone's own MAC address in text that is otherwise the same in all files of a cluster, and what gives it. No text of
# XML has these characters.
_MAC_MARKS = {"\x01": "{{ device.mac }}", "\x02": "{{ device.mac|lower }}"}


@dataclass(frozen=True)
class Expression:
    """What stands between `{{` and `}}`."""

    text: str


def way_to_write(raws: Iterable[str], *, in_element: bool, cdata: bool) -> str:
    """The filter under which every value is written again as it stands in its file.

    Files write the same character in several ways: ' and &apos; and &#39;.
    """
    if cdata:
        return AS_IS
    values = {raw: read(raw) for raw in raws}
    if all(str(html_escape(value)) == raw for raw, value in values.items()):
        return AS_RENDERED
    if in_element and all(escape(value) == raw for raw, value in values.items()):
        return AS_TEXT
    return AS_IS


def is_plain(raw: str) -> bool:
    """Whether a value is written as authors write text: the three characters that need it are escaped, and no others."""
    return escape(read(raw)) == raw


def read(raw: str) -> str:
    """The value that stands in a file as `raw`. A well-formed file has no other entities than XML's own."""
    return html.unescape(raw) if "&" in raw else raw


def with_mac_marked(text: str, mac: str) -> str:
    """The text with marks in place of this phone's MAC address."""
    upper, lower = _MAC_MARKS
    return text.replace(mac, upper).replace(mac.lower(), lower)


def has_mac_mark(text: str) -> bool:
    return any(mark in text for mark in _MAC_MARKS)


def template_text(parts: Sequence[str | Expression]) -> str:
    """The template of literal text and expressions. Literal text may have marks of MAC addresses in it."""
    written: list[str] = []
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
        else:
            written += [_protected(text), f"{{{{ {part.text} }}}}"]
            text = ""
    return "".join([*written, _protected(text)])


def _protected(text: str) -> str:
    # Together with an expression that follows, a brace at the end would begin another one.
    text = _BRACE.sub('{{ "{" }}', text) if "{" in text else text
    for mark, expression in _MAC_MARKS.items():
        text = text.replace(mark, expression)
    return text
