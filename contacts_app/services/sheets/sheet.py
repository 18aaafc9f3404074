"""What a kind of row looks like as a sheet: its columns, what identifies a row, and how rows are found and stored."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.utils import timezone

from contacts_app.services.actor import Actor
from contacts_app.services.history import create_recorded, save_recorded
from contacts_app.services.sheets.columns import Column

BATCH = 500
# Names of columns, and what stands in them.
Key = tuple[str, ...]
Identity = tuple[Any, ...]


@dataclass
class Entry:
    """One row of a file: the stored row that it is about (None: a new one), and which attributes it changes."""

    row: int
    stored: Any = None
    values: dict[str, Any] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)


class Sheet:
    """Made for one actor and one export or import, because its columns remember what they have looked up."""

    kind: ClassVar[str]
    thing: ClassVar[str]
    model: ClassVar[type[Model]]
    # The ways to identify a row: the first one whose cells are not empty, else the last one.
    keys: ClassVar[tuple[Key, ...]]
    # Those by which nothing new is made.
    keys_of_stored: ClassVar[tuple[Key, ...]] = (("uuid",),)
    why_none_is_made: ClassVar[str] = ""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.columns = self.make_columns()

    def make_columns(self) -> Sequence[Column]:
        raise NotImplementedError

    def rows(self) -> "QuerySet[Any]":
        """The rows that the actor may export and change."""
        raise NotImplementedError

    def for_columns(self, rows: "QuerySet[Any]", names: Collection[str]) -> "QuerySet[Any]":
        """The same with what these columns need, and without secrets that they do not."""
        read = [column for column in self.columns if column.fixed or column.name in names]
        secrets = [column.attribute for column in self.columns if not column.exported and column not in read]
        deferred = {path for column in read for path in column.deferred}.union(secrets)
        if related := {path for column in read for path in column.related}:
            rows = rows.select_related(*related)
        return rows.defer(*deferred)

    def taken_by_others(self, key: Key, identities: Collection[Identity]) -> set[Identity]:
        """Those of the identities which a row has that the actor does not see."""
        return set()

    def judge(self, entries: Sequence[Entry]) -> None:
        """Write into the entries of a batch what is wrong with them beyond single cells."""

    def create(self, entries: Sequence[Entry]) -> None:
        create_recorded(self.model(**entry.values) for entry in entries)

    def update(self, entries: Sequence[Entry]) -> None:
        """Write what has changed and nothing else: other parts of the rows may be changing at this moment."""
        now = timezone.now()
        for entry in entries:
            for name in entry.changed:
                setattr(entry.stored, name, entry.values[name])
            entry.stored.updated_at = now
        names = {"updated_at"}.union(*(entry.changed for entry in entries))
        save_recorded([entry.stored for entry in entries], sorted(names))
