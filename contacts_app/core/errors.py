"""Why a service refuses something, with a stable code that edges map to their own words; and how a transport fails, with
the request and the answer as evidence."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

# Of members that nothing reads: a body may hold as many as it likes, of any length.
UNKNOWN = "There is no such field."
MOST_NAMED, LONGEST_NAME = 10, 100


class Refusal(Exception):
    """The request is understood and will not be done, for a reason that stands in the present data.

    `fields` says what is wrong with which field, where the reason is in what was sent.
    """

    fields: Mapping[str, list[str]] = {}

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Exchange:
    """The exact wire text of one conversation, secrets masked, for the deployment's evidence.

    Nobody can see from here what a phone made of a request, so a person standing next to it must be able
    to read what was sent and answered (Cisco phones spec §7.5).
    """

    request: str
    answer: str


NO_EXCHANGE = Exchange("", "")


class TransportError(Exception):
    """A request did not do what it was to do.

    `permanent` says that the same request will fail again until somebody changes something; the caller alone
    decides about another try. `code` is stable, kebab-case and meant for programs; `message` is for people.
    `is_strangers`: the other end has not let us in, so that it may be anybody's.
    """

    is_strangers = False

    def __init__(self, message: str, permanent: bool = False, *, code: str, exchange: Exchange = NO_EXCHANGE) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.code = code
        self.exchange = exchange
        self.request, self.answer = exchange.request, exchange.answer


@contextmanager
def before_log_in() -> Iterator[None]:
    """What fails inside is the failure of a stranger."""
    try:
        yield
    except TransportError as error:
        error.is_strangers = True
        raise
