"""How a phone reads an object that a service sent it: all of it or nothing (`objects.toml`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring

from contacts_app.core.tables import table

# As much as phones read at once.
MAX_BYTES = 196_608
_TABLES: dict[str, Any] = table(__file__, "objects.toml")
_DECLARATION = re.compile(rb"""<\?xml[^>]*encoding=["']([\w-]+)["']""")
FIELD_TAGS = ("DisplayName", "QueryStringParam", "DefaultValue", "InputFlags")
_FLAGS = re.compile("[ATNEUL]P?|P")


class ObjectRefused(ValueError):
    """The phone shows an error instead; the text says why, which a real phone never tells."""


@dataclass(frozen=True)
class PhoneField:
    """One line of a form."""

    label: str
    name: str
    default: str
    flags: str


@dataclass(frozen=True)
class PhoneObject:
    """An object as far as a phone shows it. `choices` are the items of a menu or the entries of a directory.

    `keys`: name and URL by position. `method` is what the form asks for, which not every phone can.
    """

    kind: str
    title: str = ""
    prompt: str = ""
    text: str = ""
    url: str = ""
    method: str = "get"
    choices: tuple[tuple[str, str], ...] = ()
    fields: tuple[PhoneField, ...] = ()
    keys: Mapping[int, tuple[str, str]] = field(default_factory=dict)


def read_object(content: bytes, content_type: str, offered: str) -> PhoneObject:
    """Read what a service answered to a phone that `offered` these charsets. Raises ObjectRefused."""
    if len(content) > MAX_BYTES:
        raise ObjectRefused("it is too large")
    kind, _, charset = (part.strip() for part in content_type.lower().partition(";"))
    declared = _DECLARATION.match(content)
    if kind != "text/xml" or declared is None or charset != f"charset={declared[1].decode().lower()}":
        raise ObjectRefused(f"{content_type} is not an object whose charset is declared twice alike")
    if offered and declared[1].decode().lower() not in re.split(r"[,;\s]+", offered.lower()):
        raise ObjectRefused(f"{declared[1].decode()} was not offered")
    try:
        root = fromstring(content)  # noqa: S314 (of loopback, and expat of today bounds what entities may do)
    except (ParseError, ValueError) as error:
        raise ObjectRefused(f"not well-formed: {error}") from error
    if root.tag not in _TABLES["objects"]:
        raise ObjectRefused(f"{root.tag} is not simulated")
    _check(root)
    return _shown(root)


def _check(root: Element) -> None:
    rules = _TABLES["objects"][root.tag]
    order, last = list(rules["children"]), 0
    for child in root:
        if child.tag not in rules["children"] or order.index(child.tag) < last:
            raise ObjectRefused(f"{child.tag} has no place there")
        last = order.index(child.tag)
    for tag, most in rules["children"].items():
        if len(root.findall(tag)) > most:
            raise ObjectRefused(f"more than {most} {tag}")
    for path in rules["needs"]:
        parent, _, leaf = path.rpartition("/")
        for each in root.findall(parent) if parent else [root]:
            if not list(each.iterfind(leaf)) or (leaf != "Text" and not _is_filled(each, leaf)):
                raise ObjectRefused(f"no {path}")
    for path, most in _TABLES["lengths"].items():
        for element in root.findall(path):
            if len(element.text or "") > most:
                raise ObjectRefused(f"{path} is longer than {most} characters")
    positions = [key.findtext("Position") or "" for key in root.findall("SoftKeyItem")]
    if not all(re.fullmatch("[1-8]", position) for position in positions) or len({*positions}) < len(positions):
        raise ObjectRefused("a soft key has no position of its own")
    if not all(_FLAGS.fullmatch(item.findtext("InputFlags") or "A") for item in root.findall("InputItem")):
        raise ObjectRefused("InputFlags that no phone knows")


def _is_filled(element: Element, path: str) -> bool:
    found = element.find(path)
    return found is not None and bool(found.text or found.attrib)


def _shown(root: Element) -> PhoneObject:
    kind, url = root.tag, root.find("URL")
    keys = {
        int(key.findtext("Position") or 0): (key.findtext("Name") or "", key.findtext("URL") or "")
        for key in root.findall("SoftKeyItem")
    }
    names = _TABLES["objects"][kind]["keys"]
    choices = [
        *((item.findtext("Name") or "", item.findtext("URL") or "") for item in root.findall("MenuItem")),
        *(
            (entry.findtext("Name") or "", entry.findtext("Telephone") or "")
            for entry in root.findall("DirectoryEntry")
        ),
        *(("", item.get("URL") or "") for item in root.findall("ExecuteItem")),
    ]
    return PhoneObject(
        kind,
        title=root.findtext("Title") or "",
        prompt=root.findtext("Prompt") or "",
        text=root.findtext("Text") or (f"Error [{root.get('Number')}]" if kind == "CiscoIPPhoneError" else ""),
        url=(url.text or "") if url is not None else "",
        method=url.get("method", "get").lower() if url is not None else "get",
        choices=tuple(choices),
        fields=tuple(
            PhoneField(
                *(item.findtext(tag) or "" for tag in ("DisplayName", "QueryStringParam", "DefaultValue", "InputFlags"))
            )
            for item in root.findall("InputItem")
        ),
        keys=keys or {place: (name, f"SoftKey:{name}") for place, name in enumerate(names, start=1)},
    )
