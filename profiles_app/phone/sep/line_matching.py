"""Which lines two files have in common, found in bounded time.

difflib looks at every pair of equal lines, again and again: for two files of 500 KB of short lines that takes minutes. So
its work is counted. Where it would be too much, lines that each file has once are lined up first (the patience way). What
is still too much between two of them is compared line by line, in step: a coarser difference, and a true one.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import NamedTuple

# Pairs of lines that are looked at, in all: a fraction of a second.
BUDGET = 1_000_000
CONTEXT = 3

Lines = Sequence[str]


class Stretch(NamedTuple):
    """Lines `i1` to `i2` of the old file are the same as, or are replaced by, `j1` to `j2` of the new one."""

    same: bool
    i1: int
    i2: int
    j1: int
    j2: int


class _TooMuch(Exception):
    pass


class _Metered(SequenceMatcher[str]):
    """A matcher that gives up when it has looked at more pairs than `budget`."""

    def __init__(self, old: Lines, new: Lines, budget: int) -> None:
        super().__init__(None, old, new, autojunk=False)
        self.left = budget
        number = Counter(new)
        self._pairs = list(accumulate((1 + number[line] for line in old), initial=0))

    def find_longest_match(self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None):  # type: ignore[no-untyped-def]
        self.left -= self._pairs[-1 if ahi is None else ahi] - self._pairs[alo]
        if self.left < 0:
            raise _TooMuch
        return super().find_longest_match(alo, ahi, blo, bhi)


class _Comparison:
    """Collects blocks of equal lines as (place in the old file, place in the new one, length), in their order."""

    def __init__(self, old: Lines, new: Lines, budget: int) -> None:
        self.old, self.new, self.left = old, new, budget
        self.blocks: list[tuple[int, int, int]] = []

    def compare(self, i1: int, i2: int, j1: int, j2: int, *, anchored: bool = False) -> None:
        """Find what these parts of the files have in common; `anchored`: between lines that were lined up."""
        head = _length(zip(self.old[i1:i2], self.new[j1:j2], strict=False))
        self._add(i1, j1, head)
        i1, j1 = i1 + head, j1 + head
        tail = _length(zip(reversed(self.old[i1:i2]), reversed(self.new[j1:j2]), strict=False))
        i2, j2 = i2 - tail, j2 - tail
        if i1 < i2 and j1 < j2 and not self._match(i1, i2, j1, j2):
            if anchored:
                self._in_step(i1, i2, j1, j2)
            else:
                self._between_anchors(i1, i2, j1, j2)
        self._add(i2, j2, tail)

    def _between_anchors(self, i1: int, i2: int, j1: int, j2: int) -> None:
        at_i, at_j = i1, j1
        for i, j in [*_anchors(self.old[i1:i2], self.new[j1:j2]), (i2 - i1, j2 - j1)]:
            self.compare(at_i, i1 + i, at_j, j1 + j, anchored=True)
            self._add(i1 + i, j1 + j, int(i1 + i < i2))
            at_i, at_j = i1 + i + 1, j1 + j + 1

    def _in_step(self, i1: int, i2: int, j1: int, j2: int) -> None:
        """Some equal lines in a row at the same distance from the beginning."""
        start = 0
        for distance in range(min(i2 - i1, j2 - j1) + 1):
            if i1 + distance < i2 and j1 + distance < j2 and self.old[i1 + distance] == self.new[j1 + distance]:
                continue
            if distance - start > CONTEXT:
                self._add(i1 + start, j1 + start, distance - start)
            start = distance + 1

    def _match(self, i1: int, i2: int, j1: int, j2: int) -> bool:
        """Whether difflib could be afforded; a part is given half of what is left."""
        matcher = _Metered(self.old[i1:i2], self.new[j1:j2], self.left // 2)
        try:
            found = matcher.get_matching_blocks()
        except _TooMuch:
            return False
        finally:
            self.left -= self.left // 2 - max(matcher.left, 0)
        for i, j, length in found:
            self._add(i1 + i, j1 + j, length)
        return True

    def _add(self, i: int, j: int, length: int) -> None:
        if length:
            self.blocks.append((i, j, length))


def compare(old: Lines, new: Lines, budget: int = BUDGET) -> list[Stretch]:
    """All of both files, in stretches that are the same or not by turns."""
    comparison = _Comparison(old, new, budget)
    comparison.compare(0, len(old), 0, len(new))
    found: list[Stretch] = []
    i = j = 0
    for start_i, start_j, length in [*comparison.blocks, (len(old), len(new), 0)]:
        if i < start_i or j < start_j:
            found.append(Stretch(False, i, start_i, j, start_j))
        elif found and length:
            # Blocks that touch are one.
            before = found.pop()
            start_i, start_j, length = before.i1, before.j1, length + before.i2 - before.i1
        i, j = start_i + length, start_j + length
        if length:
            found.append(Stretch(True, start_i, i, start_j, j))
    return found


def unified(old: Lines, new: Lines, stretches: Sequence[Stretch]) -> Iterator[str]:
    """The lines of a unified diff of the files."""
    yield from ("--- old", "+++ new")
    # The matcher only sorts the stretches into groups with a few equal lines around them.
    grouping = SequenceMatcher[str](None, "", "")
    grouping.opcodes = [("equal" if one.same else "replace", *one[1:]) for one in stretches]  # type: ignore[attr-defined]
    for group in grouping.get_grouped_opcodes(CONTEXT):
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        yield f"@@ -{_range(i1, i2)} +{_range(j1, j2)} @@"
        for what, i1, i2, j1, j2 in group:
            if what == "equal":
                yield from (f" {line}" for line in old[i1:i2])
            else:
                yield from (f"-{line}" for line in old[i1:i2])
                yield from (f"+{line}" for line in new[j1:j2])


def _range(start: int, end: int) -> str:
    """As the format wants it: lines count from 1, an empty range names the line before it, a length of 1 is left out."""
    length = end - start
    return f"{start + 1}" if length == 1 else f"{start + 1 if length else start},{length}"


def _length(pairs: Iterator[tuple[str, str]]) -> int:
    """How many pairs there are before the first one that differs."""
    number = 0
    for one, other in pairs:
        if one != other:
            break
        number += 1
    return number


def _anchors(old: Lines, new: Lines) -> list[tuple[int, int]]:
    """The longest row of lines that each side has once and that come in the same order, by their places."""
    once = [{line for line, number in Counter(side).items() if number == 1} for side in (old, new)]
    place = {line: j for j, line in enumerate(new) if line in once[0] and line in once[1]}
    pairs = [(i, place[line]) for i, line in enumerate(old) if line in place]
    # Patience sorting: for each length the earliest place at which such a row ends, and what comes before it.
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1], last[length : length + 1] = [j], [number]
    row: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        row.append(pairs[number])
        number = before[number]
    return row[::-1]
