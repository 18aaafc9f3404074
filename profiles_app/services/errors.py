"""What the rules of this app refuse besides invalid input, which is Django's ValidationError by field."""

from contacts_app.transports.errors import TransportError


class InUse(Exception):
    """Something else needs the row, so it stays. The message is for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Changed(InUse):
    """Somebody else has changed the row meanwhile."""


def outward_message(error: TransportError) -> str:
    """What may be said of a failed request to whoever has entered the URL."""
    # Where a name of ours leads to inside our network is nobody's business outside.
    if error.code == "outside-networks":
        return "This address may not be spoken to."
    return f"{error.message}."
