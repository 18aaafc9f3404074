"""Ring lists and background lists: at most fifty entries, which people choose from on the phone, in this order.

A list is changed in its tree, so that comments, other elements and the entries that nobody touched stay as they are.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from profiles_app.phone.companions.reading import Unreadable, error, line_of, read_xml, text_of, wrong_root
from profiles_app.phone.sep.elements import Finding

MOST_ENTRIES = 50
LONGEST_NAME = 25
_INDENT = "\n  "


class FullList(ValueError):
    """The list has as many entries as phones read."""


@dataclass(frozen=True)
class ListEntry:
    """What is chosen by `name`, and the files for it. A background has no name: its picture's file stands for it."""

    name: str
    file: str
    preview: str = ""


@dataclass(frozen=True)
class KindOfList:
    root: str
    element: str
    read: Callable[[etree._Element], ListEntry]
    write: Callable[[etree._Element, ListEntry], None]
    faults: Callable[[ListEntry], Iterator[str]]

    def parsed(self, content: bytes) -> etree._Element:
        """Raises Unreadable. An empty file is an empty list."""
        root = read_xml(content or f"<{self.root}>\n</{self.root}>".encode())
        if finding := wrong_root(root, [self.root]):
            raise Unreadable(finding)
        return root

    def elements(self, root: etree._Element) -> list[etree._Element]:
        return [each for each in root if each.tag == self.element]

    def entries(self, content: bytes) -> list[ListEntry]:
        root = self.parsed(content)
        return [self.read(each) for each in self.elements(root)]

    def check(self, content: bytes) -> list[Finding]:
        try:
            root = self.parsed(content)
        except Unreadable as refused:
            return [refused.finding]
        findings, seen = list[Finding](), set[str]()
        found = self.elements(root)
        if len(found) > MOST_ENTRIES:
            text = f"The list has {len(found)} entries; phones read {MOST_ENTRIES}."
            findings.append(error("too-many", text, line_of(found[MOST_ENTRIES])))
        for each in found:
            entry = self.read(each)
            faults = [*self.faults(entry), *([f"“{entry.file}” is there twice"] if entry.file in seen else [])]
            findings += [error("entry", f"{text}.", line_of(each)) for text in faults]
            seen.add(entry.file)
        return findings

    def with_entry(self, content: bytes, entry: ListEntry) -> bytes:
        """An entry with this file is replaced where it stands, a new one comes last. Raises FullList."""
        root = self.parsed(content)
        found = self.elements(root)
        for each in found:
            if self.read(each).file == entry.file:
                self.write(each, entry)
                return _written(root)
        if len(found) >= MOST_ENTRIES:
            raise FullList(f"The list has {len(found)} entries, and phones read no more than {MOST_ENTRIES}.")
        made = etree.Element(self.element)
        self.write(made, entry)
        _append(root, made)
        return _written(root)

    def without(self, content: bytes, file: str) -> bytes:
        root = self.parsed(content)
        for each in self.elements(root):
            if self.read(each).file == file:
                root.remove(each)
        return _written(root)

    def in_order(self, content: bytes, files: Sequence[str]) -> bytes:
        """The entries with these files in their order, others behind them. What stands between entries stays there."""
        root = self.parsed(content)
        places = {file: place for place, file in enumerate(files)}
        found = self.elements(root)
        ordered = sorted(found, key=lambda each: places.get(self.read(each).file, len(places)))
        slots = [(root.index(each), each.tail) for each in found]
        for each in found:
            root.remove(each)
        for (index, tail), each in zip(slots, ordered, strict=True):
            each.tail = tail
            root.insert(index, each)
        return _written(root)


def _append(root: etree._Element, made: etree._Element) -> None:
    """As the entries above are set in."""
    if len(root):
        made.tail, root[-1].tail = "\n", root.text if (root.text or "").strip() == "" and root.text else _INDENT
    else:
        root.text, made.tail = _INDENT, "\n"
    root.append(made)


def _written(root: etree._Element) -> bytes:
    text: bytes = etree.tostring(root.getroottree(), encoding="utf-8", xml_declaration=True)
    return text.replace(b"<?xml version='1.0' encoding='utf-8'?>", b'<?xml version="1.0" encoding="UTF-8"?>', 1) + b"\n"


def _read_ring(ring: etree._Element) -> ListEntry:
    return ListEntry(text_of(ring, "DisplayName"), text_of(ring, "FileName"))


def _write_ring(ring: etree._Element, entry: ListEntry) -> None:
    for name, text in (("DisplayName", entry.name), ("FileName", entry.file)):
        child = ring.find(name)
        if child is None:
            child = etree.SubElement(ring, name)
        child.text = text


def ring_faults(entry: ListEntry) -> Iterator[str]:
    if not 0 < len(entry.name) <= LONGEST_NAME:
        yield f"The display name “{entry.name[:60]}” has {len(entry.name)} characters; phones take 1 to {LONGEST_NAME}"
    if not 0 < len(entry.file) <= LONGEST_NAME:
        yield f"The file name “{entry.file[:60]}” has {len(entry.file)} characters; phones take 1 to {LONGEST_NAME}"
    elif not entry.file.endswith((".raw", ".rwb")):
        yield f"The file “{entry.file}” is neither .raw nor .rwb"


def _read_image(item: etree._Element) -> ListEntry:
    file, preview = str(item.get("URL", "")), str(item.get("Image", ""))
    return ListEntry(re.sub(r"\.png\Z", "", file.rpartition("/")[2]), file, preview)


def _write_image(item: etree._Element, entry: ListEntry) -> None:
    item.set("Image", entry.preview)
    item.set("URL", entry.file)


def _image_faults(entry: ListEntry) -> Iterator[str]:
    for name, address in (("URL", entry.file), ("Image", entry.preview)):
        if not address:
            yield f"An entry has no {name}"
        elif not address.startswith("TFTP:"):
            yield f"“{address[:80]}” does not begin with TFTP:, as phones want it (they use HTTP all the same)"
        elif not address.lower().endswith(".png"):
            yield f"“{address[:80]}” is no PNG"


RINGS = KindOfList("CiscoIPPhoneRingList", "Ring", _read_ring, _write_ring, ring_faults)
IMAGES = KindOfList("CiscoIPPhoneImageList", "ImageItem", _read_image, _write_image, _image_faults)
