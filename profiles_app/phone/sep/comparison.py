"""A SEP file as people may see it: its passwords masked, and how two revisions of it differ.

The files carry SIP and SSH passwords in clear (Cisco phones spec §8.13), and an administrator needs to see above all
the broken ones; so masking works byte-exactly on tags and needs no parse. Where a broken file leaves the end of a
password open, too much is masked rather than too little.
"""

import codecs
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, groupby, zip_longest
from typing import NamedTuple

from contacts_app.core.tables import table
from profiles_app.phone.sep.catalogue import is_plain_text
from profiles_app.phone.sep.document import Refused, decode
from profiles_app.phone.sep.line_matching import CONTEXT, Stretch, compare, unified

# Cisco phones spec §4.8, and what an element is called that may hold a secret though no list names it: energyWiseSecret,
# pskPassphrase, Password_1_. Everywhere else in the project these are the ones to use.
SECRET_ELEMENTS = ("authPassword", "sshPassword", "phonePassword", "adminPassword", "userPassword", "credentials")
SECRET_ENDINGS = (
    *("password", "passwd", "passwort", "passphrase", "passcode", "secret", "credential", "community", "token"),
    *(
        "psk",
        "pwd",
        "userpin",
        "presharedkey",
        "privatekey",
        "private_key",
        "wepkey",
        "wep_key",
        "encryptionkey",
        "pincode",
    ),
)
MASK = "********"
LONGEST_NAME = 100

_MASK = MASK.encode("ascii")
# Case is ignored although the phone's is not: a password under a misspelt name is a password still. Numbers may follow.
_SECRET = re.compile(
    rf"(?:{'|'.join(SECRET_ELEMENTS)}|.*(?:{'|'.join(SECRET_ENDINGS)})s?|(?:.*_)?pin)[_.-]?\d*_?", re.IGNORECASE
)
_TOKEN = re.compile(
    rb"(?P<section><!--|<!\[CDATA\[)|<\s*+(?P<close>/?+)\s*+(?:[\w.-]++:)?+(?P<name>[\w.-]++)(?![:\x80-\xff])",
    re.IGNORECASE,
)
_END_OF_SECTION = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
# What follows the name in a sound start tag; anything else, such as `<authPassword[== secret`, is content.
_REST_OF_TAG = re.compile(rb"""(?=[\s/>])(?:"[^"<]*"|'[^'<]*'|[^<>"'])*+>""")

# A line `key: value` of a text file, whose value is not empty.
_SETTING = re.compile(
    rb"(?P<begin>(?:^|(?<=\r)|(?<=\A\xef\xbb\xbf))[^\S\r\n]*(?P<key>[\w.-]{1,100})[^\S\r\n]*:[^\S\r\n]*)(?=\S)[^\r\n]*",
    re.ASCII | re.MULTILINE,
)
_TEXT_SECRETS = frozenset(table(__file__, "plain_text.toml")["secrets"])

Region = tuple[int, int]


def redact(content: bytes) -> bytes:
    """Return the content with the text of every secret element replaced by MASK and no other byte changed."""
    wide = _utf_16_codec(content)
    if wide:
        text = content.decode(wide, "replace").encode("utf-8")
        return _masked(text, 0, len(text)).decode("utf-8").encode(wide)
    if is_plain_text(content):
        return _SETTING.sub(_masked_setting, content)
    return _masked(content, 0, len(content))


def _masked_setting(setting: re.Match[bytes]) -> bytes:
    key = setting["key"].decode("ascii")
    return setting["begin"] + _MASK if is_secret(key) or key.lower() in _TEXT_SECRETS else setting[0]


def _masked(content: bytes, start: int, end: int) -> bytes:
    kept, position = [], start
    for first, last in _merged(sorted(_secret_regions(content, start, end))):
        if first < last:
            kept += [content[position:first], _MASK]
            position = last
    return b"".join([*kept, content[position:end]])


def _secret_regions(content: bytes, start: int, end: int) -> Iterator[Region]:
    """Find what the secret elements enclose; comments and CDATA sections are texts of their own."""
    open_tags: defaultdict[bytes, list[tuple[int, int]]] = defaultdict(list)
    boundaries: list[int] = []
    floor = start
    for token, section_end in _tokens(content, start, end):
        if section_end is not None:
            yield from _secret_regions(content, token.end(), section_end)
            floor = section_end
            continue
        boundaries.append(token.start())
        opened = open_tags[token["name"].lower()]
        if token["close"]:
            # Without its open tag it ends a password under a misspelt one: mask back to the last tag.
            last_tag = content.rfind(b">", floor, token.start()) + 1
            yield (opened.pop()[0] if opened else max(last_tag, floor)), token.start()
            floor = token.end()
            continue
        tag = _REST_OF_TAG.match(content, token.end(), end)
        floor = tag.end() if tag else token.end()
        if tag is None or not tag[0].endswith(b"/>"):
            opened.append((floor, len(boundaries)))
    for first, following in chain.from_iterable(open_tags.values()):
        limit = boundaries[following] if following < len(boundaries) else end
        next_tag = content.find(b"</", first, limit)
        yield first, limit if next_tag < 0 else next_tag


def _tokens(content: bytes, start: int, end: int) -> Iterator[tuple[re.Match[bytes], int | None]]:
    """Find the tags of secret elements, and comments and CDATA sections with where their text ends.

    A section without an end counts as text, so that tags after it are still seen; its end is looked for only
    once, or a hostile file would take quadratic time.
    """
    endless: set[bytes] = set()
    while token := _TOKEN.search(content, start, end):
        start = token.end()
        section = token["section"]
        if section is None:
            if is_secret(token["name"].decode("ascii")):
                yield token, None
        elif section.upper() not in endless:
            closing = _END_OF_SECTION[section.upper()]
            section_end = content.find(closing, start, end)
            if section_end < 0:
                endless.add(section.upper())
                continue
            yield token, section_end
            start = section_end + len(closing)


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether an element of this name holds a secret."""
    return bool(_SECRET.fullmatch(name[-LONGEST_NAME:]))


def _merged(regions: list[Region]) -> Iterator[Region]:
    """Yield regions in order without overlaps, for a secret element inside another."""
    current: Region | None = None
    for first, last in regions:
        if current and first <= current[1]:
            current = current[0], max(current[1], last)
            continue
        if current:
            yield current
        current = first, last
    if current:
        yield current


def _utf_16_codec(content: bytes) -> str | None:
    """Tell UTF-16 by its mark or by its many NUL bytes; phones refuse it, but error reports show it."""
    if content.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if content.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    if content.count(0) * 3 < len(content) or not content:
        return None
    return "utf-16-be" if content[::2].count(0) > content[1::2].count(0) else "utf-16-le"


# Where a secret spreads over several lines, no line of it can be said to have changed.
ONLY_SECRETS_DIFFER = "(only masked values differ)\n"


def diff(old: bytes, new: bytes) -> str:
    """Return a unified diff with masked secrets, "" for equal files. Content which does not decode is compared too."""
    if old == new:
        return ""
    before, after, stretches = _compared(old, new)
    if before == after:
        return ONLY_SECRETS_DIFFER
    return "\n".join([*unified(before, after, stretches), ""])


def _lines(content: bytes) -> list[str]:
    try:
        text = decode(content)
    except Refused:
        text = content.decode("utf-8", "backslashreplace")
    # Only the line feed separates: a changed line end is a change of the file and has to show.
    return text.split("\n")


def _compared(old: bytes, new: bytes) -> tuple[list[str], list[str], list[Stretch]]:
    """The lines of both files with their secrets masked, and which of them are the same.

    A changed password must not look like no change at all.
    """
    before, after = _lines(redact(old)), _lines(redact(new))
    clear = _lines(old), _lines(new)
    if (len(before), len(after)) != (len(clear[0]), len(clear[1])):
        return before, after, compare(before, after)
    stretches = compare(*clear)
    for same, i1, i2, j1, j2 in stretches:
        for i, j in zip(range(i1, i2), range(j1, j2), strict=False):
            if not same and before[i] == after[j]:
                after[j] = after[j].replace(MASK, f"{MASK} (changed)")
    return before, after, stretches


class Pair(NamedTuple):
    """A line of the old file beside one of the new; a number of 0 is a place where the other file alone has a line."""

    old_number: int
    old: str
    new_number: int
    new: str

    @property
    def differs(self) -> bool:
        return self.old != self.new or not (self.old_number and self.new_number)


def side_by_side(old: bytes, new: bytes) -> list[Pair]:
    """Both files whole, line beside line, with their secrets masked."""
    before, after, stretches = _compared(old, new)
    numbered = list(enumerate(before, start=1)), list(enumerate(after, start=1))
    return [
        Pair(*old_line, *new_line)
        for _, i1, i2, j1, j2 in stretches
        for old_line, new_line in zip_longest(numbered[0][i1:i2], numbered[1][j1:j2], fillvalue=(0, ""))
    ]


def folded(pairs: list[Pair]) -> list[tuple[Pair | None, int]]:
    """The pairs that differ with a few lines around them; in between, how many pairs were left out."""
    near = {
        place + distance
        for place, pair in enumerate(pairs)
        if pair.differs
        for distance in range(-CONTEXT, CONTEXT + 1)
    }
    rows: list[tuple[Pair | None, int]] = []
    for shown, stretch in groupby(enumerate(pairs), key=lambda each: each[0] in near):
        found = [pair for _, pair in stretch]
        rows += [(pair, 0) for pair in found] if shown else [(None, len(found))]
    return rows
