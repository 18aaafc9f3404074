"""XML that is put into a rendered file by hand: the way out for what no setting has (configuration spec §1.3).

A place is found by its element path and changed in the text. Nothing is written from a tree, so that the rest stays as
it was rendered, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.values import Fragment
from profiles_app.phone.sep.comparison import is_secret, redact
from profiles_app.phone.sep.document import MAX_BYTES

ACTIONS = ("replace", "insert", "delete")
_ROOT = "device"
_LONGEST_PATH = 300
# A tag, the number of one of several elements, or the value of one of its attributes: member[2], member[@priority='1'].
_STEP = re.compile(
    r"(?P<tag>[A-Za-z_][\w.:-]*)"
    r"(?:\[(?:(?P<number>[1-9]\d{0,3})|@(?P<name>[\w.:-]+)=(?P<quote>['\"])(?P<value>.*?)(?P=quote))\])?"
)
# A start tag; a > inside of an attribute's value does not end it.
_TAG = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")
_INDENTED = re.compile(rb"(?:^|\n)([ \t]*)$")


@dataclass
class _Element:
    """An element of the text, and where its bytes are: its start tag at `start`, its end tag at `inner_end`."""

    tag: str
    attributes: dict[str, str]
    start: int
    inner_end: int = -1
    end: int = -1
    children: list[_Element] = field(default_factory=list)


@dataclass(frozen=True)
class XmlFault:
    """Why XML is not well-formed, and where in it; line and column count from 1."""

    words: str
    line: int
    column: int


def xml_fault(xml: str) -> XmlFault | None:
    """What is wrong with XML that is to be put into an element; None: nothing."""
    opened = f"<{_ROOT}>"
    try:
        _elements(f"{opened}{xml}</{_ROOT}>".encode())
    except expat.ExpatError as error:
        words = (expat.ErrorString(error.code) or "").removeprefix("not well-formed ").strip("()")
        before = len(opened) if error.lineno == 1 else 0
        return XmlFault(words, error.lineno, max(error.offset - before, 0) + 1)
    return None


def check_fragment(fragment: Fragment) -> None:
    """Raise RenderRefused, with a sentence for people, if it can be put into no file."""
    if fragment.action not in ACTIONS:
        raise _refused(fragment, f"it does not know the action “{fragment.action[:20]}”, only {', '.join(ACTIONS)}")
    steps = _steps(fragment)
    if fragment.action == "delete":
        return
    if not fragment.xml.strip():
        raise _refused(fragment, "it has no XML to put in")
    if fault := xml_fault(fragment.xml):
        raise _refused(fragment, f"its XML is not well-formed: {fault.words} in its line {fault.line}")
    # It is stored and shown as it is.
    xml = fragment.xml.encode()
    if redact(xml) != xml or (fragment.action == "insert" and steps and is_secret(steps[-1]["tag"])):
        raise _refused(
            fragment, "there is a password in it; give it to a layer as a secret value that a template puts in"
        )


def apply(text: str, fragments: Sequence[Fragment]) -> str:
    """Return a well-formed text with the fragments put in, one after the other. Raises RenderRefused."""
    content = text.encode()
    for fragment in fragments:
        check_fragment(fragment)
        element = _find(_elements(content), fragment)
        content = _ACTIONS[fragment.action](content, element, fragment.xml.strip().encode())
        if len(content) > MAX_BYTES:
            raise _refused(fragment, f"the file is larger than {MAX_BYTES // 1024} KB with it", "too-large")
    return content.decode()


def with_text(text: str, path: str, value: str) -> str:
    """Return a well-formed text in which the one element at this path has another text, and nothing else is changed.

    The value needs no escape. Raises RenderRefused.
    """
    content, fragment = text.encode(), Fragment(path, "replace")
    element = _find(_elements(content), fragment)
    if element.children:
        raise _refused(fragment, "there are elements in it")
    if element.inner_end < 0:
        return _insert(content, element, value.encode()).decode()
    tag = _TAG.match(content, element.start)
    inner = tag.end() if tag is not None else element.inner_end
    return (content[:inner] + value.encode() + content[element.inner_end :]).decode()


def _refused(fragment: Fragment, why: str, code: str = "wrong-fragment") -> RenderRefused:
    return RenderRefused(code, f"the fragment for {fragment.path[:_LONGEST_PATH] or _ROOT} cannot be used: {why}")


def _steps(fragment: Fragment) -> list[re.Match[str]]:
    """The steps of a path below the root, which may be named or not."""
    path = fragment.path.strip().strip("/")
    if len(path) > _LONGEST_PATH:
        raise _refused(fragment, f"its path has more than {_LONGEST_PATH} characters")
    steps = []
    while path:
        match = _STEP.match(path)
        if match is None or path[match.end() : match.end() + 1] not in ("", "/"):
            raise _refused(fragment, "its path is not of elements, such as vendorConfig/webAccess or members/member[2]")
        steps.append(match)
        path = path[match.end() + 1 :]
    if steps and steps[0]["tag"] == _ROOT:
        del steps[0]
    if not steps and fragment.action != "insert":
        raise _refused(fragment, f"{_ROOT} itself cannot be replaced or deleted")
    return steps


def _find(root: _Element, fragment: Fragment) -> _Element:
    element, path = root, _ROOT
    for step in _steps(fragment):
        found = [child for child in element.children if child.tag == step["tag"]]
        if step["name"]:
            found = [child for child in found if child.attributes.get(step["name"]) == step["value"]]
        if step["number"]:
            found = found[int(step["number"]) - 1 : int(step["number"])]
        if not found:
            raise _refused(fragment, f"{path} has no {step[0]} in this file", "fragment-not-found")
        if len(found) > 1:
            raise _refused(fragment, f"{path} has {len(found)} elements {step['tag']}; say which: {step['tag']}[1]")
        element, path = found[0], f"{path}/{step[0]}"
    return element


def _elements(content: bytes) -> _Element:
    """The elements of a text in UTF-8, whatever it declares. Raises ExpatError."""
    parser = expat.ParserCreate("utf-8")
    above = _Element("", {}, 0)
    inside = [above]

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = _Element(tag, attributes, parser.CurrentByteIndex)
        inside[-1].children.append(element)
        inside.append(element)

    def end(_tag: str) -> None:
        element = inside.pop()
        tag = _TAG.match(content, element.start)
        if tag is not None and tag[0].endswith(b"/>"):
            element.end = tag.end()
        else:
            element.inner_end = parser.CurrentByteIndex
            element.end = content.index(b">", element.inner_end) + 1

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(content, True)
    return above.children[0]


def _replace(content: bytes, element: _Element, xml: bytes) -> bytes:
    return content[: element.start] + xml + content[element.end :]


def _delete(content: bytes, element: _Element, _xml: bytes) -> bytes:
    """Without the line that the element stood on, if it was alone there."""
    start, end = element.start, element.end
    indent = _INDENTED.search(content[max(start - 200, 0) : start])
    line_end = re.compile(rb"[ \t]*\r?\n").match(content, end)
    if indent and line_end:
        start, end = start - len(indent[1]), line_end.end()
    return content[:start] + content[end:]


def _insert(content: bytes, element: _Element, xml: bytes) -> bytes:
    """As the last child, on a line of its own where the other children have one."""
    if element.inner_end < 0:
        tag = element.tag.encode()
        opened = content[element.start : element.end].rstrip(b"> \t\r\n").removesuffix(b"/").rstrip() + b">"
        return content[: element.start] + opened + xml + b"</" + tag + b">" + content[element.end :]
    if not element.children:
        return content[: element.inner_end] + xml + content[element.inner_end :]
    last = element.children[-1]
    before = _INDENTED.search(content[max(last.start - 200, 0) : last.start])
    if before:
        line = b"\r\n" if content[: last.start].endswith(b"\r\n" + before[1]) else b"\n"
        xml = line + before[1] + xml
    return content[: last.end] + xml + content[last.end :]


_ACTIONS = {"replace": _replace, "insert": _insert, "delete": _delete}
