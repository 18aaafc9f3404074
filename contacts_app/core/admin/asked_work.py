"""Long work of a person, for the bell, whose own rows do not say who asked: status checks, or what is sent again.

The action of the admin notes the rows. Kinds say which of them are still to be done.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import F, Model, Q, QuerySet
from django.http import HttpRequest

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.links import list_url
from contacts_app.core.admin.models import AskedRow, AskedWork
from contacts_app.core.admin.work import KEPT, LongWork
from contacts_app.core.history.records import insert_from
from contacts_app.core.work import clock


@dataclass(frozen=True)
class AskedKind:
    """`what` is its title; `left` are the rows of the model that are not done since the moment when it was asked for,
    and `failed` those that went wrong.
    """

    what: str
    model: type[Model]
    left: Callable[[datetime], Q]
    failed: Q


_kinds: dict[str, AskedKind] = {}


def register(kind: AskedKind) -> AskedKind:
    """Called from the admin that has the action."""
    return _kinds.setdefault(kind.what, kind)


@transaction.atomic
def note(request: HttpRequest, kind: AskedKind, rows: "QuerySet[Any]") -> None:
    """Have it known who asks for this at these rows, which have to be filtered. What is no news any more goes."""
    user: Any = request.user
    now = clock.now()
    AskedWork.objects.filter(asked_at__lt=now - KEPT).delete()
    work = AskedWork.objects.create(user=user, kind=kind.what, asked_at=now)
    work.number = insert_from(rows, AskedRow, work=work.pk, row=F("pk"))
    if work.number:
        work.save(update_fields=["number"])
    else:
        work.delete()


def asked_by_person(request: HttpRequest, since: datetime, most: int) -> Iterator[LongWork]:
    """One query, and a short one more for each that is not known to be done."""
    rows = AskedWork.objects.filter(user=request.user.pk, asked_at__gt=since, kind__in=_kinds)
    # What is running is not hidden by what came after it and has ended.
    for work in rows.order_by(F("ended_at").desc(nulls_first=True), "-asked_at")[:most]:
        kind = _kinds[work.kind]
        pages = admin.site.get_model_admin(kind.model)
        if not isinstance(pages, PortalAdmin) or not pages.has_view_permission(request):
            continue
        # Deleted rows, and those of an account that the person has left, are not waited for.
        asked = pages.tenant_rows(request).filter(pk__in=work.rows.values("row"))
        left = asked.filter(kind.left(work.asked_at))
        if work.ended_at is None and not left.exists():
            _end(work, asked.filter(kind.failed))
        yield LongWork(
            title=_title(work, kind),
            url=list_url(kind.model),
            state=partial(_state, work),
            began_at=work.asked_at,
            ended_at=work.ended_at,
            has_failed=partial(_has_failed, work),
            share=partial(_percent, work, left),
        )


@transaction.atomic
def _end(work: AskedWork, failed: "QuerySet[Any]") -> None:
    work.ended_at, work.failed = clock.now(), failed.count()
    # Two pages of the person may find out at once.
    if AskedWork.objects.filter(pk=work.pk, ended_at=None).update(ended_at=work.ended_at, failed=work.failed):
        work.rows.all().delete()
    else:
        work.refresh_from_db()


def _title(work: AskedWork, kind: AskedKind) -> str:
    names = kind.model._meta
    return f"{kind.what} → {work.number:,} {names.verbose_name if work.number == 1 else names.verbose_name_plural}"


def _state(work: AskedWork) -> str:
    return ("Finished" if work.ended_at else "Running") + (f", {work.failed:,} failed" if work.failed else "")


def _has_failed(work: AskedWork) -> bool:
    """As of a rollout: nothing went right."""
    return work.failed >= work.number


def _percent(work: AskedWork, left: "QuerySet[Any]") -> int:
    return (work.number - left.count()) * 100 // work.number
