"""Who acts: one value for a person, a token or the system itself, and the one place that says what it may see.

The rows in it are of subjects that this ground does not know; the people and tokens among them make their own actor
(`User.as_actor`, `ApiToken.as_actor`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from contacts_app.core.history.authorship import Author, authored
from contacts_app.core.memory import Memory

M = TypeVar("M", bound=Model)
# A row of a model that is declared above, or None.
Row = Any


@dataclass(frozen=True)
class Actor:
    """`account` None means staff: every account. `level` 0 may do everything in its scope (phone profiles spec §6)."""

    label: str
    channel: str
    account: Row = None
    extension: Row = None
    user: Row = None
    level: int = 0
    read_only: bool = False
    session_uuid: str = ""
    token: Row = None
    # When the credential ends by itself.
    expires_at: datetime | None = None

    # What Django REST framework and the admin's libraries ask of a request's user.
    is_authenticated = True
    is_anonymous = False
    is_active = True

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def pk(self) -> int | None:
        return self.user.pk if self.user else None

    @property
    def is_staff(self) -> bool:
        return self.account is None and self.level == 0

    @property
    def is_bound(self) -> bool:
        """Whether Django's permissions decide what the actor may do: those of people who run the portal or may use its
        admin, superusers excepted. Customers and tokens may do what their level and scope say.
        """
        user = self.user
        return user is not None and not user.is_superuser and (user.is_staff or self.is_staff)

    def may(self, *permissions: str) -> bool:
        """Asked of the database once for each actor, which is remembered for as long as `ACTORS` says."""
        return not self.is_bound or bool(self.user.has_perms(permissions))

    @property
    def reveals(self) -> bool:
        """May be shown the secrets of what the actor sees, where anybody is."""
        return not self.is_bound or bool(self.user.may_reveal)

    @property
    def manages(self) -> bool:
        """Everything in its scope, as far as permissions go; a token of one extension never, whatever its level."""
        return (self.level == 0 or self.is_bound) and self.extension is None

    @property
    def scope(self) -> tuple[Any, ...]:
        """What decides which rows the actor sees."""
        return *(row and row.pk for row in (self.account, self.extension, self.user)), self.level, self.manages

    @property
    def author(self) -> Row:
        """The person whose work this is: the one who acts, or the one who made the token that does."""
        return self.user or (self.token.created_by if self.token else None)

    def as_author(self, *, request_id: str = "", reason: str = "") -> Author:
        """The actor as history knows it."""
        made_by = self.token.created_by_id if self.token else None
        return Author(self.label, self.channel, self.user.pk if self.user else made_by, request_id, reason)

    def __str__(self) -> str:
        return self.label

    def sees(self, rows: QuerySet[M], path: str = "account", *, shared: bool = False) -> QuerySet[M]:
        """The rows of the actor's tenant; `path` leads from the row to its account, `shared` adds those of none."""
        if self.account is None:
            # A person without an account who is not level 0 sees nothing by tenancy, only what is their own.
            return rows if self.level == 0 else rows.none()
        mine = Q(**{path: self.account})
        return rows.filter(mine | Q(**{f"{path}__isnull": True}) if shared else mine)


# Actors by their credentials, for reading alone: what was revoked in another process is refused here within 5 seconds.
ACTORS: Memory[Actor] = Memory(seconds=4)


def forget_actors(*_: object, **__: object) -> None:
    """A credential, or a person or an account behind one, changes: now, and again when others see the change."""
    ACTORS.forget()
    transaction.on_commit(ACTORS.forget)


def system(channel: str) -> Actor:
    """Patchbay itself: a command on the server's terminal or a periodic task."""
    return Actor(channel, channel)


@contextmanager
def acting(actor: Actor, *, reason: str = "") -> Iterator[None]:
    """What changes inside is recorded in history as the actor's work."""
    author = actor.as_author(reason=reason)
    with authored(lambda: author):
        yield
