"""Call records: looked at, searched by number, and exported as CSV."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from unfold.decorators import action

from contacts_app.core.admin.base import ReadOnlyAdmin
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.frame import actor_of
from profiles_app.calls.csv import export_calls
from profiles_app.calls.models import CallRecord
from profiles_app.calls.numbers import spelled
from profiles_app.calls.services import OPERATORS_WORDS, shows_operators_words

ENDS = {"Answered": "success", "No answer": "info", "Busy": "warning", "Congestion": "warning", "Failed": "danger"}


@admin.register(CallRecord)
class CallRecordAdmin(ReadOnlyAdmin):
    list_display = (
        *("started_at", "account", "direction", "caller", "called", "extension", "how_it_ended", "seconds", "price"),
    )
    list_select_related = ("account",)
    list_filter = ("direction", "disposition", "started_at", "account")
    search_fields = ("=caller", "=called", "=extension", "=call_id")
    search_help_text = "Caller, called number, extension or call id, as a whole"
    actions = ["export_selected"]
    actions_list = ("export_all", *ReadOnlyAdmin.actions_list)
    how_it_ended = column("End", lambda call: call.get_disposition_display(), ordering="disposition", label=ENDS)
    price = column("Cost", lambda call: "–" if call.cost is None else f"{call.cost.normalize():f} {call.currency}")
    fieldsets = (
        (None, {"fields": ("account", "direction", "caller", "called", "extension")}),
        ("Course", {"fields": ("started_at", "answered_at", "ended_at", "seconds", "disposition")}),
        ("Charge", {"fields": ("cost", "currency", "voice_profile")}),
        ("Operator's notes", {"fields": (*OPERATORS_WORDS, "recording_url")}),
        ("Record", {"fields": ("uuid", "call_id", "created_at")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The tenant's own staff see no more of the operator's words than the tenant's portal shows."""
        if shows_operators_words(actor_of(request)):
            return self.fieldsets
        return [
            (title, {"fields": tuple(name for name in part["fields"] if name not in OPERATORS_WORDS)})
            for title, part in self.fieldsets
        ]

    def term_match(self, term: str) -> Q:
        """A number in any spelling."""
        number = spelled(term)
        return Q(caller=number) | Q(called=number)

    @action(description="Export", icon="download", permissions=["view"])
    def export_all(self, request: HttpRequest) -> HttpResponse:
        return self.export_selected(request, self.tenant_rows(request))

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_selected(self, request: HttpRequest, queryset: "QuerySet[CallRecord]") -> HttpResponse:
        pieces = export_calls(queryset, operators_words=shows_operators_words(actor_of(request)), for_spreadsheets=True)
        answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="calls.csv"'
        return answer  # type: ignore[return-value]
