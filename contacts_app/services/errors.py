"""Why a service will not do something: one family, each with a stable code that edges map to their own words."""

from collections.abc import Mapping


class Refusal(Exception):
    """The request is understood and will not be done, for a reason that stands in the present data.

    `fields` says what is wrong with which field, where the reason is in what was sent.
    """

    fields: Mapping[str, list[str]] = {}

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
