"""What is done for several, one after the other: where it breaks for one of them, the others get theirs all the same."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import Error

log = structlog.get_logger(__name__)


@contextmanager
def apart(event: str, **of: object) -> Iterator[None]:
    """What breaks in here is logged as `event`, and goes no further; not where it is the database, which all need."""
    try:
        yield
    except Error:
        raise
    except Exception:
        log.exception(event, **of)
