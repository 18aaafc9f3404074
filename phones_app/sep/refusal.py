"""The one way in which a file is turned away: an exception with a stable code and a place in the text."""


class Refused(Exception):
    """The content is no SEP document. `code` is stable and kebab-case; `line` and `column` count from 1."""

    def __init__(self, code: str, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column
