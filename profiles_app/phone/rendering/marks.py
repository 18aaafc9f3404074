"""What stands in the text while a template runs, for what it may not read or cannot know (configuration spec §1.4).

A template is given a mark instead of each secret. The secret replaces its mark in the finished text, and only where
`redact` masks what stands there. So a template cannot copy a password into a label, compare it, or take it apart, and
whoever may look at the masked file learns none of it. The version stamp is the digest of the finished text.
"""

from __future__ import annotations

import re
from hashlib import sha256
from xml.sax.saxutils import escape

from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.sep.comparison import is_secret, redact

# No value and no file can hold this sign (XML 1.0 §2.2).
SIGN = "\ufffe"
STAMP = f"{SIGN}stamp{SIGN}"
_SECRET = re.compile(f"{SIGN}([0-9]+){SIGN}")
# Alone in an element, as in nearly all files.
_ALONE = re.compile(f"<([A-Za-z][A-Za-z0-9_.-]*)>{SIGN}[0-9]+{SIGN}</\\1>")
_DIGITS = 16


class Marks:
    """The secrets of one rendering, by the numbers in their marks."""

    def __init__(self) -> None:
        self._secrets: list[str] = []

    def conceal(self, secret: str) -> str:
        """Return what the template is given; nothing is not a secret."""
        if not secret:
            return ""
        self._secrets.append(secret)
        return f"{SIGN}{len(self._secrets) - 1}{SIGN}"

    def check(self, text: str) -> None:
        """Refuse a text in which a secret would stand where people see it."""
        rest = _ALONE.sub(lambda found: "" if is_secret(found[1]) else found[0], text.replace(STAMP, ""))
        if SIGN in rest and SIGN in redact(rest.encode("utf-8", "replace")).decode():
            raise RenderRefused(
                "secret-shown",
                "a secret stands where the portal does not mask it; it belongs into an element such as authPassword",
            )

    def finish(self, text: str) -> str:
        """Return the text with secrets and stamp in their places."""
        if SIGN not in text:
            return text
        text = _SECRET.sub(self._secret, text)
        if STAMP in text:
            digest = sha256(text.encode("utf-8", "replace")).hexdigest()
            text = text.replace(STAMP, digest[:_DIGITS])
        if SIGN in text:
            raise RenderRefused("secret-changed", "a template can put a secret into the file, but not change it")
        return text

    def _secret(self, mark: re.Match[str]) -> str:
        number = int(mark[1])
        # It stands in the text of an element (`check`), where quotation marks need no escape and files have none.
        return escape(self._secrets[number]) if number < len(self._secrets) else SIGN
