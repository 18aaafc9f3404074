"""The XML objects that a phone shows on its screen, within its firmware's limits (Cisco phones spec §1.6)."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse
from lxml import etree
from lxml.builder import E  # type: ignore[import-not-found]

from phones_app.mobility.services import DirectoryLine

MAX_NAME, MAX_TITLE, MAX_ENTRIES = 64, 32, 32
# XML 1.0 §2.2 has no place for other control characters.
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Phones of the 79xx series know no UTF-8; characters that ISO-8859-1 lacks become references.
OLD_MODEL = re.compile(r"(?:CP-|Cisco )?79\d\d", re.IGNORECASE)

Item = tuple[str, str]
Node = Any  # what the builder makes


def respond(root: Node, model: str) -> HttpResponse:
    """The object in an encoding that this model reads, declared twice because phones look at either place."""
    encoding = "ISO-8859-1" if OLD_MODEL.match(model) else "UTF-8"
    body = etree.tostring(root, encoding=encoding, xml_declaration=True)
    return HttpResponse(body, content_type=f"text/xml; charset={encoding}")


def text(title: str, words: str) -> Node:
    return E.CiscoIPPhoneText(*_heading(title, ""), E.Text(_clean(words, 4000)))


def menu(title: str, prompt: str, items: Sequence[Item]) -> Node:
    entries = [E.MenuItem(E.Name(_clean(name)), E.URL(url)) for name, url in items]
    return E.CiscoIPPhoneMenu(*_heading(title, prompt), *entries)


def form(title: str, prompt: str, url: str, fields: Iterable[tuple[str, str, str]]) -> Node:
    """`fields`: label, parameter, flags (A text, N digits; P hides what is typed)."""
    inputs = [
        E.InputItem(E.DisplayName(_clean(label)), E.QueryStringParam(name), E.DefaultValue(""), E.InputFlags(flags))
        for label, name, flags in fields
    ]
    return E.CiscoIPPhoneInput(*_heading(title, prompt), E.URL(url), *inputs)


def directory(title: str, prompt: str, entries: Sequence[DirectoryLine], keys: Sequence[Item]) -> Node:
    shown = [E.DirectoryEntry(E.Name(_clean(entry.name)), E.Telephone(_clean(entry.number, 32))) for entry in entries]
    soft_keys = [
        E.SoftKeyItem(E.Name(name), E.URL(url), E.Position(str(position)))
        for position, (name, url) in enumerate(keys, start=1)
    ]
    return E.CiscoIPPhoneDirectory(*_heading(title, prompt), *shown, *soft_keys)


def _heading(title: str, prompt: str) -> list[Node]:
    return [E.Title(_clean(title, MAX_TITLE)), E.Prompt(_clean(prompt, MAX_TITLE))]


def _clean(words: str, limit: int = MAX_NAME) -> str:
    return UNWRITABLE.sub("", words)[:limit]
