"""What the rules of this app refuse besides invalid input, which is Django's ValidationError by field."""


class InUse(Exception):
    """Something else needs the row, so it stays. The message is for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Changed(InUse):
    """Somebody else has changed the row meanwhile."""
