"""How two revisions of a file differ, for people to read."""

from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from itertools import groupby, zip_longest

from phones_app.sep.encoding import decode
from phones_app.sep.redaction import MASK, redact
from phones_app.sep.refusal import Refused

# Where a secret spreads over several lines, no line of it can be said to have changed.
ONLY_SECRETS_DIFFER = "(only masked values differ)\n"
CONTEXT = 3


def diff(old: bytes, new: bytes, *, redacted: bool = True) -> str:
    """Return a unified diff, "" for equal files. Content which does not decode is compared all the same."""
    if old == new:
        return ""
    before, after = _masked(old, new) if redacted else (_lines(old), _lines(new))
    difference = "\n".join(unified_diff(before, after, "old", "new", lineterm=""))
    return f"{difference}\n" if difference else ONLY_SECRETS_DIFFER


def _lines(content: bytes) -> list[str]:
    try:
        text = decode(content)
    except Refused:
        text = content.decode("utf-8", "backslashreplace")
    # Only the line feed separates: a changed line end is a change of the file and has to show.
    return text.split("\n")


def _masked(old: bytes, new: bytes) -> tuple[list[str], list[str]]:
    """The lines of both files with their secrets masked; a changed password must not look like no change at all."""
    before, after = _lines(redact(old)), _lines(redact(new))
    clear = _lines(old), _lines(new)
    if (len(before), len(after)) == (len(clear[0]), len(clear[1])):
        for place, i1, i2, j1, j2 in SequenceMatcher(None, *clear, autojunk=False).get_opcodes():
            for i, j in zip(range(i1, i2), range(j1, j2), strict=False):
                if place == "replace" and before[i] == after[j]:
                    after[j] = after[j].replace(MASK, f"{MASK} (changed)")
    return before, after


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
    before, after = _masked(old, new)
    pairs = []
    for _, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
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
