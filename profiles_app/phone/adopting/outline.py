"""A SEP file as its skeleton and the values in it, by exact places in its text.

The skeleton is everything that is neither text nor an attribute's value: tags, comments, white space between tags, the
XML declaration. Nothing is parsed into a tree and written back: joined again, pieces and values are the file's own text.
Only files that the checker accepts come here, so that tags are known to close.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

# Quotation marks are skipped as a whole, because a ">" may stand between them.
_MARKUP = re.compile(
    r"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"""
    r"""|<(?P<close>/?)(?P<tag>[^\s/>!?]+)(?P<rest>(?:[^<>"'/]|/(?!>)|"[^"]*"|'[^']*')*+)(?P<empty>/?)>""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_CDATA, _CDATA_END = "<![CDATA[", "]]>"


@dataclass
class Node:
    """An element on the way to a place; `number` counts from 1 among those of the same tag in the same parent."""

    tag: str
    parent: Node | None
    number: int = 1
    children: Counter[str] = field(default_factory=Counter)

    @property
    def way(self) -> tuple[Node, ...]:
        """The elements from below the root down to this one."""
        return (*self.parent.way, self) if self.parent else ()

    @property
    def alone(self) -> bool:
        return self.parent is None or self.parent.children[self.tag] == 1


@dataclass(frozen=True)
class ValuePlace:
    """Where a value stands: in an element, or in an attribute of it. In a CDATA section nothing is escaped."""

    node: Node
    attribute: str = ""
    cdata: bool = False

    @property
    def path(self) -> str:
        """The path below the root without numbers: sipProfile/sipLines/line/name."""
        return "/".join(node.tag for node in self.node.way)


@dataclass(frozen=True)
class Outline:
    """`pieces` of the skeleton, and between each two of them one of the `values`, as they are written in the file."""

    pieces: tuple[str, ...]
    places: tuple[ValuePlace, ...]
    values: tuple[str, ...]


def outline(text: str) -> Outline:
    """Take a file's text apart."""
    pieces, places, values = [], [], []
    position = 0
    for place, start, end in _places(text):
        pieces.append(text[position:start])
        places.append(place)
        values.append(text[start:end])
        position = end
    return Outline((*pieces, text[position:]), tuple(places), tuple(values))


def _places(text: str) -> Iterator[tuple[ValuePlace, int, int]]:
    node: Node | None = None
    position, opened = 0, False  # where the last tag ended, and whether it was a start tag
    for token in _MARKUP.finditer(text):
        closing = bool(token["close"])
        # All that an element has between its tags is its value, also nothing; elsewhere white space is none.
        if node is not None and ((opened and closing) or text[position : token.start()].strip()):
            yield ValuePlace(node), position, token.start()
        position, opened = token.end(), False
        if token["tag"] is None:
            if node is not None and token[0].startswith(_CDATA):
                yield ValuePlace(node, cdata=True), token.start() + len(_CDATA), token.end() - len(_CDATA_END)
            continue
        if closing:
            node = node.parent if node else None
            continue
        child = _below(node, token["tag"])
        for attribute in _ATTRIBUTE.finditer(token["rest"]):
            group = 2 if attribute[2] is not None else 3
            start = token.start("rest") + attribute.start(group)
            yield ValuePlace(child, attribute[1]), start, start + len(attribute[group])
        if not token["empty"]:
            node, opened = child, True


def _below(parent: Node | None, tag: str) -> Node:
    if parent is None:
        return Node(tag, None)
    parent.children[tag] += 1
    return Node(tag, parent, parent.children[tag])
