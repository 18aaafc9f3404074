"""Why a file could not be made, for people: the template's line, and which layers were asked."""

from __future__ import annotations


class RenderRefused(Exception):
    """There is no file. `code` is stable and kebab-case; `line` is the template's and counts from 1.

    `asked` are the labels of the layers that were asked for a missing value, the strongest first. No message has the
    text of a value in it, as some are secret.
    """

    def __init__(self, code: str, message: str, line: int | None = None, asked: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.asked = asked

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"
