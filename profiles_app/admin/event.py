"""Events: what happened, what was told of it, and to whom."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from contacts_app.admin.base import DayRangeFilter, ReadOnlyAdmin, TenantFilter, count_of
from contacts_app.templatetags.moments import ago
from profiles_app.admin.delivery import labelled
from profiles_app.models import Event

# More callbacks than this are seldom told of one event; the list of deliveries has them all.
SHOWN = 50


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("tags_here", "object_here", "when", "delivery_count", "account")
    list_display_links = ("tags_here",)
    list_select_related = ("account",)
    list_filter = (("account", TenantFilter), ("created_at", DayRangeFilter))
    search_fields = ("=uuid", "=data_object_uuid", "=data_type")
    search_help_text = "UUID of the event or of its object, or the data type"
    change_form_template = "admin/profiles_app/event/detail.html"
    fields = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).defer("stored_data")
        return rows.annotate(deliveries_here=count_of(Event, "deliveries"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        event = self.row_or_404(request, object_id)
        context = {
            "title": f"Event {' '.join(event.tags)}",
            "event": event,
            "data": json.dumps(event.data, indent=2, ensure_ascii=False),
            "may_see_deliveries": request.user.has_perm("profiles_app.view_delivery"),
            "deliveries": labelled(event.deliveries.order_by("pk")[:SHOWN]),
        }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    @display(description="Tags")
    def tags_here(self, event: Event) -> SafeString:
        return format_html_join("", '<span class="pb-chip">{}</span>', ((tag,) for tag in event.tags))

    @display(description="Object", ordering="data_type", header=True)
    def object_here(self, event: Event) -> list[str]:
        return [event.data_type, str(event.data_object_uuid or "")]

    @display(description="When", ordering="created_at")
    def when(self, event: Event) -> str:
        return ago(event.created_at)

    @display(description="Deliveries")
    def delivery_count(self, event: Any) -> int:
        return int(event.deliveries_here)
