"""The rollouts of a person, as the bell above the pages of the admin shows them."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from django.contrib import admin
from django.db.models import F, Q
from django.http import HttpRequest

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.links import page_of
from contacts_app.core.admin.work import LongWork
from phones_app.rollout.models import Rollout, RolloutState
from phones_app.rollout.progress import progress_of


def rollouts_of_person(request: HttpRequest, since: datetime, most: int) -> Iterator[LongWork]:
    pages = admin.site.get_model_admin(Rollout)
    if not isinstance(pages, PortalAdmin) or not pages.has_view_permission(request):
        return
    rows = pages.tenant_rows(request).filter(Q(finished_at=None) | Q(finished_at__gt=since), user=request.user.pk)
    # What is running is not hidden by what came after it and has ended.
    ordered = rows.defer("refused").order_by(F("finished_at").desc(nulls_first=True), "-created_at")
    for rollout in ordered[:most]:
        yield LongWork(
            title=str(rollout),
            url=page_of(rollout),
            state=rollout.reason or rollout.get_state_display(),
            began_at=rollout.created_at,
            ended_at=rollout.finished_at,
            has_failed=rollout.state == RolloutState.ABORTED,
            share=partial(_percent, rollout),
        )


def _percent(rollout: Rollout) -> int:
    return progress_of(rollout).percent
