"""The objects that phones show on their screens, each within the limits of the firmware (mobility spec §2).

A phone shows an object that breaks a single limit as "XML Error" and nothing of it. What does not fit is therefore cut
between two characters, or left out. In what the series differ is in `series.py`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from unicodedata import category, normalize
from xml.sax.saxutils import escape

from phones_app.mobility.series import KEYS, Series

# Characters as the phone counts them, once it has read references.
MAX_TITLE, MAX_KEY_NAME, MAX_FIELD, MAX_ENTRY, MAX_NUMBER = 32, 32, 32, 32, 32
MAX_ITEM, MAX_URL, MAX_TEXT = 64, 256, 4000
MAX_KEYS, MAX_ITEMS, MAX_ENTRIES, MAX_FIELDS, MAX_EXECUTED = 8, 100, 32, 5, 3
# The smallest of the sizes that are told: that of an object which is pushed to the phone.
MAX_BYTES, MAX_EXECUTE = 40 * 1024, 512
# A text is made of pieces so long, so that its end can be left out.
PIECE = 200
# XML 1.0 §2.2 has no place for other control characters.
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What a phone takes as one; our own are made of nothing else.
URL = re.compile(f"[!-~]{{1,{MAX_URL}}}")
QUOTES = {'"': "&quot;"}


class Key(NamedTuple):
    """A soft key. What it does decides where it stands, and what it is called and calls up where nothing is given."""

    role: str
    url: str = ""
    name: str = ""


class FormField(NamedTuple):
    """`flags`: A text, T telephone number, N digits, U and L the case of letters; P hides what is typed."""

    label: str
    name: str
    flags: str
    default: str = ""


class Refresh(NamedTuple):
    seconds: int
    url: str


@dataclass(frozen=True)
class Screen:
    """One object. The last of its `entries` are left out while the whole is too large."""

    root: str
    attribute: str = ""
    title: str = ""
    prompt: str = ""
    url: str = ""
    entries: tuple[str, ...] = ()
    around: str = ""
    keys: Sequence[Key] = ()
    refresh: Refresh | None = None
    is_form: bool = False

    def encoded(self, series: Series, charsets: Sequence[str]) -> tuple[bytes, str]:
        """The object as this series shows it, and its charset: the first of these that has all its characters."""
        entries = self.entries
        while True:
            content, charset = _encoded(self._xml(series, entries), charsets)
            if len(content) <= MAX_BYTES or not entries:
                return content, charset
            entries = entries[: min(len(entries) - 1, len(entries) * MAX_BYTES // len(content))]

    def _xml(self, series: Series, entries: Sequence[str]) -> str:
        heading = _element("Title", self.title, MAX_TITLE) if self.title else ""
        if self.prompt and series.prompt:
            heading += _element("Prompt", self.prompt, MAX_TITLE)
        if self.url:
            method = ' method="post"' if series.post else ""
            heading += f"<URL{method}>{escape(self.url)}</URL>"
        body = "".join(entries)
        if self.around:
            body = f"<{self.around}>{body}</{self.around}>"
        return f"<{self.root}{self.attribute}>{heading}{body}{_soft_keys(self.keys, series)}</{self.root}>"


def text(title: str, words: str, *, keys: Sequence[Key] = (), refresh: Refresh | None = None) -> Screen:
    words = _cut(words, MAX_TEXT)
    pieces = tuple(escape(words[start : start + PIECE]) for start in range(0, len(words), PIECE))
    return Screen("CiscoIPPhoneText", title=title, entries=pieces, around="Text", keys=keys, refresh=refresh)


def menu(title: str, prompt: str, items: Iterable[tuple[str, str]], *, keys: Sequence[Key] = ()) -> Screen:
    """`items`: name and URL, but not those with a URL that no phone takes."""
    shown = [
        f"<MenuItem>{_element('Name', name, MAX_ITEM)}<URL>{escape(url)}</URL></MenuItem>"
        for name, url in items
        if URL.fullmatch(url)
    ]
    return Screen("CiscoIPPhoneMenu", title=title, prompt=prompt, entries=tuple(shown[:MAX_ITEMS]), keys=keys)


def form(title: str, prompt: str, url: str, fields: Sequence[FormField], *, keys: Sequence[Key] = ()) -> Screen:
    """Raises ValueError for a URL that no phone takes: a form without its address is none."""
    if not URL.fullmatch(url):
        raise ValueError("no phone sends a form to this URL")
    inputs = tuple(
        f"<InputItem>{_element('DisplayName', label, MAX_FIELD)}{_element('QueryStringParam', name, MAX_FIELD)}"
        f"{_element('DefaultValue', default, MAX_FIELD)}<InputFlags>{flags}</InputFlags></InputItem>"
        for label, name, flags, default in fields[:MAX_FIELDS]
    )
    return Screen("CiscoIPPhoneInput", title=title, prompt=prompt, url=url, entries=inputs, keys=keys, is_form=True)


def directory(title: str, prompt: str, entries: Iterable[tuple[str, str]], *, keys: Sequence[Key] = ()) -> Screen:
    """`entries`: name and number, but not those with a number too long: what is left of a number is another one."""
    shown = [
        f"<DirectoryEntry>{_element('Name', name, MAX_ENTRY)}{_element('Telephone', number, MAX_NUMBER)}</DirectoryEntry>"
        for name, number in entries
        if len(number) <= MAX_NUMBER
    ]
    return Screen("CiscoIPPhoneDirectory", title=title, prompt=prompt, entries=tuple(shown[:MAX_ENTRIES]), keys=keys)


def execute(items: Iterable[tuple[int, str]], series: Series) -> Screen:
    """`items`: priority (0 now, 1 when idle, 2 only if idle) and URL, but not those that this series does not know."""
    shown = [
        f'<ExecuteItem Priority="{priority}" URL="{escape(url, QUOTES)}"/>'
        for priority, url in items
        if URL.fullmatch(url) and url.partition(":")[0] not in series.lacks
    ]
    kept: list[str] = []
    for item in shown[:MAX_EXECUTED]:
        if sum(map(len, kept)) + len(item) <= MAX_EXECUTE - len("<CiscoIPPhoneExecute></CiscoIPPhoneExecute>"):
            kept.append(item)
    return Screen("CiscoIPPhoneExecute", entries=tuple(kept))


def error(number: int) -> Screen:
    """1 parse, 2 framing, 3 internal file, 4 authentication."""
    return Screen("CiscoIPPhoneError", f' Number="{number}"')


def _soft_keys(keys: Sequence[Key], series: Series) -> str:
    """Each at the place of its series; others, and a second one for the same place, where there is room."""
    placed: dict[int, str] = {}
    waiting = []
    for key in keys:
        name, url = KEYS.get(key.role, (key.role, ""))
        name, url = key.name or name, key.url or url
        if not URL.fullmatch(url):
            continue
        shown = f"{_element('Name', name, MAX_KEY_NAME)}<URL>{escape(url)}</URL>"
        position = series.positions.get(key.role)
        if position is None or position in placed:
            waiting.append(shown)
        else:
            placed[position] = shown
    free = (position for position in range(1, MAX_KEYS + 1) if position not in placed)
    placed |= dict(zip(list(free), waiting, strict=False))
    return "".join(
        f"<SoftKeyItem>{placed[position]}<Position>{position}</Position></SoftKeyItem>" for position in sorted(placed)
    )


# Keys and the lines of a directory are the same at every request.
@lru_cache(maxsize=4096)
def _element(name: str, words: str, limit: int) -> str:
    return f"<{name}>{escape(_cut(' '.join(words.split()), limit))}</{name}>"


def _cut(words: str, limit: int) -> str:
    """At most so many characters of it, and no letter without its accents."""
    if not words.isascii():
        words = normalize("NFC", words)
    words = UNWRITABLE.sub("", words)
    if len(words) <= limit:
        return words
    while limit and category(words[limit])[0] == "M":
        limit -= 1
    return words[:limit]


def _encoded(xml: str, charsets: Sequence[str]) -> tuple[bytes, str]:
    """In the charset that the phone likes best of those that have all characters; else the others are references."""
    for charset in charsets:
        try:
            return _declared(xml, charset).encode(charset), charset
        except UnicodeEncodeError:
            continue
    return _declared(xml, charsets[0]).encode(charsets[0], "xmlcharrefreplace"), charsets[0]


def _declared(xml: str, charset: str) -> str:
    return f'<?xml version="1.0" encoding="{charset}"?>\n{xml}\n'
