"""Whose changes somebody may read, kind by kind: the pages of the admin say it, for the change log there and in REST."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from contacts_app.core.actor import Actor
from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.history.change_log import kind_of
from contacts_app.core.history.models import Tracked, tracked_models


@dataclass(frozen=True)
class LoggedKind:
    """A model with a history, and the pages of the records in whose history its rows are shown: they are those records,
    or parts of them.
    """

    tracked: Tracked
    pages: PortalAdmin

    @property
    def model(self) -> type[Model]:
        return cast("type[Model]", self.tracked.cls)

    @property
    def name(self) -> str:
        return kind_of(self.model)

    @property
    def owner_key(self) -> str:
        """Where a historical row has the key of that record."""
        part_of = self.tracked.part_of
        return str(self.model._meta.get_field(part_of).attname if part_of else self.pages.opts.pk.attname)  # type: ignore[union-attr]

    def rows(self, request: HttpRequest, account: Any) -> "QuerySet[Any]":
        """All rows, or those of an account: what the row itself says, else whose the record is now."""
        rows = self.tracked.rows_of_model()
        if account is None:
            return rows
        if "account" in self.tracked.columns:
            return rows.filter(account=account)
        path = "pk" if isinstance(account, self.pages.model) else self.pages.tenant_path
        if path is None:
            return rows.none()
        theirs = self.pages.tenant_rows(request).filter(**{path: account.pk})
        return rows.filter(**{f"{self.owner_key}__in": theirs.order_by().values("pk")})


def kinds_of(request: HttpRequest) -> Iterator[LoggedKind]:
    """Those whose records the person may look at."""
    for model, tracked in tracked_models.items():
        field: Any = model._meta.get_field(tracked.part_of) if tracked.part_of else None
        pages = admin.site._registry.get(field.related_model if field else model)
        if isinstance(pages, PortalAdmin) and pages.has_view_permission(request):
            yield LoggedKind(tracked, pages)


@dataclass(frozen=True)
class ActorAsPerson:
    """An actor as pages of the admin know a person: they answer for a program too."""

    actor: Actor

    @property
    def is_superuser(self) -> bool:
        return self.actor.is_staff and not self.actor.is_bound

    def has_perm(self, permission: str) -> bool:
        return self.actor.may(permission)

    def has_perms(self, permissions: Any) -> bool:
        return self.actor.may(*permissions)

    def as_actor(self, channel: str) -> Actor:
        return self.actor


def request_of(actor: Actor) -> HttpRequest:
    """What pages of the admin are asked with on behalf of an actor."""
    request = HttpRequest()
    request.user = cast("Any", ActorAsPerson(actor))
    return request
