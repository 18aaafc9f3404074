"""What a phone does while somebody dials: which rule of a dial template is used, after how long, and what is sent.

Digit after digit, as the phones' SIP software decides: the rule with the most digits that match exactly is used, dots
and asterisks count for nothing, and of equal ones the more exact kind wins. A rule that more digits could still match
keeps a shorter one from being dialled, if it matches better (boot server spec §11.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from profiles_app.phone.companions.dial_template import MOST_GROUPS, DialRule
from profiles_app.phone.companions.reading import warning
from profiles_app.phone.sep.elements import Finding

# How long phones wait for the next digit where no rule says it.
OWN_TIMEOUT = 15
LONGEST_NUMBER = 64
DEFAULT_TONE = "Bellcore-Outside"
# Whether each rule can be reached takes as many tries as there are rules.
MOST_TRIED = 60


class Matched(IntEnum):
    """From nothing to all, as phones weigh it."""

    NOT = 0
    WILD = 1
    DOTS = 2
    EXACT = 3


@dataclass(frozen=True)
class Dialled:
    """What came of typing a number. `rule` counts from 1, None: no rule. `used`: what was typed until it was dialled."""

    rule: int | None
    used: str
    seconds: int
    sent: str
    tones: tuple[tuple[int, str], ...]

    def left_over(self, typed: str) -> str:
        return typed[len(self.used) :]


@dataclass(frozen=True)
class _Walk:
    """How far a number leads into a pattern. `exact`: digits that match as such, -1 when one does not match."""

    matched: Matched
    exact: int
    groups: tuple[str, ...]
    complete: bool
    follows: bool
    hash_ends: bool
    commas: int
    at_comma: bool


@dataclass(frozen=True)
class _Choice:
    """The rule for a number as typed so far; `rule` is also one that wants more digits, `matched` is NOT then."""

    rule: int | None
    matched: Matched
    dial_now: bool
    sent: str
    tone: str | None


def try_number(rules: Sequence[DialRule], typed: str, *, line: int = 1, hash_dials: bool = True) -> Dialled:
    """Type a number on this line. `hash_dials`: the phone's call manager is not Cisco's, so that # means dial."""
    tones = list[tuple[int, str]]()
    choice = _Choice(None, Matched.NOT, False, "", None)
    for length in range(min(len(typed), LONGEST_NUMBER) + 1):
        so_far = typed[:length]
        choice = _choose(rules, so_far, line, hash_dials)
        if choice.tone is not None:
            tones.append((length, choice.tone))
        seconds = _seconds(rules, choice)
        # Before the first digit only a hotline dials.
        ready = choice.matched is not Matched.NOT and seconds == 0 and (length > 0 or choice.matched is Matched.EXACT)
        if choice.dial_now or ready:
            break
    used = typed[:length]
    rule = choice.rule if choice.matched is not Matched.NOT else None
    sent = choice.sent.removesuffix("#") if choice.dial_now else choice.sent
    return Dialled(rule, used, 0 if choice.dial_now else _seconds(rules, choice), sent, tuple(tones))


def unreachable(rules: Sequence[DialRule]) -> list[Finding]:
    """Rules that another one keeps from being used: a number that they are for is dialled before its last digit."""
    findings = list[Finding]()
    if not any(rule.timeout == 0 for rule in rules):
        return findings
    for number, rule in enumerate(rules[:MOST_TRIED], 1):
        example = example_of(rule.match)
        dialled = try_number(rules, example, line=rule.line or 1, hash_dials=False)
        if dialled.left_over(example) and dialled.rule:
            cut = rules[dialled.rule - 1].match
            dials = f"rule {dialled.rule} “{cut}” dials {dialled.used or 'at once'} while {example} is typed"
            findings.append(warning("cut-off", f"Rule {number} “{rule.match}” is cut off: {dials}.", rule.source_line))
    return findings


def example_of(pattern: str) -> str:
    """A number that this pattern is for."""
    number, escaped = "", False
    for sign in pattern:
        if sign == "\\" and not escaped:
            escaped = True
            continue
        number += sign if escaped else {".": "5", "*": "5", ",": ""}.get(sign, sign)
        escaped = False
    return number


def _seconds(rules: Sequence[DialRule], choice: _Choice) -> int:
    if choice.rule is None or choice.matched is Matched.NOT:
        return OWN_TIMEOUT
    timeout = rules[choice.rule - 1].timeout
    return OWN_TIMEOUT if timeout is None else timeout


def _choose(rules: Sequence[DialRule], typed: str, line: int, hash_dials: bool) -> _Choice:
    chosen: int | None = None
    matched, best, dial_now, sent = Matched.NOT, 0, False, typed
    open_matched, open_best, commas, gives_tone = Matched.NOT, 0, 0, False
    is_open = False
    for number, rule in enumerate(rules, 1):
        if rule.line not in (0, line):
            continue
        walk = _walk(rule.match, typed, hash_dials)
        if walk.follows and (walk.exact, walk.matched) > (open_best, open_matched):
            # It matches as far as there are digits, and better than what was complete before.
            open_best, open_matched, is_open = walk.exact, walk.matched, True
            chosen, dial_now, commas, matched = number, walk.hash_ends, walk.commas, Matched.NOT
        if walk.complete:
            better = walk.exact > best or (walk.exact == best and walk.matched > matched)
            if better or (walk.matched is Matched.WILD and matched is Matched.NOT and not is_open):
                chosen, dial_now, best, matched = number, walk.hash_ends, walk.exact, walk.matched
                sent = rewritten(rule, typed, walk.groups)
        elif walk.at_comma:
            gives_tone = True
        best = max(best, walk.exact)
    if chosen is None and hash_dials and typed.endswith("#"):
        dial_now = True
    tone = None
    if gives_tone and matched < Matched.DOTS:
        given = rules[chosen - 1].tones if chosen else ()
        tone = (given[commas] if commas < len(given) else "") or DEFAULT_TONE
    return _Choice(chosen, matched, dial_now, sent, tone)


def _walk(pattern: str, typed: str, hash_dials: bool) -> _Walk:
    matched, exact, groups, commas = Matched.EXACT, 0, list[str](), 0
    at, place, hash_ends = 0, 0, False
    while place < len(typed):
        sign = typed[place]
        if pattern[at : at + 1] == ",":
            commas += 1
            while pattern[at : at + 1] == ",":
                at += 1
        wanted = pattern[at : at + 1]
        if wanted == "*" or (wanted == "." and not (sign == "#" and hash_dials)):
            start = place
            if wanted == ".":
                matched = Matched.DOTS
                while pattern[at + 1 : at + 2] == "." and typed[place + 1 : place + 2].isdigit():
                    at, place = at + 1, place + 1
            else:
                matched = Matched.WILD
                if sign == "#" and hash_dials:
                    hash_ends = True
                else:
                    place = _end_of_wild(pattern, at, typed, place, hash_dials)
            _add_group(groups, typed[start : place + 1])
        else:
            if wanted == "\\" and at + 1 < len(pattern):
                at += 1
                wanted = pattern[at]
            if wanted != sign:
                if sign == "#" and hash_dials:
                    hash_ends = True
                else:
                    matched, exact = Matched.NOT, -1
                break
            exact += 1
        at, place = at + 1, place + 1
    left = pattern[at:]
    follows = hash_ends or (matched is not Matched.NOT and place >= len(typed))
    return _Walk(matched, exact, tuple(groups), not left, follows, hash_ends, commas, left.startswith(","))


def _end_of_wild(pattern: str, at: int, typed: str, place: int, hash_dials: bool) -> int:
    """Where an asterisk of the pattern ends: before the sign that follows it, or where # ends the number."""
    after = pattern[at + 1 :].removeprefix("\\")[:1]
    while place + 1 < len(typed) and typed[place + 1] != after:
        if typed[place + 1] == "#" and hash_dials:
            break
        place += 1
    return place


def _add_group(groups: list[str], digits: str) -> None:
    if len(groups) < MOST_GROUPS:
        groups.append(digits)


def rewritten(rule: DialRule, typed: str, groups: Sequence[str]) -> str:
    """What is sent instead of what was typed."""
    if not rule.rewrite:
        return typed
    sent, dotted, escaped = "", iter("".join(groups)), False
    for sign in rule.rewrite:
        if escaped:
            escaped = False
            if sign in "0s":
                sent += typed
            elif sign.isdigit() and 1 <= int(sign) <= len(groups):
                sent += groups[int(sign) - 1]
            else:
                sent += sign
        elif sign == "%":
            escaped = True
        else:
            sent += next(dotted, "") if sign == "." else sign
    return sent
