"""The deployments and restarts that a person asked for in the admin, as the bell above its pages shows them: those of one
request are one piece of work. Deployments of a rollout are left out: the bell shows the rollout.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any

from django.contrib import admin
from django.db.models import Case, Count, F, Max, Min, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.links import list_url
from contacts_app.core.admin.work import LongWork
from phones_app.deployment.models import FAILURES, Deployment, State

# So many of the newest deployments of a person are looked at on each page, in the order of an index.
LOOKED_AT = 2000
CHANNEL = "admin"
# How many did not end well, by the words that the bell has for it.
ENDS = {
    "failed": ("failed", Q(state__in=FAILURES)),
    "unconfirmed": ("not confirmed", Q(state=State.RESTART_ACKNOWLEDGED, finished_at__isnull=False)),
    "superseded": ("superseded", Q(state=State.SUPERSEDED)),
    "cancelled": ("cancelled", Q(state=State.CANCELLED)),
}
# One request for deployments, counted.
Asked = Mapping[str, Any]


def deployments_of_person(request: HttpRequest, since: datetime, most: int) -> Iterator[LongWork]:
    pages = admin.site.get_model_admin(Deployment)
    if not isinstance(pages, PortalAdmin) or not pages.has_view_permission(request):
        return
    # What the index `deployment_of_person` has an entry of, and no deployment of a rollout.
    wanted = {"user": request.user.pk, "channel": CHANNEL, "in_batch": False}
    rows = pages.tenant_rows(request).filter(created_at__gt=since, **wanted)
    for asked in _requests(rows, since, most):
        yield LongWork(
            title=_title(asked),
            url=_url(asked, request.user.pk),
            state=partial(_state, asked),
            began_at=asked["began"],
            ended_at=None if asked["open"] else asked["ended"],
            has_failed=partial(_has_failed, asked),
            share=partial(_percent, asked),
        )


def _requests(rows: "QuerySet[Any]", since: datetime, most: int) -> Iterable[Asked]:
    """One query, and a short one if there are very many: of a selection larger than `LOOKED_AT` only the part that was
    stored last is looked at, which is said.
    """
    # As a moment, from which the index is read on: keys would be looked up among all deployments.
    first = rows.order_by("-created_at").values("created_at")[LOOKED_AT - 1 : LOOKED_AT]
    newest = rows.filter(created_at__gte=Coalesce(Subquery(first), Value(since)))
    # Rows that the release before wrote while it was replaced do not say what they were asked for with.
    asked = newest.filter(request_id__gt="").order_by().values("request_id")
    counted = asked.annotate(
        number=Count("pk"),
        open=Count("pk", filter=Q(finished_at=None)),
        began=Min("created_at"),
        ended=Case(When(open=0, then=Max("finished_at"))),
        other_name=Max("profile_name"),
        key=Min("pk"),
        **{name: Count("pk", filter=end) for name, (_, end) in ENDS.items()},
        **{name: Min(name) for name in ("state", "profile_name", "mac")},
    )
    # What is running is not hidden by what was asked for later and has ended.
    shown: list[dict[str, Any]] = list(counted.order_by(F("ended").desc(nulls_first=True), "-began")[:most])
    if sum(one["number"] for one in shown) >= LOOKED_AT:
        oldest = min(shown, key=itemgetter("began"))
        before = rows.filter(created_at__lte=oldest["began"], pk__lt=oldest["key"]).order_by("-created_at")
        oldest["is_part"] = before.values_list("request_id", flat=True).first() == oldest["request_id"]
    return shown


def _title(asked: Asked) -> str:
    if asked["number"] == 1:
        return f"{asked['profile_name'] or 'restart'} → SEP{asked['mac']}"
    what = asked["profile_name"] if asked["profile_name"] == asked["other_name"] else "files"
    return f"{what or 'restart'} → {asked['number']:,}{'+' if asked.get('is_part') else ''} phones"


def _url(asked: Asked, user: int | None) -> str:
    if asked["number"] == 1:
        return reverse("admin:phones_app_deployment_change", args=[asked["key"]])
    where = {"user__id__exact": user, "channel__exact": CHANNEL, "in_batch__exact": 0}
    return list_url(Deployment, **where, request_id__exact=asked["request_id"])


def _state(asked: Asked) -> str:
    if asked["number"] == 1:
        return State(asked["state"]).label
    told = [f"{asked[name]:,} {words}" for name, (words, _) in ENDS.items() if asked[name]]
    return ", ".join(["Running" if asked["open"] else "Finished", *told])


def _has_failed(asked: Asked) -> bool:
    """As of a rollout: nothing went right."""
    return bool(asked["failed"]) and int(asked["failed"] + asked["unconfirmed"]) >= asked["number"]


def _percent(asked: Asked) -> int:
    return int((asked["number"] - asked["open"]) * 100 // asked["number"])
