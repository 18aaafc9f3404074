"""The rollouts of a person, as the bell above the pages of the admin shows them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache, partial

from django.contrib import admin
from django.db.models import F, Q
from django.http import HttpRequest

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.links import page_of
from contacts_app.core.admin.work import LongWork
from phones_app.rollout.endings import Ending, endings
from phones_app.rollout.models import Rollout
from phones_app.rollout.progress import progress_of


def rollouts_of_person(request: HttpRequest, since: datetime, most: int) -> Iterator[LongWork]:
    pages = admin.site.get_model_admin(Rollout)
    if not isinstance(pages, PortalAdmin) or not pages.has_view_permission(request):
        return
    rows = pages.tenant_rows(request).filter(Q(finished_at=None) | Q(finished_at__gt=since), user=request.user.pk)
    # What is running is not hidden by what came after it and has ended.
    ordered = rows.defer("refused").order_by(F("finished_at").desc(nulls_first=True), "-created_at")
    rollouts = list(ordered[:most])
    # Asked for once for all of them, where something of it is shown.
    told = lru_cache(partial(endings, rollouts))
    for rollout in rollouts:
        yield LongWork(
            title=str(rollout),
            url=page_of(rollout),
            state=partial(_state, rollout, told),
            began_at=rollout.created_at,
            ended_at=rollout.finished_at,
            has_failed=partial(_has_failed, rollout, told),
            share=partial(_percent, rollout),
        )


def _state(rollout: Rollout, told: Callable[[], dict[int, Ending]]) -> str:
    return rollout.reason or told()[rollout.pk][0]


def _has_failed(rollout: Rollout, told: Callable[[], dict[int, Ending]]) -> bool:
    return told()[rollout.pk][1] == "danger"


def _percent(rollout: Rollout) -> int:
    return progress_of(rollout).percent
