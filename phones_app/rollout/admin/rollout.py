"""Rollouts: the list, and the page on which people watch one, live while it runs, and stop it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.http import urlencode
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from contacts_app.core.admin.base import DayRangeFilter, ReadOnlyAdmin, TenantFilter
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.errors import Refusal
from contacts_app.templatetags.moments import ago, duration
from phones_app.deployment.admin.deploy import MAY_DEPLOY
from phones_app.rollout import rollout as service
from phones_app.rollout.admin.pages import RolloutPages
from phones_app.rollout.models import Rollout, RolloutState
from phones_app.rollout.progress import BAD, PARTS, progress_of

ROWS = 25
COLOURS: dict[str, str] = {
    RolloutState.RUNNING: "info",
    RolloutState.PAUSED: "warning",
    RolloutState.FINISHED: "success",
    RolloutState.ABORTED: "danger",
    RolloutState.CANCELLED: "",
}
# The parts of a rollout as people read them, and the colour of each in the bar.
TITLES = {
    "confirmed": ("Confirmed", "good"),
    "unconfirmed": ("Not confirmed", "wait"),
    "failed": ("Failed", "bad"),
    "under_way": ("Under way", "busy"),
    "in_call": ("In a call", "call"),
    "queued": ("Queued", "next"),
    "held_back": ("In later waves", "rest"),
    "cancelled": ("Given up", "gone"),
}
CHANGES: dict[str, tuple[Callable[[Rollout], None], str]] = {
    "pause": (service.pause, "The rollout is paused. Phones that were told to restart go on."),
    "resume": (service.resume, "The rollout goes on."),
    "cancel": (service.cancel, "The rollout is cancelled. Phones that were told to restart go on."),
}


def watched(rollout: Rollout, part: str, code: str, page: str) -> dict[str, Any]:
    """What the live part of the page shows; `part`, or the `code` of a failure, narrows the table of phones."""
    progress = progress_of(rollout)
    rows = rollout.deployments.select_related("phone", "in_rollout").defer("phone__web_password")
    failed = {group["code"]: group["phones"] for group in progress.failures}
    # The counts are known already, and a page of 25 needs no other.
    number, title, narrowed = progress.total, "All phones", {}
    if part in PARTS:
        rows, number = rows.filter(PARTS[part]), progress.parts[part]
        title, narrowed = TITLES[part][0], {"part": part}
    elif code in failed:
        rows, number = rows.filter(BAD, error_code=code), failed[code]
        title, narrowed = f"Failed: {code}", {"code": code}
    pages = Paginator(rows.order_by("in_rollout__wave", "pk"), ROWS)
    pages.count = number
    revisions = rollout.deployments.order_by().values_list("revision__number", flat=True)
    return {
        "rollout": rollout,
        "progress": progress,
        "colour": COLOURS[rollout.state],
        "parts": [
            {"name": name, "title": title, "colour": colour, "phones": progress.parts[name]}
            for name, (title, colour) in TITLES.items()
        ],
        "part": part if part in PARTS else "",
        "part_title": title,
        "narrowed": urlencode(narrowed),
        "revision": next(iter(revisions[:1]), None),
        "rows": pages.get_page(page),
        "remaining": duration(progress.remaining) if progress.remaining is not None else "",
        "is_live": rollout.is_open or progress.ended < progress.total,
        "may_retry": not rollout.is_open and (progress.parts["failed"] or progress.parts["unconfirmed"]),
    }


@admin.register(Rollout)
class RolloutAdmin(RolloutPages, ReadOnlyAdmin):
    list_display = ("rollout_here", "state_here", "phones", "waves_here", "asked_by", "when", "reason")
    list_display_links = ("rollout_here",)
    list_select_related = ("profile",)
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("account", TenantFilter),
        ("profile", TenantFilter),
        ("created_at", DayRangeFilter),
    )
    search_fields = ("name", "profile_name", "requested_by")
    ordering = ("-created_at", "-pk")
    autocomplete_fields = ("profile",)
    change_form_template = "phones_app/rollout/detail.html"

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/progress/", wrap(self.progress_view), name="phones_app_rollout_progress"),
            path("<int:pk>/retry/", wrap(self.retry_view), name="phones_app_rollout_retry"),
            path("<int:pk>/<str:change>/now/", wrap(self.now_view), name="phones_app_rollout_now"),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        rollout = self.row_or_404(request, object_id)
        context = self._context(request, rollout) | {"title": str(rollout)}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # The page of a rollout shows no form.
        return () if obj else super().get_fields(request, obj)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The live part of the page, asked for every two seconds while anything can change."""
        self.require(request, "phones_app.view_rollout")
        context = self._context(request, self.row_or_404(request, str(pk)))
        return render(request, "phones_app/rollout/progress.html", context)

    def _context(self, request: HttpRequest, rollout: Rollout) -> dict[str, Any]:
        asked = request.GET
        narrowed = asked.get("part", ""), asked.get("code", "")
        return watched(rollout, *narrowed, asked.get("page", "1")) | {
            "may_deploy": request.user.has_perm(MAY_DEPLOY)
        }

    def now_view(self, request: HttpRequest, pk: int, change: str) -> HttpResponse:
        if change == "cancel" and (asked := self._asks(request, pk)):
            return asked

        def act(rollout: Rollout) -> Rollout:
            function, said = CHANGES[change]
            function(rollout)
            messages.success(request, said)
            return rollout

        return self._act(request, pk, act) if change in CHANGES else self._act(request, pk, lambda one: one)

    def _asks(self, request: HttpRequest, pk: int) -> HttpResponse | None:
        """Of what can be done to a rollout this alone cannot be undone."""
        self.require(request, MAY_DEPLOY)
        rollout = self.row_or_404(request, str(pk))
        left = rollout.deployments.filter(finished_at=None).count()
        question = f"Cancel {rollout}? Of {left} phones left, those not yet told to restart are left alone."
        back = reverse("admin:phones_app_rollout_change", args=[pk])
        return self.confirmed(request, question=question, button="Cancel the rollout", back=back)

    def retry_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act(request, pk, lambda one: service.retry_failed(one, actor=actor_of(request)))

    def _act(self, request: HttpRequest, pk: int, act: Callable[[Rollout], Rollout]) -> HttpResponse:
        """Do something to a rollout and show what became of it; a refusal is said in its own words."""
        self.require(request, MAY_DEPLOY)
        rollout = self.row_or_404(request, str(pk))
        if request.method == "POST":
            try:
                rollout = act(rollout)
            except Refusal as refusal:
                messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse("admin:phones_app_rollout_change", args=[rollout.pk]))

    @display(description="Rollout", ordering="name", header=True)
    def rollout_here(self, rollout: Rollout) -> list[str]:
        return [str(rollout), rollout.profile_name or "Each phone's own profile"]

    @display(description="State", ordering="state")
    def state_here(self, rollout: Rollout) -> str:
        label = {"text": rollout.get_state_display(), "type": COLOURS[rollout.state]}
        return render_to_string("unfold/helpers/label.html", label)

    @display(description="Phones", ordering="total")
    def phones(self, rollout: Rollout) -> str:
        return f"{rollout.total:,}"

    @display(description="Wave")
    def waves_here(self, rollout: Rollout) -> str:
        return f"{rollout.wave} of {rollout.waves}"

    @display(description="Asked for by", ordering="requested_by")
    def asked_by(self, rollout: Rollout) -> str:
        return rollout.requested_by

    @display(description="When", ordering="created_at")
    def when(self, rollout: Rollout) -> str:
        return ago(rollout.created_at)
