"""Rollouts: the list, and the page on which people watch one, live while it runs, and stop it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from unfold.decorators import display

from contacts_app.core.admin.base import RecordAdmin
from contacts_app.core.admin.columns import column, through_column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import label, page_of
from contacts_app.core.admin.live_list import LiveList
from contacts_app.templatetags.moments import duration
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import MAY_DEPLOY
from phones_app.rollout import rollout as service
from phones_app.rollout.admin.pages import RolloutPages
from phones_app.rollout.aims import aim_of
from phones_app.rollout.endings import ending_of, endings
from phones_app.rollout.models import Rollout, RolloutPlanning, RolloutState
from phones_app.rollout.progress import progress_of
from phones_app.rollout.standing import BAD, NOT_STARTED, PARTS, WHY, bad_ones

ROWS = 25
# Of phones that stand somewhere so many are shown: those of all pages before are looked through.
DEEPEST = 2500
# The parts of a rollout as people read them, and the colour of each in the bar.
TITLES = {
    "confirmed": ("Confirmed", "good"),
    "unconfirmed": ("Not confirmed", "wait"),
    "failed": ("Failed", "bad"),
    "under_way": ("Under way", "busy"),
    "in_call": ("In a call", "call"),
    "loading": ("Loading firmware", "busy"),
    "away": ("Away, waited for", "wait"),
    "queued": ("Queued", "next"),
    "held_back": ("Held back", "rest"),
    "at_start": ("When they start", "wait"),
    "superseded": ("Superseded", "gone"),
    "cancelled": ("Not started", "rest"),
}
CHANGES: dict[str, tuple[Callable[[Rollout], None], str]] = {
    "pause": (service.pause, "The rollout is paused. Phones that were told to restart go on."),
    "resume": (service.resume, "The rollout is running again."),
    "cancel": (service.cancel, "The rollout is cancelled. Phones that were told to restart go on."),
}


# What can be done again: by which service, after which question, under which button, to which of the phones.
AGAIN: dict[str, tuple[Callable[..., Rollout], str, str, Q]] = {
    "retry": (
        service.retry_failed,
        "Start a new rollout to the phones of {} that failed or were not confirmed ({:,}), at the same pace?",
        "Retry failed",
        BAD,
    ),
    "continue": (
        service.continue_rest,
        "Start a new rollout to the phones of {} that were not started ({:,}), at the same pace?",
        "Continue with the rest",
        NOT_STARTED,
    ),
}


def watched(rollout: Rollout, part: str, code: str, page: str) -> dict[str, object]:
    """What the live part of the page shows; `part`, or the `code` of a failure, narrows the table of phones."""
    progress = progress_of(rollout)
    state, colour = ending_of(rollout, progress.parts)
    failed = {group["code"]: group["phones"] for group in progress.failures}
    # The counts are known already, and a page of 25 needs no other.
    number, title, narrowed = sum(progress.parts.values()), "All phones", {}
    members, order = rollout.members.all(), ("wave", "deployment")
    keys: QuerySet[Any, int] = members.order_by(*order).values_list("deployment", flat=True)
    chosen: QuerySet[Deployment] | None = None
    if part in PARTS:
        chosen, number = rollout.deployments.filter(PARTS[part]), progress.parts[part]
        title, narrowed = TITLES[part][0], {"part": part}
    elif code in failed:
        chosen, number = bad_ones(rollout).filter(code=code), failed[code]
        title, narrowed = f"Failed: {code}", {"code": code}
    if chosen is not None:
        keys = chosen.order_by("in_rollout__wave", "pk").values_list("pk", flat=True)
    # The keys alone are looked through, and rows read for the page.
    pages = Paginator(keys, ROWS)
    pages.count = min(number, DEEPEST) if chosen is not None else number
    page_of_rows: Any = pages.get_page(page)
    page_of_rows.object_list, aim = _read(rollout, list(page_of_rows.object_list)), aim_of(rollout)
    if aim is not None:
        told = aim.stands([row.in_rollout for row in page_of_rows])
        for row in page_of_rows:
            row.stands = told.get(row.in_rollout.pk, "")
    revisions = rollout.deployments.order_by().values_list("revision__number", flat=True)
    return {
        "rollout": rollout,
        "progress": progress,
        "state": state,
        "colour": colour,
        "parts": [
            {"name": name, "title": title, "colour": colour, "phones": progress.parts[name]}
            for name, (title, colour) in TITLES.items()
        ],
        "part": part if part in PARTS else "",
        "part_title": title,
        "narrowed": urlencode(narrowed),
        "revision": next(iter(revisions[:1]), None),
        "rows": page_of_rows,
        "first": pages.count if pages.count < number else 0,
        "planning": RolloutPlanning.objects.filter(pk=rollout.pk).first(),
        "remaining": duration(progress.remaining) if progress.remaining is not None else "",
        "is_live": rollout.is_open or progress.left,
        "may_retry": not rollout.is_open and (progress.parts["failed"] or progress.parts["unconfirmed"]),
        "may_continue": not rollout.is_open and progress.not_started,
    }


def _read(rollout: Rollout, keys: list[int]) -> list[Deployment]:
    rows = rollout.deployments.filter(pk__in=keys).annotate(why=WHY).order_by("in_rollout__wave", "pk")
    return list(rows.select_related("phone", "in_rollout").defer("phone__web_password"))


@admin.register(Rollout)
class RolloutAdmin(LiveList, RolloutPages, RecordAdmin):
    list_display = ("rollout_here", "state_here", "phones", "waves_here", "asked_by", "when", "reason")
    list_display_links = ("rollout_here",)
    more_columns = ("through", "total", "unchanged", "load", "created_at", "finished_at")
    list_select_related = ("profile",)
    list_filter = ("state", "account", "profile", "created_at")
    in_search = True
    search_fields = ("name", "profile_name", "requested_by")
    ordering = ("-created_at", "-pk")
    autocomplete_fields = ("profile",)
    change_form_template = "phones_app/rollout/detail.html"

    live_template = "phones_app/rollout/progress.html"
    may_act = MAY_DEPLOY
    pages = {
        "progress": "<int:pk>/progress/",
        "retry": "<int:pk>/retry/",
        "continue": "<int:pk>/continue/",
        "now": "<int:pk>/<str:change>/now/",
    }
    through = through_column
    phones = column("Phones", lambda rollout: f"{rollout.total:,}", ordering="total")
    waves_here = column("Wave", lambda rollout: f"{rollout.wave} of {rollout.waves}")

    progress_page = RecordAdmin.live_page

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        shown = super().get_changelist_instance(request)
        told = endings(shown.result_list)
        for rollout in shown.result_list:
            rollout.ending = told[rollout.pk]
        return shown

    def live(self, request: HttpRequest, row: Rollout) -> dict[str, Any]:
        part, code, page = (request.GET.get(name, "") for name in ("part", "code", "page"))
        return watched(row, part, code, page)

    def now_page(self, request: HttpRequest, pk: int, change: str) -> HttpResponse:
        if change == "cancel" and (asked := self._asks(request, pk)):
            return asked

        def act(rollout: Rollout) -> None:
            if change in CHANGES:
                function, said = CHANGES[change]
                function(rollout)
                messages.success(request, said)

        return self.act(request, pk, act)

    def _asks(self, request: HttpRequest, pk: int) -> HttpResponse | None:
        """Of what can be done to a rollout this alone cannot be undone."""
        self.require(request, MAY_DEPLOY)
        rollout = self.row_or_404(request, pk)
        left = rollout.deployments.filter(finished_at=None).count()
        what = f"Phones that were not told to restart yet are left alone: at most {left:,}."
        if rollout.state == RolloutState.PLANNING:
            what = "It is being planned, and nothing was sent to any phone yet."
        question = f"Cancel {rollout}? {what}"
        return self.confirmed(request, question=question, button="Cancel the rollout", back=page_of(rollout))

    def retry_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._again(request, pk, "retry")

    def continue_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._again(request, pk, "continue")

    def _again(self, request: HttpRequest, pk: int, which: str) -> HttpResponse:
        """Another rollout, to those that failed or to those that were not started, after a question."""
        service_function, question, button, part = AGAIN[which]
        self.require(request, MAY_DEPLOY)
        rollout = self.row_or_404(request, pk)
        number = rollout.deployments.filter(part).count()
        asked = self.confirmed(request, question=question.format(rollout, number), button=button, back=page_of(rollout))
        return asked or self.act(request, pk, partial(service_function, actor=actor_of(request)))

    @display(description="Rollout", ordering="name", header=True)
    def rollout_here(self, rollout: Rollout) -> list[str]:
        return [str(rollout), rollout.load or rollout.profile_name or "Each phone's own profile"]

    @display(description="State", ordering="state")
    def state_here(self, rollout: Rollout) -> str:
        return label(*getattr(rollout, "ending", ending_of(rollout, None)))
