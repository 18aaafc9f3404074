"""What a kind of work says of itself, and the registry of all kinds."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import Expression, F, Model, QuerySet

from contacts_app.core.lists.among import among
from contacts_app.core.work import clock

# The sweep asks every two seconds, and of a large rollout ten thousands are due.
MOST_COUNTED = 1000


class Work(ABC):
    """One kind of work. An instance lives for one run of its queue and may keep what its rows share, as connections.

    Rows are leased in their fields `lease_owner` and `lease_until`. A model without them is claimed by setting its due
    time `claim_time` ahead, which suits work that may be done twice.
    """

    name: ClassVar[str]
    # Kinds of one queue are worked on in one run, by one message to a worker.
    queue: ClassVar[str]
    model: ClassVar[type[Model]]
    # The field that says when a row is due. It is the order of the queue, too.
    due_field: ClassVar[str] = "next_attempt_at"
    # Rows claimed together and given to one call of `do`.
    batch: int = 1
    # The field of the account among which the work is fair; None: rows are taken in the order of the queue alone.
    account: ClassVar[str | None] = None
    # What the rows of one server have in common, and how many sets of rows may be under way there at a time.
    server: ClassVar[Expression | F | None] = None
    per_server: ClassVar[int] = 4
    claim_time: ClassVar[timedelta] = timedelta(minutes=5)
    # Work that one process at a time is to do, for so long before it lets go. None: any number of processes, until done.
    round_time: ClassVar[timedelta | None] = None

    def __init__(self, owner: str) -> None:
        self.owner = owner
        # What the run has opened and closes at its end.
        self.opened = ExitStack()
        # Of the claimed rows those that were under way at a worker which is dead, or stopped and may go on.
        self.taken_over: set[int] = set()

    @classmethod
    @abstractmethod
    def due(cls) -> QuerySet[Any]:
        """Rows that should be worked on now and that no living worker holds."""

    @classmethod
    def due_at(cls, now: Any) -> QuerySet[Any] | None:
        """`due` at a moment that may be an expression, for a kind whose claims are compiled once. None: it is none."""
        return None

    @abstractmethod
    def do(self, keys: Sequence[int]) -> None:
        """Work on these claimed rows, and end or `let_go` each. What is raised is logged, and the rows get `rest`."""

    @classmethod
    def threads(cls) -> int:
        """So many sets of rows are worked on at a time in a process."""
        return 1

    @classmethod
    def reserve(cls) -> int:
        """So many more, each for an account that has nothing under way."""
        return cls.threads() if cls.account else 0

    @classmethod
    def sweep(cls) -> int:
        """How much is due, counted up to `MOST_COUNTED`; a worker is nudged if anything is. Also the place for what every
        sweep is to do.
        """
        return cls.due().order_by()[:MOST_COUNTED].count()

    def prepare(self) -> int:
        """What is to be done again and again while the queue runs, before rows are claimed; how much of it was done."""
        return 0

    def rest(self, until: datetime) -> dict[str, Any]:
        """The fields of a row that must not be claimed before `until`, because an unexpected error came up."""
        return {self.due_field: until}

    @classmethod
    def is_leased(cls) -> bool:
        return hasattr(cls.model, "lease_owner")

    def held(self, keys: Sequence[int]) -> QuerySet[Any]:
        """Those of these rows that are still ours."""
        rows: QuerySet[Any] = self.model._default_manager.filter(pk__in=among(keys))
        return rows.filter(lease_owner=self.owner) if self.is_leased() else rows

    def let_go(self, keys: Sequence[int], **values: Any) -> int:
        """Give back those of these rows that are still ours, with new values; how many."""
        freed = {"lease_owner": "", "lease_until": None} if self.is_leased() else {}
        return self.held(keys).update(**freed | values) if freed | values else 0

    @classmethod
    def overdue(cls, age: timedelta) -> int:
        """How many rows have been due for longer than `age`: work that no worker takes."""
        return cls.due().filter(**{f"{cls.due_field}__lt": clock.now() - age}).count()


_queues: dict[str, list[type[Work]]] = {}


def register(*kinds: type[Work]) -> None:
    """Add kinds of work. Called from the `ready` of the app that they are of."""
    for kind in kinds:
        _queues.setdefault(kind.queue, []).append(kind)


def kinds_of(queue: str) -> list[type[Work]]:
    return _queues[queue]


def queues() -> dict[str, list[type[Work]]]:
    return _queues
