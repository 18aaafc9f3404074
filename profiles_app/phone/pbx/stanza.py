"""Sections of Asterisk's configuration as text. No value can end its line or its section (Asterisk spec §J)."""

import re
from collections.abc import Iterable

LONGEST_VALUE = 1024
_NAME = re.compile(r"[A-Za-z0-9_+*#@][A-Za-z0-9_.+*#@ \-]{0,79}")
_ENDS_LINE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class UnsafeValue(ValueError):
    """A value that cannot stand in a configuration file of Asterisk; the message says which one and why."""


def section(name: str, options: Iterable[tuple[str, str]], *, flags: str = "") -> str:
    """A section of the options that have a value, as they are given by `option` or are constants."""
    lines = [f"[{checked_name(name)}]{flags}"]
    lines += [f"{key} = {escaped(key, value)}" for key, value in options if value]
    return "\n".join(lines) + "\n"


def checked_name(name: str) -> str:
    """The name of an endpoint, peer or extension. Raises UnsafeValue."""
    if not _NAME.fullmatch(name) or name != name.strip():
        raise UnsafeValue(f"{name[:80]!r} cannot be the name of a section: letters, digits and _ . + * # @ - only.")
    return name


def escaped(key: str, value: str) -> str:
    """A value as Asterisk reads it back: a semicolon would begin a comment. Raises UnsafeValue."""
    if _ENDS_LINE.search(value):
        raise UnsafeValue(f"The value of {key} has a line end or a control character.")
    if value != value.strip():
        raise UnsafeValue(f"The value of {key} begins or ends with a space, which Asterisk would cut off.")
    if len(value) > LONGEST_VALUE:
        raise UnsafeValue(f"The value of {key} has more than {LONGEST_VALUE} characters.")
    return value.replace(";", "\\;")


def comment(text: str) -> str:
    """A comment of one line; `;-` would begin one of several."""
    shown = " ".join(_ENDS_LINE.sub(" ", text).split())
    return f"; {shown}".rstrip() + "\n"


def caller_id_of(name: str, number: str) -> str:
    """`"Reception" <301>`; quotes and backslashes in the name are escaped as Asterisk reads them."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{number}>' if name else number
