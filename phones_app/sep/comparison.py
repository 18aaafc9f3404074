"""How two revisions of a file differ, for people to read."""

import difflib
from dataclasses import dataclass
from itertools import zip_longest

from phones_app.sep.encoding import decode
from phones_app.sep.redaction import redact
from phones_app.sep.refusal import Refused

ONLY_SECRETS_DIFFER = "(only masked values differ)\n"


def diff(old: bytes, new: bytes, *, redacted: bool = True) -> str:
    """Return a unified diff, "" for equal files. Content which does not decode is compared all the same.

    A changed password must not look like no change at all, so that case is told in words.
    """
    if old == new:
        return ""
    before, after = (_lines(redact(content) if redacted else content) for content in (old, new))
    difference = "\n".join(difflib.unified_diff(before, after, "old", "new", lineterm=""))
    return f"{difference}\n" if difference else ONLY_SECRETS_DIFFER


def _lines(content: bytes) -> list[str]:
    try:
        text = decode(content)
    except Refused:
        text = content.decode("utf-8", "backslashreplace")
    # Only the line feed separates: a changed line end is a change of the file and has to show.
    return text.split("\n")


@dataclass(frozen=True)
class Pair:
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
    before, after = _lines(redact(old)), _lines(redact(new))
    pairs = []
    for _, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        for i, j in zip_longest(range(i1, i2), range(j1, j2)):
            pairs.append(
                Pair(
                    0 if i is None else i + 1,
                    "" if i is None else before[i],
                    0 if j is None else j + 1,
                    "" if j is None else after[j],
                )
            )
    return pairs
