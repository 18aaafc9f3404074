"""Whose work a change is: the one value that every historical row takes its actor, channel, request id and reason from.

The edges set it (a middleware for requests, `ReportingCommand` for commands, the task class of Celery for tasks), and
`history.models` reads it. It knows no model and no request, so that all of them can import it. The
signals by which the apps above hear of changes are here for the same reason.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Model
from django.dispatch import Signal
from structlog.contextvars import bound_contextvars

REASON_LENGTH = 255
CHANNELS = {"admin": "Admin", "rest": "REST", "portal": "Self-service portal", "command": "Command", "task": "Task"}


def channel_label(channel: str) -> str:
    """As people read it; what else records name, such as `phone`, is a word of theirs already."""
    return CHANNELS.get(channel) or channel.capitalize()


@dataclass(frozen=True)
class Author:
    """`label` is for people, and stays when the user of `user_id` is gone; `channel`: admin, rest,
    portal, command or task."""

    label: str
    channel: str
    user_id: int | None = None
    request_id: str = ""
    reason: str = ""


# Whatever runs outside the edges (a shell, a management command of Django's) was started by hand on the server.
NOBODY = Author("system", "command")
_current: ContextVar[Callable[[], Author]] = ContextVar("author", default=lambda: NOBODY)


def current_author() -> Author:
    return _current.get()()


@contextmanager
def authored(author: Callable[[], Author]) -> Iterator[None]:
    """What changes inside is the work of `author()`, which is asked at each change: a request may learn it late."""
    token = _current.set(author)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def because(reason: str) -> Iterator[None]:
    """The same author, with a reason; one that was given already stays, because it is a person's."""
    author = current_author()
    with authored(lambda: replace(author, reason=author.reason or one_line(reason))):
        yield


@contextmanager
def following(request_id: str) -> Iterator[None]:
    """What is written and logged inside bears the id of the request that asked for it, also in another process."""
    author = current_author()
    mine = replace(author, request_id=request_id or author.request_id)
    with authored(lambda: mine), bound_contextvars(**({"request_id": request_id} if request_id else {})):
        yield


def one_line(text: str) -> str:
    """A reason as it can be stored: printable, and no longer than its column."""
    return "".join(char if char.isprintable() else " " for char in text).strip()[:REASON_LENGTH]


# Something happened that those who listen for events are to hear of. Sent within the transaction of the change,
# with what events are made of: `account` (None: the portal itself), `extension`, `tags`,
# `data_type`, `data` and `data_object_uuid`.
happened = Signal()

# A row of history is written: sender is the model, with `instance`, `change` ("+", "~" or "-") and `changes`, which maps
# the fields that differ to what they were and are.
recorded = Signal()


def when_changed(model: type[Any], *fields: str, call: Callable[[Any, Mapping[str, Any]], None]) -> None:
    """Have `call(instance, changes)` called, in the transaction, when a record is changed in one of these fields."""
    wanted = set(fields)

    def told(*, instance: Any, change: str, changes: Mapping[str, Any], **_: object) -> None:
        if change == "~" and not wanted.isdisjoint(changes):
            call(instance, changes)

    recorded.connect(told, sender=model, weak=False)


# Records with their changes.
One = tuple[Any, Mapping[str, Any]]
Changed = Sequence[One]
_waiting: ContextVar[dict[Callable[[Any], None], list[Any]] | None] = ContextVar("waiting", default=None)


def when_many_changed(model: type[Model], *fields: str, call: Callable[[Changed], None]) -> None:
    """The same for who needs no more statements for many records than for one: `call` is given all that one statement
    changes, each with its changes, once it has changed them."""

    def told(instance: object, changes: Mapping[str, object]) -> None:
        waiting = _waiting.get()
        if waiting is None:
            call([(instance, changes)])
        else:
            waiting.setdefault(call, []).append((instance, changes))

    when_changed(model, *fields, call=told)


# Records with what happened to them, as `recorded` says it.
News = Sequence[tuple[Any, str, Mapping[str, Any]]]


def when_recorded(model: type[Model], call: Callable[[News], None]) -> None:
    """Have `call` given every row of the model's history, with all that one statement writes at once."""

    def told(*, instance: object, change: str, changes: Mapping[str, object], **_: object) -> None:
        waiting = _waiting.get()
        if waiting is None:
            call([(instance, change, changes)])
        else:
            waiting.setdefault(call, []).append((instance, change, changes))

    recorded.connect(told, sender=model, weak=False)


@contextmanager
def changed_together() -> Iterator[None]:
    """Collect the changes made inside and report them together when the outermost block ends."""
    if _waiting.get() is not None:
        yield
        return
    waiting: dict[Callable[[Any], None], list[Any]] = {}
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    for call, changed in waiting.items():
        call(changed)
