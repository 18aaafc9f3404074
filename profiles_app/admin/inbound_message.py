"""Messages that came in, and what the webhooks said to them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action, display

from contacts_app.admin.base import DayRangeFilter, ReadOnlyAdmin, TenantFilter
from profiles_app.models import InboundMessage
from profiles_app.services.inbound_message import redeliver_message

STATE_LABELS = {"Pending": "info", "Delivered": "success", "Failed": "danger", "Kept: no webhook": "warning"}


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnlyAdmin):
    tenant_path = "lease__account"
    list_display = ("created_at", "sender", "lease", "profile", "state_here", "outcome", "finished_at")
    list_select_related = ("lease__messaging_profile",)
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("created_at", DayRangeFilter),
        ("lease", TenantFilter),
    )
    search_fields = ("=sender", "=lease__tn", "=uuid")
    search_help_text = "Sender, number or UUID"
    actions_detail = ["deliver_again"]
    fieldsets = (
        (None, {"fields": ("sender", "lease", "text")}),
        ("Delivery", {"fields": ("state_here", "outcome", "next_attempt_at", "finished_at")}),
        ("Record", {"fields": ("uuid", "created_at")}),
    )

    def has_again_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("profiles_app.change_inboundmessage"))

    @action(description="Deliver again…", icon="replay", permissions=["again"])
    def deliver_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.act_on(
            request,
            object_id,
            redeliver_message,
            question="Post the message from {0.sender} to the webhook once more?",
            button="Deliver",
            logged="Delivered again.",
            done="The message is on its way, unless a webhook has taken it already.",
        )

    @display(description="Messaging profile")
    def profile(self, message: InboundMessage) -> str:
        return str(message.lease.messaging_profile)

    @display(description="State", ordering="state", label=STATE_LABELS)
    def state_here(self, message: InboundMessage) -> str:
        return InboundMessage.State(message.state).label
