"""How two revisions of a file differ, for people to read."""

import difflib

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
