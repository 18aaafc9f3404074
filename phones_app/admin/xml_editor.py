"""The form field in which a SEP file is edited: line numbers, marks, and the very bytes back."""

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django_ace import AceWidget

from phones_app import sep

THEMES = ("chrome", "one_dark")  # Light and dark; editor.js chooses as the page does.


class XmlEditor(AceWidget):
    def __init__(self) -> None:
        # The editor's own XML worker is off: it takes unbound prefixes, which phones ignore, for errors.
        super().__init__(
            mode="xml",
            theme=THEMES[0],
            width="100%",
            height="560px",
            useworker=False,
            showprintmargin=False,
            toolbar=False,
            tabsize=2,
            fontsize="13px",
        )

    @property
    def media(self) -> forms.Media:
        own = [
            f"django_ace/ace/theme-{THEMES[1]}.js",
            "django_ace/ace/ext-searchbox.js",
            "patchbay/editor.js",
        ]
        return super().media + forms.Media(js=own)

    def annotate(self, findings: Iterable[sep.Finding]) -> None:
        """Let the editor mark these lines."""
        marks = [
            {
                "row": finding.line - 1,
                "column": (finding.column or 1) - 1,
                "text": finding.message,
                "type": finding.severity.value,
            }
            for finding in findings
            if finding.line
        ]
        self.attrs["data-annotations"] = json.dumps(marks)


class XmlField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, widget=XmlEditor(), **kwargs)


def with_line_ends_of(old: str, posted: str) -> str:
    """The posted text as the old one writes its lines: browsers send CRLF, whatever the file had.

    A text that differs in nothing else comes back as it was, even where its line ends were mixed.
    """
    plain = _plain(posted)
    if plain == _plain(old):
        return old
    return plain.replace("\n", "\r\n") if "\r\n" in old else plain


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
