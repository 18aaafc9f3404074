"""Reading a SEP file as phones read it: its bytes and their text, what is a document at all, elements with their places.

REST carries a file as a JSON string while the phone must get exactly the bytes of its author, so neither line
ends nor a byte order mark are changed in between (phone profiles spec §9, case 15). What is no SEP document is Refused.

Phones know no XML namespaces: files which CUCM itself writes use an `xsi:` prefix without declaring it, and
every namespace-aware parser refuses them. The judge is therefore expat without namespaces (Cisco phones spec
§4.7). A recovering lxml parse was measured as the alternative: its error log says nothing about stray text
after the root element or a character cut in half at the end of the file, so it lets truncated files through.
The tree comes out of the same pass; nothing is ever written back from it.
"""

from __future__ import annotations

import codecs
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from xml.parsers import expat

from contacts_app.core.tables import table


class Refused(Exception):
    """The content is no SEP document. `code` is stable and kebab-case; `line` and `column` count from 1."""

    def __init__(self, code: str, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column


BYTE_ORDER_MARK = codecs.BOM_UTF8
DEFAULT = "utf-8"

# XML 1.0 §2.8, production [23]: the version comes first, and nothing comes before the declaration.
_DECLARATION = re.compile(
    rb"""<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"[^"]*"|'[^']*')"""
    rb"""[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z][A-Za-z0-9._-]*)["']"""
)
# Supersets of ASCII with one byte a character, and UTF-8: no other encoding was ever seen in a SEP file, and
# masking, which works on bytes, relies on it.
_SUPPORTED = re.compile(r"utf-8|ascii|iso8859-\d{1,2}|cp125\d|koi8-[ru]")
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def declared_codec(content: bytes) -> str:
    """Return the Python codec which the content asks for; a byte order mark outranks a declaration.

    Raises Refused for an encoding in which no phone reads its file.
    """
    declaration = _DECLARATION.match(content)  # which a byte order mark keeps from matching
    if declaration is None:
        return DEFAULT
    name = declaration[1].decode("ascii")
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        codec = ""
    if not _SUPPORTED.fullmatch(codec):
        raise Refused(
            "unsupported-encoding",
            f"the file declares the encoding “{name}”; phones read UTF-8, or ISO-8859-1 with a declaration",
            1,
            1,
        )
    return codec


def decode(content: bytes) -> str:
    """Return the text of a file; `encode` gives the same bytes back. Raises Refused."""
    if content.startswith(_UTF_16_MARKS) or b"\0" in content:
        raise Refused("utf-16", "the file contains NUL bytes or is UTF-16; save it as UTF-8")
    codec = declared_codec(content)
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        before = content[: error.start]
        raise Refused(
            "undecodable",
            f"byte 0x{content[error.start]:02X} is not {codec.upper()}; "
            "save the file as UTF-8 or declare its encoding in the first line",
            before.count(b"\n") + 1,
            len(before[before.rfind(b"\n") + 1 :].decode(codec)) + 1,
        ) from error


def encode(text: str) -> bytes:
    """Return the bytes of a file's text, in the encoding which the text declares. Raises Refused."""
    head = text.partition("?>")[0]
    codec = declared_codec(head.encode(DEFAULT, "replace"))
    try:
        return text.encode(codec)
    except UnicodeEncodeError as error:
        raise Refused(
            "unencodable",
            f"the character U+{ord(text[error.start]):04X} cannot be written in {codec.upper()}",
            text.count("\n", 0, error.start) + 1,
            error.start - text.rfind("\n", 0, error.start),
        ) from error


MAX_BYTES = 512 * 1024

_FORMATS = table(__file__, "formats.toml")
_BEGINNINGS = [(re.compile(row["begins"].encode(), re.DOTALL), row) for row in _FORMATS["bytes"]]
_TEXTS = [(re.compile(row["begins"].encode()), row) for row in _FORMATS["text"]]


def _refuse_other_formats(content: bytes) -> None:
    """Name what the content is where it is no XML at all. Raises Refused."""
    for pattern, row in _BEGINNINGS:
        if pattern.match(content):
            raise Refused(row["code"], row["message"])
    head = content.removeprefix(BYTE_ORDER_MARK)[:4096].lstrip()
    # UTF-16 without a mark has a NUL beside each character; it is told as what it is.
    if not head or head.startswith((b"<", b"\0<", *_UTF_16_MARKS)):
        return
    for pattern, row in _TEXTS:
        if pattern.match(head):
            raise Refused(row["code"], row["message"], 1, 1)
    if b"\0" in head or sum(byte < 9 or 13 < byte < 32 for byte in head) * 50 > len(head):
        raise Refused("binary", _FORMATS["binary"])
    before, tag, _ = content.decode(DEFAULT, "replace").partition("<")
    if tag and before.strip():
        stray = before.strip().partition("\n")[0][:60].strip()
        message = f"the file begins with “{stray}”, which is no part of it: {_FORMATS['stray']}"
        raise Refused("stray-text", message, before[: before.find(stray)].count("\n") + 1, 1)


class Element(ET.Element):
    """An element which knows where it starts; line and column count from 1. `within` is the tag of its parent."""

    __slots__ = ("column", "line", "within")
    line: int
    column: int
    within: str


@dataclass(frozen=True)
class Document:
    """A well-formed SEP file: its bytes as they came, their text, and the elements for queries."""

    content: bytes
    text: str
    root: Element

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """All elements in the order of the file."""
        return tuple(element for element in self.root.iter() if isinstance(element, Element))

    @cached_property
    def by_tag(self) -> dict[str, list[Element]]:
        found: dict[str, list[Element]] = {}
        for element in self.elements:
            found.setdefault(element.tag, []).append(element)
        return found

    def named(self, names: Iterable[str]) -> Iterator[Element]:
        """Find the elements of these names: a tag, or the parent's and a tag, such as ntp/name."""
        for name in names:
            parent, _, tag = name.rpartition("/")
            for element in self.by_tag.get(tag, ()):
                if not parent or element.within == parent:
                    yield element

    def find(self, path: str) -> Element | None:
        """Return the first element at the path below the root (ElementPath syntax)."""
        found = self.root.find(path)
        return found if isinstance(found, Element) else None

    def find_all(self, path: str) -> list[Element]:
        return [found for found in self.root.findall(path) if isinstance(found, Element)]

    def value(self, path: str) -> str:
        """Return the stripped text of the first element at the path, "" when there is none."""
        return value_of(self.find(path))


def value_of(element: ET.Element | None) -> str:
    """Return all of an element's text without surrounding space; phones do not tell missing from empty."""
    return "" if element is None else "".join(element.itertext()).strip()


def integer_of(element: ET.Element | None) -> int | None:
    """Return an element's text as a number, None when it is not one."""
    return integer(value_of(element))


def integer(text: str) -> int | None:
    """Return a text as a number, None when it is not one; nothing in a SEP file needs ten digits."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def parse(content: bytes) -> Document:
    """Read a file, or raise Refused with the reason and, where there is one, the place."""
    if len(content) > MAX_BYTES:
        raise Refused("too-large", f"the file has {len(content):,} bytes; the limit is {MAX_BYTES:,}")
    if not content.removeprefix(BYTE_ORDER_MARK).strip():
        raise Refused("empty", "the file is empty")
    _refuse_other_formats(content)
    text = decode(content)
    return Document(content=content, text=text, root=_Reader().read(text))


def ensure_readable(content: bytes) -> None:
    """Raise what `parse` raises. It builds no elements, and takes a tenth of the time."""
    tags: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, _attributes: tags.append(tag)
    parser.StartDoctypeDeclHandler = _stop
    try:
        parser.Parse(decode(content), True)
        sound = len(content) <= MAX_BYTES and tags[0] == "device" and _INSIDE.isdisjoint(tags)
    except (Refused, expat.ExpatError, _Stopped):
        sound = False
    if not sound:
        parse(content)


class _Stopped(Exception):
    pass


def _stop(*_declaration: object) -> None:
    """Entities are never expanded."""
    raise _Stopped


_INSIDE = frozenset(_FORMATS["inside_device"])


class _Reader:
    """One expat pass that builds the tree and stops at the first thing no phone would accept."""

    def __init__(self) -> None:
        self._tree = ET.TreeBuilder(element_factory=Element)
        self._open: list[Element] = []
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._tree.data

    def read(self, text: str) -> Element:
        try:
            # A str makes expat ignore the declared encoding, which `decode` has already settled.
            self._parser.Parse(text, True)
        except expat.ExpatError as error:
            words = (expat.ErrorString(error.code) or "").removeprefix("not well-formed ").strip("()")
            message = f"not well-formed XML: {words}{self._inside()}"
            raise Refused("not-well-formed", message, error.lineno, error.offset + 1) from error
        root = self._tree.close()
        assert isinstance(root, Element)  # noqa: S101 - tells the type checker what the factory makes
        return root

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        depth = len(self._open)
        if (not depth and tag != "device") or (depth == 1 and tag in _FORMATS["inside_device"]):
            # "default" in lower case is found in the field as well (Cisco phones spec §4.7).
            unknown = ("not-a-device", f"the root element is {tag}; a SEP file begins with device")
            code, message = _FORMATS["roots"].get(tag.lower(), unknown)
            raise Refused(code, message, *self._place())
        element = self._tree.start(tag, attributes)
        assert isinstance(element, Element)  # noqa: S101 - as above
        element.line, element.column = self._place()
        element.within = self._open[-1].tag if depth else ""
        self._open.append(element)

    def _end(self, tag: str) -> None:
        self._tree.end(tag)
        self._open.pop()

    def _doctype(self, *_declaration: object) -> None:
        raise Refused(
            "doctype",
            "the file has a DOCTYPE; phones need none, and entity declarations are a known attack",
            *self._place(),
        )

    def _place(self) -> tuple[int, int]:
        return self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1

    def _inside(self) -> str:
        if not self._open:
            return ""
        innermost = self._open[-1]
        return f" (inside {innermost.tag}, opened in line {innermost.line})"
