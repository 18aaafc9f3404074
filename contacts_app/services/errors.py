"""Why a service will not do something: one family, each with a stable code that edges map to their own words."""


class Refusal(Exception):
    """The request is understood and will not be done, for a reason that stands in the present data."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
