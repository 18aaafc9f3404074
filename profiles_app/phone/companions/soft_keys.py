"""Soft key files: which keys stand below the screen in each state of a call, at most sixteen each.

Which keys there are, and where, says soft_keys.toml (boot server spec §11.2). A file also has to define each key that it
uses by three numbers; what is written here defines all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from contacts_app.core.tables import table
from profiles_app.phone.companions.reading import (
    Unreadable,
    error,
    line_of,
    named,
    read_xml,
    text_of,
    warning,
    wrong_root,
)
from profiles_app.phone.sep.elements import Finding

_TABLE = table(__file__, "soft_keys.toml")
MOST_KEYS: int = _TABLE["most_keys"]
EMPTY: str = _TABLE["empty"]
# Both names are known to phones as a place without a key.
_EMPTY_NAMES = frozenset({EMPTY, "Null"})
# The keys of each state, from left to right.
KeySets = dict[str, list[str]]


@dataclass(frozen=True)
class SoftKey:
    name: str
    ids: tuple[int, int, int]
    help: str
    series: str = ""


@dataclass(frozen=True)
class SoftKeyState:
    """A state of a call: `needs` is the key that it cannot do without, `usual` is what a new file begins with."""

    id: str
    help: str
    takes: tuple[str, ...]
    usual: tuple[str, ...]
    needs: str = ""


@cache
def soft_keys() -> dict[str, SoftKey]:
    rows = (row | {"ids": tuple(row["ids"])} for row in _TABLE["key"])
    return {key.name: key for key in (SoftKey(**row) for row in rows)}


@cache
def soft_key_states() -> dict[str, SoftKeyState]:
    rows = (row | {"takes": tuple(row["takes"]), "usual": tuple(row["usual"])} for row in _TABLE["state"])
    return {state.id: state for state in (SoftKeyState(**row) for row in rows)}


def usual_sets() -> KeySets:
    return {state.id: list(state.usual) for state in soft_key_states().values()}


def read_soft_keys(content: bytes) -> KeySets:
    """The keys of each state that the file has, known or not. Raises Unreadable."""
    return {str(found.get("id", "")): _keys_of(found) for found in named(_root(content), "softKeySet")}


def version_of(content: bytes) -> str:
    """The stamp of a file, which is kept when it is written anew."""
    try:
        return text_of(_root(content), "versionStamp") if content else ""
    except Unreadable:
        return ""


def check_soft_keys(content: bytes) -> list[Finding]:
    try:
        root = _root(content)
    except Unreadable as refused:
        return [refused.finding]
    findings, defined, seen = list(_wrong_definitions(root)), _defined(root), set[str]()
    for found in named(root, "softKeySet"):
        state, keys, line = str(found.get("id", "")), _keys_of(found), line_of(found)
        if state in seen:
            findings.append(error("twice", f"The state “{state}” comes twice.", line))
        seen.add(state)
        findings += [error(code, text, line) for code, text in faults_of(state, keys)]
        findings += [warning(code, text, line) for code, text in doubts_of(state, keys)]
        if missing := [key for key in keys if key in soft_keys() and key not in defined and key not in _EMPTY_NAMES]:
            text = f"{state}: “{missing[0]}” is not defined in the file, so that phones show nothing."
            findings.append(error("undefined", text, line))
    if absent := [state.id for state in soft_key_states().values() if state.id not in seen]:
        findings.append(warning("absent", f"Without keys of their own: {', '.join(absent)}. Phones take theirs there."))
    return sorted(findings, key=lambda finding: finding.line or 0)


def faults_of(state: str, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What makes phones not show the keys of a state as they are written: code and sentence."""
    if (known := soft_key_states().get(state)) is None:
        yield "unknown-state", f"There is no state “{state[:40]}”."
        return
    if len(keys) > MOST_KEYS:
        yield "too-many", f"{state}: {len(keys)} keys; phones take {MOST_KEYS}."
    if known.needs and known.needs not in keys:
        yield "missing", f"{state}: “{known.needs}” has to be there."
    for key in dict.fromkeys(keys):
        if key in _EMPTY_NAMES:
            continue
        if key not in soft_keys():
            yield ("unknown-key", f"{state}: there is no key “{key[:40]}”; capitals count.")
        elif key not in known.takes:
            yield "not-here", f"{state}: “{key}” is not shown in this state."
        if keys.count(key) > 1:
            yield "twice", f"{state}: “{key}” is there {keys.count(key)} times."


def doubts_of(state: str, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    needed = getattr(soft_key_states().get(state), "needs", "")
    known = [soft_keys()[key] for key in keys if key in soft_keys() and key != needed]
    for series in dict.fromkeys(key.series for key in known if key.series):
        names = ", ".join(key.name for key in known if key.series == series)
        yield "series", f"{state}: only {series} phones have the soft keys {names}; others have hard keys or line keys."


def write_soft_keys(sets: Mapping[str, Sequence[str]], version: str = "") -> bytes:
    lines = ["<softKeyCfg>"]
    if version:
        lines.append(f"  <versionStamp>{escape(version)}</versionStamp>")
    lines.append("  <typeSoftKey>")
    for key in soft_keys().values():
        tag, event, helped = key.ids
        lines.append(
            f"    <softKeyDef keyID={quoteattr(key.name)}><tag>{tag}</tag><eventID>{event}</eventID>"
            f"<helpID>{helped}</helpID></softKeyDef>"
        )
    lines += ["  </typeSoftKey>", "  <softKeySets>"]
    for state, keys in sets.items():
        inside = "".join(f"\n      <softKey keyID={quoteattr(key)}/>" for key in keys)
        lines.append(f"    <softKeySet id={quoteattr(state)}>{inside}\n    </softKeySet>")
    return "\n".join([*lines, "  </softKeySets>", "</softKeyCfg>", ""]).encode()


def _root(content: bytes) -> etree._Element:
    root = read_xml(content)
    if finding := wrong_root(root, ["softKeyCfg"]):
        raise Unreadable(finding)
    return root


def _keys_of(found: etree._Element) -> list[str]:
    return [str(key.get("keyID", "")) for key in named(found, "softKey")]


def _defined(root: etree._Element) -> set[str]:
    return {str(each.get("keyID", "")) for each in named(root, "softKeyDef")}


def _wrong_definitions(root: etree._Element) -> Iterator[Finding]:
    for each in named(root, "softKeyDef"):
        key = soft_keys().get(str(each.get("keyID", "")))
        ids = tuple(text_of(each, name) for name in ("tag", "eventID", "helpID"))
        if key and ids != (wanted := tuple(map(str, key.ids))):
            text = f"“{key.name}” is defined as {'/'.join(ids)}; phones know it as {'/'.join(wanted)}."
            yield warning("definition", text, line_of(each))
    for each in named(root, "softKey"):
        if each.get("keyID") is None:
            yield error("no-key", "A soft key has no “keyID”, which is written exactly so.", line_of(each))
