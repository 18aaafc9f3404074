"""What all of these files have in common: XML of a few kilobytes, read without entities, with a line for each finding."""

from collections.abc import Iterable, Iterator
from typing import cast

from lxml import etree

from profiles_app.phone.sep.elements import Finding, Severity

# Far more than the largest file that phones take; what is longer is not looked at.
LONGEST = 262_144


class Unreadable(ValueError):
    """The file cannot be read at all. `finding` says why, for people."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def error(code: str, message: str, line: int | None = None) -> Finding:
    return Finding(code, Severity.ERROR, message, line)


def warning(code: str, message: str, line: int | None = None) -> Finding:
    return Finding(code, Severity.WARNING, message, line)


def read_xml(content: bytes) -> etree._Element:
    """The root of a file. Raises Unreadable: too long, no XML, or with a document type of its own."""
    if len(content) > LONGEST:
        raise Unreadable(error("too-long", f"The file has {len(content):,} bytes; {LONGEST:,} at most are read."))
    if b"<!DOCTYPE" in content:
        raise Unreadable(error("doctype", "A document type is not taken: phones need none of these files to have one."))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as spoilt:
        reason = (spoilt.msg or "it is empty").partition(", line ")[0]
        raise Unreadable(error("not-xml", f"This is no XML: {reason}.", spoilt.lineno or None)) from None
    return root


def named(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """The elements below the root that have this name, in their order."""
    return root.iter(name)


def line_of(element: etree._Element) -> int | None:
    return cast("int | None", element.sourceline)


def text_of(element: etree._Element, name: str) -> str:
    """What a child says, "" where there is none."""
    return (element.findtext(name) or "").strip()


def wrong_root(root: etree._Element, names: Iterable[str]) -> Finding | None:
    if root.tag in (known := tuple(names)):
        return None
    return error("wrong-root", f"The file begins with <{root.tag}>; this kind begins with <{known[0]}>.", line_of(root))
