"""Where the objects of the events integration live: at an account, or at one extension of it (events spec §3.1)."""

from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, QuerySet

from contacts_app.models import Account, Extension
from profiles_app.models.events_object import EventsObject

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Level:
    """What is seen at an account includes the objects of its extensions; what is seen at an extension is its own."""

    account: Account
    extension: Extension | None = None

    @classmethod
    def of(cls, row: EventsObject) -> "Level":
        return cls(row.account, row.extension)

    def rows(self, rows: QuerySet[M], path: str = "") -> QuerySet[M]:
        """Those of `rows` that are seen here; `path` leads from them to the object that has a level."""
        mine = rows.filter(**{f"{path}account": self.account})
        return mine.filter(**{f"{path}extension": self.extension}) if self.extension else mine
