"""Deployments: the list, and the timeline of one, live while it runs, with all that was said on the wire."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from contacts_app.core.admin.base import RecordAdmin
from contacts_app.core.admin.columns import column, through_column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.live_list import LiveList
from contacts_app.core.tables import table
from contacts_app.templatetags.moments import duration, exact
from phones_app.deployment import request as service
from phones_app.deployment.arrows import ARROWS
from phones_app.deployment.models import FOR_STAFF, Deployment, DeploymentStep, State
from phones_app.deployment.outcome import advice_for, own_phone, proof_of
from phones_app.deployment.request import MAY_DEPLOY
from phones_app.inventory.admin.search import MacSearchMixin
from phones_app.templatetags.phone_labels import STEP_ICONS, colour_of, state_label
from profiles_app.phone import sep

StepKind = DeploymentStep.Kind
WHOLE = (StepKind.UPLOAD, StepKind.CLEAR_SESSION, StepKind.RESTART, StepKind.CONFIRM)
STEPS_OF = {
    **dict.fromkeys((Deployment.Kind.DEPLOY, Deployment.Kind.LOG_IN, Deployment.Kind.LOG_OUT), WHOLE),
    Deployment.Kind.RESTART: (StepKind.RESTART, StepKind.CONFIRM),
    Deployment.Kind.UPLOAD: (StepKind.UPLOAD,),
}
LABELS = table(__file__, "labels.toml")


@dataclass(frozen=True)
class TimelineStep:
    """One step as the timeline shows it; a step that has no row yet is still to come."""

    title: str
    row: DeploymentStep | None
    for_staff: bool = False

    @property
    def state(self) -> str:
        return self.row.state if self.row else ""

    @property
    def icon(self) -> str:
        return STEP_ICONS[self.state]

    @property
    def took(self) -> str:
        if self.row is None:
            return ""
        return duration(((self.row.finished_at or timezone.now()) - self.row.started_at).total_seconds())

    @property
    def facts(self) -> list[tuple[str, Any]]:
        """What the confirmation found has a card of its own."""
        if self.row is None or self.row.kind == StepKind.CONFIRM:
            return []
        hidden = {} if self.for_staff else {FOR_STAFF: ""}
        return told(self.row.detail | hidden)


def told(values: dict[str, Any]) -> list[tuple[str, Any]]:
    """The values that people look for, under their titles."""
    return [
        (title, exact(datetime.fromisoformat(value)) if name.endswith("at") else value)
        for name, title in LABELS["details"].items()
        if (value := values.get(name)) not in (None, "", False)
    ]


def timeline(deployment: Deployment, *, for_staff: bool) -> dict[str, Any]:
    """What the timeline's template shows, to the portal's staff or to a tenant's people."""
    rows = {row.kind: row for row in deployment.steps.all()}
    if deployment.state == State.UPLOADING and StepKind.UPLOAD not in rows and deployment.started_at:
        # Of an upload in a batch the step is written down when it is through.
        rows[StepKind.UPLOAD] = DeploymentStep(kind=StepKind.UPLOAD, started_at=deployment.started_at)
    kinds = STEPS_OF[Deployment.Kind(deployment.kind)]
    return {
        "deployment": deployment,
        "colour": colour_of(deployment),
        "steps": [TimelineStep(kind.label, rows.get(kind), for_staff) for kind in kinds],
        "took": duration(_span(deployment).total_seconds()),
        "proof": proof_of(deployment),
        "proof_facts": told(deployment.evidence),
        "advice": advice_for(deployment) if deployment.error_code else None,
        "cancellable": deployment.is_open and State.CANCELLED in ARROWS[State(deployment.state)],
    }


def _span(deployment: Deployment) -> timedelta:
    return (deployment.finished_at or timezone.now()) - deployment.created_at


@admin.register(Deployment)
class DeploymentAdmin(LiveList, MacSearchMixin, RecordAdmin):
    list_display = ("phone_here", "what", "state_here", "asked_by", "when", "took", "problem")
    list_display_links = ("phone_here",)
    more_columns = ("kind", "through", "reason", "created_at", "finished_at", "request_id")
    list_select_related = ("phone",)
    list_filter = ("state", "kind", "account", "profile", "created_at")
    in_search = True
    search_fields = ("profile_name", "phone__name", "requested_by")
    search_help_text = "MAC in any spelling, phone, profile or person"
    ordering = ("-created_at", "-pk")
    change_form_template = "phones_app/deployment/detail.html"
    live_template = "phones_app/deployment/timeline.html"
    may_act = MAY_DEPLOY
    pages = {"timeline": "<int:pk>/timeline/", "cancel": "<int:pk>/cancel/", "retry": "<int:pk>/retry/"}
    through = through_column
    what = column("What", lambda row: row.profile_name or "Restart only", ordering="profile_name")
    state_here = column("State", state_label, ordering="state")

    timeline_page = RecordAdmin.live_page

    def live(self, request: HttpRequest, row: Deployment) -> dict[str, Any]:
        return timeline(row, for_staff=actor_of(request).account is None)

    def cancel_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        def cancel(deployment: Deployment) -> None:
            service.cancel(deployment)
            messages.success(request, "The deployment is cancelled.")

        return self.act(request, pk, cancel)

    def retry_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.act(request, pk, partial(service.retry, actor=actor_of(request)))

    @display(description="Phone", ordering="mac", header=True)
    def phone_here(self, deployment: Deployment) -> list[str]:
        phone = own_phone(deployment)
        without = "of another account now" if deployment.phone_id else "deleted phone"
        return [sep.colons(deployment.mac), phone.name if phone else without]

    @display(description="Took")
    def took(self, deployment: Deployment) -> str:
        if deployment.state == State.QUEUED:
            return ""
        return format_html('<span class="pb-ago">{}</span>', duration(_span(deployment).total_seconds()))

    @display(description="Problem")
    def problem(self, deployment: Deployment) -> str:
        return deployment.error or (f"Waits for {deployment.waiting_for}" if deployment.waiting_for else "")
