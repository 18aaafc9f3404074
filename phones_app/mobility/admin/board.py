"""*Who is where*: who is logged in on which phone, and was; with the log-out. Also what the pages of a phone and of a
person show of it (mobility spec §5.6)."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from contacts_app.core.admin.base import PortalAdmin, ReadOnlyAdmin, allowed, button
from contacts_app.core.admin.columns import ago_column, column, through_column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import label
from contacts_app.people.models import User
from contacts_app.templatetags.moments import exact
from phones_app.inventory.admin.search import MacSearchMixin
from phones_app.inventory.models import Phone
from phones_app.mobility.logout import log_out, log_out_many
from phones_app.mobility.models import PRESENT, MobilitySession, SessionState, Why
from profiles_app.phone.sep.catalogue import colons

LOGS_OUT = "phones_app.change_mobilitysession"
SEES = "phones_app.view_mobilitysession"
RECENT = 10
# Nothing but confirmed is shown in the colour of confirmed.
COLOURS: dict[str, str] = {
    SessionState.LOGGING_IN: "info",
    SessionState.AT_RESTART: "warning",
    SessionState.LOGGED_IN: "success",
    SessionState.LOGGING_OUT: "info",
    SessionState.LOGGED_OUT: "",
    SessionState.OUT_AT_RESTART: "warning",
    SessionState.FAILED: "danger",
    SessionState.ABANDONED: "",
}


def state_of(session: MobilitySession) -> str:
    return label(session.get_state_display(), COLOURS[session.state], session.note)


class WhoIsThere(DropdownFilter):
    """The board shows who is there; who was is a question of its own."""

    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "All log-ins, past ones too")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset if self.value() == "all" else queryset.filter(ended_at=None)


@admin.register(MobilitySession)
class MobilitySessionAdmin(MacSearchMixin, ReadOnlyAdmin):
    list_display = ("person", "phone_here", "profile_name", "state_here", "began", "ends")
    list_display_links = ("person",)
    list_select_related = ("phone",)
    list_filter = (WhoIsThere, "state", "account")
    search_fields = ("person_name", "profile_name")
    search_help_text = "Person, profile, or MAC in any spelling"
    actions = ["log_out_selected"]
    actions_row = ["log_out_one"]
    actions_detail = ["log_out_one"]
    deletable = False
    fields = (
        *("person_name", "user", "phone", "mac_address", "profile", "state_here", "note", "since", "until"),
        *("ended_at", "why", "login", "logout", "address", "requested_by", "through", "ended_by", "account", "uuid"),
    )
    readonly_fields = ("mac_address", "state_here", "through")
    has_log_out_permission = allowed(LOGS_OUT)
    through = through_column
    person = column("Person", lambda session: session.person_name, ordering="person_name")
    mac_address = column("MAC address", lambda session: colons(session.mac), ordering="mac")
    state_here = column("State", state_of, ordering="state")
    began = ago_column("since", "Since")
    ends = column("Until", lambda session: exact(session.until) if session.until else "–")

    @display(description="Phone", ordering="mac", header=True)
    def phone_here(self, session: MobilitySession) -> list[str]:
        return [colons(session.mac), session.phone.name if session.phone else "deleted phone"]

    @admin.action(description="Log out", permissions=["log_out"])
    def log_out_selected(self, request: HttpRequest, queryset: QuerySet[MobilitySession]) -> None:
        rows = self.tenant_rows(request).filter(pk__in=queryset.values("pk"), state__in=PRESENT)
        number = log_out_many(rows, why=Why.STAFF, actor=actor_of(request))
        messages.info(request, f"Being logged out: {number}.")

    @button(
        "Log out…",
        question="Log {0} out? The phone gets its base profile and restarts; a call is waited for.",
        yes="Log out",
        done="The phone gets its base profile.",
        icon="logout",
        permission="log_out",
    )
    def log_out_one(self, request: HttpRequest, session: MobilitySession) -> None:
        log_out(session, why=Why.STAFF, actor=actor_of(request))


class SessionsOfPhone(PortalAdmin):
    """What the page of a phone shows of who is, and was, logged in there."""

    def shown(self, request: HttpRequest, row: Phone) -> dict[str, Any]:
        return super().shown(request, row) | _recent(request, phone=row)


class SessionsOfPerson(PortalAdmin):
    """What the page of a person shows of the phones where they are, and were, logged in."""

    change_form_outer_after_template = "phones_app/mobility/sessions.html"

    def shown(self, request: HttpRequest, row: User) -> dict[str, Any]:
        return super().shown(request, row) | _recent(request, user=row)


def _recent(request: HttpRequest, **whose: Any) -> dict[str, Any]:
    if not request.user.has_perm(SEES):
        return {}
    rows = MobilitySession.objects.filter(**whose).select_related("phone")[:RECENT]
    sessions = actor_of(request).sees(MobilitySession.objects.filter(pk__in=rows.values("pk"))).select_related("phone")
    return {
        "mobility_sessions": [(session, state_of(session)) for session in sessions],
        "names_people": "phone" in whose,
        "logs_out": request.user.has_perm(LOGS_OUT),
    }
